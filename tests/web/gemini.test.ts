import { describe, expect, test } from '@jest/globals'
import type { CallObserver, ModelRequest } from '../../bindings/ports.js'
import { createGemini, type GeminiConfig } from '../../web/standard/providers/index.js'
import { json, openStream, writeParts, type Script } from '../sim/scripted-server.js'
import { canaryKey, failureOf, modelRequest, promptCanary, withScript } from './call.js'

const model = 'gemini-3.8-flash'

function generate(
  baseUrl: string,
  request: Partial<ModelRequest> = {},
  observer?: CallObserver,
  config: Partial<GeminiConfig> = {},
) {
  const client = createGemini({ fetch: (input, init) => fetch(input, init), baseUrl, key: () => canaryKey, ...config })
  return client.generate(modelRequest({ model, ...request }), new AbortController().signal, observer)
}

const event = (value: object) => `data: ${JSON.stringify(value)}\r\n\r\n`
const usage = (candidates: number, thoughts = 0) => ({
  promptTokenCount: 50,
  ...(candidates > 0 && { candidatesTokenCount: candidates }),
  ...(thoughts > 0 && { thoughtsTokenCount: thoughts }),
  cachedContentTokenCount: 40,
  totalTokenCount: 50 + candidates + thoughts,
})
const candidate = (parts: readonly object[] | undefined, finishReason?: string) => ({
  candidates: [
    {
      ...(parts && { content: { parts, role: 'model' } }),
      ...(finishReason !== undefined && { finishReason }),
      index: 0,
    },
  ],
})
const playing =
  (parts: readonly string[]): Script =>
  async (reply) => {
    openStream(reply)
    await writeParts(reply, parts)
    reply.end()
  }
const reply = (script: Script, request?: Partial<ModelRequest>, observer?: CallObserver) =>
  withScript(script, (server) => generate(server.url, request, observer))
const failure = (script: Script, request?: Partial<ModelRequest>) => failureOf(reply(script, request))

describe('the request as it is sent', () => {
  test.each([
    [true, '/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse'],
    [false, '/v1beta/models/gemini-3.8-flash:generateContent'],
  ])('streamed %s: %s, the key in its header and nowhere else', async (stream, path) => {
    const whole = { ...candidate([{ text: 'Hi' }], 'STOP') }
    await withScript(
      (out) => json(out, 200, whole),
      async (server) => {
        await generate(`${server.url}/v1beta/`, { stream })
        const [received] = server.received
        expect(received!.path).toBe(path)
        expect(received!.headers['x-goog-api-key']).toBe(canaryKey)
        expect(received!.headers.authorization).toBeUndefined()
        expect(`${received!.path}${received!.body}`).not.toContain(canaryKey)
        expect(JSON.parse(received!.body)).toEqual({
          systemInstruction: { parts: [{ text: 'You are terse.' }] },
          contents: [{ role: 'user', parts: [{ text: modelRequest().user }] }],
          generationConfig: { maxOutputTokens: 100, thinkingConfig: { thinkingLevel: 'low' } },
        })
      },
    )
  })
  test('a model`s name cannot lead elsewhere', async () => {
    await withScript(
      (out) => json(out, 200, candidate([{ text: 'Hi' }], 'STOP')),
      async (server) => {
        await generate(server.url, { model: 'models/a/../../b?key=x#y' })
        expect(server.received[0]!.path).toBe('/models/a%2F..%2F..%2Fb%3Fkey%3Dx%23y:streamGenerateContent?alt=sse')
      },
    )
  })
  test('thinking as configured, or left to the provider', async () => {
    await withScript(
      (out) => json(out, 200, candidate([{ text: 'Hi' }], 'STOP')),
      async (server) => {
        await generate(server.url, {}, undefined, { thinking: () => ({ thinkingBudget: -1 }) })
        await generate(server.url, { system: '' }, undefined, { thinking: () => undefined })
        const [given, left] = server.received.map(({ body }) => JSON.parse(body) as Record<string, unknown>)
        expect(given).toMatchObject({ generationConfig: { thinkingConfig: { thinkingBudget: -1 } } })
        expect(left!['generationConfig']).toEqual({ maxOutputTokens: 100 })
        expect(left).not.toHaveProperty('systemInstruction')
      },
    )
  })
  test.each(['https://x/?key=1', 'nonsense'])('%s is no base URL', (baseUrl) => {
    expect(() => createGemini({ fetch, baseUrl, key: () => 'k' })).toThrow(/URL/)
  })
})

describe('streams', () => {
  test('CRLF, cumulative usage, a last chunk with an empty text and a signature, no [DONE]', async () => {
    const shown: string[] = []
    const parts = [
      event({ ...candidate([{ text: 'Par' }]), usageMetadata: usage(1) }),
      event({ ...candidate([{ text: 'is.' }]), usageMetadata: usage(2) }),
      event({ ...candidate([{ text: '', thoughtSignature: 'Eq' }], 'STOP'), usageMetadata: usage(3, 7) }),
    ]
    expect(await reply(playing(parts), {}, { text: (piece) => shown.push(piece) })).toEqual({
      text: 'Paris.',
      usage: { input: 50, cached: 40, output: 10, reasoning: 7 },
      finish: 'stop',
    })
    expect(shown).toEqual(['Par', 'is.'])
  })
  test('thoughts are no answer, but they are a first token', async () => {
    const order: string[] = []
    const parts = [
      event(candidate([{ text: 'Let me see', thought: true }])),
      event(candidate([{ text: 'still', thought: true }, { text: 'Hi' }], 'STOP')),
    ]
    const result = await reply(
      playing(parts),
      {},
      { firstToken: () => order.push('first'), text: (t) => order.push(t) },
    )
    expect(result).toEqual({ text: 'Hi', usage: undefined, finish: 'stop', reasoned: 4 })
    expect(order).toEqual(['first', 'Hi'])
  })
  test('a chunk whose usage counts nothing does not undo the last one', async () => {
    const parts = [
      event({ ...candidate([{ text: 'Hi' }]), usageMetadata: usage(1) }),
      event({ ...candidate([], 'STOP'), usageMetadata: { trafficType: 'ON_DEMAND' } }),
    ]
    expect(await reply(playing(parts))).toMatchObject({ usage: { output: 1 } })
  })
  test('the other form, one list, is understood too', async () => {
    const list = [candidate([{ text: 'Par' }]), candidate([{ text: 'is.' }], 'STOP')]
    expect(await reply((out) => json(out, 200, list))).toMatchObject({ text: 'Paris.', finish: 'stop' })
    const error = [{ error: { code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE' } }]
    expect(await failure((out) => json(out, 200, error))).toMatchObject({ kind: 'overloaded' })
    expect(await failure((out) => json(out, 503, error))).toMatchObject({ kind: 'overloaded', status: 503 })
  })
})

describe('endings', () => {
  test.each([
    ['STOP', 'stop'],
    ['MAX_TOKENS', 'length'],
    ['OTHER', 'other'],
    ['A_NEW_ONE', 'other'],
  ])('%s with text is an answer that ended with %s', async (word, finish) => {
    expect(await reply(playing([event(candidate([{ text: 'Hi' }], word))]))).toMatchObject({ text: 'Hi', finish })
  })
  test.each(['SAFETY', 'RECITATION', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'SPII', 'LANGUAGE', 'IMAGE_SAFETY'])(
    '%s blocks, with text or without parts',
    async (word) => {
      for (const parts of [[{ text: 'Once upon a' }], undefined]) {
        const body = { ...candidate(parts, word), usageMetadata: usage(3) }
        for (const script of [playing([event(body)]), (out: Parameters<Script>[0]) => json(out, 200, body)]) {
          const seen = await failure(script)
          expect(seen).toMatchObject({ kind: 'content_blocked', usage: { output: 3 } })
          expect(seen.message).toBe(`the answer was blocked: ${word}`)
        }
      }
    },
  )
  test('a blocked prompt has no candidates at all', async () => {
    const body = { promptFeedback: { blockReason: 'SAFETY' }, usageMetadata: usage(0) }
    for (const script of [playing([event(body)]), (out: Parameters<Script>[0]) => json(out, 200, body)]) {
      expect(await failure(script)).toMatchObject({
        kind: 'content_blocked',
        message: 'the prompt was blocked: SAFETY',
        usage: { input: 50, output: 0 },
      })
    }
  })
  test.each([
    ['the end of the body without a finish reason', [event(candidate([{ text: 'Hi' }]))], 'truncated'],
    ['a [DONE] of a proxy without one', [event(candidate([{ text: 'Hi' }])), 'data: [DONE]\r\n\r\n'], 'truncated'],
    ['an unspecified reason', [event(candidate([{ text: 'Hi' }], 'FINISH_REASON_UNSPECIFIED'))], 'truncated'],
    ['nothing at all', [], 'truncated'],
    ['all tokens spent on thinking, no parts', [event(candidate(undefined, 'MAX_TOKENS'))], 'limit_reached'],
    ['no text', [event(candidate([{ text: '' }], 'STOP'))], 'malformed'],
    ['only a call of a tool', [event(candidate([{ functionCall: { name: 'f' } }], 'STOP'))], 'malformed'],
    ['a confused call of one', [event(candidate([{ text: 'Hi' }], 'MALFORMED_FUNCTION_CALL'))], 'generation_failed'],
    [
      'parts that are none',
      [event({ candidates: [{ content: { parts: [null, 7] }, finishReason: 'STOP' }] })],
      'malformed',
    ],
    ['candidates that are none', [event({ candidates: 'x' })], 'truncated'],
    ['garbage', ['data: {oops}\r\n\r\n'], 'malformed'],
  ])('%s', async (_, parts, kind) => expect(await failure(playing(parts))).toMatchObject({ kind }))
})

describe('an error half-way', () => {
  const error = { error: { code: 503, message: 'The model is overloaded.', status: 'UNAVAILABLE' } }
  const begun = event({ ...candidate([{ text: 'Hi' }]), usageMetadata: usage(1) })
  test.each([
    ['as an event', [begun, event(error)]],
    ['as bare JSON between the events', [begun, `${JSON.stringify(error)}\r\n\r\n`]],
    ['as bare JSON on several lines, at the very end', [begun, JSON.stringify(error, null, 2)]],
    ['as a bare list', [begun, JSON.stringify([error])]],
    ['as the first thing', [JSON.stringify(error)]],
    ['cut into single characters', [begun, ...JSON.stringify(error, null, 1)]],
    ['in the same packet as the text before it', [begun + JSON.stringify(error)]],
  ])('%s', async (_, parts) => {
    expect(await failure(playing(parts))).toMatchObject({
      kind: 'overloaded',
      message: 'UNAVAILABLE: The model is overloaded.',
      ...(parts.length > 1 && { usage: { output: 1 } }),
    })
  })
  test('bare JSON that is no error, and half of one, is a stream that was cut', async () => {
    expect(await failure(playing([begun, '{"a":1}']))).toMatchObject({ kind: 'truncated' })
    expect(await failure(playing([begun, '{"error":{"co']))).toMatchObject({ kind: 'truncated' })
  })
  test('after the finish reason nothing is lost', async () => {
    const parts = [event(candidate([{ text: 'Hi' }], 'STOP')), JSON.stringify(error)]
    expect(await reply(playing(parts))).toMatchObject({ text: 'Hi' })
  })
})

test('a key or a prompt that the provider echoes reaches no failure', async () => {
  const echo: Script = (out, request) =>
    json(out, 400, {
      error: {
        code: 400,
        status: 'INVALID_ARGUMENT',
        message: `bad: ${request.headers['x-goog-api-key'] as string} ${request.body}`,
        details: [{ reason: `${canaryKey}` }],
      },
    })
  const seen = await failure(echo)
  const told = `${seen.message}${seen.stack}${JSON.stringify(seen)}`
  for (const secret of [canaryKey, promptCanary]) expect(told).not.toContain(secret)
})

test('cancelling in the middle closes the socket', async () => {
  const script: Script = async (out) => {
    openStream(out)
    await writeParts(out, [event(candidate([{ text: 'Hi' }]))])
  }
  await withScript(script, async (server) => {
    const abort = new AbortController()
    const client = createGemini({ fetch: (input, init) => fetch(input, init), baseUrl: server.url, key: () => 'k' })
    const observer = { text: () => setImmediate(() => abort.abort()) }
    const call = client.generate(modelRequest({ model }), abort.signal, observer)
    expect(await failureOf(call)).toMatchObject({ kind: 'cancelled' })
    await server.clientLeft()
  })
})

test('a finished stream leaves its connection for the next call', async () => {
  await withScript(playing([event(candidate([{ text: 'Hi' }], 'STOP'))]), async (server) => {
    for (let call = 0; call < 5; call++) {
      await generate(server.url)
      for (let turn = 0; turn < 40; turn++) await new Promise((resolve) => setImmediate(resolve))
    }
    expect(server.received).toHaveLength(5)
    expect(server.connections()).toBe(1)
  })
})
