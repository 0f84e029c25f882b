// The exercises that are shipped: solutions pass, wrong ones fail, and `bench quality` counts what hidden tests say.
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { codeOf, exercisePlan, parseExercise, readExercises, selfCheck } from '../../node/bench/exercises.js'
import type { BenchmarkData } from '../../node/bench/data.js'
import { boxKinds, boxOfKind, type Box } from '../../node/check/box.js'
import { scratch } from './cli-process.js'
import { aetherflow } from './commands.js'

jest.setTimeout(240_000)

const hasPython = spawnSync('python3', ['-c', '']).status === 0
if (!hasPython) console.warn('SKIPPED the exercises in Python: there is no python3')

let folder = ''
let remove = (): void => {}
let box: Box | undefined
beforeAll(async () => {
  ;({ folder, remove } = scratch())
  for (const kind of boxKinds) box ??= await boxOfKind(kind)
  if (box === undefined) console.warn('SKIPPED the tests of answers: no box on this machine')
})
afterAll(() => remove())

test('ten exercises, each with a text, tests, a solution and two wrong ones; no text tells its tests', async () => {
  const exercises = await readExercises()
  expect(exercises.map(({ language }) => language).sort()).toEqual([
    ...Array.from({ length: 5 }, () => 'javascript'),
    ...Array.from({ length: 5 }, () => 'python'),
  ])
  for (const { text, tests, mutants, solution } of exercises) {
    expect(mutants.length).toBeGreaterThanOrEqual(2)
    for (const part of [tests, solution]) expect(text).not.toContain(part.slice(0, 60))
  }
  const plan = JSON.parse(exercisePlan(exercises)) as { steps: { id: string; description: string }[] }
  expect(plan.steps).toHaveLength(10)
  for (const { description } of plan.steps) expect(description).not.toMatch(/assert|unittest|Mutant|## /)
})

describe('solutions pass and wrong ones fail', () => {
  test('javascript', async () => {
    if (box === undefined) return
    const checks = await selfCheck(await readExercises('javascript'), box)
    expect(checks).toEqual(checks.map(({ exercise }) => ({ exercise, good: true, why: [] })))
  })
  ;(hasPython ? test : test.skip)('python', async () => {
    if (box === undefined || box.kind === 'node') return
    const checks = await selfCheck(await readExercises('python'), box)
    expect(checks).toEqual(checks.map(({ exercise }) => ({ exercise, good: true, why: [] })))
  })
  test('a check that could not fail is found out', async () => {
    if (box === undefined) return
    const [exercise] = await readExercises('javascript')
    const broken = { ...exercise!, solution: 'export {}', mutants: [{ words: 'right', code: exercise!.solution }] }
    const [check] = await selfCheck([broken], box)
    expect(check?.good).toBe(false)
    expect(check?.why).toEqual([
      expect.stringContaining('the solution fails'),
      expect.stringContaining('a wrong solution passes: right'),
    ])
  })
})

test('an answer is taken out of its fence', () => {
  expect(codeOf('```js\nconst a = 1\n```\n')).toBe('const a = 1\n')
  expect(codeOf('const a = 1')).toBe('const a = 1\n')
  expect(codeOf('Here it is:\n```js\nconst a = 1\n```')).toContain('Here it is')
})

test('a text that is no exercise is refused', () => {
  for (const text of [
    '',
    '# T\n\nfile: a.mjs\n\ntext\n',
    '# T\n\nfile: a.py\n\ntext\n\n## Tests\n\n```python\nx\n```\n',
  ])
    expect(() => parseExercise('x', text)).toThrow(expect.objectContaining({ code: 'host.usage', where: 'x' }))
})

test('simulated answers fail, and the data says that tests decided', async () => {
  if (box === undefined) return
  const words = ['bench', 'quality', '--language', 'javascript', '--simulate', '--output', 'q']
  const ended = await aetherflow(words, '', { cwd: folder })
  expect([ended.code, ended.stdout]).toEqual([0, expect.stringContaining('right at the first try 0 %')])
  const file = path.join(folder, 'q', 'quality', 'default', 'benchmark_data.json')
  const { runs } = JSON.parse(readFileSync(file, 'utf8')) as BenchmarkData
  expect(runs[0]?.steps.map(({ firstTry, checkedBy }) => [firstTry, checkedBy])).toEqual(
    Array.from({ length: 5 }, () => [false, 'function']),
  )
})
