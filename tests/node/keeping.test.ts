/** What a run buys stays its owner's: folders, second starts, broken plans, too few file handles, refused answers. Real processes. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { FaultServer } from '../faults/fault-server.js'
import { configOf, plan, step } from '../faults/host.js'
import { answerOf } from '../faults/wire.js'
import { jsonLines, Process, scratch } from './cli-process.js'
import { aetherflow } from './commands.js'

// Processes start slowly on a busy machine; no test waits for the clock.
jest.setTimeout(60_000)

let folder = ''
let remove = (): void => {}
let server: FaultServer
beforeEach(async () => {
  ;({ folder, remove } = scratch())
  server = await FaultServer.start()
  configure()
})
afterEach(async () => {
  Process.endAll()
  await server.close()
  remove()
})

const at = (...names: string[]): string => path.join(folder, ...names)
const configure = (policy: object = {}, providers: object = {}): void =>
  put('config.json', configOf(server, { policy: policy as Record<string, unknown>, providers: providers as never }))
const put = (name: string, value: object | string): void =>
  writeFileSync(at(name), typeof value === 'string' ? value : JSON.stringify(value))
/** A process of the command line in the folder, with the configuration. */
const start = (words: readonly string[], command?: readonly string[]): Process =>
  new Process(['run', ...words, '--config', 'config.json'], {
    cwd: folder,
    ...(command === undefined ? {} : { command }),
  })
const run = (words: readonly string[], input = '') =>
  aetherflow(['run', ...words, '--config', 'config.json'], input, { cwd: folder })
const called = (): string[] => server.ledger.entries.map(({ step: id }) => id)
/** Never answers the step. */
const silence = (id: string) => ({ step: id, fault: () => ({ instead: 'silence' as const }) })
const mode = (...names: string[]): string => (statSync(at(...names)).mode & 0o777).toString(8)

describe('a run that names no folder', () => {
  test('keeps its answers in a new one, again and again, and says where', async () => {
    put('p.json', { ...plan(step('a'), step('b', { dependencies: ['a'] })), task_id: 'mine' })
    const both = [await run(['p.json']), await run(['p.json'])]
    const folders = both.map(({ code, stdout, stderr }) => {
      expect([code, stderr]).toEqual([0, ''])
      const [, begun = ''] = /^outputs go to (.*)$/m.exec(stdout) ?? []
      expect(stdout).toContain(`outputs in ${begun}/step_outputs`)
      return begun
    })
    expect(new Set(folders).size).toBe(2)
    for (const each of folders) {
      expect(each).toMatch(/^aetherflow-out\/mine-\d{8}-\d{6}(-\d+)?$/)
      expect(readFileSync(at(each, 'step_outputs/a.md'), 'utf8')).toBe(answerOf('a'))
    }
  })

  test('leaves nothing of a plan that is refused', async () => {
    put('p.json', plan(step('a', { dependencies: ['a'] })))
    expect((await run(['p.json'])).code).toBe(2)
    expect(existsSync(at('aetherflow-out'))).toBe(false)
  })

  test('with --no-output prints what no other step takes up, and keeps nothing', async () => {
    put('p.json', plan(step('a'), step('b', { dependencies: ['a'] })))
    const { code, stdout, stderr } = await run(['p.json', '--no-output', '--quiet'])
    expect([code, stdout]).toEqual([0, `${answerOf('b')}\n`])
    expect(stderr).toMatch(/^✓ 2 of 2 steps done/)
    const json = await run(['p.json', '--no-output', '--json'])
    expect(jsonLines(json.stdout).at(-1)).toMatchObject({ outputs: { a: answerOf('a'), b: answerOf('b') } })
    expect(readdirSync(folder).sort()).toEqual(['config.json', 'p.json'])
  })

  test('in JSON: where it is comes first, each done has its path, and the result has them all', async () => {
    put('p.json', plan(step('a')))
    const lines = jsonLines((await run(['p.json', '--json'])).stdout)
    const where = String(lines[0]?.['path'])
    const file = path.join(where, 'step_outputs/a.md')
    expect(lines.find(({ type }) => type === 'done')).toMatchObject({ path: file })
    expect(lines.at(-1)).toMatchObject({ type: 'result', folder: where, outputs: { a: file } })
    expect(readFileSync(at(file), 'utf8')).toBe(answerOf('a'))
  })

  test('is private, as are those that are named', async () => {
    put('p.json', plan(step('a')))
    await run(['p.json', '--output', 'deep/out'])
    for (const name of ['journal.jsonl', 'run.json', 'report.md', 'step_outputs/a.md', 'run.lock.1'])
      expect([name, mode('deep/out', name)]).toEqual([name, '600'])
    for (const name of ['deep', 'deep/out', 'deep/out/step_outputs']) expect([name, mode(name)]).toEqual([name, '700'])
  })
})

describe('a second start', () => {
  test.each([['with a journal'], ['without', '--no-journal']])(
    '%s is refused and touches nothing',
    async (_, ...more) => {
      put('p.json', plan(step('slow'), step('quick')))
      server.script([silence('slow')])
      const owner = start(['p.json', '--output', 'out', '--json', ...more])
      await owner.until('"type":"done"')
      const before = readdirSync(at('out'), { recursive: true }).sort()
      for (const words of [['p.json'], ['p.json', '--no-journal'], ['p.json', '--resume'], ['p.json', '--reuse']]) {
        const { code, stderr } = await run([...words, '--output', 'out'])
        expect([words, code]).toEqual([words, expect.any(Number)])
        expect(code).not.toBe(0)
        expect(stderr).toMatch(/^error host\.(run_locked|journal) /)
      }
      expect(readdirSync(at('out'), { recursive: true }).sort()).toEqual(before)
      owner.child.kill('SIGINT')
      await owner.exit()
      expect(readFileSync(at('out/step_outputs/quick.md'), 'utf8')).toBe(answerOf('quick'))
    },
  )

  test('of many at once into a fresh folder, one runs and none harms it', async () => {
    put('p.json', plan(step('a'), step('b', { dependencies: ['a'] })))
    const all = await Promise.all(Array.from({ length: 4 }, () => run(['p.json', '--output', 'out'])))
    expect(all.filter(({ code }) => code === 0)).toHaveLength(1)
    for (const { stderr } of all.filter(({ code }) => code !== 0))
      expect(stderr).toMatch(/^error host\.(run_locked|journal) /)
    expect(readdirSync(at('out/step_outputs')).sort()).toEqual(['a.md', 'b.md'])
    expect(called().sort()).toEqual(['a', 'b'])
  })
})

describe('a plan that breaks off', () => {
  const steps = ['a', 'b', 'c'].map((id) => step(id))
  const whole = JSON.stringify(plan(...steps))
  const cut = whole.slice(0, whole.indexOf('{"id":"c"') + 5)

  test.each<[string, string]>([
    ['in the middle of a step', cut],
    ['with prose after it', `${whole}\n\`\`\`\nThat is the plan.\n`],
    ['in a step that is null', `${cut.slice(0, -5)}null]}`],
    ['in a step that is a number', `${cut.slice(0, -5)}5]}`],
    ['in a step that is empty', `${cut.slice(0, -5)}{}]}`],
    ['in a step that is text', `${cut.slice(0, -5)}"c"]}`],
    ['in an unknown dependency', whole.replace(/"dependencies":\[\]\}\]\}$/, '"dependencies":["nope"]}]}')],
  ])('%s: what was bought is kept, and the command that is told buys the rest', async (_, text) => {
    const broken = start(['-', '--output', 'out'])
    const first = text.indexOf('{"id":"c"') > 0 ? text.indexOf('{"id":"c"') : cut.length - 5
    broken.child.stdin.write(text.slice(0, first))
    // The rest comes when the first steps are bought.
    await broken.until('done    a')
    await broken.until('done    b')
    broken.child.stdin.end(text.slice(first))
    const { code, stderr } = await broken.exit()
    expect(code).toBe(2)
    expect(stderr).not.toContain('internal')
    const [, command = ''] = /once the plan is corrected: (.*)/.exec(stderr) ?? []
    expect(command).toContain('run PLAN --output out --reuse')
    put('full.json', plan(...steps))
    const before = called().length
    const again = new Process([`exec ${command.replace('PLAN', 'full.json')}`], { cwd: folder, command: ['sh', '-c'] })
    expect(await again.exit()).toMatchObject({ code: 0, stderr: '' })
    expect(
      called()
        .slice(before)
        .filter((id) => id !== 'c'),
    ).toEqual([])
    expect(readdirSync(at('out/step_outputs')).filter((name) => /^[abc]\./.test(name))).toEqual([
      'a.md',
      'b.md',
      'c.md',
    ])
  })

  test('interrupted while it is still coming: the command that is told goes on with the whole plan', async () => {
    const stopped = start(['-', '--output', 'out'])
    stopped.child.stdin.write(cut)
    await stopped.until('done    b')
    stopped.child.kill('SIGINT')
    const { stdout } = await stopped.exit()
    const [, command = ''] = /to go on: (.*)/.exec(stdout) ?? []
    expect(command).toContain('run - --output out --resume')
    put('full.json', whole)
    const before = called().length
    const again = new Process([command.replace('PLAN', 'full.json')], { cwd: folder, command: ['sh', '-c'] })
    expect(await again.exit()).toMatchObject({ code: 0, stderr: '' })
    expect(called().slice(before)).toEqual(['c'])
  })
})

describe('a changed plan', () => {
  const priced = (more: object): object =>
    plan(step('c', { dependencies: ['b'], ...more }), step('b', { dependencies: ['a'] }), step('a'))

  test.each<[string, object]>([
    ['its priority', { priority: 5 }],
    ['that it is optional', { optional: true }],
    ['its complexity', { complexity: 0.9 }],
  ])('in which a step differs by %s buys nothing', async (_, more) => {
    put('p.json', priced({}))
    await run(['p.json', '--output', 'out'])
    put('p.json', priced(more))
    const { code } = await run(['p.json', '--output', 'out', '--reuse'])
    expect([code, called()]).toEqual([0, ['a', 'b', 'c']])
  })

  test.each<[string, object]>([
    ['its words', { description: 'other words #step=c#' }],
    ['its criteria', { validation_criteria: ['short'] }],
    ['its output', { output: 'text' }],
    ['its context', { context: { language: 'Go' } }],
    ['what it depends on', { dependencies: ['a'] }],
    ['who is to answer', { provider: 'beta' }],
    ['the model that is to answer', { provider: 'beta/beta-1' }],
  ])('in which a step differs by %s buys that step', async (_, more) => {
    put('p.json', priced({}))
    await run(['p.json', '--output', 'out'])
    put('p.json', priced(more))
    const { code } = await run(['p.json', '--output', 'out', '--reuse'])
    expect([code, called()]).toEqual([0, ['a', 'b', 'c', 'c']])
  })
})

test('too few file handles: outputs wait for one, and every answer is bought once and kept', async () => {
  const ids = Array.from({ length: 150 }, (_, n) => `s${n}`)
  configure({ retry: { attempts: 50, perModel: 50, baseMs: 5, capMs: 100 } }, { alpha: { concurrency: 140 } })
  put('p.json', plan(...ids.map((id) => step(id))))
  const program = path.resolve('dist/node/cli/main.js')
  const command = ['sh', '-c', 'ulimit -n 128; exec "$@"', 'sh', process.execPath, program]
  const { code, stdout, stderr } = await start(['p.json', '--output', 'out', '--json'], command).exit()
  expect(`${code} ${stderr}`).toBe('0 ')
  expect(readdirSync(at('out/step_outputs'))).toHaveLength(ids.length)
  expect(jsonLines(stdout).at(-1)).toMatchObject({ outcome: 'ok' })
  expect(called()).toHaveLength(ids.length)
})

test('an output that cannot be written does not cost the others: all is bought once, and resume writes it', async () => {
  put('p.json', plan(step('a'), step('b'), step('c', { dependencies: ['a'] })))
  mkdirSync(at('out/step_outputs/a.md'), { recursive: true })
  const { code, stderr } = await run(['p.json', '--output', 'out'])
  expect([code, stderr]).toEqual([1, expect.stringContaining('error host.io_failed at out/step_outputs/a.md')])
  expect(called().sort()).toEqual(['a', 'b', 'c'])
  const [, command = ''] = /to go on: (.*)/.exec(stderr) ?? []
  const { rmdirSync } = await import('node:fs')
  rmdirSync(at('out/step_outputs/a.md'))
  const again = new Process([`exec ${command}`], { cwd: folder, command: ['sh', '-c'] })
  expect((await again.exit()).code).toBe(0)
  expect(readdirSync(at('out/step_outputs')).sort()).toEqual(['a.md', 'b.md', 'c.md'])
  expect(called()).toHaveLength(3)
})

test('answers that are refused were paid for: each is kept beside, with the reason', async () => {
  configure({ retry: { attempts: 2, perModel: 1, baseMs: 1, capMs: 2 } })
  put('p.json', plan(step('a', { output: 'json' }), step('a.rejected', { output: 'text' })))
  const { code } = await run(['p.json', '--output', 'out'])
  expect(code).toBe(1)
  const names = readdirSync(at('out/step_outputs')).sort()
  const kept = names.filter((name) => /^a\.rejected-/.test(name))
  expect(names).toContain('a.rejected.txt')
  expect(readFileSync(at('out/step_outputs/a.rejected.txt'), 'utf8')).toBe(answerOf('a.rejected'))
  expect(kept.length).toBeGreaterThan(0)
  for (const name of kept) {
    const [reason = '', , ...text] = readFileSync(at('out/step_outputs', name), 'utf8').split('\n')
    expect(reason).toMatch(/^rejected: \S/)
    expect(text.join('\n')).toBe(answerOf('a'))
  }
})

test('a plan in UTF-16, as PowerShell writes it, is a plan', async () => {
  const text = JSON.stringify(plan(step('a', { description: 'größer #step=a#' })))
  const little = Buffer.from(`\ufeff${text}`, 'utf16le')
  for (const bytes of [little, Buffer.from(little).swap16(), little.subarray(2)]) {
    writeFileSync(at('p.json'), bytes)
    expect((await run(['p.json', '--no-output'])).code).toBe(0)
    const streamed = start(['-', '--no-output'])
    for (const byte of [0, 1, 2, 3]) streamed.child.stdin.write(bytes.subarray(byte, byte + 1))
    streamed.child.stdin.end(bytes.subarray(4))
    expect((await streamed.exit()).code).toBe(0)
  }
  expect(called()).toHaveLength(6)
  expect(await aetherflow(['check', 'p.json'], '', { cwd: folder })).toMatchObject({ code: 0 })
})
