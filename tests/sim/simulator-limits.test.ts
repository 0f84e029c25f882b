// What the simulator tells and refuses of limits, and what its ledger proves of a client that keeps to them.
import { describe, expect, test } from '@jest/globals'
import type { LimitSeen, ModelClient } from '../../bindings/ports.js'
import {
  createGemini,
  createOpenAiCompatible,
  deepseek,
  groq,
  mistral,
  openai,
} from '../../web/standard/providers/index.js'
import {
  createSimulator,
  simulatedProviders,
  simulatorProfiles,
  type ProviderProfile,
  type SimulatedProvider,
} from '../../web/standard/simulator/index.js'
import { failureOf, modelRequest } from '../web/call.js'
import { FakeClock } from './fake-clock.js'

const origin = 'http://simulator.test'
const dialects = { deepseek, groq, openai, mistral }

function playing(provider: SimulatedProvider, changes: Partial<ProviderProfile>, timeScale = 1) {
  const clock = new FakeClock()
  const { instant } = simulatorProfiles
  const simulator = createSimulator(
    {
      ...instant,
      timeScale,
      providers: { ...instant.providers, [provider]: { ...instant.providers[provider], ...changes } },
    },
    { clock },
  )
  const config = { fetch: simulator.fetch, key: () => 'k', clock }
  const client: ModelClient =
    provider === 'gemini'
      ? createGemini({ ...config, baseUrl: `${origin}/gemini/v1beta` })
      : createOpenAiCompatible({ ...config, baseUrl: `${origin}/${provider}/v1`, dialect: dialects[provider] })
  const seen: LimitSeen[][] = []
  const call = (user: string) =>
    client.generate(modelRequest({ model: 'm', user, stream: false }), new AbortController().signal, {
      limits: (limits) => seen.push([...limits]),
    })
  return { clock, simulator, call, seen }
}

describe('an accepted reply tells what is left', () => {
  const limits = { requestsPerMinute: 30, tokensPerMinute: 8000, requestsPerDay: 14_400 }
  test.each([
    ['openai', 'requests_per_minute', 30],
    ['groq', 'requests_per_day', 14_400],
    ['mistral', 'requests_per_minute', 30],
  ] as const)('%s: %s of %i, and the tokens of a minute', async (provider, window, limit) => {
    const { call, seen } = playing(provider, limits)
    const used = (await call('one')).usage!
    await call('two')
    const [first, second] = seen
    expect(first).toContainEqual(expect.objectContaining({ window, limit, remaining: limit - 1 }))
    expect(second).toContainEqual(expect.objectContaining({ window, limit, remaining: limit - 2 }))
    expect(first).toContainEqual(
      expect.objectContaining({ window: 'tokens_per_minute', limit: 8000, remaining: 8000 - used.input - used.output }),
    )
  })
  test('resets are in real time', async () => {
    const { call, seen } = playing('openai', limits, 0.1)
    await call('one')
    expect(seen[0]!.map(({ resetMs }) => resetMs)).toEqual([6000, 6000])
  })
  test.each(['deepseek', 'gemini'] as const)('%s sends none', async (provider) => {
    const { call, seen } = playing(provider, limits)
    await call('one')
    expect(seen).toEqual([])
  })
})

describe('a refusal is in the provider`s words and forms', () => {
  test.each([
    ['deepseek', { requestsPerMinute: 1 }, undefined, 'requests'],
    ['groq', { requestsPerMinute: 1 }, 60_000, 'requests'],
    ['groq', { requestsPerDay: 1 }, 86_400_000, 'requests_per_day'],
    ['groq', { tokensPerMinute: 150 }, 60_000, 'tokens'],
    ['openai', { requestsPerMinute: 1 }, 60_000, 'requests'],
    ['openai', { requestsPerDay: 1 }, 86_400_000, 'requests_per_day'],
    ['mistral', { tokensPerMinute: 150 }, 60_000, 'tokens'],
    ['gemini', { requestsPerMinute: 1 }, 60_000, 'requests'],
  ] as const)('%s %o: wait %s', async (provider, limits, retryAfterMs, limit) => {
    const { call, simulator } = playing(provider, limits)
    await call('one')
    const refused = await failureOf(call('two'))
    expect(refused).toMatchObject({ kind: 'rate_limited', status: 429 })
    expect(refused.retryAfterMs).toBe(retryAfterMs)
    expect(simulator.ledger.entries).toMatchObject([{ limit: undefined }, { status: 429, limit }])
  })
  test('Gemini`s limit of a day is used up, and names no wait that helps', async () => {
    const { call } = playing('gemini', { requestsPerDay: 1 })
    await call('one')
    expect(await failureOf(call('two'))).toMatchObject({ kind: 'quota_exhausted', retryAfterMs: undefined })
  })
  test('Groq counts no tokens that were in the cache', async () => {
    const words = Array.from({ length: 1200 }, (_, at) => ` w${at % 90}`).join('')
    const run = async (provider: 'groq' | 'openai') => {
      const { simulator, clock } = playing(provider, { tokensPerMinute: 4000 })
      const client = createOpenAiCompatible({
        fetch: simulator.fetch,
        key: () => 'k',
        clock,
        baseUrl: `${origin}/${provider}/v1`,
        dialect: dialects[provider],
      })
      const model = provider === 'groq' ? 'openai/gpt-oss-20b' : 'gpt-4.1-mini'
      const call = () =>
        client.generate(modelRequest({ model, system: words, stream: false }), new AbortController().signal)
      await call()
      return call().then(
        () => 'ok',
        (error: { kind: string }) => error.kind,
      )
    }
    expect([await run('groq'), await run('openai')]).toEqual(['ok', 'rate_limited'])
  })
})

test('a script says what happens to the first requests, one by one', async () => {
  const { call, simulator } = playing('groq', {
    script: ['ok', 'rate_limited', 'ok', 'server_error'],
    failures: [{ kind: 'overloaded', share: 1 }],
  })
  const ends: string[] = []
  for (let number = 0; number < 6; number++)
    ends.push(
      await call(`call ${number}`).then(
        () => 'ok',
        (error: { kind: string }) => error.kind,
      ),
    )
  expect(ends).toEqual(['ok', 'rate_limited', 'ok', 'server_error', 'overloaded', 'overloaded'])
  expect(simulator.ledger.entries.map(({ injected }) => injected)).toEqual([
    undefined,
    'rate_limited',
    undefined,
    'server_error',
    'overloaded',
    'overloaded',
  ])
})

describe('beside generation', () => {
  const { simulator } = playing('deepseek', {})
  const get = (path: string, headers: Record<string, string> = { authorization: 'Bearer k' }) =>
    simulator.fetch(`${origin}${path}`, { headers })
  test.each(simulatedProviders)('%s lists models of its own', async (provider) => {
    const google = provider === 'gemini'
    const reply = await get(
      `/${provider}/${google ? 'v1beta' : 'v1'}/models`,
      google ? { 'x-goog-api-key': 'k' } : undefined,
    )
    const { data, models } = (await reply.json()) as { data?: { id: string }[]; models?: { name: string }[] }
    const names = google ? models!.map(({ name }) => name) : data!.map(({ id }) => id)
    expect(names.length).toBeGreaterThan(1)
    expect(names.every((name) => name.length > 3)).toBe(true)
  })
  test('DeepSeek tells what is left, for a key', async () => {
    for (const path of ['/deepseek/user/balance', '/deepseek/v1/user/balance'])
      expect(await (await get(path)).json()).toMatchObject({
        is_available: true,
        balance_infos: [{ currency: 'USD', total_balance: expect.stringMatching(/^\d+\.\d\d$/) }],
      })
    expect((await get('/deepseek/user/balance', {})).status).toBe(401)
    expect((await get('/openai/user/balance')).status).toBe(404)
  })
})

describe('an answer goes on', () => {
  test.each(['deepseek', 'mistral'] as const)('%s: from any point of it to the same end', async (provider) => {
    const { simulator, clock } = playing(provider, {})
    const client = createOpenAiCompatible({
      fetch: simulator.fetch,
      key: () => 'k',
      clock,
      baseUrl: `${origin}/${provider}/v1`,
      dialect: dialects[provider],
    })
    const ask = (changes: object, told: string[] = []) =>
      client.generate(modelRequest({ model: 'm', maxOutputTokens: 400, ...changes }), new AbortController().signal, {
        text: (piece) => told.push(piece),
      })
    const { text } = await ask({})
    for (const stream of [true, false]) {
      for (const length of [1, 20, 100, text.length - 1]) {
        const told: string[] = []
        expect((await ask({ prefix: text.slice(0, length), stream }, told)).text).toBe(text)
        expect(told.join('')).toBe(text.slice(length))
      }
    }
  })
  test('Mistral says the beginning again, DeepSeek does not', async () => {
    const { simulator } = playing('mistral', {})
    const raw = async (base: string, stream: boolean) => {
      const messages = [
        { role: 'user', content: 'x' },
        { role: 'assistant', content: 'Once upon', prefix: true },
      ]
      const body = JSON.stringify({ model: 'm', messages, stream, max_tokens: 50 })
      const init = { method: 'POST', headers: { authorization: 'Bearer k' }, body }
      const text = await (await simulator.fetch(`${origin}/${base}/chat/completions`, init)).text()
      return [...text.matchAll(/"content":"([^"]*)"/g)].map(([, content]) => content).join('')
    }
    for (const stream of [true, false]) {
      expect(await raw('mistral/v1', stream)).toMatch(/^Once upon./)
      expect(await raw('deepseek/beta', stream)).not.toContain('Once upon')
    }
  })
  test.each(['groq', 'openai'] as const)('%s refuses such a turn', async (provider) => {
    const { simulator } = playing(provider, {})
    const messages = [
      { role: 'user', content: 'x' },
      { role: 'assistant', content: 'y', prefix: true },
    ]
    const init = {
      method: 'POST',
      headers: { authorization: 'Bearer k' },
      body: JSON.stringify({ model: 'm', messages }),
    }
    expect((await simulator.fetch(`${origin}/${provider}/v1/chat/completions`, init)).status).toBe(400)
  })
  test.each(['deepseek/beta', 'mistral/v1'])('%s: only as the last turn, and the assistant`s', async (base) => {
    const { simulator } = playing('deepseek', {})
    const marked = { role: 'assistant', content: 'y', prefix: true }
    for (const messages of [[marked, { role: 'user', content: 'x' }], [{ role: 'user', content: 'x', prefix: true }]]) {
      const body = JSON.stringify({ model: 'm', messages })
      const init = { method: 'POST', headers: { authorization: 'Bearer k' }, body }
      expect((await simulator.fetch(`${origin}/${base}/chat/completions`, init)).status).toBe(400)
    }
  })
})
