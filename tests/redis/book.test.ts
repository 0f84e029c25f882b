/**
 * Limits and budgets of keys and tenants that servers share: the decisions of one server, and what a server held that is gone counts as spent.
 * AETHERFLOW_BOOK_SCHEDULES sets the number of schedules (`npm run test:limits`: 10,000).
 */
import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals'
import { bookScript } from '../../node/redis/book-script.js'
import { bookValues } from '../../node/redis/book.js'
import { RedisBook, type RedisLink } from '../../node/redis/index.js'
import { runScript, type RedisArgument } from '../../node/redis/link.js'
import type { Asked, Decision } from '../../node/serve/accounts.js'
import type { ServeKey } from '../../node/serve/keys.js'
import { OwnBook } from '../../node/serve/own-book.js'
import { serve, type ServeHandle } from '../../node/serve/serve.js'
import { Spending } from '../../node/serve/spending.js'
import { seeded } from '../../web/standard/simulator/random.js'
import { Answering, answeringConfig } from './answering.js'
import { freshPrefix, RedisServer, withRedis } from './redis-server.js'

const schedules = Number(process.env['AETHERFLOW_BOOK_SCHEDULES'] ?? 100)
jest.setTimeout(60_000 + schedules * 500)

/** Far away, and a quarter of an hour before midnight. */
const dawn = Date.parse('2096-12-31T23:45:00Z')

withRedis('limits and budgets of keys', () => {
  const server = new RedisServer()
  let link: RedisLink
  const open: { close(): Promise<void> | void }[] = []
  beforeAll(async () => {
    await server.start()
    link = await server.link({ timeoutMs: 10_000 })
  })
  afterEach(async () => {
    for (const each of open.splice(0).reverse()) await each.close()
  })
  afterAll(async () => {
    await link.close()
    await server.end()
  })

  const act = (base: string, operation: string, now: number, values: readonly RedisArgument[], owner = 'o') =>
    runScript(link, bookScript, [base], [operation, owner, now, 1e12, ...values]) as Promise<
      [string, string, number, number, string, string]
    >

  test(`${schedules} seeded schedules: the server decides as one process does`, async () => {
    const refusals = new Map<string, number>()
    let byTenants = 0
    for (let seed = 1; seed <= schedules; seed += 1) {
      const random = seeded(seed)
      const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T
      let now = dawn
      const clock = { now: () => now, after: () => () => undefined }
      const own = new OwnBook(clock, await Spending.open(undefined, () => now))
      const limits = (): Partial<ServeKey> => ({
        ...pick([{}, { budgetUsdPerDay: 0.0005 }, { budgetUsdPerDay: 0.005 }]),
        ...pick([{}, { requestsPerMinute: 4 }]),
        ...pick([{}, { tokensPerMinute: 600 }]),
        ...pick([{}, { concurrency: 2 }]),
      })
      const tenant = pick([{}, { tenant: 't 1', tenantBudgetUsdPerDay: 0.001 }])
      const keys: ServeKey[] = [
        { name: 'a', token: 'a', ...limits(), ...tenant },
        { name: 'b c', token: 'b', ...limits(), ...tenant },
      ]
      const live: { key: ServeKey; asked: Asked }[] = []
      for (let step = 0; step < 40; step += 1) {
        now += pick([0, 5, 900, 20_000, 61_000, 400_000])
        const words = `seed ${seed}, step ${step}`
        const [over] = random() < 0.45 ? live.splice(Math.floor(random() * live.length), 1) : []
        if (over !== undefined) {
          const came = { tokens: pick([0, 90, 200]), microUsd: pick([0, 40, 300]) }
          own.leave(over.key, over.asked, came)
          await act(`{b${seed}}`, 'leave', now, [
            over.key.name,
            over.asked.id,
            came.tokens,
            came.microUsd,
            over.asked.kind,
          ])
          continue
        }
        const key = pick(keys)
        const asked: Asked = {
          ...{ id: `i${step}`, kind: pick(['request', 'request', 'run', 'again'] as const) },
          ...{ tokens: pick([0, 150, 700]), microUsd: pick([0, 100, 400, 1e15]) },
        }
        const values = bookValues(key, asked)
        const [refused, hold, requests, tokens, resetMs] = await act(`{b${seed}}`, 'enter', now, values)
        const said: Decision = {
          ...(refused === '' ? {} : { refused: refused as never }),
          microUsd: Number(hold) < 0 ? undefined : Number(hold),
          ...{ requests, tokens, resetMs: Number(resetMs) },
        }
        const expected = own.decide(key, asked)
        expect({ words, ...said }).toEqual({ words, ...expected })
        if (refused === '') live.push({ key, asked })
        else refusals.set(refused, (refusals.get(refused) ?? 0) + 1)
        if (/held|spent/.test(refused) && key.budgetUsdPerDay === undefined) byTenants += 1
      }
    }
    expect(byTenants).toBeGreaterThan(schedules / 10)
    // Each of the limits was met.
    expect([...refusals.keys()].sort()).toEqual(['concurrency', 'held', 'requests', 'spent', 'tokens', 'too_large'])
  })

  const runKey: ServeKey = {
    name: 'k',
    token: 'k',
    budgetUsdPerDay: 0.001,
    concurrency: 2,
    tenant: 't',
    tenantBudgetUsdPerDay: 1,
  }
  const lives = (base: string, at = dawn) => ({
    /** Why it is refused, and what is set aside for it. */
    enter: async (id: string, kind: Asked['kind'], owner: string, microUsd = 300): Promise<unknown[]> => {
      const values = bookValues(runKey, { id, kind, tokens: 10, microUsd })
      const row = await runScript(link, bookScript, [base], ['enter', owner, at, 1000, ...values])
      return (row as unknown[]).slice(0, 2)
    },
    /** Held and spent: of the key, then of the tenant. */
    money: async (now: number): Promise<string[]> => {
      const [, held, , , , spent] = await act(base, 'state', now, ['k', ''])
      const [, tenantHeld, , , , tenantSpent] = await act(base, 'state', now, ['/t', ''])
      return [held, spent, tenantHeld, tenantSpent]
    },
  })

  test('what a server had let in that is gone counts as spent after its lease, also for the tenant, and its places come back', async () => {
    const base = `{${freshPrefix()}}`
    const { enter, money } = lives(base)
    await enter('request', 'request', 'dies')
    await enter('run', 'run', 'dies')
    expect(await money(dawn + 500)).toEqual(['600', '0', '600', '0'])
    expect(await enter('full', 'request', 'lives')).toEqual(['concurrency', '-1'])
    expect(await money(dawn + 1000)).toEqual(['0', '600', '0', '600'])
    const later = lives(base, dawn + 1000)
    expect(await later.enter('fits', 'request', 'lives', 10)).toEqual(['', '10'])
    await act(base, 'leave', dawn + 1000, ['k', 'fits', 0, 0, 'request'], 'lives')
    // Anyone who carries the run out settles it, once, for what it really cost.
    for (const owner of ['one', 'other']) await act(base, 'leave', dawn + 1000, ['k', 'run', 0, 120, 'again'], owner)
    expect(await money(dawn + 1000)).toEqual(['0', '420', '0', '420'])
    // Its server was not gone after all: what it tells counts, once.
    for (let time = 0; time < 2; time += 1)
      await act(base, 'leave', dawn + 1000, ['k', 'request', 20, 50, 'request'], 'dies')
    expect(await money(dawn + 1000)).toEqual(['0', '170', '0', '170'])
    // Its end was lost after that, and another brings it to its end again.
    await later.enter('run', 'again', 'next')
    await act(base, 'leave', dawn + 1000, ['k', 'run', 0, 120, 'again'], 'next')
    expect(await money(dawn + 1000)).toEqual(['0', '170', '0', '170'])
  })

  test('a run is held for whoever carries it out: taken over in time, or after the lease of the one that is gone', async () => {
    const base = `{${freshPrefix()}}`
    const first = lives(base)
    await first.enter('early', 'run', 'dies')
    await first.enter('early', 'again', 'takes')
    await first.enter('late', 'run', 'dies')
    await act(base, 'beat', dawn, [], 'takes')
    expect(await first.money(dawn + 1000)).toEqual(['300', '300', '300', '300'])
    const next = lives(base, dawn + 1100)
    expect(await next.enter('late', 'again', 'takes')).toEqual(['', '300'])
    expect(await next.money(dawn + 1100)).toEqual(['600', '0', '600', '0'])
    for (const [id, cost] of [
      ['early', 100],
      ['late', 200],
    ] as const)
      await act(base, 'leave', dawn + 1100, ['k', id, 0, cost, 'again'], 'takes')
    expect(await next.money(dawn + 1100)).toEqual(['0', '300', '0', '300'])
    const kept = (await link.send('KEYS', `${base}:*`)) as string[]
    expect(kept.filter((name) => /:(lapsed|open|by|held)/.test(name))).toEqual([])
  })

  test('a tenant pays for all of its keys, at whichever server they ask', async () => {
    const prefix = freshPrefix()
    const books = [new RedisBook(link, { prefix }), new RedisBook(link, { prefix })] as const
    open.push(...books)
    const keys = ['one', 'other'].map((name) => ({ name, token: name, tenant: 'acme', tenantBudgetUsdPerDay: 0.001 }))
    const stranger = { name: 'stranger', token: 's', tenant: 'else', tenantBudgetUsdPerDay: 0.001 }
    const asked = (id: string, microUsd: number): Asked => ({ id, kind: 'request', tokens: 1, microUsd })
    expect(await books[0].enter(keys[0]!, asked('a', 700))).toMatchObject({ microUsd: 700 })
    expect(await books[1].enter(keys[1]!, asked('b', 700))).toMatchObject({ refused: 'held' })
    books[0].leave(keys[0]!, asked('a', 700), { tokens: 1, microUsd: 600 })
    await books[0].close()
    expect(await books[1].money('/acme')).toEqual({ spent: 600, held: 0 })
    expect(await books[1].enter(keys[1]!, asked('c', 400))).toMatchObject({ microUsd: 400 })
    books[1].leave(keys[1]!, asked('c', 400), { tokens: 1, microUsd: 400 })
    await books[1].close()
    expect(await books[1].enter(keys[0]!, asked('d', 1))).toMatchObject({ refused: 'spent' })
    expect(await books[1].enter(stranger, asked('e', 1000))).toMatchObject({ microUsd: 1000 })
  })

  test('two servers: what one lets in the other knows; without the server of the limits nobody is let in', async () => {
    const prefix = freshPrefix()
    const provider = new Answering()
    open.push(provider)
    const config = answeringConfig(await provider.open())
    const key: ServeKey = { name: 'k', token: 'afk_0123456789abcdef', budgetUsdPerDay: 1, requestsPerMinute: 1 }
    const own = await server.link()
    const book = new RedisBook(own, { prefix })
    const started = async (): Promise<ServeHandle> => {
      const made = await serve({ port: 0, keys: [key], config, book })
      open.push(made)
      return made
    }
    open.push({ close: () => book.close() })
    const [one, other] = [await started(), await started()]
    const ask = async ({ url }: ServeHandle): Promise<number> => {
      const body = { model: 'auto', messages: [{ role: 'user', content: 'Write STEP-x.' }] }
      const headers = { authorization: `Bearer ${key.token}`, 'content-type': 'application/json' }
      const reply = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body: JSON.stringify(body) })
      await reply.text()
      return reply.status
    }
    expect(await ask(one)).toBe(200)
    expect(await book.money('k')).toEqual({ spent: 80, held: 0 })
    expect(await ask(other)).toBe(429)
    expect(provider.ledger).toEqual(['x'])
    await own.close()
    expect(await ask(other)).toBe(503)
  })
})
