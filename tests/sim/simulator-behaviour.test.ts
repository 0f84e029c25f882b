import { describe, expect, test } from '@jest/globals'
import {
  createSimulator,
  simulatorProfiles,
  type ProviderProfile,
  type SimulatorProfile,
} from '../../web/standard/simulator/index.js'
import { createOpenAiCompatible, deepseek } from '../../web/standard/providers/index.js'
import { failureOf, modelRequest } from '../web/call.js'
import { FakeClock, settled } from './fake-clock.js'

const base = { firstTokenMs: 1000, tokensPerSecond: 50, jitter: 0 }

function profile(changes: Partial<ProviderProfile>, more: Partial<SimulatorProfile> = {}): SimulatorProfile {
  const { providers } = simulatorProfiles.instant
  return {
    ...simulatorProfiles.instant,
    answerTokens: 101,
    ...more,
    providers: { ...providers, deepseek: { ...base, ...changes } },
  }
}

function playing(simulated: SimulatorProfile, seed = 1) {
  const clock = new FakeClock()
  const simulator = createSimulator(simulated, { clock, seed })
  const client = createOpenAiCompatible({
    fetch: simulator.fetch,
    baseUrl: 'http://sim.test/deepseek',
    key: () => 'k',
    dialect: deepseek,
    clock,
  })
  const call = (changes = {}, abort = new AbortController(), observer = {}) =>
    client.generate(modelRequest({ maxOutputTokens: 400, ...changes }), abort.signal, observer)
  return { clock, simulator, call }
}

describe('time', () => {
  test('first token and speed are the profile`s, to the millisecond, at few timers', async () => {
    const { clock, simulator, call } = playing(profile({}))
    let firstAt = -1
    const running = call({}, undefined, { firstToken: () => (firstAt = clock.now()) })
    await clock.advance(60_000)
    const { usage } = await running
    const [entry] = simulator.ledger.entries
    expect(firstAt).toBe(1000)
    expect(entry!.endedAtMs! - entry!.startedAtMs).toBeCloseTo(1000 + (usage!.output - 1) * 20, 3)
    expect(clock.fired).toBeLessThanOrEqual(2 + 30 * 2.1)
  })
  test('a whole reply takes as long as a streamed one', async () => {
    const { clock, simulator, call } = playing(profile({}))
    const both = Promise.all([call({ stream: true }), call({ stream: false })])
    await clock.advance(60_000)
    const [streamed, whole] = await both
    expect(whole.text).toBe(streamed.text)
    const [left, right] = simulator.ledger.entries
    expect(right!.endedAtMs).toBeCloseTo(left!.endedAtMs!, 6)
  })
  test('scale and jitter', async () => {
    const fast = playing(profile({}, { timeScale: 0.1 }))
    const running = fast.call()
    await fast.clock.advance(99)
    expect(fast.simulator.ledger.entries[0]!.outTokens).toBe(0)
    await fast.clock.advance(1)
    expect(fast.simulator.ledger.entries[0]!.outTokens).toBe(1)
    await fast.clock.advance(60_000)
    await running
    const spread = playing(profile({ jitter: 0.5 }))
    const firsts: number[] = []
    const calls = Array.from({ length: 40 }, (_, number) =>
      spread.call({ user: `call ${number}` }, undefined, { firstToken: () => firsts.push(spread.clock.now()) }),
    )
    await spread.clock.advance(60_000)
    await Promise.all(calls)
    expect(Math.min(...firsts)).toBeGreaterThanOrEqual(500)
    expect(Math.max(...firsts)).toBeLessThanOrEqual(1500)
    expect(Math.max(...firsts) - Math.min(...firsts)).toBeGreaterThan(500)
  })
  test('the mission: 1500 tokens in 30 s', async () => {
    const { clock, simulator, call } = playing(simulatorProfiles.mission)
    const running = call({ maxOutputTokens: 4000 })
    await clock.advance(60_000)
    expect((await running).usage!.output).toBeGreaterThan(1470)
    expect(simulator.ledger.entries[0]!.endedAtMs).toBeGreaterThan(29_200)
    expect(simulator.ledger.entries[0]!.endedAtMs).toBeLessThanOrEqual(30_000)
  })
})

describe('limits', () => {
  test('concurrency, in the provider`s own words and without a wait', async () => {
    const { clock, simulator, call } = playing(profile({ concurrency: 2 }))
    const running = [call({ user: 'one' }), call({ user: 'two' })]
    await settled()
    const refused = await failureOf(call({ user: 'three' }))
    expect(refused).toMatchObject({
      kind: 'rate_limited',
      status: 429,
      message: expect.stringContaining('Your current concurrency is 3'),
    })
    expect(refused.retryAfterMs).toBeUndefined()
    await clock.advance(60_000)
    await Promise.all(running)
    expect(simulator.ledger.peak('deepseek')).toBe(2)
    expect(simulator.ledger.inFlight()).toBe(0)
  })
  test('requests and tokens in any minute', async () => {
    for (const limit of [{ requestsPerMinute: 2 }, { tokensPerMinute: 240 }]) {
      const { clock, call } = playing(profile({ firstTokenMs: 0, tokensPerSecond: Infinity, ...limit }))
      await call({ user: 'one' })
      await clock.advance(30_000)
      await call({ user: 'two' })
      expect(await failureOf(call({ user: 'three' }))).toMatchObject({ kind: 'rate_limited' })
      await clock.advance(29_999)
      expect(await failureOf(call({ user: 'three' }))).toMatchObject({ kind: 'rate_limited' })
      await clock.advance(1)
      expect(await call({ user: 'three' })).toMatchObject({ finish: 'stop' })
    }
  })
})

describe('failures', () => {
  const failing = (kind: NonNullable<ProviderProfile['failures']>[number]['kind']) =>
    playing(profile({ failures: [{ kind, share: 1 }] }))
  test.each([
    ['rate_limited', 'rate_limited'],
    ['quota_exhausted', 'quota_exhausted'],
    ['auth', 'auth'],
    ['bad_request', 'bad_request'],
    ['too_large', 'too_large'],
    ['overloaded', 'overloaded'],
    ['server_error', 'server_error'],
    ['truncated', 'truncated'],
    ['stream_error', 'server_error'],
    ['malformed', 'malformed'],
    ['unreachable', 'unreachable'],
  ] as const)('%s is seen as %s, streamed or not', async (kind, seen) => {
    for (const stream of [true, false]) {
      const { clock, call } = failing(kind)
      const running = failureOf(call({ stream }))
      await clock.advance(60_000)
      expect(await running).toMatchObject({ kind: seen })
    }
  })
  test.each(['timeout_idle', 'timeout_first_token'] as const)(
    '%s stands still until the client leaves',
    async (kind) => {
      const { clock, simulator, call } = failing(kind)
      const abort = new AbortController()
      const running = failureOf(call({}, abort))
      await clock.advance(600_000)
      expect(simulator.ledger.inFlight('deepseek')).toBe(1)
      abort.abort()
      expect(await running).toMatchObject({ kind: 'cancelled' })
      await settled()
      expect(simulator.ledger.inFlight('deepseek')).toBe(0)
    },
  )
  test('come by their share, the same for the same seed, and anew for a repeat', async () => {
    const flaky = profile({
      firstTokenMs: 0,
      tokensPerSecond: Infinity,
      failures: [{ kind: 'server_error', share: 0.3 }],
    })
    const fates = async (seed: number) => {
      const { call } = playing(flaky, seed)
      const kinds: string[] = []
      for (let number = 0; number < 200; number++)
        kinds.push(
          await call({ user: `call ${number % 20}` }).then(
            () => 'ok',
            (error: { kind: string }) => error.kind,
          ),
        )
      return kinds
    }
    const first = await fates(1)
    expect(await fates(1)).toEqual(first)
    expect(await fates(2)).not.toEqual(first)
    const failed = first.filter((kind) => kind === 'server_error').length
    expect(failed).toBeGreaterThan(35)
    expect(failed).toBeLessThan(90)
    expect(new Set(first.filter((_, number) => number % 20 === 0)).size).toBe(2)
  })
})

test('the order of requests changes no answer', async () => {
  const texts = async (order: readonly string[]) => {
    const { call } = playing(profile({ firstTokenMs: 0, tokensPerSecond: Infinity }))
    const seen = new Map<string, string>()
    for (const user of order) seen.set(user, (await call({ user })).text)
    return [...seen].sort()
  }
  expect(await texts(['a task', 'b task', 'c task'])).toEqual(await texts(['c task', 'a task', 'b task']))
})

describe('a client that leaves', () => {
  test.each([
    ['before the first token', 500, 0],
    ['in the middle', 1500, 26],
  ])('%s ends the stream, and the ledger says so', async (_, atMs, most) => {
    const { clock, simulator, call } = playing(profile({}))
    const abort = new AbortController()
    const running = failureOf(call({}, abort))
    await clock.advance(atMs)
    abort.abort()
    expect(await running).toMatchObject({ kind: 'cancelled' })
    await settled()
    expect(simulator.ledger.entries[0]).toMatchObject({ aborted: true, endedAtMs: atMs })
    expect(simulator.ledger.entries[0]!.outTokens).toBeLessThanOrEqual(most)
    expect(clock.waiting).toBe(0)
  })
  test('dropping the body is leaving too', async () => {
    const { clock, simulator } = playing(profile({}))
    const body = JSON.stringify({ model: 'm', stream: true, messages: [{ role: 'user', content: 'x' }] })
    const init = { method: 'POST', headers: { authorization: 'Bearer k' }, body }
    const response = await simulator.fetch('http://sim.test/deepseek/v1/chat/completions', init)
    await clock.advance(1100)
    await response.body!.cancel()
    expect(simulator.ledger.entries).toMatchObject([{ aborted: true }])
    expect(simulator.ledger.inFlight()).toBe(0)
    expect(clock.waiting).toBe(0)
  })
  test('one that has seen the end has not left', async () => {
    const { clock, simulator, call } = playing(profile({}))
    const running = call()
    await clock.advance(60_000)
    await running
    await settled()
    expect(simulator.ledger.entries[0]).toMatchObject({ aborted: false })
  })
  test('a fetch that was aborted before rejects as the platform`s does', async () => {
    const { simulator } = playing(profile({}))
    const signal = AbortSignal.abort()
    const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'x' }] })
    const init = { method: 'POST', headers: { authorization: 'Bearer k' }, body, signal }
    await expect(simulator.fetch('http://sim.test/groq/v1/chat/completions', init)).rejects.toMatchObject({
      name: 'AbortError',
    })
  })
})

test('the ledger keeps the idempotency key', async () => {
  const { simulator } = playing(profile({}))
  const body = JSON.stringify({ model: 'm', messages: [] })
  await simulator.fetch('http://sim.test/groq/v1/chat/completions', {
    method: 'POST',
    headers: { authorization: 'Bearer k', 'idempotency-key': 'abc' },
    body,
  })
  expect(simulator.ledger.entries).toMatchObject([{ idempotencyKey: 'abc', status: 400, provider: 'groq' }])
})
