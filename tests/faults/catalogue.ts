/** The faults that providers and networks have been seen with, by name, so that a script can be plain JSON. */
import { gzipSync } from 'node:zlib'
import {
  answer,
  answerOf,
  event,
  events,
  eventStream,
  jsonType,
  refusal,
  tokensOf,
  usageOf,
  whole,
  type Asked,
  type Fault,
  type Part,
  type Reply,
} from './wire.js'

const encoder = new TextEncoder()
const stream = (asked: Asked): string => events(asked, answerOf(asked.step)).join('')
/** A streamed reply that carries the whole answer, unless `more` says otherwise. */
const streamed = (asked: Asked, parts: Reply['parts'], more: Partial<Reply> = {}): Reply => ({
  headers: eventStream,
  tokens: tokensOf(answerOf(asked.step)),
  ...(parts && { parts }),
  ...more,
})

/** 429 with a statement about when to come back. */
export const rateLimited = (headers: Readonly<Record<string, string>>, message = 'slow down'): Fault =>
  refusal(429, { error: { message, type: 'requests', code: 'rate_limit_exceeded' } }, headers)

/** Every form in which a provider has said when to come back, and the wait that it means, ms; `undefined`: none. */
export const retryAfterForms: readonly (readonly [name: string, fault: Fault, waitMs: number | undefined])[] = [
  ['seconds', rateLimited({ 'retry-after': '2' }), 2000],
  ['a fraction of a second', rateLimited({ 'retry-after': '1.25' }), 1250],
  ['milliseconds', rateLimited({ 'retry-after-ms': '1700' }), 1700],
  ['milliseconds before seconds', rateLimited({ 'retry-after-ms': '2500', 'retry-after': '1' }), 2500],
  ['an HTTP date', dated(3000), 3000],
  ['an HTTP date that has passed', dated(-60_000), undefined],
  ['the words of Groq', rateLimited({}, 'Rate limit reached. Please try again in 2.4s. Visit us'), 2400],
  ['the words in minutes', rateLimited({}, 'Please try again in 1m2.5s.'), 62_500],
  ['the reset of the limit', rateLimited({ 'x-ratelimit-reset-requests': '1m1s' }), 61_000],
  ['Google’s RetryInfo', refusal(429, googleBody('3.5s')), 3500],
  ['negative', rateLimited({ 'retry-after': '-5' }), undefined],
  ['not a number', rateLimited({ 'retry-after': 'soon' }), undefined],
  ['empty', rateLimited({ 'retry-after': '' }), undefined],
  ['none', rateLimited({}), undefined],
]

/** Waits that nobody sits out. */
export const absurdRetryAfter: readonly (readonly [name: string, fault: Fault])[] = [
  ['years', rateLimited({ 'retry-after': '999999999' })],
  ['more than a double holds', rateLimited({ 'retry-after': '9'.repeat(400) })],
  ['years in ms', rateLimited({ 'retry-after-ms': '99999999999999' })],
  ['the year 9999', rateLimited({ 'retry-after': 'Fri, 31 Dec 9999 23:59:59 GMT' })],
  ['a year in words', rateLimited({}, 'try again in 365d')],
]

function dated(aheadMs: number): Fault {
  return (asked) => {
    const now = Math.ceil(Date.now() / 1000) * 1000
    const headers = { date: new Date(now).toUTCString(), 'retry-after': new Date(now + aheadMs).toUTCString() }
    return rateLimited(headers)(asked)
  }
}

function googleBody(delay: string): object {
  const details = [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: delay }]
  return { error: { code: 429, message: 'quota', status: 'RESOURCE_EXHAUSTED', details } }
}

/** The stream cut off after a share (0–1) of its bytes. */
export const cutOff =
  (share: number, ending: 'fin' | 'reset', untilClose = false): Fault =>
  (asked) => {
    const text = events(asked, answerOf(asked.step), { done: false, finish: null })
    const all = text.slice(0, -1).join('')
    const bytes = encoder.encode(all).subarray(0, Math.floor(share * encoder.encode(all).length))
    const tokens = Math.floor(share * tokensOf(answerOf(asked.step)))
    return streamed(asked, [bytes], { ending, untilClose, tokens })
  }

/** The first `share` (0–1) of the answer's characters in order, then silence on an open connection. */
export const stall =
  (share: number): Fault =>
  (asked) => {
    const text = answerOf(asked.step)
    const shown = text.slice(0, Math.floor(share * text.length))
    const list = events(asked, shown, { done: false, finish: null, usage: null }).slice(0, -1)
    return streamed(asked, [list.join('')], { ending: 'open', tokens: tokensOf(shown) })
  }

/** The whole answer in pieces of so many bytes, with a pause after each; 0: packets without a pause. */
export const dripping =
  (pauseMs: number, length = 1): Fault =>
  (asked) => {
    const bytes = encoder.encode(stream(asked))
    const pieces = Array.from({ length: Math.ceil(bytes.length / length) }, (_, at) => [
      bytes.subarray(at * length, (at + 1) * length),
      ...(pauseMs > 0 ? [{ pauseMs }] : []),
    ])
    return streamed(asked, pieces.flat())
  }

/** Two-, three- and four-byte characters: each has places where a packet may end inside it. */
export const cutText = 'Größe 漢字 🚀 ok'

export interface CutOptions {
  readonly lineEnd: string
  /** A byte order mark comes first. */
  readonly mark?: boolean
}

/** As few bytes as the format allows: each of them is a place to cut. */
export function cutBytes({ lineEnd, mark = false }: CutOptions): Uint8Array {
  const piece = (content: string): string => `{"choices":[{"delta":{"content":"${content}"}}]}`
  const pieces = (cutText.match(/.{1,4}/gsu) ?? []).map(piece)
  const list = [...pieces, '{"choices":[{"delta":{},"finish_reason":"stop"}]}', '[DONE]']
  const text = list.map((data) => event(data, lineEnd)).join('')
  return encoder.encode(`${mark ? '\ufeff' : ''}${text}`)
}

/** `cutText` in two packets, cut before byte `at`. */
export const cutAt =
  (at: number, options: CutOptions): Fault =>
  (asked) => {
    const bytes = cutBytes(options)
    return streamed(asked, [bytes.subarray(0, at), bytes.subarray(at)])
  }

/** An answer whose counts are replaced. */
export const counted =
  (changes: object | null): Fault =>
  (asked) => {
    const usage = changes === null ? null : usageOf(asked, answerOf(asked.step), changes)
    const parts = asked.stream
      ? events(asked, answerOf(asked.step), { usage })
      : [whole(asked, answerOf(asked.step), { usage })]
    return streamed(asked, [parts.join('')], asked.stream ? {} : { headers: jsonType })
  }

export const redirect =
  (status: number, to: string): Fault =>
  () => ({ status, headers: { location: to }, parts: [] })

const errorIn = (asked: Asked, before: number): Reply => {
  const list = events(asked, answerOf(asked.step)).slice(0, before)
  const error = JSON.stringify({ error: { message: 'the engine fell over', type: 'server_error', code: 500 } })
  return streamed(asked, [[...list, event(error)].join('')], { tokens: 0 })
}

/** Faults without numbers. */
export const faults = {
  answer: answer(),
  resetBeforeHeaders: () => ({ instead: 'reset' }),
  closeBeforeHeaders: () => ({ instead: 'fin' }),
  /** The work is done, the reply is lost: nobody can know. */
  resetAfterEffect: () => ({ instead: 'reset', committed: true }),
  headersNever: () => ({ instead: 'silence' }),
  resetInBody: cutOff(0.5, 'reset'),
  endInBody: cutOff(0.5, 'fin'),
  endOfConnection: cutOff(0.5, 'fin', true),
  resetBeforeFirstToken: cutOff(0, 'reset'),
  noFinish: (asked) => streamed(asked, [events(asked, answerOf(asked.step), { finish: null, done: false }).join('')]),
  doneWithoutFinish: (asked) => streamed(asked, [events(asked, answerOf(asked.step), { finish: null }).join('')]),
  finishWithoutDone: (asked) => streamed(asked, [events(asked, answerOf(asked.step), { done: false }).join('')]),
  neverCloses: (asked) => streamed(asked, [stream(asked)], { ending: 'open' }),
  errorAtOnce: (asked) => errorIn(asked, 0),
  errorInStream: (asked) => errorIn(asked, 4),
  errorInWhole: () => ({ headers: jsonType, parts: ['{"error":{"message":"no","type":"server_error"}}'] }),
  stalls: stall(0.5),
  stallsBeforeFirstToken: stall(0),
  onlyComments: (asked) => streamed(asked, [': keep-alive\n\n'], { ending: 'open', tokens: 0 }),
  hugeEvent: (asked) => streamed(asked, [event(JSON.stringify({ padding: 'x'.repeat(10 << 20) }))], { tokens: 0 }),
  hugeLine: (asked) => streamed(asked, [`data: ${'x'.repeat(10 << 20)}`], { tokens: 0, ending: 'open' }),
  /** Far more than any limit of tokens allows, in lawful events. */
  endlessAnswer: (asked) => {
    const piece = event(JSON.stringify({ choices: [{ index: 0, delta: { content: 'x'.repeat(1 << 19) } }] }))
    return streamed(asked, new Array<string>(64).fill(piece), { tokens: 0, ending: 'open' })
  },
  endlessComments: (asked) =>
    streamed(asked, new Array<Part[]>(200).fill([': still here\n\n', { pauseMs: 1000 }]).flat(), { tokens: 0 }),
  endlessRefusal: () => ({ status: 500, parts: new Array<string>(64).fill('x'.repeat(1 << 18)), ending: 'open' }),
  hugeHeaders: (asked) => streamed(asked, [], { headers: { ...eventStream, 'x-padding': 'x'.repeat(200_000) } }),
  noHttp: () => ({ instead: 'noise' }),
  noContent: () => ({ status: 204, headers: {}, parts: [], committed: false }),
  shortBody: (asked) => ({
    headers: { ...jsonType, 'content-length': '9999' },
    parts: [whole(asked, answerOf(asked.step))],
    ending: 'fin',
  }),
  compressed: (asked) => {
    const packed = gzipSync(stream(asked))
    return { headers: { ...eventStream, 'content-encoding': 'gzip' }, parts: [packed], tokens: 0 }
  },
  earlyHints: (asked) => ({ ...answer()(asked), hints: true }),
  wholeInsteadOfStream: (asked) => ({ headers: jsonType, parts: [whole(asked, answerOf(asked.step))], tokens: 0 }),
  streamWithoutType: (asked) => streamed(asked, [stream(asked)], { headers: {} }),
  garbage: (asked) => streamed(asked, [event('{"choices":[{"delta":{"content":')], { tokens: 0 }),
  binary: () => ({ headers: eventStream, parts: [new Uint8Array([0, 255, 254, 10, 10, 128, 13])], tokens: 0 }),
  html: () => ({
    headers: { 'content-type': 'text/html' },
    parts: ['<html><body>Welcome to the hotel. Please log in.</body></html>'],
    committed: false,
  }),
  emptyBody: () => ({ headers: eventStream, parts: [], tokens: 0 }),
  emptyAnswer: answer(''),
  usageNegative: counted({ prompt_tokens: -5, completion_tokens: -7 }),
  usageHuge: counted({ prompt_tokens: 1e300, completion_tokens: 1e300 }),
  /** Lawful numbers, and more than any model could count. */
  usageLargest: counted({ prompt_tokens: Number.MAX_SAFE_INTEGER, completion_tokens: Number.MAX_SAFE_INTEGER }),
  usageFractional: counted({ prompt_tokens: 1.5, completion_tokens: 'many' }),
  usageMissing: counted(null),
} as const satisfies Readonly<Record<string, Fault>>

export type FaultName = keyof typeof faults
