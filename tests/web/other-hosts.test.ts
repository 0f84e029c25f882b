// What other hosts of the chat-completions format are known to do differently, through the client as it is for any host.
import { expect, test } from '@jest/globals'
import type { CallObserver, ModelReply } from '../../bindings/ports.js'
import { createOpenAiCompatible, generic } from '../../web/standard/providers/index.js'
import { failureOf, modelRequest } from './call.js'
import { playingParts } from './cuts.js'

const counts = { prompt_tokens: 13, completion_tokens: 3, total_tokens: 16 }
const usage = { input: 13, cached: 0, output: 3, reasoning: 0 }

function read(parts: readonly (object | string)[], observer?: CallObserver): Promise<ModelReply> {
  const text = parts.map((part) => (typeof part === 'string' ? part : `data: ${JSON.stringify(part)}\n\n`)).join('')
  const transport = playingParts([new TextEncoder().encode(text)])
  const client = createOpenAiCompatible({ transport, baseUrl: 'http://host.test', key: () => 'k', dialect: generic })
  return client.generate(modelRequest(), new AbortController().signal, observer)
}
const delta = (content: unknown, finish_reason: string | null = null, more: object = {}) => ({
  choices: [{ index: 0, delta: { content }, finish_reason, ...more }],
})
const done = 'data: [DONE]\n\n'

test('Perplexity: the whole message so far stands beside each delta', async () => {
  const part = (piece: string, sofar: string, finish: string | null) =>
    delta(piece, finish, { message: { role: 'assistant', content: sofar } })
  const parts = [
    part('Hel', 'Hel', null),
    part('lo', 'Hello', null),
    { ...part('', 'Hello', 'stop'), usage: counts },
    done,
  ]
  expect(await read(parts)).toMatchObject({ text: 'Hello', usage, finish: 'stop' })
})
test('MiniMax: the last part is the whole message again', async () => {
  const last = {
    choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
    usage: counts,
  }
  expect(await read([delta('Hel'), delta('lo'), last, done])).toMatchObject({ text: 'Hello', usage, finish: 'stop' })
})
test('Moonshot: usage within the choice, cached tokens at its top', async () => {
  const last = delta('', 'stop', { usage: { ...counts, cached_tokens: 8 } })
  expect(await read([delta('Hello'), last, done])).toMatchObject({ text: 'Hello', usage: { ...usage, cached: 8 } })
})
test('xAI: what was thought is counted beside the answer, and billed with it', async () => {
  const beside = { ...counts, total_tokens: 216, completion_tokens_details: { reasoning_tokens: 200 } }
  expect(await read([{ ...delta('Hello', 'stop'), usage: beside }])).toMatchObject({
    usage: { output: 203, reasoning: 200 },
  })
  const within = { ...beside, completion_tokens: 203 }
  expect(await read([{ ...delta('Hello', 'stop'), usage: within }])).toMatchObject({
    usage: { output: 203, reasoning: 200 },
  })
})
test.each([
  ['eos', 'stop'],
  ['end_turn', 'stop'],
  ['MAX_TOKENS', 'length'],
  ['sensitive', 'content_filter'],
  ['max_output_tokens', 'length'],
  ['SAFETY', 'content_filter'],
  ['something_new', 'other'],
  ['constructor', 'other'],
])('the finish word %s means %s', async (word, finish) => {
  expect(await read([delta('Hello', word), done])).toMatchObject({ text: 'Hello', finish })
})
test.each([
  ['abort', 'truncated'],
  ['network_error', 'truncated'],
  ['repetition_truncation', 'truncated'],
  ['tool_calls', 'generation_failed'],
  ['MALFORMED_FUNCTION_CALL', 'generation_failed'],
  ['error', 'server_error'],
])('the finish word %s is no end of an answer: %s', async (word, kind) => {
  const failure = await failureOf(read([delta('Hello', word), done]))
  expect(failure).toMatchObject({ kind, message: `the model stopped with ${word}` })
})
test.each(['', 'null'])('a finish word %j on every part is none', async (word) => {
  expect(await read([delta('Hel', word), delta('lo', 'stop'), done])).toMatchObject({ text: 'Hello', finish: 'stop' })
  expect(await failureOf(read([delta('Hel', word)]))).toMatchObject({ kind: 'truncated' })
})
test('Azure: a first part without choices; pings and comments between', async () => {
  const first = { choices: [], prompt_filter_results: [] }
  const parts = [
    first,
    ': OPENROUTER PROCESSING\n\n',
    delta('Hello'),
    'event: ping\ndata: {"type":"ping"}\n\n',
    delta('', 'stop'),
    done,
  ]
  expect(await read(parts)).toMatchObject({ text: 'Hello', finish: 'stop', usage: undefined })
})
test('no space after the colon, an id, a retry, CR line ends', async () => {
  const text = `id: 1\nretry: 10\ndata:${JSON.stringify(delta('Hello'))}\r\rdata:${JSON.stringify(delta('', 'stop'))}\r\rdata:[DONE]\r\r`
  expect(await read([text])).toMatchObject({ text: 'Hello', finish: 'stop' })
})
test('nulls and wrong shapes where something else is expected', async () => {
  const parts = [
    { choices: null, usage: {} },
    { choices: [null] },
    { choices: [{ delta: null, finish_reason: null }] },
    { choices: [{ delta: { content: { a: 1 } } }], error: null },
    { choices: [{ delta: { content: [null, 7, { type: 'text', text: 'Hello' }] } }] },
    { ...delta('', 'stop'), usage: { prompt_tokens: '13', completion_tokens: -1 } },
    done,
  ]
  expect(await read(parts)).toEqual({ text: 'Hello', finish: 'stop', usage: undefined })
})
test('an error within a choice`s part, in any of its forms, is one', async () => {
  for (const error of [{ code: 502, message: 'no' }, 'no', { error: { message: 'no' } }])
    expect(await failureOf(read([delta('Hel'), { ...delta('', 'error'), error }]))).toMatchObject({
      kind: 'server_error',
    })
})
