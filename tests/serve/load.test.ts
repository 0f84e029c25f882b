/**
 * Many requests of several tenants at once, at a provider that refuses some: limits and budgets hold, nobody starves, and who leaves
 * gives everything back. `AETHERFLOW_LOAD=1000` for the long proof.
 */
import { afterAll, afterEach, expect, jest, test } from '@jest/globals'
import { Agent, request } from 'undici'
import { serve, type ServeHandle, type ServeOptions } from '../../node/serve/serve.js'
import { configOf, ScriptedProvider } from './scripted-provider.js'

jest.setTimeout(240_000)

const all = Number(process.env['AETHERFLOW_LOAD'] ?? 150)
const agent = new Agent({ connections: 1100, headersTimeout: 0, bodyTimeout: 0 })
const open: { close(): Promise<void> | void }[] = []
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close()
})
afterAll(() => agent.close())

async function start(
  options: ServeOptions,
  concurrency: number,
): Promise<{ server: ServeHandle; provider: ScriptedProvider }> {
  const provider = new ScriptedProvider()
  const config = configOf(await provider.open())
  const local = { ...config.providers!['local'], concurrency }
  open.push(provider)
  const server = await serve({ ...options, port: 0, config: { ...config, providers: { local } } })
  open.push(server)
  return { server, provider }
}

interface Reply {
  readonly status: number
  readonly cost: number
  readonly code: string | undefined
  readonly retryAfterMs: number
}

async function ask({ url }: ServeHandle, token: string, content: string, signal?: AbortSignal): Promise<Reply> {
  const reply = await request(`${url}/v1/chat/completions`, {
    method: 'POST',
    dispatcher: agent,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'auto', messages: [{ role: 'user', content }], max_tokens: 10 }),
    ...(signal === undefined ? {} : { signal }),
  })
  const body = (await reply.body.json()) as { usage?: { cost: number }; error?: { code: string } }
  const wait = Number(reply.headers['retry-after-ms'] ?? 0)
  return { status: reply.statusCode, cost: body.usage?.cost ?? 0, code: body.error?.code, retryAfterMs: wait }
}

test(`${all} requests in flight over three tenants: no limit exceeded, no tenant pays for another, none starves`, async () => {
  // Reserved for each: about 50 micro-USD, for two attempts; an answer costs 40, or 4 of the cheaper model.
  const budget = 0.0003
  const keys = [
    { name: 'rich', token: 'afk_rich_0123456789abcdef' },
    { name: 'narrow', token: 'afk_narrow_0123456789abcd', concurrency: 10 },
    { name: 'poor', token: 'afk_poor_0123456789abcdef', budgetUsdPerDay: budget },
  ]
  const { server, provider } = await start({ keys }, 8)
  let refusals = 0
  // Every seventh call is refused once, with a wait that the machine obeys.
  provider.before = (_asked, response) => {
    if (provider.calls % 7 !== 0) return false
    refusals += 1
    response.writeHead(429, { 'retry-after-ms': '5', 'content-type': 'application/json' })
    response.end('{"error":{"message":"slow down"}}')
    return true
  }
  const third = Math.ceil(all / 3)
  let narrowed = 0
  let poorer = 0
  const replies = await Promise.all(
    Array.from({ length: third * 3 }, async (_, at) => {
      const { name, token } = keys[at % 3]!
      const reply = { name, ...(await ask(server, token, `hold ${name} ${at}`)) }
      if (reply.status === 429 && name === 'narrow') narrowed += 1
      if (reply.status === 429 && name === 'poor') poorer += 1
      // No provider answers before all are there: those that were let in, and those that were not.
      if (narrowed >= third - 10 && poorer >= third - 3) provider.releaseAll()
      return reply
    }),
  )
  const of = (name: string) => replies.filter((each) => each.name === name)
  expect(provider.most).toBeLessThanOrEqual(8)
  expect(refusals).toBeGreaterThan(0)
  // Nobody limits the first but the provider, and the machine waits for that.
  expect(new Set(of('rich').map(({ status }) => status))).toEqual(new Set([200]))
  // The others are told at once, and why; what they were answered was within their bounds.
  const answered = (name: string) => of(name).filter(({ status }) => status === 200).length
  expect([answered('narrow'), answered('poor')]).toEqual([10, 3])
  for (const { status, code, retryAfterMs } of [...of('narrow'), ...of('poor')]) {
    expect([200, 402, 429]).toContain(status)
    if (status === 429) expect([code, retryAfterMs > 0]).toEqual(['rate_limit_exceeded', true])
  }
  // One by one until there is nothing left: in all no more than the budget, to the last micro-USD.
  const poor = keys[2]!.token
  let spent = of('poor').reduce((sum, { cost }) => sum + cost, 0)
  let last = await ask(server, poor, 'say more')
  while (last.status === 200) {
    spent += last.cost
    last = await ask(server, poor, 'say more')
  }
  expect(last).toMatchObject({ status: 402, code: 'budget_exceeded' })
  expect(spent).toBeLessThanOrEqual(budget)
  expect(spent).toBeGreaterThan(budget / 2)
})

test('whoever leaves frees the place and settles the money', async () => {
  const token = 'afk_one_0123456789abcdefg'
  const { server, provider } = await start(
    { keys: [{ name: 'one', token, concurrency: 1, budgetUsdPerDay: 0.001 }] },
    4,
  )
  for (let round = 0; round < 4; ++round) {
    const gone = new AbortController()
    const left = ask(server, token, 'silence', gone.signal).catch(() => undefined)
    await provider.holds(1)
    expect(await ask(server, token, 'x')).toMatchObject({ status: 429 })
    gone.abort()
    await left
    await provider.holds(0)
    // The provider has seen the connection end; the server settles in the same turn, or the next ones.
    let after = await ask(server, token, 'hello')
    while (after.status === 429) after = await ask(server, token, 'hello')
    expect(after.status).toBe(200)
  }
})
