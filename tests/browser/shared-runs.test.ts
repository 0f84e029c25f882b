/** The page of runs of servers on several machines: who carries each out, also after that one was killed. */
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Page } from 'playwright-core'
import { Process, scratch } from '../node/cli-process.js'
import { Answering, answeringConfig, diamond } from '../redis/answering.js'
import { freshPrefix, RedisServer, withRedis } from '../redis/redis-server.js'
import { serveWords, token } from '../serve/serve-process.js'
import { describeInBrowser, emptyPage } from './chromium.js'
import { accessFaults } from './playground.js'

describeInBrowser('the runs of servers on several machines', () => {
  withRedis('on one Redis server', () => {
    const redis = new RedisServer()
    const provider = new Answering()
    const place = scratch()
    let servers: readonly [Process, Process]
    let page: Page
    let complaints: readonly string[]

    beforeAll(async () => {
      await redis.start()
      const shared = ['--runs', `${redis.address}?prefix=${freshPrefix()}`, '--lease', '1']
      const words = [...serveWords(place.folder, answeringConfig(await provider.open())), ...shared]
      const started = (state: string): Process => new Process([...words, '--state', path.join(place.folder, state)])
      servers = [started('one'), started('other')]
      for (const server of servers) await server.until('/v1\n')
      ;({ page, complaints } = await emptyPage())
    }, 60_000)
    afterAll(async () => {
      await page?.context().close()
      Process.endAll()
      await redis.end()
      provider.close()
      place.remove()
    })

    test('the page says who carries a run out, and who does after that one was killed', async () => {
      provider.held.add('first')
      const base = servers[0].stdout.trim()
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
      const reply = await fetch(`${base}/runs`, {
        ...{ method: 'POST', headers },
        body: JSON.stringify({ plan: diamond(), name: 'shared' }),
      })
      const { id } = (await reply.json()) as { id: string }
      await provider.until(() => provider.ledger.length === 1)
      const { owner = '' } = (await (await fetch(`${base}/runs/${id}`, { headers })).json()) as { owner?: string }
      const carries = servers.find(({ child }) => owner.endsWith(`:${child.pid}`))
      const other = servers.find((server) => server !== carries)!

      // The page of the server that does not carry it out.
      await page.goto(/http\S+sign-in\S+/.exec(other.stderr)?.[0] ?? '')
      await page.getByRole('columnheader', { name: 'Carried out by' }).waitFor()
      const row = page.locator(`[data-run="${id}"]`)
      expect(await row.locator('td').last().textContent()).toBe(owner)
      expect(await accessFaults(page)).toEqual([])

      carries!.child.kill('SIGKILL')
      await provider.until(() => provider.ledger.length === 2)
      await page.reload()
      await row.getByText(`:${other.child.pid}`).waitFor()
      provider.letGo('first')
      await page.getByRole('button', { name: 'shared' }).click()
      await page.locator('.state', { hasText: 'ok' }).waitFor()
      expect(await page.getByRole('link', { name: /^Output of/ }).count()).toBe(diamond().steps.length)
      expect(provider.ledger.filter((step) => step === 'last')).toEqual(['last'])
      expect(complaints).toEqual([])
    })
  })
})
