import { afterAll, describe, expect, test } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '../checks/sources.js'

interface Figure {
  readonly unit: string
  readonly better: 'less' | 'more'
  readonly samples: readonly number[]
}
interface Result {
  readonly version: number
  readonly at: string
  readonly machine: string
  readonly figures: Readonly<Record<string, Figure>>
}
interface Moved {
  readonly name: string
  readonly change: number
  readonly word: 'same' | 'better' | 'worse'
}
const { compared, readResult, unmatched } = (await import(`${root}tests/bench/lib/results.mjs`)) as {
  compared(before: Result, after: Result): Moved[]
  readResult(path: string): Result | undefined
  unmatched(before: Result, after: Result): { gone: string[]; fresh: string[] }
}

const resultOf = (figures: Result['figures']): Result => ({ version: 1, at: 'then', machine: 'one', figures })
const figure = (samples: number[], better: Figure['better'] = 'less'): Figure => ({ unit: '×', better, samples })
const wordOf = (from: number[], to: number[], better: Figure['better'] = 'less') =>
  compared(resultOf({ a: figure(from, better) }), resultOf({ a: figure(to, better) }))[0]?.word

describe('what moved between two results of benches', () => {
  const steady = [1, 1.01, 0.99, 1, 1.02, 0.98, 1]
  const times = (factor: number) => steady.map((value) => value * factor)

  test.each([
    ['nothing changed', steady, steady, 'same'],
    ['a change of less than 5 % is none, however steady', steady, times(1.04), 'same'],
    ['a fifth slower', steady, times(1.2), 'worse'],
    ['a fifth faster', steady, times(0.8), 'better'],
    ['a fifth slower in samples that scatter by as much', [1, 1.6, 0.6, 1.3, 0.8], [1.2, 1.8, 0.7, 1.5, 0.9], 'same'],
    ['one wild sample moves no median', steady, [...steady.slice(1), 50], 'same'],
    ['three samples, all beyond the others', [1, 1.1, 1.2], [1.3, 1.4, 1.5], 'worse'],
    ['three samples, one of them among the others', [1, 1.1, 1.35], [1.3, 1.4, 1.5], 'same'],
    ['two samples, all beyond the others: nobody knows how much they scatter', [1, 1.1], [1.3, 1.4], 'same'],
    ['from nothing to something', [0, 0, 0], [1, 1, 1], 'worse'],
    ['nothing twice', [0, 0, 0], [0, 0, 0], 'same'],
  ])('%s', (_, from, to, word) => expect(wordOf(from, to)).toBe(word))

  test('of some figures more is better', () => {
    expect(wordOf(steady, times(1.2), 'more')).toBe('better')
    expect(wordOf(steady, times(0.8), 'more')).toBe('worse')
  })

  test('figures of one result alone are not compared, and named', () => {
    const [before, after] = [resultOf({ a: figure([1]), b: figure([1]) }), resultOf({ b: figure([1]), c: figure([1]) })]
    expect(compared(before, after).map(({ name }) => name)).toEqual(['b'])
    expect(unmatched(before, after)).toEqual({ gone: ['a'], fresh: ['c'] })
  })
})

describe('the command', () => {
  const folder = mkdtempSync(join(tmpdir(), 'aetherflow-compare-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const compare = (...files: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [`${root}tests/bench/compare.mjs`, ...files], {
      encoding: 'utf8',
    })
    return { status, text: stdout + stderr }
  }

  test('names what got worse, and its exit code says so', () => {
    const before = file('a.json', JSON.stringify(resultOf({ x: figure([1, 1, 1]), y: figure([1, 1, 1]) })))
    const after = file('b.json', JSON.stringify(resultOf({ x: figure([2, 2, 2]), y: figure([1, 1, 1]) })))
    const { status, text } = compare(before, after)
    expect(status).toBe(1)
    expect(text).toMatch(/^x +1\.00 × +2\.00 × +\+100 % .* worse$/m)
    expect(text).toContain('1 of 2 figures moved')
    expect(text).not.toMatch(/^y /m)
    expect(compare(after, before).status).toBe(0)
  })

  test('what is no result is refused with a sentence', () => {
    const good = file('c.json', JSON.stringify(resultOf({ x: figure([1]) })))
    const other = file('d.json', JSON.stringify(resultOf({ z: figure([1]) })))
    for (const [files, words] of [
      [[good], 'say two results'],
      [[good, join(folder, 'none.json')], 'there is no'],
      [[good, file('e.json', 'no JSON')], 'it is not JSON'],
      [[good, file('f.json', '{"version":2,"figures":{}}')], 'another version'],
      [[good, other], 'no figure in common'],
    ] as const) {
      const { status, text } = compare(...files)
      expect(status).toBe(2)
      expect(text).toContain(words)
      expect(text).not.toContain('    at ')
    }
  })

  test('a file that is not there is none', () => expect(readResult(join(folder, 'none.json'))).toBeUndefined())
})
