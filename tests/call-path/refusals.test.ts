// Generated refusals: status × envelope × meaning × what was added. The policy decides as its table says (core/route/policy.hpp),
// and attempts, money and health agree with what the server wrote down.
import { describe, expect, jest, test } from '@jest/globals'
import { pick as pickFrom, seeded } from '../../web/standard/simulator/random.js'
import { play, type CaseReply, type Played } from './player.js'
import { says, situation } from './shapes.js'

jest.setTimeout(60_000)

interface Meaning {
  readonly statuses: readonly number[]
  readonly words: readonly string[]
  readonly code?: string
  /** How often alpha is asked, and whether beta is after it. */
  readonly alpha: number
  readonly beta: 0 | 1
  /** How the step ends; absent: it is done. */
  readonly failure?: string
  readonly note?: string
  /** Alpha takes it once this is gone. */
  readonly without?: string
}

const meanings: Readonly<Record<string, Meaning>> = {
  model: {
    statuses: [400, 404, 410, 422],
    words: ['No model found: x', 'x is not a valid model ID', 'The model `x` does not exist', 'Unknown model: x'],
    alpha: 1,
    beta: 1,
  },
  length: {
    statuses: [400, 413, 422, 500],
    words: [
      'maximum context length is 8192 tokens',
      'Context size has been exceeded.',
      'prompt is too long: 9 tokens > 3 maximum',
    ],
    alpha: 1,
    beta: 1,
  },
  region: {
    statuses: [400, 403],
    words: ['User location is not supported for the API use.', 'Country, region, or territory not supported'],
    alpha: 1,
    beta: 1,
  },
  terms: {
    statuses: [400, 403],
    words: ['Please accept the terms of this model first', 'Your organization must be verified to use this model'],
    alpha: 1,
    beta: 1,
  },
  money: { statuses: [402, 429], words: ['Insufficient Balance'], alpha: 1, beta: 1 },
  setting: {
    statuses: [400, 422],
    words: ['stream_options is not permitted', 'Unrecognized request argument supplied: stream_options'],
    alpha: 2,
    beta: 0,
    without: 'stream_options',
  },
  unknown: {
    statuses: [400, 422],
    words: ['the moon is in the wrong house', 'error 31', 'bad request'],
    alpha: 1,
    beta: 1,
    note: 'refused_elsewhere',
  },
  key: { statuses: [401], words: ['no such key', 'Unauthorized'], alpha: 1, beta: 0, failure: 'auth' },
}

const envelopes: Readonly<Record<string, (words: string, status: number) => unknown>> = {
  openai: (message) => ({ error: { message, type: 'invalid_request_error', param: null, code: null } }),
  text: (error) => ({ error }),
  message: (message) => ({ message, request_id: 'r' }),
  detail: (detail) => ({ detail }),
  list: (message) => ({ errors: [{ message }] }),
  google: (message, code) => [
    { error: { code, message, status: code === 401 ? 'UNAUTHENTICATED' : 'INVALID_ARGUMENT' } },
  ],
  gateway: (message) => ({
    error: { message: 'Provider returned error', code: 400, metadata: { raw: JSON.stringify({ error: { message } }) } },
  }),
}

const counts = { prompt_tokens: 50, completion_tokens: 10, total_tokens: 60 }

/** What the server's ledger says it cost: 1 and 2 micro-USD per token, for answers alone. */
const billed = ({ requests }: Played, meaning: Meaning): number => {
  const served = (requests['beta'] ?? 0) + (meaning.without === undefined ? 0 : 1)
  return served * (counts.prompt_tokens + 2 * counts.completion_tokens)
}

const pairs = Object.keys(meanings).flatMap((meaning) =>
  Object.keys(envelopes).map((envelope) => [meaning, envelope] as const),
)

describe('a refusal', () => {
  test.each(pairs)('of the %s, as %s', async (name, envelope) => {
    const meaning = meanings[name]!
    const random = seeded(pairs.findIndex(([m, e]) => m === name && e === envelope) + 1)
    const [status, words] = [pickFrom(random, meaning.statuses), pickFrom(random, meaning.words)]
    const refusal: CaseReply = { status, json: envelopes[envelope]!(words, status) }
    const replies = meaning.without === undefined ? [refusal] : [refusal, says('hello', counts)]
    const played = await play(situation(`${status} ${words}`, 'generated', replies, {}))
    const { requests, events, asked, failures } = played

    expect([requests['alpha'] ?? 0, requests['beta'] ?? 0]).toEqual([meaning.alpha, meaning.beta])
    expect(failures.map(({ failure }) => failure)).toEqual(meaning.failure === undefined ? [] : [meaning.failure])
    if (meaning.without !== undefined) expect(asked[1]!.body).not.toHaveProperty(meaning.without)

    // Every request is a call of the run, and the other way round.
    expect(events.filter(({ type }) => type === 'call')).toHaveLength(asked.length)
    const finish = events.flatMap((event) => (event.type === 'finish' ? [event.costMicroUsd] : []))
    expect(finish).toEqual([billed(played, meaning)])
    const notes = events.flatMap((event) => (event.type === 'note' ? [event] : []))
    expect(notes.map(({ reason }) => reason)).not.toContain('breaker_opened')
    // The provider's own words reach anyone who watches.
    const told = [...failures.map(({ message }) => message), ...notes.map(({ detail = '' }) => detail)].join()
    expect(told).toContain(words)
    if (meaning.note !== undefined) expect(notes.map(({ reason }) => reason)).toContain(meaning.note)
  })
})
