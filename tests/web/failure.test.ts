import { describe, expect, test } from '@jest/globals'
import { failureFromResponse, failureInStream, type CallFailure } from '../../web/standard/failure.js'
import { safeMessage } from '../../web/standard/redact.js'
import { canaryKey, promptCanary } from './call.js'

const confidential = { secrets: [canaryKey], payloads: ['system text of the prompt', promptCanary] }

function failure(status: number, body: unknown, headers: Record<string, string> = {}): CallFailure {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return failureFromResponse({ status, headers: new Headers(headers) }, text, confidential, 0)
}

const envelope = (message: string, type: string, code: string | null) => ({
  error: { message, type, param: null, code },
})
const invalid = 'invalid_request_error'

describe('kinds', () => {
  test.each([
    [
      'DeepSeek 401',
      401,
      envelope('Authentication Fails, Your api key: ****abcd is invalid', 'authentication_error', invalid),
      'auth',
    ],
    ['DeepSeek 402', 402, envelope('Insufficient Balance', 'unknown_error', invalid), 'quota_exhausted'],
    [
      'DeepSeek context',
      400,
      envelope(
        "This model's maximum context length is 131072 tokens. However, you requested 140000 tokens",
        invalid,
        invalid,
      ),
      'too_large',
    ],
    [
      'DeepSeek max_tokens',
      400,
      envelope('Invalid max_tokens value, the valid range of max_tokens is [1, 8192]', invalid, invalid),
      'bad_request',
    ],
    [
      'DeepSeek 422 plain text',
      422,
      'Failed to deserialize the JSON body into the target type: messages[1]: invalid type: sequence',
      'bad_request',
    ],
    [
      'DeepSeek concurrency',
      429,
      envelope(
        'Your current concurrency is 40, which exceeds your concurrency limit of 39 based on your remaining balance.',
        '',
        null,
      ),
      'rate_limited',
    ],
    ['gateway page', 502, '<html><body>Bad Gateway</body></html>', 'server_error'],
    [
      'Groq 429',
      429,
      { error: { message: 'Rate limit reached', type: 'tokens', code: 'rate_limit_exceeded' } },
      'rate_limited',
    ],
    [
      'Groq 413',
      413,
      { error: { message: 'Request too large for model', type: 'tokens', code: 'rate_limit_exceeded' } },
      'too_large',
    ],
    [
      'Groq JSON mode',
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
    ['Groq 498', 498, { error: { message: 'capacity', type: 'flex', code: 'capacity_exceeded' } }, 'overloaded'],
    ['OpenAI key', 401, envelope('Incorrect API key provided: sk-***', invalid, 'invalid_api_key'), 'auth'],
    [
      'OpenAI parameter',
      400,
      envelope("Unsupported parameter: 'max_tokens'", invalid, 'unsupported_parameter'),
      'bad_request',
    ],
    ['OpenAI context', 400, envelope('Too long', invalid, 'context_length_exceeded'), 'too_large'],
    [
      'OpenAI quota',
      429,
      envelope('You exceeded your current quota', 'insufficient_quota', 'insufficient_quota'),
      'quota_exhausted',
    ],
    ['OpenAI rate', 429, envelope('Rate limit reached', 'requests', 'rate_limit_exceeded'), 'rate_limited'],
    ['OpenAI slow down', 429, envelope('Slow down', 'rate_limit_error', 'slow_down'), 'rate_limited'],
    ['OpenAI 503', 503, envelope('Overloaded', 'service_unavailable_error', 'server_is_overloaded'), 'overloaded'],
    ['OpenAI 500', 500, envelope('Oops', 'server_error', null), 'server_error'],
    ['model', 404, envelope('No such model', invalid, 'model_not_found'), 'not_found'],
    ['permission', 403, 'Forbidden', 'auth'],
    ['detail list', 422, { detail: [{ loc: ['body', 'seed'], msg: 'Extra inputs are not permitted' }] }, 'bad_request'],
    [
      'tier capacity',
      429,
      { message: 'Service tier capacity exceeded for this model.', type: invalid, code: null },
      'overloaded',
    ],
    ['timeout there', 408, '', 'server_error'],
    ['unknown 4xx', 418, '', 'bad_request'],
    ['unknown 5xx', 529, '', 'overloaded'],
  ])('%s', (_, status, body, kind) => {
    const seen = failure(status, body)
    expect(seen).toMatchObject({ kind, status })
    expect(seen.message).not.toBe('')
  })
})

test('waits and hints are read from the reply', () => {
  const groq = {
    error: { message: 'Rate limit reached. Please try again in 7.5s.', type: 'tokens', code: 'rate_limit_exceeded' },
  }
  expect(failure(429, groq).retryAfterMs).toBe(7500)
  expect(failure(429, groq, { 'retry-after': '8' }).retryAfterMs).toBe(8000)
  expect(failure(429, groq, { 'x-should-retry': 'false' }).shouldRetry).toBe(false)
  expect(failure(500, '').shouldRetry).toBeUndefined()
  expect(failure(500, '').retryAfterMs).toBeUndefined()
})

test('an error inside a stream has no status, but may carry one as its code', () => {
  const usage = { input: 3, cached: 0, output: 1, reasoning: 0 }
  expect(failureInStream(envelope('Overloaded', 'server_error', null), confidential, usage)).toMatchObject({
    kind: 'server_error',
    usage,
  })
  expect(failureInStream({ error: { message: 'slow', code: 429 } }, confidential)).toMatchObject({
    kind: 'rate_limited',
  })
  expect(failureInStream({ error: 'over capacity' }, confidential).message).toContain('over capacity')
  expect(failureInStream(envelope('x', '', null), confidential).status).toBeUndefined()
})

describe('error texts', () => {
  test.each([
    ['the key itself', `Key ${canaryKey} is wrong`],
    ['a masked key', 'Authentication Fails, Your api key: ****b608 is invalid'],
    ['a bearer header', `header was "Bearer ${canaryKey}"`],
    ['the prompt', `Could not process: ${promptCanary}`],
    ['a part of the prompt', `near "${promptCanary.slice(4, 30)}"`],
  ])('never carry %s', (_, message) => {
    for (const seen of [
      failure(400, envelope(message, invalid, null)),
      failure(400, message),
      failureInStream({ error: { message } }, confidential),
    ]) {
      expect(seen.message).not.toContain(canaryKey.slice(3, 20))
      expect(seen.message).not.toContain('b608')
      expect(seen.message).not.toContain(promptCanary.slice(4, 30))
      expect(seen.stack).not.toContain(canaryKey)
    }
  })

  test('keep what helps: status, code and the provider`s own words, on one short line', () => {
    expect(
      failure(400, envelope("Unsupported\nparameter: 'max_tokens'", invalid, 'unsupported_parameter')).message,
    ).toBe("400 unsupported_parameter: Unsupported parameter: 'max_tokens'")
    expect(failure(500, 'x '.repeat(10_000)).message.length).toBeLessThan(400)
    expect(failure(502, '<html>secret page</html>').message).toBe('502: the reply was an HTML page')
  })

  test('a key that looks like no key goes because it is the key', () => {
    expect(safeMessage('not allowed for correct horse-battery', ['horse-battery'], [])).toBe(
      'not allowed for correct [key]',
    )
  })

  test('foreign keys go too', () => {
    const text = safeMessage(
      'gsk_abcdefgh12345678 AIzaSyA1234567890 org-9f8e7d6c5b 0123456789abcdef0123456789abcdef fine',
      [],
      [],
    )
    expect(text).toBe('[redacted] [redacted] [redacted] [redacted] fine')
  })
})
