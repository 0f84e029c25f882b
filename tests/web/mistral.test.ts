import { describe, expect, test } from '@jest/globals'
import type { CallObserver } from '../../bindings/ports.js'
import { createMistralFim, mistral, type FimRequest } from '../../web/standard/providers/index.js'
import { json, openStream, writeParts, type Script } from '../sim/scripted-server.js'
import { canaryKey, chunk, done, failureOf, generate, modelRequest, withScript } from './call.js'

const model = 'codestral-2508'
const system = 'Answer with JSON only.'

describe('the request', () => {
  test('holds nothing that its closed schema does not name', () => {
    expect(mistral.body(modelRequest({ model, temperature: 0.2 }))).toEqual({
      model,
      messages: [
        { role: 'system', content: 'You are terse.' },
        { role: 'user', content: modelRequest().user },
      ],
      max_tokens: 100,
      stream: true,
      temperature: 0.2,
    })
  })
  test('an expected text for models that make use of one, and not in the middle of an answer', () => {
    const prediction = { type: 'content', content: 'the old file' }
    const asked = (more: object) => mistral.body(modelRequest({ model, prediction: 'the old file', ...more }))
    expect(asked({})).toMatchObject({ prediction })
    expect(asked({ model: 'mistral-small-2603' })).toMatchObject({ prediction })
    expect(asked({ model: 'ministral-8b' })).not.toHaveProperty('prediction')
    expect(asked({ prefix: 'the' })).not.toHaveProperty('prediction')
    expect(asked({ prediction: '' })).not.toHaveProperty('prediction')
  })
  test('a temperature above its range is brought down to it', () => {
    expect(mistral.body(modelRequest({ temperature: 2 }))).toMatchObject({ temperature: 1.5 })
  })
  test('JSON mode only when the prompt has the word; a schema with any root, streamed', () => {
    expect(mistral.body(modelRequest({ system, output: { kind: 'json' } }))).toMatchObject({
      response_format: { type: 'json_object' },
    })
    expect(mistral.body(modelRequest({ output: { kind: 'json' } }))).not.toHaveProperty('response_format')
    const schema = { type: 'array', items: { type: 'string' } }
    expect(mistral.body(modelRequest({ output: { kind: 'schema', schema } }))).toMatchObject({
      stream: true,
      response_format: { type: 'json_schema', json_schema: { name: 'answer', schema } },
    })
  })
})

describe('replies', () => {
  const playing =
    (parts: readonly string[]): Script =>
    async (out) => {
      openStream(out)
      await writeParts(out, parts)
      out.end()
    }
  const reply = (script: Script, observer?: CallObserver) =>
    withScript(script, (server) => generate(server.url, { dialect: mistral }, { model }, observer))

  test('thinking parts are a first token and no answer; usage on the last chunk', async () => {
    const order: string[] = []
    const parts = [
      chunk({ role: 'assistant', content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] }] }),
      chunk({ content: [{ type: 'text', text: 'Hello there' }, null] }),
      chunk({ content: ', you' }),
      chunk({ content: '' }, 'stop', { usage: { prompt_tokens: 10, completion_tokens: 46, total_tokens: 56 } }),
      done,
    ]
    const result = await reply(playing(parts), { firstToken: () => order.push('first'), text: (t) => order.push(t) })
    expect(result).toEqual({
      text: 'Hello there, you',
      usage: { input: 10, cached: 0, output: 46, reasoning: 0 },
      finish: 'stop',
      reasoned: 1,
    })
    expect(order).toEqual(['first', 'Hello there', ', you'])
  })
  test.each([
    ['num_cached_tokens', 64],
    ['prompt_tokens_details', { cached_tokens: 64 }],
    ['prompt_token_details', { cached_tokens: 64 }],
  ])('cached tokens under %s', async (name, value) => {
    const usage = { prompt_tokens: 100, completion_tokens: 2, [name]: value }
    const result = await reply(playing([chunk({ content: 'Hi' }), chunk({}, 'stop', { usage }), done]))
    expect(result.usage).toEqual({ input: 100, cached: 64, output: 2, reasoning: 0 })
  })
  test('both words for a full answer, and the one for a broken one', async () => {
    for (const word of ['length', 'model_length'])
      expect(await reply(playing([chunk({ content: 'Hi' }, word), done]))).toMatchObject({ finish: 'length' })
    expect(await failureOf(reply(playing([chunk({ content: 'Hi' }, 'error'), done])))).toMatchObject({
      kind: 'server_error',
    })
  })
  test('an error in its own envelope inside a stream', async () => {
    const error = { object: 'error', message: 'Service tier capacity exceeded for this model.', type: 'x', code: null }
    const parts = [chunk({ content: 'Hi' }), `data: ${JSON.stringify(error)}\n\n`]
    expect(await failureOf(reply(playing(parts)))).toMatchObject({ kind: 'overloaded' })
  })
  test.each([
    ['401 detail', 401, { detail: 'Unauthorized' }, 'auth', '401: Unauthorized'],
    ['401 message', 401, { message: 'Unauthorized', request_id: 'r1' }, 'auth', '401: Unauthorized'],
    [
      '429 envelope',
      429,
      { object: 'error', message: 'Rate limit exceeded', type: 'rate_limited', param: null, code: '1300' },
      'rate_limited',
      '429 1300: Rate limit exceeded',
    ],
    [
      '429 message',
      429,
      { message: 'Requests rate limit exceeded' },
      'rate_limited',
      '429: Requests rate limit exceeded',
    ],
    [
      '429 that is the provider`s own want of room',
      429,
      {
        object: 'error',
        message: 'Service tier capacity exceeded for this model.',
        type: 'invalid_request_error',
        code: null,
      },
      'overloaded',
      '429 invalid_request_error: Service tier capacity exceeded for this model.',
    ],
    [
      '422 list',
      422,
      { detail: [{ loc: ['body', 'seed'], msg: 'Extra inputs are not permitted', type: 'extra_forbidden', input: 7 }] },
      'bad_request',
      '422: body.seed: Extra inputs are not permitted',
    ],
    [
      '422 list inside a message',
      422,
      {
        object: 'error',
        message: { detail: [{ loc: ['body'], msg: 'no' }] },
        type: 'invalid_request_error',
        code: null,
      },
      'bad_request',
      '422 invalid_request_error: body: no',
    ],
    [
      'unknown model',
      400,
      { object: 'error', message: 'Invalid model: x', type: 'invalid_model' },
      'not_found',
      '400 invalid_model: Invalid model: x',
    ],
  ])('%s', async (_, status, body, kind, message) => {
    expect(await failureOf(reply((out) => json(out, status, body, { 'retry-after': '3' })))).toMatchObject({
      kind,
      status,
      message,
      retryAfterMs: 3000,
    })
  })
})

describe('fill in the middle', () => {
  const request: FimRequest = {
    model,
    prefix: 'function sumOfAllTheValues(',
    suffix: 'return total\n}',
    maxOutputTokens: 64,
    stream: false,
  }
  const complete = (baseUrl: string, changes: Partial<FimRequest> = {}, observer?: CallObserver) =>
    createMistralFim({ fetch: (input, init) => fetch(input, init), baseUrl, key: () => canaryKey }).complete(
      { ...request, ...changes },
      new AbortController().signal,
      observer,
    )
  const answer = (content: string, finish = 'stop') => ({
    object: 'chat.completion',
    choices: [{ index: 0, finish_reason: finish, message: { role: 'assistant', content } }],
    usage: { prompt_tokens: 12, completion_tokens: 5, total_tokens: 17 },
  })

  test('the request as it is sent, the reply in the shape of a chat', async () => {
    await withScript(
      (out) => json(out, 200, answer('values) {\n')),
      async (server) => {
        expect(await complete(`${server.url}/v1`, { temperature: 2, stop: ['\n\n'] })).toEqual({
          text: 'values) {\n',
          usage: { input: 12, cached: 0, output: 5, reasoning: 0 },
          finish: 'stop',
        })
        await complete(`${server.url}/v1`, { suffix: '', stop: [] })
        const [full, bare] = server.received
        expect(full).toMatchObject({ path: '/v1/fim/completions', headers: { authorization: `Bearer ${canaryKey}` } })
        expect(JSON.parse(full!.body)).toEqual({
          model,
          prompt: request.prefix,
          suffix: request.suffix,
          max_tokens: 64,
          stream: false,
          stop: ['\n\n'],
          temperature: 1.5,
        })
        expect(Object.keys(JSON.parse(bare!.body) as object)).toEqual(['model', 'prompt', 'max_tokens', 'stream'])
      },
    )
  })
  test('streamed as chat chunks', async () => {
    const shown: string[] = []
    const script: Script = async (out) => {
      openStream(out)
      await writeParts(out, [chunk({ role: 'assistant', content: 'val' }), chunk({ content: 'ues) {' }, 'stop'), done])
      out.end()
    }
    const result = await withScript(script, (server) =>
      complete(server.url, { stream: true }, { text: (piece) => shown.push(piece) }),
    )
    expect(result.text).toBe('values) {')
    expect(shown).toEqual(['val', 'ues) {'])
  })
  test.each(['', '\n  '])('nothing to add is an answer (%j)', async (text) => {
    const call = withScript(
      (out) => json(out, 200, answer(text)),
      (server) => complete(server.url),
    )
    expect(await call).toMatchObject({ text, finish: 'stop' })
  })
  test('nothing because of the limit is none, and neither is a cut stream', async () => {
    const atLimit = withScript(
      (out) => json(out, 200, answer('', 'length')),
      (server) => complete(server.url),
    )
    expect(await failureOf(atLimit)).toMatchObject({ kind: 'limit_reached' })
    const script: Script = async (out) => {
      openStream(out)
      await writeParts(out, [chunk({ content: 'val' })])
      out.end()
    }
    const cut = withScript(script, (server) => complete(server.url, { stream: true }))
    expect(await failureOf(cut)).toMatchObject({ kind: 'truncated' })
  })
  test('neither half of the code nor the key reaches a failure', async () => {
    const call = withScript(
      (out, { body, headers }) => json(out, 422, { detail: `${headers.authorization ?? ''} ${body}` }),
      (server) => complete(server.url),
    )
    const seen = await failureOf(call)
    const told = `${seen.message}${seen.stack}${JSON.stringify(seen)}`
    expect(seen.kind).toBe('bad_request')
    for (const secret of [canaryKey, 'sumOfAllTheValues', 'return total']) expect(told).not.toContain(secret)
  })
})
