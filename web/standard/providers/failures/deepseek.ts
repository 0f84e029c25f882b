import type { FailureTable } from './table.js'

/** Its type and code are `invalid_request_error` for nearly everything: status and wording decide. */
export const deepseekFailures: FailureTable = {
  messages: [
    // "…based on your remaining balance" is a plain limit of concurrency, not an empty purse.
    [/your current concurrency is|rate limit reached for [TR]P[MD]/i, 'rate_limited'],
    [/insufficient balance/i, 'quota_exhausted'],
    [/authentication fails/i, 'auth'],
    [/model not exist/i, 'not_found'],
    [/service is too busy/i, 'overloaded'],
    [/content exists risk/i, 'content_blocked'],
  ],
  words: {
    // A finish reason, and seen as a code of an error inside a stream.
    insufficient_system_resource: 'overloaded',
  },
}
