import { describe, expect, test } from '@jest/globals'
import { createSimulator, simulatorProfiles, type ProviderProfile } from '../../web/standard/simulator/index.js'
import { createGemini } from '../../web/standard/providers/index.js'
import type { ModelRequest } from '../../bindings/ports.js'
import { failureOf, modelRequest } from '../web/call.js'

const origin = 'http://simulator.test'
const model = 'gemini-3.8-flash'
const contents = [{ role: 'user', parts: [{ text: 'Describe a lighthouse.' }] }]
const { instant } = simulatorProfiles

function playing(changes: Partial<ProviderProfile> = {}) {
  const simulator = createSimulator({
    ...instant,
    providers: { ...instant.providers, gemini: { ...instant.providers.gemini, ...changes } },
  })
  const client = createGemini({ fetch: simulator.fetch, baseUrl: `${origin}/gemini/v1beta`, key: () => 'right' })
  const call = (request: Partial<ModelRequest> = {}) =>
    client.generate(modelRequest({ model, ...request }), new AbortController().signal)
  const send = (path: string, body: unknown, headers: Record<string, string> = { 'x-goog-api-key': 'right' }) =>
    simulator.handle(
      new Request(`${origin}/gemini/v1beta/models/${path}`, { method: 'POST', headers, body: JSON.stringify(body) }),
    )
  return { simulator, call, send }
}

interface Chunk {
  readonly candidates: readonly [{ content: { parts: readonly [{ text: string }] }; finishReason?: string }]
  readonly usageMetadata: Record<string, number>
}

test('a stream: CRLF, no [DONE], cumulative usage, a last chunk with an empty text', async () => {
  const response = await playing().send(`${model}:streamGenerateContent?alt=sse`, { contents })
  const text = await response.text()
  expect(text).not.toContain('[DONE]')
  expect(text.replaceAll('\r\n', '')).not.toContain('\n')
  expect(text.endsWith('\r\n\r\n')).toBe(true)
  const chunks = text
    .split('\r\n\r\n')
    .filter((event) => event !== '')
    .map((event) => JSON.parse(event.slice(6)) as Chunk)
  const counts = chunks.map(({ usageMetadata }) => usageMetadata['candidatesTokenCount']!)
  expect(counts.length).toBeGreaterThan(2)
  expect([...counts].sort((a, b) => a - b)).toEqual(counts)
  expect(chunks.at(-1)!.candidates[0]).toMatchObject({ content: { parts: [{ text: '' }] }, finishReason: 'STOP' })
  expect(chunks.slice(0, -1).every(({ candidates }) => candidates[0].finishReason === undefined)).toBe(true)
  const whole = (await (await playing().send(`${model}:generateContent`, { contents })).json()) as Chunk
  expect(whole.candidates[0].content.parts[0].text).toBe(
    chunks.map(({ candidates }) => candidates[0].content.parts[0].text).join(''),
  )
  expect(whole.usageMetadata).toEqual(chunks.at(-1)!.usageMetadata)
})

test.each([true, false])('the client understands it (streamed: %s)', async (stream) => {
  const { simulator, call } = playing()
  const { text, usage, finish } = await call({ stream })
  expect(text).toContain('Simulated')
  expect(finish).toBe('stop')
  expect(simulator.ledger.entries).toMatchObject([
    { provider: 'gemini', model, streamed: stream, inTokens: usage!.input, outTokens: usage!.output },
  ])
})

test('a schema is obeyed, in either form', async () => {
  const schema = { type: 'object', properties: { names: { type: 'array', items: { type: 'string' }, minItems: 2 } } }
  for (const more of [{ required: ['names'] }, { required: ['names'], additionalProperties: false }]) {
    const { text } = await playing().call({ output: { kind: 'schema', schema: { ...schema, ...more } } })
    expect(JSON.parse(text)).toEqual({ names: [expect.any(String), expect.any(String)] })
  }
})

describe('what is refused', () => {
  const refused = async (body: object, path = `${model}:generateContent`, headers?: Record<string, string>) => {
    const response = await playing({ keys: ['right'], models: [model, 'gemini-2.5-flash'] }).send(path, body, headers)
    const { error } = (await response.json()) as { error: { code: number; status: string; message: string } }
    expect(error.code).toBe(response.status)
    return { ...error, body: JSON.stringify(error) }
  }
  test.each([
    ['a name of the other format', { contents, max_tokens: 5 }],
    ['an unknown setting', { contents, generationConfig: { maxTokens: 5 } }],
    [
      'an unknown keyword of a schema',
      withSchema({ type: 'OBJECT', properties: { a: { type: 'STRING', const: 'x' } } }),
    ],
    [
      'a closed object',
      withSchema({ type: 'OBJECT', properties: { a: { type: 'STRING' } }, additionalProperties: false }),
    ],
  ])('%s: unknown name', async (_, body) => {
    expect(await refused(body)).toMatchObject({
      code: 400,
      status: 'INVALID_ARGUMENT',
      message: expect.stringContaining('Unknown name'),
    })
  })
  test.each([
    ['no contents', {}],
    ['a role of the other format', { contents: [{ role: 'assistant', parts: [] }] }],
    ['both schemas', { contents, generationConfig: { responseSchema: {}, responseJsonSchema: {} } }],
    ['a schema without its media type', { contents, generationConfig: { responseJsonSchema: {} } }],
    [
      'budget and level',
      { contents, generationConfig: { thinkingConfig: { thinkingBudget: 0, thinkingLevel: 'low' } } },
    ],
    ['no tokens', { contents, generationConfig: { maxOutputTokens: 0 } }],
  ])('%s', async (_, body) => {
    expect(await refused(body)).toMatchObject({ code: 400, status: 'INVALID_ARGUMENT' })
  })
  test('a thinking level at a model that has none', async () => {
    const body = { contents, generationConfig: { thinkingConfig: { thinkingLevel: 'low' } } }
    expect(await refused(body, 'gemini-2.5-flash:generateContent')).toMatchObject({ code: 400 })
    expect((await playing().send(`${model}:generateContent`, body)).status).toBe(200)
  })
  test('a wrong key is 400 with a reason, a model that is not there 404', async () => {
    const wrong = await refused({ contents }, undefined, { 'x-goog-api-key': 'wrong' })
    expect(wrong).toMatchObject({ code: 400, status: 'INVALID_ARGUMENT' })
    expect(wrong.body).toContain('"reason":"API_KEY_INVALID"')
    expect((await refused({ contents }, undefined, { authorization: 'Bearer right' })).body).toContain(
      'API_KEY_INVALID',
    )
    expect(await refused({ contents }, 'other:generateContent')).toMatchObject({ code: 404, status: 'NOT_FOUND' })
  })
  test('snake case is taken as well, and a key in the address', async () => {
    const body = { contents, system_instruction: { parts: [{ text: 'x' }] }, generation_config: {} }
    expect((await playing({ keys: ['right'] }).send(`${model}:generateContent?key=right`, body, {})).status).toBe(200)
  })
  test('the stream that is no stream of events is not played', async () => {
    expect((await playing().send(`${model}:streamGenerateContent`, { contents })).status).toBe(404)
  })
})

function withSchema(responseSchema: object): object {
  return { contents, generationConfig: { responseMimeType: 'application/json', responseSchema } }
}

describe('failures', () => {
  test.each([
    ['auth', 'auth', 400],
    ['rate_limited', 'rate_limited', 429],
    ['quota_exhausted', 'quota_exhausted', 429],
    ['bad_request', 'bad_request', 400],
    ['too_large', 'too_large', 400],
    ['overloaded', 'overloaded', 503],
    ['server_error', 'server_error', 500],
    ['truncated', 'truncated', undefined],
    ['stream_error', 'server_error', undefined],
    ['malformed', 'malformed', undefined],
    ['unreachable', 'unreachable', undefined],
  ] as const)('%s is seen as %s, streamed or not', async (kind, seen, status) => {
    const { call } = playing({ failures: [{ kind, share: 1 }] })
    for (const stream of [true, false]) {
      const failure = await failureOf(call({ stream }))
      expect(failure.kind).toBe(seen)
      expect(failure.status).toBe(status)
    }
  })
  test('a wait is told for the minute and not for the day', async () => {
    expect(await failureOf(playing({ failures: [{ kind: 'rate_limited', share: 1 }] }).call())).toMatchObject({
      retryAfterMs: 2000,
    })
    const daily = await failureOf(playing({ failures: [{ kind: 'quota_exhausted', share: 1 }] }).call())
    expect(daily.retryAfterMs).toBeUndefined()
    expect(daily.message).toContain('PerDay')
  })
})

test('models are listed in its own shape', async () => {
  const { simulator } = playing({ models: [model] })
  const headers = { 'x-goog-api-key': 'k' }
  const response = await simulator.handle(new Request(`${origin}/gemini/v1beta/models`, { headers }))
  expect(await response.json()).toMatchObject({ models: [{ name: `models/${model}` }] })
})
