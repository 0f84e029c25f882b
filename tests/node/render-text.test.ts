import { describe, expect, test } from '@jest/globals'
import { wantsColour } from '../../node/cli/colour.js'
import { unambiguous } from '../../node/cli/arguments.js'
import { displayWidth, fit, truncate, wrapped } from '../../node/cli/terminal-text.js'
import {
  formatCompact,
  formatCount,
  formatDuration,
  formatShare,
  formatUsd,
  oneLine,
  visibleText,
} from '../../web/standard/format.js'

describe('widths', () => {
  test.each([
    ['abc', 3],
    ['é', 1],
    ['e\u0301', 1],
    ['漢字', 4],
    ['한국', 4],
    ['ﬁ', 1],
    ['Ａ', 2],
    ['👍', 2],
    ['👩‍💻', 2],
    ['❤️', 2],
    ['🇩🇪', 2],
    ['✓⟳✗○⊘', 5],
    ['', 0],
  ])('%s takes %i', (text, width) => {
    expect(displayWidth(text)).toBe(width)
  })

  test.each([
    ['abcdef', 6, 'abcdef'],
    ['abcdef', 4, 'abc…'],
    ['漢字漢字', 5, '漢字…'],
    ['漢字漢字', 4, '漢…'],
    ['abc', 1, '…'],
    ['abc', 0, ''],
  ])('%s cut to %i', (text, width, expected) => {
    expect(truncate(text, width)).toBe(expected)
  })

  test('fit gives exactly the width', () => {
    for (const text of ['', 'a', '漢字漢', 'a long text', '👩‍💻👩‍💻👩‍💻']) {
      for (let width = 0; width < 9; width++) expect(displayWidth(fit(text, width))).toBe(width)
    }
    expect(fit('7', 3, true)).toBe('  7')
  })
})

describe('untrusted text', () => {
  test.each([
    ['\u001b[31mred', '␛[31mred'],
    ['a\u0007\u0000\u007f', 'a␇␀␡'],
    ['\u009b31m', '�31m'],
    ['user\u202etxt.exe', 'user�txt.exe'],
    ['a\u200bb\ufeffc\u2066d', 'a�b c�d'],
    ['lone \ud800 half', 'lone � half'],
    ['two\nlines\tand\u2028more', 'two lines and more'],
    ['👩‍💻', '👩‍💻'],
  ])('%j on one line', (text, expected) => {
    expect(oneLine(text)).toBe(expected)
  })

  test('answers keep their lines, and lose what a terminal would obey', () => {
    expect(visibleText('a\r\n\tb\u001b]52;c;x\u0007\rc')).toBe('a\n\tb␛]52;c;x␇␍c')
  })
})

describe('numbers', () => {
  test.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [1234, '1.2 s'],
    [59_949, '59.9 s'],
    [59_999, '1m 00s'],
    [125_000, '2m 05s'],
    [3_720_000, '1h 02m'],
  ])('%i ms is %s', (ms, expected) => {
    expect(formatDuration(ms)).toBe(expected)
  })
  test('unknown times and shares are dashes, never zero', () => {
    expect([formatDuration(null), formatDuration(undefined), formatShare(null)]).toEqual(['–', '–', '–'])
  })
  test('counts, money and shares', () => {
    expect([0, 999, 1000, 1234567].map(formatCount)).toEqual(['0', '999', '1,000', '1,234,567'])
    expect([9999, 10_000, 999_949, 999_950, 4_500_000].map(formatCompact)).toEqual([
      '9,999',
      '10.0k',
      '999.9k',
      '1.0M',
      '4.5M',
    ])
    expect([0, 99, 100, 4213, 999_999, 1_234_567].map(formatUsd)).toEqual([
      '$0',
      '<$0.0001',
      '$0.0001',
      '$0.0042',
      '$1.0000',
      '$1.23',
    ])
    expect([0, 0.975, 1].map(formatShare)).toEqual(['0 %', '97.5 %', '100 %'])
  })
})

describe('colours', () => {
  const tty = { isTTY: true, write: () => true }
  const pipe = { write: () => true }
  test.each([
    [tty, {}, true],
    [pipe, {}, false],
    [tty, { NO_COLOR: '1' }, false],
    [tty, { NO_COLOR: '' }, true],
    [pipe, { FORCE_COLOR: '1' }, true],
    [tty, { FORCE_COLOR: '0' }, false],
    [pipe, { FORCE_COLOR: '1', NO_COLOR: '1' }, false],
    [tty, { TERM: 'dumb' }, false],
  ])('%#', (output, env, expected) => {
    expect(wantsColour(output, env)).toBe(expected)
  })
})

describe('words of the command line', () => {
  test.each([
    ['run --simulate plan.json', 'run --simulate=default plan.json'],
    ['run --simulate ./plan', 'run --simulate=default ./plan'],
    ['run --simulate -', 'run --simulate=default -'],
    ['run plan.json --simulate', 'run plan.json --simulate=default'],
    ['run --simulate --json plan.json', 'run --simulate=default --json plan.json'],
    ['run --simulate instant plan.json', 'run --simulate instant plan.json'],
    ['run --concurrency a=1 b=2 plan.json', 'run --concurrency a=1 --concurrency b=2 plan.json'],
    ['run p=1.json --concurrency a=1', 'run p=1.json --concurrency a=1'],
    ['generate -- --simulate', 'generate -- --simulate'],
  ])('%s', (words, expected) => {
    expect(unambiguous(words.split(' '))).toEqual(expected.split(' '))
  })
})

describe('lines that are wider than a terminal', () => {
  const plain = (text: string): string => text.replace(/\u001b\[[\d;]*m/g, '')

  test('break between words, with what follows indented', () => {
    expect(wrapped('short enough', 12)).toEqual(['short enough'])
    expect(wrapped('  one two three four', 10)).toEqual(['  one two', '    three', '    four'])
  })

  test('lose nothing and are never wider, whatever is in them, unless a word is', () => {
    const words = ['a', 'word', '長い名前', '\u001b[33mcolour\u001b[39m', 'e\u0301tude', '👩‍🚀', 'x'.repeat(18)]
    for (let seed = 0; seed < 500; ++seed) {
      const line = `${' '.repeat(seed % 4)}${Array.from({ length: seed % 23 }, (_, i) => words[(seed * 7 + i * i) % 7]).join(' ')}`
      const width = 26 + (seed % 60)
      const lines = wrapped(line, width)
      expect(lines.map((one) => one.trim()).join(' ')).toBe(line.trim())
      for (const one of lines) expect(displayWidth(plain(one))).toBeLessThanOrEqual(width)
    }
    expect(wrapped(`see ${'x'.repeat(30)} now`, 20)).toEqual(['see', `  ${'x'.repeat(30)}`, '  now'])
  })
})
