// The fixture checklist of the provider facts, rows 1 to 12; rows 13 to 22 are in checklist-limits.test.ts. Each row is one test
// named `row N: …`, over a real socket unless it says otherwise. What goes deeper into a row lives here:
//
//    1  recorded-streams, recorded-google (whole replies)      12  openai-compatible (usage twice, x_groq.error)
//    2  openai-compatible (five blank lines)                   13  failure-tables, retry-after
//    3  openai-compatible, endings (idle time-out)             14  openai-compatible, every-cut
//    4  openai-compatible (broken replies)                     15  failure-tables, failure (waits and hints)
//    5  openai-compatible, every-cut                           16  openai-compatible (broken replies)
//    6  failure-tables                                         17  gemini, recorded-google, every-cut
//    7  continuation, sim/simulator-limits                     18  gemini (endings)
//    8  sim/simulator-mistral                                  19  failure (Gemini), failure-tables
//    9  mistral, recorded-streams                              20  gemini-cache
//   10  continuation, mistral (fill in the middle)             21  sim/simulator-cors
//   11  mistral, failure-tables                                22  endings (cancelling), gemini
import { describe, expect, test } from '@jest/globals'
import type { CallObserver, ModelRequest } from '../../bindings/ports.js'
import {
  createGemini,
  createMistralFim,
  createOpenAiCompatible,
  deepseek,
  groq,
  mistral,
  openai,
} from '../../web/standard/providers/index.js'
import { createSimulator, simulatorProfiles } from '../../web/standard/simulator/index.js'
import { json, openStream, writeParts, type Script } from '../sim/scripted-server.js'
import { FakeClock, settled } from '../sim/fake-clock.js'
import { canaryKey, chunk, done, failureOf, generate, modelRequest, withScript, type ConfigChanges } from './call.js'

const usage = { prompt_tokens: 13, completion_tokens: 3, total_tokens: 16 }
const whole = (message: object, finish = 'stop', counts: object = usage) => ({
  id: 'x',
  object: 'chat.completion',
  choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: finish }],
  usage: counts,
})
const stream =
  (...parts: readonly string[]): Script =>
  async (out) => {
    openStream(out)
    await writeParts(out, parts)
    out.end()
  }
const call = (
  script: Script,
  config: ConfigChanges = {},
  request: Partial<ModelRequest> = {},
  observer?: CallObserver,
) => withScript(script, (server) => generate(server.url, config, request, observer))
const refused = (status: number, body: unknown, config: ConfigChanges = {}, headers = {}) =>
  failureOf(
    call((out) => {
      if (typeof body === 'string') out.writeHead(status, headers).end(body)
      else json(out, status, body, headers)
    }, config),
  )

describe('all', () => {
  test('row 1: a whole reply gives text, usage in one shape, and finish', async () => {
    const hit = { ...usage, prompt_cache_hit_tokens: 8, prompt_cache_miss_tokens: 5 }
    const details = {
      ...usage,
      prompt_tokens_details: { cached_tokens: 8 },
      completion_tokens_details: { reasoning_tokens: 2 },
    }
    const plain = { input: 13, cached: 8, output: 3, reasoning: 0 }
    const rows = [
      [deepseek, hit, plain],
      [mistral, { ...usage, num_cached_tokens: 8 }, plain],
      [groq, details, { ...plain, reasoning: 2 }],
      [openai, details, { ...plain, reasoning: 2 }],
    ] as const
    for (const [dialect, counts, expected] of rows) {
      const reply = await call(
        (out) => json(out, 200, whole({ content: 'Paris.' }, 'length', counts)),
        { dialect },
        { stream: false },
      )
      expect(reply).toMatchObject({ text: 'Paris.', usage: expected, finish: 'length' })
    }
    const google = {
      candidates: [{ content: { parts: [{ text: 'Paris.' }], role: 'model' }, finishReason: 'STOP', index: 0 }],
      usageMetadata: {
        promptTokenCount: 13,
        candidatesTokenCount: 1,
        thoughtsTokenCount: 2,
        cachedContentTokenCount: 8,
        totalTokenCount: 16,
      },
    }
    const reply = await withScript(
      (out) => json(out, 200, google),
      (server) =>
        createGemini({ fetch, baseUrl: server.url, key: () => 'k' }).generate(
          modelRequest({ stream: false }),
          new AbortController().signal,
        ),
    )
    expect(reply).toEqual({ text: 'Paris.', usage: { ...plain, reasoning: 2 }, finish: 'stop' })
  })
})

describe('DeepSeek', () => {
  test('row 2: five blank lines before the JSON', async () => {
    const body = `\n\n\n\n\n${JSON.stringify(whole({ content: 'Hi' }))}`
    const script: Script = async (out) => {
      out.writeHead(200, { 'content-type': 'application/json' })
      await writeParts(out, ['\n', '\n\n', '\n\n', body])
      out.end()
    }
    expect(await call(script, {}, { stream: false })).toMatchObject({ text: 'Hi', usage: { input: 13 } })
  })

  const keepAlive = ': keep-alive\n\n'
  const last = chunk({ content: '' }, 'stop', { usage })
  test('row 3: keep-alives before and between; usage with the finish; comments move nothing', async () => {
    const clock = new FakeClock()
    const finished: string[] = []
    const script: Script = async (out) => {
      openStream(out)
      const parts = [keepAlive, chunk({ content: 'Par' }), keepAlive, keepAlive, chunk({ content: 'is' }), last, done]
      for (const part of parts) {
        await writeParts(out, [part])
        for (let turn = 0; turn < 20; turn++) await settled()
        await clock.advance(3000)
      }
      out.end()
    }
    const reply = await call(
      script,
      { clock, timeouts: { idleMs: 10_000 } },
      {},
      { text: (piece) => finished.push(piece) },
    )
    expect(reply).toMatchObject({ text: 'Paris', finish: 'stop', usage: { input: 13, output: 3 } })
    expect(finished.join('')).toBe('Paris')
  })
  test.each([
    ['comments', keepAlive],
    ['pings', 'event: ping\ndata: {"type":"ping"}\n\n'],
    ['empty data', 'data:\n\n'],
  ])('row 3: %s alone do not hide that a stream stands still', async (_, beat) => {
    const clock = new FakeClock()
    const script: Script = async (out) => {
      openStream(out)
      await writeParts(out, [chunk({ content: 'Par' })])
      for (let beats = 0; beats < 4 && !out.destroyed; beats++) {
        for (let turn = 0; turn < 20; turn++) await settled()
        await clock.advance(4000)
        await writeParts(out, [beat])
      }
    }
    const failure = await failureOf(call(script, { clock, timeouts: { idleMs: 10_000 } }))
    expect(failure).toMatchObject({ kind: 'timeout_idle' })
  })
  test('row 4: the same without its end is truncated', async () => {
    expect(await failureOf(call(stream(keepAlive, chunk({ content: 'Par' }))))).toMatchObject({ kind: 'truncated' })
  })
  test('row 5: thinking with nulls is apart from the answer', async () => {
    const counts = { ...usage, completion_tokens_details: { reasoning_tokens: 2 } }
    const order: string[] = []
    const reply = await call(
      stream(
        chunk({ role: 'assistant', content: null, reasoning_content: '' }),
        chunk({ content: null, reasoning_content: 'We' }),
        chunk({ content: 'Paris', reasoning_content: null }),
        chunk({ content: '', reasoning_content: null }, 'stop', { usage: counts }),
        done,
      ),
      {},
      {},
      { firstToken: () => order.push('first'), text: (piece) => order.push(piece) },
    )
    expect(reply).toMatchObject({ text: 'Paris', usage: { output: 3, reasoning: 2 } })
    expect(order).toEqual(['first', 'Paris'])
  })
  test('row 6: each refusal has its kind', async () => {
    const invalid = 'invalid_request_error'
    const error = (message: string, type: string | null = invalid) => ({
      error: { message, type, param: null, code: invalid },
    })
    const rows = [
      [402, error('Insufficient Balance', 'unknown_error'), 'quota_exhausted'],
      [401, error('Authentication Fails, Your api key: ****abcd is invalid', 'authentication_error'), 'auth'],
      [400, error("This model's maximum context length is 131072 tokens."), 'too_large'],
      [422, 'Failed to deserialize the JSON body into the target type', 'bad_request'],
      [
        429,
        error(
          'Your current concurrency is 40, which exceeds your concurrency limit of 39 based on your remaining balance.',
        ),
        'rate_limited',
      ],
      [502, '<html>Bad Gateway</html>', 'server_error'],
    ] as const
    for (const [status, body, kind] of rows) expect(await refused(status, body)).toMatchObject({ kind, status })
  })
  test('row 7: a prefix at the normal base is refused with 400; the client takes the beta base by itself', async () => {
    const simulator = createSimulator(simulatorProfiles.instant)
    const body = {
      model: 'm',
      messages: [
        { role: 'user', content: 'x' },
        { role: 'assistant', content: 'y', prefix: true },
      ],
    }
    const init = { method: 'POST', headers: { authorization: 'Bearer k' }, body: JSON.stringify(body) }
    const send = (base: string) => simulator.fetch(`http://simulator.test/deepseek${base}/chat/completions`, init)
    expect([(await send('')).status, (await send('/v1')).status, (await send('/beta')).status]).toEqual([400, 400, 200])
    const config = {
      fetch: simulator.fetch,
      baseUrl: 'http://simulator.test/deepseek',
      key: () => 'k',
      dialect: deepseek,
    }
    const request = modelRequest({ prefix: 'A beginning' })
    const { text } = await createOpenAiCompatible(config).generate(request, new AbortController().signal)
    expect(text.startsWith('A beginning')).toBe(true)
  })
})

describe('Mistral', () => {
  test('row 8: a field that its schema does not name is refused with 422 and the place', async () => {
    const simulator = createSimulator(simulatorProfiles.instant)
    for (const [field, value] of [
      ['seed', 7],
      ['stream_options', { include_usage: true }],
    ] as const) {
      const body = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'x' }], [field]: value })
      const init = { method: 'POST', headers: { authorization: 'Bearer k' }, body }
      const reply = await simulator.fetch('http://simulator.test/mistral/v1/chat/completions', init)
      expect(reply.status).toBe(422)
      expect(await reply.json()).toMatchObject({ detail: [{ loc: ['body', field] }] })
    }
  })
  test('row 9: thinking parts are no text; several tokens in a delta; usage on the last chunk', async () => {
    const thinking = [{ type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] }]
    const parts = [
      chunk({ role: 'assistant', content: thinking }),
      chunk({ content: [{ type: 'text', text: 'Hello there' }] }),
      chunk({ content: ', you' }),
      chunk({ content: '' }, 'stop', { usage }),
      done,
    ]
    expect(await call(stream(...parts), { dialect: mistral })).toMatchObject({
      text: 'Hello there, you',
      usage: { input: 13 },
    })
  })
  test('row 10: an echoed prefix is stripped, the fill in the middle read in its chat shape', async () => {
    const told: string[] = []
    const echo = stream(
      chunk({ content: 'def a' }),
      chunk({ content: 'dd(a, b' }),
      chunk({ content: '): pass' }),
      chunk({}, 'stop'),
      done,
    )
    const reply = await call(echo, { dialect: mistral }, { prefix: 'def add(' }, { text: (piece) => told.push(piece) })
    expect([reply.text, told.join('')]).toEqual(['def add(a, b): pass', 'a, b): pass'])
    const filled = await withScript(
      (out) => json(out, 200, whole({ content: ' a + b' })),
      (server) =>
        createMistralFim({ fetch, baseUrl: server.url, key: () => 'k' }).complete(
          { model: 'codestral-2508', prefix: 'return', suffix: '\n', maxOutputTokens: 9, stream: false },
          new AbortController().signal,
        ),
    )
    expect(filled.text).toBe(' a + b')
  })
  test('row 11: the words of a refusal, wherever they are', async () => {
    const config = { dialect: mistral }
    expect((await refused(401, { detail: 'Unauthorized' }, config)).message).toBe('401: Unauthorized')
    expect((await refused(401, { message: 'Unauthorized', request_id: 'r' }, config)).message).toBe('401: Unauthorized')
    const rate = { object: 'error', message: 'Rate limit exceeded', type: 'rate_limited', param: null, code: '1300' }
    expect(await refused(429, rate, config)).toMatchObject({
      kind: 'rate_limited',
      message: '429 1300: Rate limit exceeded',
    })
    expect(await refused(429, { message: 'Requests rate limit exceeded' }, config)).toMatchObject({
      kind: 'rate_limited',
    })
    const room = { ...rate, message: 'Service tier capacity exceeded for this model.', type: 'x', code: null }
    expect(await refused(429, room, config)).toMatchObject({ kind: 'overloaded' })
  })
})

describe('Groq', () => {
  test('row 12: usage twice counts once; x_groq.error is raised; reasoning is no text', async () => {
    const counts = { ...usage, queue_time: 0.04, total_time: 0.02 }
    const parts = [
      chunk({ role: 'assistant', content: '' }, null, { x_groq: { id: 'r' } }),
      chunk({ reasoning: 'Okay' }),
      chunk({ content: 'Hi' }),
      chunk({}, 'stop', { usage: counts, x_groq: { id: 'r', usage: counts } }),
      done,
    ]
    expect(await call(stream(...parts), { dialect: groq })).toMatchObject({
      text: 'Hi',
      usage: { input: 13, output: 3 },
      providerMs: 60,
    })
    const broken = stream(
      chunk({ content: 'Hi' }),
      chunk({}, null, { x_groq: { error: `over capacity ${canaryKey}` } }),
    )
    const { kind, message } = await failureOf(call(broken, { dialect: groq }))
    expect([kind, message.includes(canaryKey)]).toEqual(['server_error', false])
  })
})
