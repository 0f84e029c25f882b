// The plans to measure by: they are valid, their tests pass for a good answer and fail for none, and they run on simulated answers.
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { BenchmarkData } from '../../node/bench/data.js'
import { boxKinds, boxOfKind, type Box } from '../../node/check/box.js'
import { runTests, testsAreWeak } from '../../node/check/test-run.js'
import { checkPlan } from '../../node/index.js'
import { root } from '../checks/sources.js'
import { scratch } from './cli-process.js'
import { aetherflow } from './commands.js'

jest.setTimeout(120_000)

const plans = [
  ['provider-client', 'client.mjs', 'client.test.mjs', []],
  ['scheduler', 'scheduler.mjs', 'scheduler.test.mjs', []],
  ['documentation', 'example.mjs', 'example.test.mjs', ['stack.mjs']],
] as const
const fileOf = (plan: string, name: string): string => path.join(root, 'examples/measured', plan, name)
const text = (plan: string, name: string): string => readFileSync(fileOf(plan, name), 'utf8')

let folder = ''
let remove = (): void => {}
let box: Box | undefined
beforeAll(async () => {
  ;({ folder, remove } = scratch())
  for (const kind of boxKinds) box ??= await boxOfKind(kind)
  if (box === undefined) console.warn('SKIPPED the tests of the plans: no box on this machine')
})
afterAll(() => remove())

test.each(plans)('%s: its tests pass for a good answer, and not without one', async (plan, answer, tests, more) => {
  if (box === undefined) return
  const files = [tests, ...more].map((name) => ({ path: name, text: text(plan, name) }))
  const good = readFileSync(path.join(root, 'tests/fixtures/measured', answer), 'utf8')
  const job = { files: [...files, { path: answer, text: good }], tests: [tests], repeats: 1 }
  expect(await runTests(box, job)).toMatchObject({ pass: true, why: '' })
  expect(await testsAreWeak(box, job, answer)).toBe(false)
})

test.each(plans.map(([plan]) => plan))(
  '%s runs on simulated answers, and is told against its targets',
  async (plan) => {
    const { warnings } = await checkPlan(text(plan, 'plan.json'), {
      config: {},
      folder: path.dirname(fileOf(plan, 'x')),
    })
    expect(warnings).toEqual([])
    const words = ['bench', fileOf(plan, 'plan.json'), '--targets', fileOf(plan, 'targets.json'), '--simulate']
    const ended = await aetherflow([...words, '--output', plan], '', { cwd: folder })
    expect([ended.code, ended.stderr]).toEqual([0, expect.not.stringContaining('error')])
    const data = JSON.parse(readFileSync(path.join(folder, plan, 'benchmark_data.json'), 'utf8')) as BenchmarkData
    expect(data.runs[0]?.outcome).toBe('ok')
    const own = data.targets.filter(({ name }) => name.startsWith('plan.'))
    expect(own.map(({ name }) => name.slice(5)).sort()).toEqual(
      Object.keys(JSON.parse(text(plan, 'targets.json')) as object).sort(),
    )
    expect(own.find(({ name }) => name === 'plan.makespanMs')?.verdict).toBe('met')
  },
)

test('targets that are none are refused', async () => {
  for (const [file, why] of [
    ['plan.json', "no figure 'task_id'"],
    ['nothing.json', 'cannot be read: ENOENT'],
  ] as const) {
    const words = ['bench', fileOf('scheduler', 'plan.json'), '--simulate', '--targets', fileOf('scheduler', file)]
    const ended = await aetherflow([...words, '--output', 'x'], '', { cwd: folder })
    expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining(why)])
  }
})
