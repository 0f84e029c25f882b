/** From outside: a run whose answers are tested and written into a small repository, whose own tests then pass; and back to the byte. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { scratch } from './cli-process.js'
import { aetherflow } from './commands.js'

let folder = ''
let remove = (): void => {}
const project = (...parts: string[]): string => path.join(folder, 'project', ...parts)
const put = (name: string, text: string): void => {
  mkdirSync(path.dirname(project(name)), { recursive: true })
  writeFileSync(project(name), text)
}
const block = (from: string, to: string): string => `<<<<<<< SEARCH\n${from}\n=======\n${to}\n>>>>>>> REPLACE`
const importsTest = `import test from 'node:test'\nimport assert from 'node:assert'\n`

beforeAll(() => {
  ;({ folder, remove } = scratch())
  put('package.json', '{ "name": "small", "type": "module" }\n')
  put('src/money.js', 'export function format(cents) {\r\n  return (cents / 100).toFixed(2)\r\n}')
  put(
    'test/money.test.js',
    `${importsTest}import { format } from '../src/money.js'\ntest('a', () => assert.equal(format(100000), '1,000.00'))\n`,
  )
  put(
    'test/cart.test.js',
    `${importsTest}import { total } from '../src/cart.js'\ntest('b', () => assert.equal(total([50000, 50000]), '1,000.00'))\n`,
  )
  const tested = (name: string) => ({
    target: `src/${name}.js`,
    check: { tests: { files: [`test/${name}.test.js`], repeats: 1 } },
  })
  const steps = [
    { id: 'money', type: 'code_generation', description: 'group thousands', edit: 'blocks', ...tested('money') },
    { id: 'cart', type: 'code_generation', description: 'sum a cart', dependencies: ['money'], ...tested('cart') },
  ]
  put('plan.json', JSON.stringify({ task_id: 'cart', description: 'A cart', steps }))
  const line = '  return (cents / 100).toFixed(2)'
  const right = [
    block(line, `${line}.replace(/\\B(?=(\\d{3})+(?!\\d))/g, ',')`),
    `import { format } from './money.js'\nexport const total = (list) => format(list.reduce((a, b) => a + b))`,
  ]
  const answers = ['group thousands', 'sum a cart'].map((task, i) => ({
    task,
    right: right[i],
    wrong: 'export const total = () => 0',
  }))
  // Always wrong at first, never in the repair.
  put(
    'profile.json',
    JSON.stringify({ name: 'wrong', known: { answers, wrongShare: 1, wrongRepairShare: 0 }, timeScale: 0.001 }),
  )
})
afterAll(() => remove())

/** Names, bytes and permissions of the project. */
const tree = (): Record<string, string> =>
  Object.fromEntries(
    ['.', 'src', 'test'].flatMap((at) =>
      readdirSync(project(at), { withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ name }) => [
          `${at}/${name}`,
          `${statSync(project(at, name)).mode} ${readFileSync(project(at, name), 'latin1')}`,
        ]),
    ),
  )
const env = (): Record<string, string> => ({ XDG_STATE_HOME: path.join(folder, 'state') })
const command = (...words: string[]) => aetherflow(words, '', { cwd: project(), env: env() })

test('run --apply --allow-checks, then apply --undo', async () => {
  const before = tree()
  const words = ['--simulate=profile.json', '--allow-checks', '--apply', '--output', path.join(folder, 'out')]
  const run = await command('run', 'plan.json', ...words)
  expect(run.stderr).toBe('')
  expect(run.code).toBe(0)
  expect(run.stdout).toMatch(/refused money: block|refused money: src\/money\.js/)
  expect(run.stdout).toMatch(/checked cart: syntax, tests 1\/1 \(box: \w+\)/)
  expect(run.stdout).toContain('0 of 2 steps right at first try (0 %), quality 1.00')
  expect(run.stdout).toContain('2 files written')
  // Ends of lines, and the last line without one, are as they were.
  expect(readFileSync(project('src/money.js'), 'utf8')).toMatch(
    /^export function format\(cents\) \{\r\n {2}return .*,'\)\r\n\}$/,
  )
  execFileSync(process.execPath, ['--test', 'test/'], { cwd: project(), env: { PATH: process.env['PATH'] ?? '' } })
  const report = readFileSync(path.join(folder, 'out/report.md'), 'utf8')
  expect(report).toContain('right at first try')

  const again = await command('apply', path.join(folder, 'out'), '--dry-run')
  expect(again.stdout).toContain('as it is money')
  const elsewhere = await aetherflow(['apply', path.join(folder, 'out')], '', { cwd: folder, env: env() })
  expect([elsewhere.code, elsewhere.stderr]).toEqual([1, expect.stringContaining('apply.refused')])
  const undone = await command('apply', path.join(folder, 'out'), '--undo')
  expect(undone.stdout).toContain('2 files as before')
  expect(tree()).toEqual(before)

  put('src/money.js', 'export const mine = 1\n')
  const refused = await command('apply', path.join(folder, 'out'), '--json')
  expect(refused.code).toBe(1)
  const { changes } = JSON.parse(refused.stdout) as { changes: { step: string; outcome: string; code?: string }[] }
  expect(changes.map(({ step, outcome, code }) => [step, outcome, code])).toEqual([
    ['money', 'refused', 'apply.conflict'],
    ['cart', 'applied', undefined],
  ])
  expect(readFileSync(project('src/money.js'), 'utf8')).toBe('export const mine = 1\n')
})

test('nothing is applied without a folder that keeps it', async () => {
  const { code, stderr } = await command('run', 'plan.json', '--simulate=profile.json', '--no-output', '--apply')
  expect(code).toBe(2)
  expect(stderr).toContain('--apply')
})
