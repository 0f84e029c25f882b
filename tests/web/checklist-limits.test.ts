// The fixture checklist of the provider facts, rows 13 to 22. The table of where each row lives is at the head of checklist.test.ts.
import { describe, expect, test } from '@jest/globals'
import {
  createCachedGemini,
  createGemini,
  createOpenAiCompatible,
  deepseek,
  groq,
  mistral,
  openai,
} from '../../web/standard/providers/index.js'
import { createSimulator, simulatorProfiles } from '../../web/standard/simulator/index.js'
import { json, openStream, writeParts, type Script } from '../sim/scripted-server.js'
import { chunk, done, failureOf, generate, modelRequest, withScript, type ConfigChanges } from './call.js'

const usage = { prompt_tokens: 13, completion_tokens: 3, total_tokens: 16 }
const stream =
  (...parts: readonly string[]): Script =>
  async (out) => {
    openStream(out)
    await writeParts(out, parts)
    out.end()
  }
const call = (script: Script, config: ConfigChanges = {}) =>
  withScript(script, (server) => generate(server.url, config))
const refused = (status: number, body: unknown, config: ConfigChanges, headers = {}) =>
  failureOf(call((out) => json(out, status, body, headers), config))
const signal = new AbortController().signal

describe('Groq', () => {
  test('row 13: waits, too large, failed JSON, no capacity', async () => {
    const config = { dialect: groq }
    const error = (message: string, type: string, code: string) => ({ error: { message, type, code } })
    const words = 'Rate limit reached for model `m` on tokens per minute (TPM): Limit 8000. Please try again in 7.5s.'
    const rate = error(words, 'tokens', 'rate_limit_exceeded')
    expect(await refused(429, rate, config)).toMatchObject({ kind: 'rate_limited', retryAfterMs: 7500 })
    expect(await refused(429, rate, config, { 'retry-after': '8' })).toMatchObject({ retryAfterMs: 8000 })
    const silent = error('Rate limit reached', 'requests', 'rate_limit_exceeded')
    const resets = { 'x-ratelimit-reset-requests': '2m59.56s', 'x-ratelimit-reset-tokens': '7.66s' }
    expect(await refused(429, silent, config, resets)).toMatchObject({ retryAfterMs: 179_560 })
    const large = error(
      'Request too large for model `m` (TPM): Limit 6000, Requested 12328',
      'tokens',
      'rate_limit_exceeded',
    )
    expect(await refused(413, large, config)).toMatchObject({ kind: 'too_large', retryAfterMs: undefined })
    const failed = {
      error: { ...error('Failed to generate JSON.', 'x', 'json_validate_failed').error, failed_generation: '{"a"' },
    }
    expect(await refused(400, failed, config)).toMatchObject({ kind: 'constraint_violated' })
    expect(await refused(498, error('capacity', 'flex', 'capacity_exceeded'), config)).toMatchObject({
      kind: 'overloaded',
    })
  })
})

describe('OpenAI', () => {
  const config = { dialect: openai }
  const error = (message: string, type: string, code: string | null) => ({
    error: { message, type, param: null, code },
  })

  test('row 14: padding, usage in a chunk without choices, or unknown and never zero', async () => {
    const padded = { obfuscation: 'k3Jx', usage: null }
    const parts = [
      chunk({ role: 'assistant', content: '', refusal: null }, null, padded),
      chunk({ content: 'Hi' }, null, padded),
      chunk({}, 'stop', padded),
    ]
    const counts = `data: ${JSON.stringify({ choices: [], usage, obfuscation: 'h9R' })}\n\n`
    expect(await call(stream(...parts, counts, done), config)).toMatchObject({
      text: 'Hi',
      usage: { input: 13, output: 3 },
    })
    expect(await call(stream(...parts, done), config)).toMatchObject({ text: 'Hi', usage: undefined })
  })
  test('row 15: an error half-way; what is used up and what is full; the provider`s word on a retry', async () => {
    const broken = `data: ${JSON.stringify(error('The server had an error', 'server_error', null))}\n\n`
    expect(await failureOf(call(stream(chunk({ content: 'Hi' }), broken), config))).toMatchObject({
      kind: 'server_error',
    })
    const named = `event: error\ndata: ${JSON.stringify({ message: 'Overloaded', type: 'service_unavailable_error' })}\n\n`
    expect(await failureOf(call(stream(chunk({ content: 'Hi' }), named), config))).toMatchObject({ kind: 'overloaded' })
    const quota = error('You exceeded your current quota', 'insufficient_quota', 'insufficient_quota')
    expect(await refused(429, quota, config)).toMatchObject({ kind: 'quota_exhausted' })
    const rate = error('Rate limit reached', 'requests', 'rate_limit_exceeded')
    expect(await refused(429, rate, config, { 'retry-after': '9', 'retry-after-ms': '1500' })).toMatchObject({
      kind: 'rate_limited',
      retryAfterMs: 1500,
    })
    expect((await refused(500, '', config, { 'x-should-retry': 'false' })).shouldRetry).toBe(false)
    expect((await refused(500, '', config, { 'x-should-retry': 'true' })).shouldRetry).toBe(true)
    expect((await refused(500, '', config)).shouldRetry).toBeUndefined()
  })
  test('row 16: a refusal is told as one; predicted tokens are counted, the refused ones within what is billed', async () => {
    const no = [chunk({ refusal: 'I cannot' }), chunk({ refusal: ' help.' }), chunk({}, 'stop'), done]
    const blocked = await failureOf(call(stream(...no), config))
    expect([blocked.kind, blocked.message.includes('cannot help')]).toEqual(['content_blocked', false])
    const details = { accepted_prediction_tokens: 49, rejected_prediction_tokens: 107 }
    const counts = { prompt_tokens: 300, completion_tokens: 200, completion_tokens_details: details }
    const reply = await call(stream(chunk({ content: 'Hi' }), chunk({}, 'stop', { usage: counts }), done), config)
    expect(reply).toMatchObject({ usage: { output: 200 }, prediction: { accepted: 49, rejected: 107 } })
    const none = {
      ...counts,
      completion_tokens_details: { accepted_prediction_tokens: 0, rejected_prediction_tokens: 0 },
    }
    const plain = await call(stream(chunk({ content: 'Hi' }), chunk({}, 'stop', { usage: none }), done), config)
    expect(plain).not.toHaveProperty('prediction')
  })
})

describe('Gemini', () => {
  const asking = (script: Script) =>
    withScript(script, (server) =>
      createGemini({ fetch, baseUrl: server.url, key: () => 'k' }).generate(modelRequest(), signal),
    )
  const event = (value: object) => `data: ${JSON.stringify(value)}\r\n\r\n`
  const part = (text: string, more: object, counts: object) =>
    event({ candidates: [{ content: { parts: [{ text }], role: 'model' }, index: 0, ...more }], usageMetadata: counts })

  test('row 17: CRLF, usage that is cumulative, an empty last text, no [DONE]', async () => {
    const parts = [
      part('There ', {}, { promptTokenCount: 9, candidatesTokenCount: 1 }),
      part('are', {}, { promptTokenCount: 9, candidatesTokenCount: 2, thoughtsTokenCount: 5 }),
      event({
        candidates: [{ content: { parts: [{ text: '', thoughtSignature: 'Eq' }] }, finishReason: 'STOP' }],
        usageMetadata: { promptTokenCount: 9, candidatesTokenCount: 2, thoughtsTokenCount: 5 },
      }),
    ]
    expect(await asking(stream(...parts))).toEqual({
      text: 'There are',
      usage: { input: 9, cached: 0, output: 7, reasoning: 5 },
      finish: 'stop',
    })
    expect(await failureOf(asking(stream(...parts.slice(0, 2))))).toMatchObject({ kind: 'truncated' })
  })
  test('row 18: a blocked prompt, a candidate without parts, an answer taken back', async () => {
    const bodies = [
      { promptFeedback: { blockReason: 'SAFETY' } },
      { candidates: [{ finishReason: 'SAFETY', index: 0 }] },
      { candidates: [{ content: { parts: [{ text: 'Hi' }] }, finishReason: 'SAFETY', index: 0 }] },
    ]
    for (const body of bodies)
      expect(await failureOf(asking(stream(event(body))))).toMatchObject({ kind: 'content_blocked' })
    const spent = event({ candidates: [{ finishReason: 'MAX_TOKENS', index: 0 }] })
    expect(await failureOf(asking(stream(spent)))).toMatchObject({ kind: 'limit_reached' })
  })
  test('row 19: a minute waits, a silent limit has no wait, a day is used up, a wrong key is one', async () => {
    const google = (status: number, word: string, ...details: readonly object[]) =>
      failureOf(asking((out) => json(out, status, { error: { code: status, message: 'x', status: word, details } })))
    const quota = (quotaId: string) => ({
      '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
      violations: [{ quotaId }],
    })
    const wait = { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '34.4s' }
    const full = 'RESOURCE_EXHAUSTED'
    expect(await google(429, full, quota('RequestsPerMinute'), wait)).toMatchObject({
      kind: 'rate_limited',
      retryAfterMs: 34_400,
    })
    expect(await google(429, full)).toMatchObject({ kind: 'rate_limited', retryAfterMs: undefined })
    expect(await google(429, full, quota('RequestsPerDay'), wait)).toMatchObject({
      kind: 'quota_exhausted',
      retryAfterMs: undefined,
    })
    const reason = { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' }
    expect(await google(400, 'INVALID_ARGUMENT', reason)).toMatchObject({ kind: 'auth', status: 400 })
  })
  test.each([403, 404])('row 20: a cached content that has expired (%i) is created anew once', async (status) => {
    const model = 'gemini-3.8-flash'
    let made = 0
    const script: Script = async (out, request) => {
      if (request.path === '/cachedContents') return json(out, 200, { name: `cachedContents/c${++made}` })
      if (request.body.includes('cachedContents/c1'))
        return json(out, status, { error: { code: status, message: 'gone' } })
      const counts = { promptTokenCount: 5000, cachedContentTokenCount: 4990 }
      await stream(part('Hi', { finishReason: 'STOP' }, counts))(out, request)
    }
    const paths = await withScript(script, async (server) => {
      const config = { fetch, baseUrl: server.url, key: () => 'k' }
      const client = createCachedGemini(config, { model, system: '', text: 'docs' })
      const reply = await client.generate(modelRequest({ model, system: '' }), signal)
      expect(reply).toMatchObject({ text: 'Hi', usage: { cached: 4990 } })
      return server.received.map(({ path }) => path.replace(/\?.*/, ''))
    })
    const generates = `/models/${model}:streamGenerateContent`
    expect(paths).toEqual(['/cachedContents', generates, '/cachedContents', generates])
  })
})

describe('in a page', () => {
  const simulator = createSimulator({
    ...simulatorProfiles.instant,
    providers: {
      ...simulatorProfiles.instant.providers,
      openai: { ...simulatorProfiles.instant.providers.openai, keys: ['right'] },
    },
  })
  const ask = (provider: string, path: string, names: string) =>
    simulator.handle(
      new Request(`http://simulator.test/${provider}${path}`, {
        method: 'OPTIONS',
        headers: { origin: 'https://page.test', 'access-control-request-headers': names },
      }),
    )
  test('row 21: preflights reflect, have a fixed list, or are refused; an opaque 401 says what it may be', async () => {
    const reflected = await ask('groq', '/v1/chat/completions', 'authorization, x-own')
    expect([reflected.status, reflected.headers.get('access-control-allow-headers')]).toEqual([
      204,
      'authorization, x-own',
    ])
    const fixed = await ask('mistral', '/v1/chat/completions', 'authorization, x-own')
    expect(fixed.headers.get('access-control-allow-headers')).not.toContain('x-own')
    expect((await ask('gemini', '/v1beta/models/m:generateContent', 'authorization')).status).toBe(403)
    // What a page's fetch makes of a reply that it may not read.
    const page = async (input: string, init?: RequestInit) => {
      const reply = await simulator.fetch(input, init)
      if (reply.headers.get('access-control-allow-origin') === null) throw new TypeError('Failed to fetch')
      return reply
    }
    const config = { fetch: page, baseUrl: 'http://simulator.test/openai/v1', key: () => 'wrong', dialect: openai }
    const failure = await failureOf(createOpenAiCompatible(config).generate(modelRequest({ model: 'm' }), signal))
    expect(failure).toMatchObject({ kind: 'unreachable', message: expect.stringContaining('refused key') })
  })
})

test('row 22: leaving in the middle closes the socket, and the server sees it, at each of them', async () => {
  for (const dialect of [deepseek, groq, mistral, openai, undefined]) {
    const abort = new AbortController()
    await withScript(
      async (out) => {
        openStream(out)
        const gemini = `data: ${JSON.stringify({ candidates: [{ content: { parts: [{ text: 'Hi' }] } }] })}\r\n\r\n`
        await writeParts(out, [dialect ? chunk({ content: 'Hi' }) : gemini])
      },
      async (server) => {
        const observer = { text: () => abort.abort() }
        const running = dialect
          ? generate(server.url, { dialect }, {}, observer, abort.signal)
          : createGemini({ fetch, baseUrl: server.url, key: () => 'k' }).generate(
              modelRequest(),
              abort.signal,
              observer,
            )
        expect(await failureOf(running)).toMatchObject({ kind: 'cancelled' })
        await server.clientLeft()
        expect(server.received).toHaveLength(1)
      },
    )
  }
})
