/** The page of a server's runs, opened by the link that signs it in once: list, a run as it goes on, two compared, reload, access. */
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Page } from 'playwright-core'
import { Process, scratch } from '../node/cli-process.js'
import { configOf, ScriptedProvider } from '../serve/scripted-provider.js'
import { serveWords, token } from '../serve/serve-process.js'
import { describeInBrowser, emptyPage } from './chromium.js'
import { accessFaults } from './playground.js'

describeInBrowser('the runs of a server', () => {
  const provider = new ScriptedProvider()
  const place = scratch()
  let server: Process
  let base = ''
  let page: Page
  let complaints: readonly string[]

  beforeAll(async () => {
    const words = serveWords(place.folder, configOf(await provider.open()))
    server = new Process([...words, '--state', path.join(place.folder, 'state')])
    await server.until('/v1\n')
    base = server.stdout.trim()
    ;({ page, complaints } = await emptyPage())
  }, 60_000)
  afterAll(async () => {
    await page?.context().close()
    Process.endAll()
    provider.close()
    place.remove()
  })

  const step = (id: string, description: string, dependencies: string[] = []) => ({
    id,
    type: 'analysis',
    description,
    dependencies,
  })

  async function begin(name: string, middle: string): Promise<string> {
    const steps = [step('first', 'begin'), step('middle', middle, ['first']), step('last', 'end', ['middle'])]
    const reply = await fetch(`${base}/runs`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ plan: { task_id: name, description: '', steps }, name }),
    })
    return ((await reply.json()) as { id: string }).id
  }

  test('are listed, watched, compared', async () => {
    const quick = await begin('quick', 'go on')
    const held = await begin('held', '[[hold]]')
    await provider.holds(1)
    // Nobody is told anything without the link.
    await page.goto(new URL('/runs.html', base).href)
    await page.getByText('You are not signed in').waitFor()
    const link = /http\S+sign-in\S+/.exec(server.stderr)?.[0] ?? ''
    await page.goto(link)
    await page.locator(`[data-run="${quick}"]`).waitFor()
    expect(page.url()).toMatch(/runs\.html$/)
    expect(await accessFaults(page)).toEqual([])
    await page.getByRole('button', { name: 'held' }).click()
    await page.getByRole('link', { name: 'Output of first' }).waitFor()
    expect(await page.locator('.state').textContent()).toBe('running')
    // A reload finds the run by its address, and goes on.
    await page.reload()
    await page.getByRole('link', { name: 'Output of first' }).waitFor()
    provider.release()
    await page.locator('.state', { hasText: 'ok' }).waitFor()
    expect(await page.getByRole('link', { name: /^Output of/ }).count()).toBe(3)
    // The list hears of it too.
    await page.locator(`[data-run="${held}"]`).getByText('ok').waitFor()
    // The step that is chosen: what it was sent, made again from the journal, and what came of it.
    await page
      .getByRole('listbox', { name: 'Timeline of the steps' })
      .getByRole('option', { name: /middle/ })
      .click()
    const step = page.getByRole('region', { name: 'Step' })
    await step.getByLabel('User').first().waitFor()
    expect(await step.getByLabel('User').first().textContent()).toContain('[[hold]]')
    await step.getByLabel('Output of middle').getByText('held').waitFor()
    const report = page.getByRole('region', { name: 'Report' })
    await report.getByRole('heading', { name: 'Timeline' }).waitFor()
    expect(await report.innerText()).toContain('middle')
    expect(await accessFaults(page)).toEqual([])
    await page.getByLabel('compare quick').check()
    await page.getByLabel('compare held').check()
    const rows = page.getByRole('region', { name: 'Comparison' }).getByRole('row')
    await rows.nth(5).waitFor()
    expect(await rows.nth(1).allInnerTexts()).toEqual([expect.stringMatching(/State\s+ok\s+ok/)])
    expect(await accessFaults(page)).toEqual([])
    expect(complaints).toEqual([])
    expect(held).not.toBe(quick)
  }, 60_000)
})
