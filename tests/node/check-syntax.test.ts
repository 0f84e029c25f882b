/** Files of code: whether they parse, what a linter would call an error, what was left out; and the score that is made of it. */
import { describe, expect, test } from '@jest/globals'
import { qualityOf } from '../../node/check/quality.js'
import { checkCode, codeLanguage } from '../../node/check/syntax.js'
import { countsOf } from '../../node/check/test-counts.js'

describe('syntax', () => {
  test.each([
    ['a.js', 'import { b } from "./b.js"\nexport default b\n'],
    ['a.js', 'const b = require("./b")\nif (!b) return\nmodule.exports = b\n'],
    ['a.mjs', '#!/usr/bin/env node\nawait import("node:fs")\n'],
    ['a.cjs', 'return 1'],
    ['a.jsx', 'export const A = () => <p>{1}</p>'],
    ['a.ts', 'export function f<T extends object>(a: T): keyof T { return Object.keys(a)[0] as keyof T }'],
    ['a.tsx', 'export const A = (p: { n: number }) => <p>{p.n}</p>'],
    ['a.py', 'def f(x: int = 1) -> str:\n    return f"{x}"\n'],
    ['a.json', '{"a": [1, null]}'],
  ])('%s parses: %j', async (path, text) => {
    expect((await checkCode(path, text))?.syntax).toEqual([])
  })

  test.each([
    ['a.js', 'const a = 1\nconst a = 2\n', 2],
    ['a.js', 'function f() {\n  return (\n}\n', 3],
    ['a.mjs', 'return 1', 1],
    ['a.cjs', 'const a = 1\nexport { a }', 2],
    ['a.jsx', 'export const A = () => <p>{1}</div', 1],
    ['a.ts', 'function f(a: number { return a }', 1],
    ['a.py', 'x = 1\ndef f(:\n    pass\n', 2],
    ['a.json', '{"a": 1,\n "b": }', 2],
  ])('%s does not: %j', async (path, text, line) => {
    const syntax = (await checkCode(path, text))?.syntax ?? []
    expect(syntax.length).toBeGreaterThan(0)
    expect(syntax[0]?.line).toBe(line)
    expect(syntax[0]?.what).not.toBe('')
  })

  test('an unknown language is not checked', async () => {
    expect(codeLanguage('main.rs')).toBeUndefined()
    await expect(checkCode('main.rs', 'fn main(')).resolves.toBeUndefined()
  })
})

describe('lint and shape', () => {
  test.each([
    ['a.js', 'var a = 1', 'var'],
    ['a.js', 'if (a == 1) b()', '=='],
    ['a.js', 'try { a() } catch {}', 'catch'],
    ['a.ts', 'const a = { b: 1, b: 2 }', 'twice'],
    ['a.js', 'debugger', 'debugger'],
    ['a.py', 'def f(x=[]):\n    return x\n', 'share'],
    ['a.py', 'try:\n    f()\nexcept:\n    pass\n', 'bare'],
    ['a.py', 'if x == None:\n    pass\n', 'None'],
  ])('%s: %j is an error', async (path, text, what) => {
    const lint = (await checkCode(path, text))?.lint ?? []
    expect(lint.map((one) => one.what).join()).toContain(what)
  })

  test.each([
    ['a.js', 'if (a == null || b === 1) c()\nconst { d, ...rest } = a\ntry { a() } catch (error) { throw error }'],
    ['a.py', 'try:\n    f()\nexcept ValueError:\n    pass\nif x is None:\n    pass\n'],
  ])('%s: %j is none', async (path, text) => {
    expect(await checkCode(path, text)).toMatchObject({ lint: [], shape: [] })
  })

  test.each([
    ['a.js', 'function f() {\n  // ... rest of the code unchanged\n}'],
    ['a.py', 'def f():\n    # TODO: implement this\n    pass\n'],
    ['a.ts', '// existing code here\nexport {}'],
    ['a.js', '  // ...\nf()'],
    ['a.js', ''],
    ['a.js', 'f()\n```\n'],
  ])('%s: %j leaves something out', async (path, text) => {
    expect((await checkCode(path, text))?.shape.length).toBeGreaterThan(0)
  })

  test.each([
    ['a.js', '// The rest of the array is sorted already.\nconst [first, ...rest] = list'],
    ['a.js', 'const help = `\n```\ncode\n```\n`'],
    ['a.py', 'def f(*rest):\n    """\n    ```\n    """\n    return ...\n'],
  ])('%s: %j leaves nothing out', async (path, text) => {
    expect((await checkCode(path, text))?.shape).toEqual([])
  })
})

describe('quality', () => {
  const report = { language: 'javascript', syntax: [], lint: [], shape: [], lines: 100 }
  const problem = { line: 1, column: 1, what: 'x' }
  test('the parts and their weights', () => {
    expect(qualityOf([report], 1)).toMatchObject({ score: 1, partial: false })
    expect(qualityOf([report], 0.5)?.score).toBeCloseTo(0.5 * 0.7 + 0.2 + 0.1)
    expect(qualityOf([{ ...report, lint: [problem, problem] }], 1)?.score).toBeCloseTo(0.7 + 0.8 * 0.2 + 0.1)
    expect(qualityOf([{ ...report, shape: [problem] }], 1)?.score).toBeCloseTo(0.9)
  })
  test('without tests it is partial; what does not parse is worth nothing', () => {
    const partial = qualityOf([{ ...report, shape: [problem] }], undefined)
    expect(partial?.partial).toBe(true)
    expect(partial?.score).toBeCloseTo(0.2 / 0.3)
    expect(qualityOf([{ ...report, syntax: [problem] }], 1)).toMatchObject({ score: 0, parses: false })
    expect(qualityOf([], 1)).toBeUndefined()
  })
})

describe('counts of test runners', () => {
  test.each([
    ['TAP', '1..2\n# tests 2\n# suites 0\n# pass 1\n# fail 1\n', 1, 2],
    ['Node', 'ℹ tests 3\nℹ suites 0\nℹ pass 3\nℹ fail 0\n', 3, 3],
    ['Jest', 'Tests:       1 failed, 4 passed, 5 total\nTime: 1 s', 4, 5],
    ['Vitest', ' Test Files  1 passed (1)\n      Tests  2 failed | 6 passed (8)\n', 6, 8],
    ['pytest', '=== 1 failed, 5 passed, 1 warning in 0.12s ===', 5, 6],
    ['pytest -q', '7 passed in 0.02s', 7, 7],
    ['unittest', 'Ran 4 tests in 0.1s\n\nFAILED (failures=1, errors=1)\n', 2, 4],
    ['Mocha', '  3 passing (4ms)\n  1 failing\n', 3, 4],
  ])('%s', (_, output, passed, total) => {
    expect(countsOf(output)).toEqual({ passed, total })
  })
  test('unknown', () => {
    expect(countsOf('all is well')).toBeUndefined()
  })
})
