// Every row of the error tables that are known of the five providers, and what each means. Texts are ours, shapes theirs.
import { describe, expect, test } from '@jest/globals'
import { failureKinds, type FailureKind } from '../../bindings/generated/wire.js'
import { failureFromResponse, failureInStream } from '../../web/standard/failure/failure.js'
import {
  deepseekFailures,
  everyTable,
  failureKindOf,
  geminiFailures,
  groqFailures,
  mistralFailures,
  openaiFailures,
  type FailureTable,
} from '../../web/standard/providers/index.js'
import { canaryKey, promptCanary } from './call.js'

const confidential = { secrets: [canaryKey], payloads: ['system text of the prompt', promptCanary] }
const invalid = 'invalid_request_error'
const envelope = (message: string, type: string | null, code: string | null) => ({
  error: { message, type, param: null, code },
})
const page = '<html><body>Bad Gateway</body></html>'
const own = (message: string, type: string, code: string | null) => ({
  object: 'error',
  message,
  type,
  param: null,
  code,
})
const google = (code: number, status: string, message = 'x', ...details: readonly object[]) => ({
  error: { code, message, status, ...(details.length > 0 && { details }) },
})
const detail = (type: string, more: object) => ({ '@type': `type.googleapis.com/google.rpc.${type}`, ...more })
const quota = (quotaId: string) => detail('QuotaFailure', { violations: [{ quotaMetric: 'm', quotaId }] })

type Row = readonly [name: string, status: number, body: unknown, kind: FailureKind]

const deserialise = 'Failed to deserialize the JSON body into the target type: messages[1]: invalid type: sequence'
const deepseekRows: readonly Row[] = [
  [
    'key',
    401,
    envelope('Authentication Fails, Your api key: ****abcd is invalid', 'authentication_error', invalid),
    'auth',
  ],
  ['no such user', 401, envelope('Authentication Fails (no such user)', 'authentication_error', invalid), 'auth'],
  ['header format', 401, 'Authentication Fails (auth header format should be Bearer sk-...)', 'auth'],
  ['balance', 402, envelope('Insufficient Balance', 'unknown_error', invalid), 'quota_exhausted'],
  [
    'max_tokens',
    400,
    envelope('Invalid max_tokens value, the valid range of max_tokens is [1, 8192]', invalid, invalid),
    'bad_request',
  ],
  [
    'context',
    400,
    envelope(
      "This model's maximum context length is 131072 tokens. However, you requested 140000 tokens",
      invalid,
      invalid,
    ),
    'too_large',
  ],
  ['body, plain text', 422, deserialise, 'bad_request'],
  ['body, enveloped', 400, envelope(deserialise, invalid, invalid), 'bad_request'],
  [
    'concurrency',
    429,
    envelope(
      'Your current concurrency is 40, which exceeds your concurrency limit of 39 based on your remaining balance.',
      '',
      null,
    ),
    'rate_limited',
  ],
  ['tokens per minute', 429, envelope('Rate limit reached for TPM', null, null), 'rate_limited'],
  ['server', 500, envelope('Internal server error', 'server_error', null), 'server_error'],
  ['busy', 503, envelope('Service is too busy. Please retry later.', 'service_unavailable_error', null), 'overloaded'],
  ['model', 400, envelope('Model Not Exist', invalid, invalid), 'not_found'],
  ['gateway page', 502, page, 'server_error'],
  ['gateway page in front of an overload', 503, page, 'overloaded'],
]
const mistralRows: readonly Row[] = [
  ['key, detail', 401, { detail: 'Unauthorized' }, 'auth'],
  ['key, message', 401, { message: 'Unauthorized', request_id: 'r1' }, 'auth'],
  [
    'unknown field',
    422,
    { detail: [{ loc: ['body', 'seed'], msg: 'Extra inputs are not permitted', type: 'extra_forbidden' }] },
    'bad_request',
  ],
  [
    'unknown field, in a message',
    422,
    { object: 'error', message: { detail: [{ loc: ['body'], msg: 'no' }] }, type: invalid, param: null, code: null },
    'bad_request',
  ],
  [
    'rate with code',
    429,
    { ...own('Rate limit exceeded', 'rate_limited', '1300'), raw_status_code: 429 },
    'rate_limited',
  ],
  ['rate, bare', 429, { message: 'Requests rate limit exceeded' }, 'rate_limited'],
  ['want of room', 429, own('Service tier capacity exceeded for this model.', invalid, null), 'overloaded'],
  ['400', 400, own('no', invalid, null), 'bad_request'],
  ['model', 400, own('Invalid model: m', 'invalid_model', '1500'), 'not_found'],
  ['403', 403, own('no', 'x', null), 'auth'],
  ['404', 404, own('no', 'x', null), 'not_found'],
  ['500', 500, own('no', 'internal_server_error', null), 'server_error'],
  ['502', 502, own('no', 'x', null), 'server_error'],
  ['503', 503, own('no', 'x', null), 'overloaded'],
  ['504', 504, own('no', 'x', null), 'server_error'],
]
const limitWords = 'Rate limit reached for model `m` in organization `org_x` on tokens per minute (TPM): Limit 8000'
const groqRows: readonly Row[] = [
  ['400', 400, envelope('no', invalid, null), 'bad_request'],
  ['401', 401, envelope('Invalid API Key', invalid, 'invalid_api_key'), 'auth'],
  ['403', 403, envelope('no', 'permissions', null), 'auth'],
  ['404', 404, envelope('The model `m` does not exist', invalid, 'model_not_found'), 'not_found'],
  [
    'retired model',
    400,
    envelope('The model `m` has been decommissioned', invalid, 'model_decommissioned'),
    'not_found',
  ],
  [
    '413',
    413,
    {
      error: {
        message: 'Request too large for model `m` (TPM): Limit 6000, Requested 12328',
        type: 'tokens',
        code: 'rate_limit_exceeded',
      },
    },
    'too_large',
  ],
  ['422', 422, envelope('no', invalid, null), 'bad_request'],
  ['424', 424, envelope('a dependency failed', 'x', null), 'server_error'],
  ['tokens', 429, { error: { message: limitWords, type: 'tokens', code: 'rate_limit_exceeded' } }, 'rate_limited'],
  ['requests', 429, { error: { message: limitWords, type: 'requests', code: 'rate_limit_exceeded' } }, 'rate_limited'],
  [
    'JSON mode',
    400,
    {
      error: {
        message: 'Failed to generate JSON.',
        type: invalid,
        code: 'json_validate_failed',
        failed_generation: promptCanary,
      },
    },
    'constraint_violated',
  ],
  ['flex tier', 498, { error: { message: 'capacity', type: 'flex', code: 'capacity_exceeded' } }, 'overloaded'],
  ['flex tier, silent', 498, '', 'overloaded'],
  ['cancelled there', 499, '', 'server_error'],
  ['500', 500, envelope('no', 'internal_server_error', null), 'server_error'],
  ['502', 502, '', 'server_error'],
  ['503', 503, '', 'overloaded'],
]
const openaiRows: readonly Row[] = [
  ['key', 401, envelope('Incorrect API key provided: sk-***', invalid, 'invalid_api_key'), 'auth'],
  ['parameter', 400, envelope("Unsupported parameter: 'max_tokens'", invalid, 'unsupported_parameter'), 'bad_request'],
  ['context by code', 400, envelope('Too long', invalid, 'context_length_exceeded'), 'too_large'],
  [
    'context by wording',
    400,
    envelope('The prompt is too long: reduce the length of the messages.', invalid, null),
    'too_large',
  ],
  ['request', 400, envelope('no', invalid, null), 'bad_request'],
  ['rate', 429, envelope('Rate limit reached', 'requests', 'rate_limit_exceeded'), 'rate_limited'],
  [
    'quota',
    429,
    envelope('You exceeded your current quota', 'insufficient_quota', 'insufficient_quota'),
    'quota_exhausted',
  ],
  [
    'quota by its type',
    429,
    envelope('You exceeded your current quota', 'insufficient_quota', null),
    'quota_exhausted',
  ],
  ['credits', 429, envelope('no', invalid, 'credit_balance_exhausted'), 'quota_exhausted'],
  ['slow down', 429, envelope('Slow down', 'rate_limit_error', 'slow_down'), 'rate_limited'],
  ['500', 500, envelope('Oops', 'server_error', null), 'server_error'],
  ['503', 503, envelope('Overloaded', 'service_unavailable_error', 'server_is_overloaded'), 'overloaded'],
  ['model', 404, envelope('No such model', invalid, 'model_not_found'), 'not_found'],
  ['content', 400, envelope('no', invalid, 'content_policy_violation'), 'content_blocked'],
  ['408', 408, '', 'server_error'],
  ['409', 409, '', 'server_error'],
]
const geminiRows: readonly Row[] = [
  ['field', 400, google(400, 'INVALID_ARGUMENT', 'Unknown name "max_tokens"'), 'bad_request'],
  [
    'key',
    400,
    google(
      400,
      'INVALID_ARGUMENT',
      'API key not valid.',
      detail('ErrorInfo', { reason: 'API_KEY_INVALID', domain: 'googleapis.com' }),
      detail('LocalizedMessage', { locale: 'en-US' }),
    ),
    'auth',
  ],
  ['region or billing', 400, google(400, 'FAILED_PRECONDITION'), 'bad_request'],
  [
    'prompt',
    400,
    google(400, 'INVALID_ARGUMENT', 'The input token count (2) exceeds the maximum number of tokens allowed (1).'),
    'too_large',
  ],
  ['credits', 402, google(402, 'RESOURCE_EXHAUSTED'), 'quota_exhausted'],
  ['permission', 403, google(403, 'PERMISSION_DENIED'), 'auth'],
  ['model or cache', 404, google(404, 'NOT_FOUND'), 'not_found'],
  [
    'minute',
    429,
    google(
      429,
      'RESOURCE_EXHAUSTED',
      'x',
      quota('GenerateRequestsPerMinutePerProjectPerModel-FreeTier'),
      detail('RetryInfo', { retryDelay: '34.4s' }),
    ),
    'rate_limited',
  ],
  [
    'day',
    429,
    google(429, 'RESOURCE_EXHAUSTED', 'x', quota('GenerateRequestsPerDayPerProjectPerModel-FreeTier')),
    'quota_exhausted',
  ],
  ['without details', 429, google(429, 'RESOURCE_EXHAUSTED'), 'rate_limited'],
  ['500', 500, google(500, 'INTERNAL'), 'server_error'],
  ['503', 503, google(503, 'UNAVAILABLE'), 'overloaded'],
  ['504', 504, google(504, 'DEADLINE_EXCEEDED'), 'server_error'],
  ['a list of one', 503, [google(503, 'UNAVAILABLE')], 'overloaded'],
]

const providers: readonly (readonly [string, FailureTable, readonly Row[]])[] = [
  ['DeepSeek', deepseekFailures, deepseekRows],
  ['Mistral', mistralFailures, mistralRows],
  ['Groq', groqFailures, groqRows],
  ['OpenAI', openaiFailures, openaiRows],
  ['Gemini', geminiFailures, geminiRows],
]

describe.each(providers)('%s', (_, table, rows) => {
  test.each(rows)('%s (%i)', (_, status, body, kind) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const response = { status, headers: new Headers() }
    const seen = failureFromResponse(response, text, confidential, 0, table)
    expect(seen).toMatchObject({ kind, status })
    expect(seen.message).not.toBe('')
    // A host without a table of its own may hand on any of these.
    expect(failureFromResponse(response, text, confidential, 0).kind).toBe(kind)
  })
})

test('Gemini: half-way in a stream there is no status but the one that the body repeats', () => {
  for (const [, , body, kind] of geminiRows)
    expect(failureInStream(body, confidential, undefined, geminiFailures).kind).toBe(kind)
})

describe('the tables', () => {
  const words = everyTable.flatMap((table) => Object.entries(table.words ?? {}))
  const statuses = everyTable.flatMap((table) => Object.entries({ ...table.statuses, ...table.decisive }))
  test.each([
    ['word', words],
    ['status', statuses],
  ] as const)('no %s means two things, so that together they serve any host', (_, entries) => {
    const kinds = new Map<string, FailureKind>()
    for (const [name, kind] of entries) {
      expect([name, kinds.get(name) ?? kind]).toEqual([name, kind])
      kinds.set(name, kind)
    }
    expect(entries.length).toBeGreaterThan(2)
  })
  test('name kinds that exist, and none that only this side can know', () => {
    const here = [
      'cancelled',
      'unreachable',
      'input',
      'withheld',
      'deadline',
      'budget_exceeded',
      'truncated',
      'malformed',
    ]
    for (const [, kind] of [...words, ...statuses]) {
      expect(failureKinds).toContain(kind)
      expect(here).not.toContain(kind)
    }
  })
  test('what no table knows goes by the class of its status', () => {
    const silent = { code: '', type: '', message: '' }
    expect(failureKindOf(418, silent)).toBe('bad_request')
    expect(failureKindOf(599, silent)).toBe('server_error')
    expect(failureKindOf(0, silent)).toBe('server_error')
    expect(failureKindOf(429, { ...silent, code: 'constructor', type: 'toString' })).toBe('rate_limited')
  })
})
