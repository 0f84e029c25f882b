// The prompt caches by each provider's own rule, seen through the usage of the real clients.
import { describe, expect, test } from '@jest/globals'
import {
  createGemini,
  createOpenAiCompatible,
  deepseek,
  groq,
  mistral,
  openai,
} from '../../web/standard/providers/index.js'
import { createSimulator, simulatorProfiles, type SimulatorProfile } from '../../web/standard/simulator/index.js'
import { PromptCache, type CacheRule } from '../../web/standard/simulator/prompt-cache.js'
import { modelRequest } from '../web/call.js'
import { FakeClock } from './fake-clock.js'

const origin = 'http://simulator.test'
/** Two tokens each: a word and a number, by the simulator's own count. */
const words = (count: number, seed = 0) =>
  Array.from({ length: count }, (_, at) => ` w${(at * 7 + seed) % 90}`).join('')

function playing(
  provider: 'deepseek' | 'groq' | 'openai' | 'mistral' | 'gemini',
  profile: SimulatorProfile = simulatorProfiles.instant,
) {
  const clock = new FakeClock()
  const simulator = createSimulator(profile, { clock })
  const config = { fetch: simulator.fetch, key: () => 'k', clock }
  const dialects = { deepseek, groq, openai, mistral }
  const client =
    provider === 'gemini'
      ? createGemini({ ...config, baseUrl: `${origin}/gemini/v1beta` })
      : createOpenAiCompatible({ ...config, baseUrl: `${origin}/${provider}/v1`, dialect: dialects[provider] })
  const models = {
    deepseek: 'deepseek-flash',
    groq: 'openai/gpt-oss-20b',
    openai: 'gpt-4.1-mini',
    mistral: 'codestral-2508',
    gemini: 'gemini-3.8-flash',
  }
  const ask = async (system: string, user: string, model = models[provider]) =>
    (await client.generate(modelRequest({ model, system, user }), new AbortController().signal)).usage!
  return { clock, simulator, ask }
}

describe('DeepSeek: whole units', () => {
  const [a, b, c, d] = [words(300), words(200, 1), words(100, 2), words(100, 3)]
  test('A+B, then A+C misses, then A+D hits A', async () => {
    const { ask } = playing('deepseek')
    expect((await ask(a, b)).cached).toBe(0)
    expect((await ask(a, c)).cached).toBe(0)
    const third = (await ask(a, d)).cached
    expect(third).toBeGreaterThan(300)
    expect(third % 64).toBe(0)
  })
  test('A+B, then A+B+C hits A+B, and the same again hits all of it but the rest of a step', async () => {
    const { ask } = playing('deepseek')
    const first = await ask(a, b)
    expect((await ask(a, b + c)).cached).toBe(first.input - (first.input % 64))
    expect((await ask(a, b)).cached).toBe(first.input - (first.input % 64))
  })
  test('another start is another prompt', async () => {
    const { ask } = playing('deepseek')
    await ask(a, b)
    expect((await ask(`x ${a}`, b)).cached).toBe(0)
  })
  test('hit and miss in its own fields add up to the prompt', async () => {
    const { simulator, ask } = playing('deepseek')
    await ask(a, b)
    const { input, cached } = await ask(a, b)
    const body = JSON.stringify({
      model: 'deepseek-flash',
      messages: [
        { role: 'system', content: a },
        { role: 'user', content: b },
      ],
    })
    const headers = { authorization: 'Bearer k' }
    const reply = await simulator.fetch(`${origin}/deepseek/v1/chat/completions`, { method: 'POST', headers, body })
    const { usage } = (await reply.json()) as { usage: Record<string, number> }
    expect(usage['prompt_cache_hit_tokens']).toBe(cached)
    expect(usage['prompt_cache_hit_tokens']! + usage['prompt_cache_miss_tokens']!).toBe(input)
    expect(simulator.ledger.entries.at(-1)).toMatchObject({ inTokens: input, cachedTokens: cached })
  })
})

describe('blocks', () => {
  test.each([
    ['openai', 1024, 128],
    ['groq', 1024, 128],
    ['gemini', 4096, 128],
  ] as const)('%s: from %i tokens on, in steps of %i', async (provider, minimum, block) => {
    const { ask } = playing(provider)
    const short = words(minimum / 2 - 40)
    await ask(short, 'one')
    expect((await ask(short, 'one')).cached).toBe(0)
    const long = words(minimum / 2 + 200, 5)
    const first = await ask(long, 'one')
    const { cached } = await ask(long, 'two')
    expect(cached).toBeGreaterThanOrEqual(minimum)
    expect(cached).toBeLessThan(first.input)
    expect(cached % block).toBe(0)
  })
  test('a change at the start costs all of it', async () => {
    const { ask } = playing('openai')
    const long = words(900)
    await ask(`Today is Monday. ${long}`, 'one')
    expect((await ask(`Today is Tuesday. ${long}`, 'one')).cached).toBe(0)
  })
  test('OpenAI forgets after ten minutes without use', async () => {
    const { clock, ask } = playing('openai')
    const long = words(900)
    await ask(long, 'one')
    await clock.advance(599_000)
    expect((await ask(long, 'one')).cached).toBeGreaterThan(0)
    await clock.advance(601_000)
    expect((await ask(long, 'one')).cached).toBe(0)
  })
  test('Groq keeps nothing for models that it does not list; Gemini 2.5 needs less', async () => {
    const { ask } = playing('groq')
    await ask(words(900), 'one', 'qwen/qwen3-32b')
    expect((await ask(words(900), 'one', 'qwen/qwen3-32b')).cached).toBe(0)
    const gemini = playing('gemini')
    await gemini.ask(words(1200), 'one', 'gemini-2.5-flash')
    expect((await gemini.ask(words(1200), 'one', 'gemini-2.5-flash')).cached).toBeGreaterThanOrEqual(2048)
  })
  test('Mistral: blocks of 64, for requests with a key and for others not', async () => {
    const { simulator } = playing('mistral')
    const send = async (key: object) => {
      const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: words(100) }], ...key })
      const headers = { authorization: 'Bearer k' }
      const reply = await simulator.fetch(`${origin}/mistral/v1/chat/completions`, { method: 'POST', headers, body })
      const { usage } = (await reply.json()) as { usage: { prompt_tokens_details: { cached_tokens: number } } }
      return usage.prompt_tokens_details.cached_tokens
    }
    expect([await send({}), await send({})]).toEqual([0, 0])
    const first = await send({ prompt_cache_key: 'a' })
    const second = await send({ prompt_cache_key: 'a' })
    expect([first, second % 64, second > 0]).toEqual([0, 0, true])
    expect(await send({ prompt_cache_key: 'b' })).toBe(0)
  })
  test('two requests at once: the second finds nothing yet', async () => {
    const providers = {
      ...simulatorProfiles.instant.providers,
      openai: { firstTokenMs: 1000, tokensPerSecond: 50, jitter: 0 },
    }
    const { clock, ask } = playing('openai', { ...simulatorProfiles.instant, providers })
    const both = [ask(words(900), 'one'), ask(words(900), 'one')]
    await clock.advance(60_000)
    expect((await Promise.all(both)).map(({ cached }) => cached)).toEqual([0, 0])
    const later = ask(words(900), 'one')
    await clock.advance(60_000)
    expect((await later).cached).toBeGreaterThan(0)
  })
})

test('OpenAI: from 5.6 on writes are told, and kept for half an hour', async () => {
  const { clock, simulator } = playing('openai')
  const send = async (model: string) => {
    const body = JSON.stringify({ model, messages: [{ role: 'user', content: words(900) }] })
    const headers = { authorization: 'Bearer k' }
    const reply = await simulator.fetch(`${origin}/openai/v1/chat/completions`, { method: 'POST', headers, body })
    const { usage } = (await reply.json()) as {
      usage: { prompt_tokens_details: { cached_tokens: number; cache_write_tokens: number } }
    }
    return usage.prompt_tokens_details
  }
  const first = await send('gpt-6-luna')
  expect(first).toMatchObject({ cached_tokens: 0, cache_write_tokens: 1792 })
  await clock.advance(1_799_000)
  expect(await send('gpt-6-luna')).toMatchObject({ cached_tokens: 1792, cache_write_tokens: 0 })
  expect(await send('gpt-4.1-mini')).toMatchObject({ cached_tokens: 0, cache_write_tokens: 0 })
})

test('OpenAI: the sixteenth request of a minute goes to a machine that has read nothing; a name in time keeps both warm', () => {
  const rule: CacheRule = { kind: 'blocks', block: 128, minimum: () => 1024, idleMs: Infinity, perMinute: 15 }
  const cache = new PromptCache(rule)
  const ask = (atMs: number, key?: string) => {
    const body = { messages: [{ role: 'user', content: words(900) }], ...(key && { prompt_cache_key: key }) }
    const found = cache.look('m', body, atMs)
    found.keep([], atMs)
    return found.hit
  }
  const hits = Array.from({ length: 17 }, (_, at) => ask(at))
  expect(hits.map((hit) => hit > 0)).toEqual([false, ...Array<boolean>(14).fill(true), false, true])
  expect(ask(100_000)).toBeGreaterThan(0)
  expect([ask(100_001, 'other'), ask(100_002, 'other') > 0]).toEqual([0, true])
})

test('a prompt takes its time to be read, and what is cached much less', async () => {
  const speeds = { firstTokenMs: 500, tokensPerSecond: Infinity, jitter: 0 }
  const slow = { ...speeds, promptTokensPerSecond: 1000, cachedTokensPerSecond: 100_000 }
  const { clock, ask } = playing('openai', {
    ...simulatorProfiles.instant,
    providers: { ...simulatorProfiles.instant.providers, openai: slow },
  })
  const timed = async () => {
    const from = clock.now()
    let endedAt = -1
    const done = ask(words(1024), 'one').then((usage) => {
      endedAt = clock.now()
      return usage
    })
    await clock.advance(60_000)
    return { usage: await done, ms: endedAt - from }
  }
  const cold = await timed()
  expect(cold.ms).toBeGreaterThanOrEqual(500 + cold.usage.input - 1)
  const warm = await timed()
  expect(warm.ms).toBeLessThan(500 + 1.2 * (warm.usage.input - warm.usage.cached + warm.usage.cached / 100))
})

test('the hit is the longest common prefix in whole blocks, whatever the prompts', () => {
  const rule: CacheRule = { kind: 'blocks', block: 16, minimum: () => 32, idleMs: Infinity }
  for (let round = 0; round < 60; round++) {
    const cache = new PromptCache(rule)
    const shared = (round * 7) % 90
    const prompt = (tail: number) => ({
      messages: [{ role: 'user', content: words(shared) + ' '.repeat(2 + tail) + words(50, tail) }],
    })
    cache.look('m', prompt(1), 0).keep([], 0)
    const { hit } = cache.look('m', prompt(2), 0)
    // One token for the turn, two a word.
    const common = 1 + 2 * shared
    const whole = common - (common % 16)
    expect(hit).toBe(whole >= 32 ? whole : 0)
  }
})
