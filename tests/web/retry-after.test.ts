import { describe, expect, test } from '@jest/globals'
import { durationMs, retryAfterMs } from '../../web/standard/failure/retry-after.js'

const nowMs = Date.parse('2026-11-21T12:00:00Z')
const dayMs = 24 * 3600 * 1000

function wait(headers: Record<string, string>, message = '', type = ''): number | undefined {
  return retryAfterMs({ headers: new Headers(headers), message, type, nowMs })
}

describe('headers', () => {
  test.each([
    ['seconds', { 'retry-after': '7' }, 7000],
    ['fractions', { 'retry-after': '0.5' }, 500],
    ['nothing to wait', { 'retry-after': '0' }, 0],
    ['milliseconds win', { 'retry-after-ms': '1250', 'retry-after': '9' }, 1250],
    ['a date', { 'retry-after': 'Sat, 21 Nov 2026 12:00:30 GMT' }, 30_000],
    [
      'a date on the server clock',
      { 'retry-after': 'Sat, 21 Nov 2026 13:00:30 GMT', date: 'Sat, 21 Nov 2026 13:00:00 GMT' },
      30_000,
    ],
    ['a date that has passed', { 'retry-after': 'Sat, 21 Nov 2026 11:00:00 GMT' }, 0],
    ['absurdly long', { 'retry-after': '99999999999' }, dayMs],
    ['negative', { 'retry-after': '-5' }, undefined],
    ['not a number', { 'retry-after': 'soon' }, undefined],
    ['infinite', { 'retry-after': 'Infinity' }, undefined],
    ['hexadecimal', { 'retry-after': '0x10' }, undefined],
    ['empty', { 'retry-after': '' }, undefined],
    ['absent', {}, undefined],
  ])('%s', (_, headers, expected) => expect(wait(headers as unknown as Record<string, string>)).toBe(expected))

  test('the reset of the limit that was hit counts', () => {
    const resets = { 'x-ratelimit-reset-requests': '2m59.56s', 'x-ratelimit-reset-tokens': '7.66s' }
    expect(wait(resets, '', 'tokens')).toBe(7660)
    expect(wait(resets, '', 'requests')).toBe(179_560)
    expect(wait({ ...resets, 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-remaining-tokens': '12' })).toBe(
      179_560,
    )
    expect(wait(resets)).toBeUndefined()
  })
})

test('the words of the message, for browsers that hide the headers', () => {
  expect(wait({}, 'Limit 8000, Used 7000. Please try again in 7.5s. Visit the console.')).toBe(7500)
  expect(wait({}, 'Please try again in 1m12.5s')).toBe(72_500)
  expect(wait({}, 'Please try again in 350ms.')).toBe(350)
  expect(wait({}, 'Please try again in a while')).toBeUndefined()
})

test('durations', () => {
  expect(durationMs('1h2m3s')).toBe(3_723_000)
  expect(durationMs('1s')).toBe(1000)
  expect(durationMs('6m0s')).toBe(360_000)
  expect(durationMs('5')).toBeUndefined()
  expect(durationMs('s5')).toBeUndefined()
  expect(durationMs(undefined)).toBeUndefined()
})
