import type { FailureTable } from './table.js'

/** Status words, and reasons of an `ErrorInfo`. An exhausted day or purse is known from the details: see failure/google.ts. */
export const geminiFailures: FailureTable = {
  messages: [[/exceeds the maximum number of tokens allowed/i, 'too_large']],
  words: {
    // A wrong key comes as 400 INVALID_ARGUMENT with one of these reasons.
    API_KEY_INVALID: 'auth',
    API_KEY_SERVICE_BLOCKED: 'auth',
    UNAUTHENTICATED: 'auth',
    PERMISSION_DENIED: 'auth',
    NOT_FOUND: 'not_found',
    RESOURCE_EXHAUSTED: 'rate_limited',
    INVALID_ARGUMENT: 'bad_request',
    FAILED_PRECONDITION: 'bad_request',
    UNAVAILABLE: 'overloaded',
    INTERNAL: 'server_error',
    UNKNOWN: 'server_error',
    DEADLINE_EXCEEDED: 'server_error',
  },
}
