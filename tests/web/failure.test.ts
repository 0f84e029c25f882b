import { describe, expect, test } from '@jest/globals'
import { failureFromResponse, failureInStream, type CallFailure } from '../../web/standard/failure/failure.js'
import { safeMessage } from '../../web/standard/failure/redact.js'
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

describe('Gemini', () => {
  const google = (code: number, status: string, message = 'x', ...details: readonly object[]) => ({
    error: { code, message, status, ...(details.length > 0 && { details }) },
  })
  const retryInfo = (retryDelay: string) => ({ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay })
  const quota = (quotaId: string) => ({
    '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
    violations: [{ quotaMetric: 'requests', quotaId }],
  })
  const help = { '@type': 'type.googleapis.com/google.rpc.Help', links: [{ description: 'x', url: 'https://x' }] }
  const wrongKey = { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' }

  test.each([
    ['a wrong key', 400, google(400, 'INVALID_ARGUMENT', 'API key not valid.', wrongKey, { locale: 'en-US' }), 'auth'],
    ['a bad field', 400, google(400, 'INVALID_ARGUMENT', 'Unknown name "max_tokens"'), 'bad_request'],
    ['region or billing', 400, google(400, 'FAILED_PRECONDITION'), 'bad_request'],
    [
      'a prompt that is too long',
      400,
      google(400, 'INVALID_ARGUMENT', 'The input token count (2) exceeds the maximum number of tokens allowed (1).'),
      'too_large',
    ],
    ['prepaid credits', 402, google(402, 'RESOURCE_EXHAUSTED'), 'quota_exhausted'],
    ['permission', 403, google(403, 'PERMISSION_DENIED'), 'auth'],
    ['model', 404, google(404, 'NOT_FOUND'), 'not_found'],
    ['limit without details', 429, google(429, 'RESOURCE_EXHAUSTED'), 'rate_limited'],
    ['internal', 500, google(500, 'INTERNAL'), 'server_error'],
    ['overload', 503, google(503, 'UNAVAILABLE'), 'overloaded'],
    ['deadline', 504, google(504, 'DEADLINE_EXCEEDED'), 'server_error'],
    ['a list of one', 503, [google(503, 'UNAVAILABLE')], 'overloaded'],
    [
      'details of the wrong shape',
      429,
      { error: { status: 'RESOURCE_EXHAUSTED', details: [7, null] } },
      'rate_limited',
    ],
    [
      'violations of the wrong shape',
      429,
      google(429, 'RESOURCE_EXHAUSTED', 'x', { violations: ['y'] }),
      'rate_limited',
    ],
  ])('%s', (_, status, body, kind) => {
    expect(failure(status, body)).toMatchObject({ kind, status })
    // Half-way in a stream there is no status but the one that the body repeats.
    expect(failureInStream(body, confidential).kind).toBe(kind)
  })

  test('the wait stands in the details; without them there is none', () => {
    const minute = quota('GenerateRequestsPerMinutePerProjectPerModel-FreeTier')
    const body = google(429, 'RESOURCE_EXHAUSTED', 'x', minute, help, retryInfo('34.4s'))
    expect(failure(429, body)).toMatchObject({ kind: 'rate_limited', retryAfterMs: 34_400 })
    expect(failureInStream(body, confidential).retryAfterMs).toBe(34_400)
    expect(failure(429, google(429, 'RESOURCE_EXHAUSTED')).retryAfterMs).toBeUndefined()
    for (const wrong of ['-3s', 'soon', ''])
      expect(failure(429, google(429, 'RESOURCE_EXHAUSTED', 'x', retryInfo(wrong))).retryAfterMs).toBeUndefined()
  })

  test('a limit of the day is used up, whatever wait it names', () => {
    const daily = quota('GenerateRequestsPerDayPerProjectPerModel-FreeTier')
    const minute = quota('GenerateRequestsPerMinutePerProjectPerModel-FreeTier')
    const seen = failure(429, google(429, 'RESOURCE_EXHAUSTED', 'x', minute, daily, retryInfo('34.4s')))
    expect(seen).toMatchObject({ kind: 'quota_exhausted', status: 429 })
    expect(seen.retryAfterMs).toBeUndefined()
    expect(seen.message).toBe('429 GenerateRequestsPerDayPerProjectPerModel-FreeTier: x')
  })

  test('the message has the status once, and the word', () => {
    expect(failure(503, google(503, 'UNAVAILABLE', 'Try later.')).message).toBe('503 UNAVAILABLE: Try later.')
    expect(failure(400, google(400, 'INVALID_ARGUMENT', 'No.', wrongKey)).message).toBe('400 API_KEY_INVALID: No.')
  })
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

  test('a part of it goes too, and half of it at the end of a long message', () => {
    const key = 'correcthorsebatterystaple'
    for (const shown of [key.slice(0, 12), key.slice(9), key.slice(6, 15)])
      expect(safeMessage(`the key ${shown}… is wrong`, [key], [])).not.toMatch(/horse|batter|staple/)
    expect(safeMessage(`${`${key} `.repeat(46)}${key}`, [key], [])).not.toMatch(/corr|horse/)
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
