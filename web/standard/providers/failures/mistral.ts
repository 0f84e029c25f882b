import type { FailureTable } from './table.js'

/** Three envelopes, few codes; a 429 may be the caller's limit or the provider's own want of room. */
export const mistralFailures: FailureTable = {
  messages: [[/tier capacity exceeded/i, 'overloaded']],
  words: {
    rate_limited: 'rate_limited',
    1300: 'rate_limited',
    invalid_model: 'not_found',
    1500: 'not_found',
  },
}
