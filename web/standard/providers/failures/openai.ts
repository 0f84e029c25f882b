import type { FailureTable } from './table.js'

export const openaiFailures: FailureTable = {
  words: {
    credit_balance_exhausted: 'quota_exhausted',
    slow_down: 'rate_limited',
    server_is_overloaded: 'overloaded',
  },
}
