/** A page's digest is Node's, bit for bit: what one has kept the other finds. */
import { describe, expect, test } from '@jest/globals'
import { digest as ofNode } from '../../node/digest.js'
import { digest as ofPage } from '../../web/browser/digest.js'

describe('the digest of a page', () => {
  test('of nothing is that of the standard', () => {
    expect(ofPage([])).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  })

  test.each([
    ['empty parts', ['', '']],
    ['plain texts', ['ab', 'c']],
    ['several bytes a letter', ['äöü €', '日本語', '🌊']],
    ['half a letter', ['a\ud83c', '\udf0a']],
    ['a zero and line ends', ['\0', '\r\n']],
    // Around the block of 64 bytes, and far beyond it.
    ...[51, 52, 53, 60, 61, 62, 63, 64, 125, 200_000].map(
      (length) => [`${length} letters`, ['x'.repeat(length)]] as const,
    ),
  ] as const)('is that of Node: %s', (_, parts) => {
    expect(ofPage(parts)).toBe(ofNode(parts))
  })

  test('parts do not run into each other', () => {
    expect(new Set([ofPage(['ab', 'c']), ofPage(['a', 'bc']), ofPage(['abc']), ofPage(['abc', ''])]).size).toBe(4)
  })
})
