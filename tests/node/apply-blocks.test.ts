/** Search/replace blocks: where they fit, and what is refused. Generated edits have bytes that are known without the code under test. */
import { describe, expect, test } from '@jest/globals'
import { fileAfter } from '../../node/apply/answer.js'
import { applyBlocks, readBlocks, type Block, type Conflict } from '../../node/apply/blocks.js'
import { unifiedDiff } from '../../node/apply/diff.js'
import { randomOf, type Random } from '../fixtures/random.js'

const blockText = ({ search, replace }: Block): string =>
  ['<<<<<<< SEARCH', ...search, '=======', ...replace, '>>>>>>> REPLACE'].join('\n')
const conflictOf = (source: string, block: Block): Conflict => {
  const after = applyBlocks(source, [block])
  if (typeof after === 'string') throw new Error(`it was applied: ${after}`)
  return after
}

/** A file of lines that all differ, with one manner of ending them. */
function randomFile(random: Random) {
  const end = random.of(['\n', '\r\n', '\r'])
  const bom = random.chance(0.3) ? '\uFEFF' : ''
  const closed = random.chance(0.7)
  const lines = Array.from({ length: 3 + random.below(60) }, (_, i) => {
    const indent = random.of(['', '  ', '    ', '\t', '\t\t'])
    return `${indent}line ${i}: ${random.below(1e6).toString(36)} é😀 ${random.of(['{', '}', 'x = 1', '=====', '<<<'])}`
  })
  return { end, bom, closed, lines }
}
type RandomFile = ReturnType<typeof randomFile>
const textOf = ({ end, bom, closed }: RandomFile, lines: readonly string[]): string =>
  bom + lines.join(end) + (closed && lines.length > 0 ? end : '')

/** One to three regions that do not touch, and what they become. */
function randomEdits(random: Random, { lines }: RandomFile) {
  const edits: { from: number; to: number; replace: string[] }[] = []
  let from = random.below(3)
  while (from < lines.length && edits.length < 3) {
    const to = Math.min(lines.length, from + 1 + random.below(4))
    // The last line of a file that is taken away wholly would leave its manner of ending open.
    const least = to === lines.length ? 1 : 0
    const replace = Array.from({ length: least + random.below(4) }, (_, i) => `new ${from}.${i} ${random.below(99)}`)
    edits.push({ from, to, replace })
    from = to + 1 + random.below(6)
  }
  return edits
}

test('200 generated edits give the expected bytes, whatever the lines end in', () => {
  const random = randomOf(16)
  for (let round = 0; round < 200; ++round) {
    const file = randomFile(random)
    const edits = randomEdits(random, file)
    const answer = edits
      .map(({ from, to, replace }) => blockText({ search: file.lines.slice(from, to), replace }))
      .join(random.of(['\n', '\n\nAnd then:\n\n', '\n```\n']))
    const expected = [...file.lines]
    for (const { from, to, replace } of [...edits].reverse()) expected.splice(from, to - from, ...replace)
    const after = fileAfter('a.txt', 'blocks', textOf(file, file.lines), answer)
    expect(after).toEqual({ text: textOf(file, expected) })
  }
})

describe('the ladder', () => {
  const source = 'function f() {\n    if (a) {\n        b( 1,  2 )\n    }\n}\n'
  test('space at the ends of lines and within them', () => {
    const block = { search: ['        b( 1, 2 )   '], replace: ['        c()'] }
    expect(applyBlocks(source, [block])).toBe(source.replace('b( 1,  2 )', 'c()'))
  })
  test('an indentation that all lines share, more and less', () => {
    const less = { search: ['if (a) {', '    b( 1,  2 )', '}'], replace: ['if (a) {', '', '    c()', '}'] }
    expect(applyBlocks(source, [less])).toBe('function f() {\n    if (a) {\n\n        c()\n    }\n}\n')
    const more = { search: ['      function f() {'], replace: ['      function g() {'] }
    expect(applyBlocks(source, [more])).toBe(source.replace('f()', 'g()'))
  })
  test('an indentation that they do not share is refused', () => {
    expect(conflictOf(source, { search: ['if (a) {', 'b( 1,  2 )'], replace: ['x'] }).nearest?.line).toBe(2)
    const tabs = { search: ['\tif (a) {'], replace: ['x'] }
    expect(conflictOf(source, tabs).why).toContain('does not stand')
  })
  test('exact comes first: another place that fits loosely does not make it ambiguous', () => {
    expect(applyBlocks('a  b\na b\n', [{ search: ['a b'], replace: ['c'] }])).toBe('a  b\nc\n')
  })
})

describe('refused, never guessed', () => {
  test('twice in the file', () => {
    const { why } = conflictOf('a\nb\na\n', { search: ['a'], replace: ['c'] })
    expect(why).toContain('lines 1, 3')
  })
  test('nowhere, with the place that comes nearest', () => {
    const source = 'import a\n\nexport function total(list) {\n  return list.length\n}\n'
    const block = { search: ['export function total(items) {', '  return items.size'], replace: ['x'] }
    expect(conflictOf(source, block).nearest).toEqual({
      line: 3,
      text: 'export function total(list) {\n  return list.length',
    })
    expect(conflictOf('\n\n', { search: ['something'], replace: [] }).nearest).toBeUndefined()
  })
  test('two blocks for one line; a block for what another has just written', () => {
    const both = applyBlocks('a\nb\nc\n', [
      { search: ['a', 'b'], replace: ['x'] },
      { search: ['b', 'c'], replace: ['y'] },
    ])
    expect(both).toMatchObject({ block: 2, why: expect.stringContaining('block 1') })
    const chained = applyBlocks('a\n', [
      { search: ['a'], replace: ['b'] },
      { search: ['b'], replace: ['c'] },
    ])
    expect(chained).toMatchObject({ block: 2 })
  })
  test('an empty first part stands for a new file alone', () => {
    expect(conflictOf('a\n', { search: [], replace: ['b'] }).why).toContain('empty')
    expect(fileAfter('a', 'blocks', undefined, blockText({ search: [], replace: ['b'] }))).toEqual({ text: 'b\n' })
  })
  test.each([
    ['no block here', 'no block'],
    ['<<<<<<< SEARCH\na\n=======\nb', 'does not end'],
    ['<<<<<<< SEARCH\na\n<<<<<<< SEARCH\nb\n=======\n>>>>>>> REPLACE', 'before the next'],
  ])('%j', (answer, why) => {
    expect(readBlocks(answer)).toContain(why)
  })
})

describe('a whole file', () => {
  test.each([
    ['a new one ends its last line', undefined, 'a\nb', 'a\nb\n'],
    ['CRLF stays', 'x\r\ny\r\n', 'a\nb', 'a\r\nb\r\n'],
    ['the mark stays', '\uFEFFx\n', 'a', '\uFEFFa\n'],
    ['a last line without end stays so', 'x\ny', 'a\nb\n', 'a\nb'],
    ['empty lines at the end go', 'x\n', 'a\n\n\n', 'a\n'],
    ['of mixed ends the usual one', 'x\r\ny\r\nz\n', 'a\nb\n', 'a\r\nb\r\n'],
    ['an empty file', '', 'a', 'a\n'],
  ])('%s', (_, present, answer, text) => {
    expect(fileAfter('f', 'whole', present, answer)).toEqual({ text })
  })
})

describe('the diff', () => {
  test('hunks with three lines around them', () => {
    const before = Array.from({ length: 20 }, (_, i) => `line ${i + 1}`)
    const after = before.map((line) => (line === 'line 10' ? 'changed' : line))
    expect(unifiedDiff('a', `${before.join('\n')}\n`, `${after.join('\n')}\n`)).toBe(
      '--- a\n+++ a\n@@ -7,7 +7,7 @@\n line 7\n line 8\n line 9\n-line 10\n+changed\n line 11\n line 12\n line 13\n',
    )
  })
  test('a new file, a last line without end, nothing at all', () => {
    expect(unifiedDiff('a', undefined, 'x\n')).toBe('--- /dev/null\n+++ a\n@@ -0,0 +1,1 @@\n+x\n')
    expect(unifiedDiff('a', 'x\\\n', 'x\\')).toContain('-x\\\n+x\\\n\\ No newline at end of file')
    expect(unifiedDiff('a', 'x', 'x')).toBe('')
  })
  test('what it says leads from one to the other', () => {
    const random = randomOf(3)
    for (let round = 0; round < 60; ++round) {
      const lines = (): string[] => Array.from({ length: random.below(25) }, () => String(random.below(6)))
      const [a, b] = [lines(), lines()]
      const text = (of: string[]): string => of.map((line) => `${line}\n`).join('')
      const diff = unifiedDiff('f', text(a), text(b)).split('\n').slice(2, -1)
      const rebuilt = [...a]
      let shift = 0
      for (const [index, line] of diff.entries()) {
        const head = /^@@ -(\d+),(\d+) \+(\d+),(\d+) @@$/.exec(line)
        if (head === null) continue
        const [from = 0, gone = 0] = head.slice(1).map(Number)
        const end = diff.findIndex((other, i) => i > index && other.startsWith('@@'))
        const hunk = diff.slice(index + 1, end < 0 ? undefined : end)
        const at = (gone === 0 ? from : from - 1) + shift
        const come = hunk.filter((one) => !one.startsWith('-')).map((one) => one.slice(1))
        expect(rebuilt.slice(at, at + gone)).toEqual(
          hunk.filter((one) => !one.startsWith('+')).map((one) => one.slice(1)),
        )
        rebuilt.splice(at, gone, ...come)
        shift += come.length - gone
      }
      expect(rebuilt).toEqual(b)
    }
  })
})
