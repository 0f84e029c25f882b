import type { FailureTable } from './table.js'

/** What holds for every host of the chat-completions format, and for HTTP itself. */
export const common: FailureTable = {
  decisive: {
    402: 'quota_exhausted',
    // Groq sends it with the code of a rate limit: waiting never makes that prompt fit.
    413: 'too_large',
  },
  messages: [[/maximum context length|context window|prompt is too long|reduce the length of/i, 'too_large']],
  // Words as vague as `invalid_request_error` are left out on purpose: their status says more.
  words: {
    insufficient_quota: 'quota_exhausted',
    invalid_api_key: 'auth',
    authentication_error: 'auth',
    permission_error: 'auth',
    context_length_exceeded: 'too_large',
    rate_limit_exceeded: 'rate_limited',
    rate_limit_error: 'rate_limited',
    overloaded_error: 'overloaded',
    service_unavailable_error: 'overloaded',
    server_error: 'server_error',
    internal_server_error: 'server_error',
    model_not_found: 'not_found',
    content_filter: 'content_blocked',
    content_policy_violation: 'content_blocked',
  },
  statuses: {
    400: 'bad_request',
    401: 'auth',
    403: 'auth',
    404: 'not_found',
    405: 'not_found',
    408: 'server_error',
    409: 'server_error',
    422: 'bad_request',
    425: 'server_error',
    429: 'rate_limited',
    503: 'overloaded',
    529: 'overloaded',
  },
}
