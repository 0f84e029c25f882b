/** Going on with runs by the library and the command line: who may, with what, and what is recalled. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { CallTicket, Performer } from '../../bindings/performer.js'
import { runPlan, type RunPlanOptions } from '../../node/index.js'
import { createSimulator, simulatorProfiles } from '../../web/standard/simulator/index.js'
import { jsonLines, Process, scratch } from './cli-process.js'
import { aetherflow } from './commands.js'

jest.setTimeout(30_000)

let folder = ''
let remove = (): void => {}
beforeEach(() => void ({ folder, remove } = scratch()))
afterEach(() => {
  Process.endAll()
  remove()
})

const step = (id: string, dependencies: readonly string[] = [], more: object = {}): object => ({
  ...{ id, type: 'testing', description: `do ${id}`, dependencies },
  ...more,
})
const plan = (...steps: object[]): Record<string, unknown> => ({ task_id: 't', description: 'd', steps })
const usage = { input: 10, cached: 0, output: 5, reasoning: 0 }

/** Answers at once; `fails` are refused for good. */
class Recorder implements Performer {
  readonly ids: string[] = []
  constructor(readonly fails: readonly string[] = []) {}
  perform({ step: { id } }: CallTicket) {
    this.ids.push(id)
    if (this.fails.includes(id)) return Promise.reject(Object.assign(new Error('no'), { kind: 'bad_request' }))
    return Promise.resolve({ text: `answer of ${id}`, usage, finish: 'stop' as const })
  }
}

const out = (): string => path.join(folder, 'out')
const run = async (source: Record<string, unknown> | undefined, performer: Performer, more: RunPlanOptions = {}) =>
  runPlan(source, { performer, config: {}, journal: out(), ...more })

describe('a folder', () => {
  test('belongs to one run: another is refused, the same goes on and calls nothing', async () => {
    const source = plan(step('a'), step('b', ['a']))
    const first = await run(source, new Recorder())
    await expect(run(source, new Recorder())).rejects.toMatchObject({ code: 'host.journal' })
    const again = new Recorder()
    const second = await run(undefined, again, { resume: true })
    expect(again.ids).toEqual([])
    expect(second.report).toEqual(first.report)
    expect([...second.outputs]).toEqual([...first.outputs])
    expect(second.run).toEqual(
      first.run && expect.objectContaining({ run: first.run.run, startedAt: first.run.startedAt }),
    )
  })

  test('without a run begins one when there is a plan, and is an error when there is none', async () => {
    await expect(run(undefined, new Recorder(), { resume: true })).rejects.toMatchObject({ code: 'host.journal' })
    await expect(run(undefined, new Recorder())).rejects.toMatchObject({ code: 'host.usage' })
    const { outcome } = await run(plan(step('a')), new Recorder(), { resume: true })
    expect(outcome).toBe('ok')
  })

  test('of a plan that is refused is as it was', async () => {
    await expect(run(plan(step('a', ['a'])), new Recorder())).rejects.toMatchObject({ code: 'plan.cycle' })
    expect(existsSync(out())).toBe(false)
  })

  test('has one owner at a time, in one process as well', async () => {
    let let_go = (): void => {}
    const held = new Promise<void>((resolve) => (let_go = resolve))
    const slow: Performer = { perform: () => held.then(() => ({ text: 'x', usage, finish: 'stop' as const })) }
    let running: Promise<unknown> | undefined
    await new Promise<void>((resolve) => {
      running = run(plan(step('a')), slow, { onEvent: ({ type }) => (type === 'call' ? resolve() : undefined) })
    })
    await expect(run(undefined, new Recorder(), { resume: true })).rejects.toMatchObject({ code: 'host.run_locked' })
    let_go()
    await running
  })

  test('of a run that is damaged is gone on with from the good part, and it is said', async () => {
    const source = plan(step('a'), step('b', ['a']))
    await run(source, new Recorder())
    const file = path.join(out(), 'journal.jsonl')
    const lines = readFileSync(file, 'utf8').split('\n')
    const second = lines.findIndex((line) => line.includes('"answer of b"'))
    writeFileSync(
      file,
      lines.map((line, index) => (index === second ? line.replace('answer of b', 'answer of x') : line)).join('\n'),
    )
    const again = new Recorder()
    const warnings: unknown[] = []
    const { outputs } = await run(undefined, again, {
      resume: true,
      onEvent: (event) => void (event.type === 'warning' && warnings.push(event)),
    })
    expect(again.ids).toEqual(['b'])
    expect(outputs.get('b')).toBe('answer of b')
    expect(warnings).toMatchObject([
      { code: 'host.journal_damaged', detail: expect.stringContaining(`line ${second + 1}`) },
    ])
  })
})

/** The same with the members of every object in the opposite order. */
const reversed = (value: unknown): string =>
  JSON.stringify(value, (_, one: unknown) =>
    typeof one === 'object' && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).reverse())
      : one,
  )

describe('a changed plan', () => {
  const before = plan(step('a'), step('b', ['a']), step('c', ['b']), step('alone'))

  test('is refused; one that only looks different is not', async () => {
    await run(before, new Recorder())
    const changed = plan(step('a', [], { description: 'something else' }))
    await expect(run(changed, new Recorder(), { resume: true })).rejects.toMatchObject({ code: 'host.plan_changed' })
    for (const source of [JSON.stringify(before, null, 4), reversed(before), `\ufeff${JSON.stringify(before)}\r\n`]) {
      const again = new Recorder()
      await runPlan(source, { performer: again, config: {}, journal: out(), resume: true })
      expect(again.ids).toEqual([])
    }
  })

  test('blanks inside texts count, also behind an escaped quote', async () => {
    const said = (text: string) => JSON.stringify(plan(step('a', [], { description: text })))
    const resume = (text: string) =>
      runPlan(said(text), { performer: new Recorder(), config: {}, journal: out(), resume: true })
    await runPlan(said('say "a b"'), { performer: new Recorder(), config: {}, journal: out() })
    await expect(resume('say "a  b"')).rejects.toMatchObject({ code: 'host.plan_changed' })
    await expect(resume('say "a b" ')).rejects.toMatchObject({ code: 'host.plan_changed' })
    expect((await resume('say "a b"')).outcome).toBe('ok')
  })

  test('with reuse begins a new run, which calls the changed step and all behind it, and no other', async () => {
    const first = await run(before, new Recorder())
    const again = new Recorder()
    const after = plan(
      step('alone'),
      step('a'),
      step('b', ['a'], { description: 'otherwise' }),
      step('c', ['b']),
      step('new'),
    )
    const second = await run(after, again, { reuse: true })
    expect([...again.ids].sort()).toEqual(['b', 'c', 'new'])
    expect(second.outcome).toBe('ok')
    expect(second.run?.run).not.toBe(first.run?.run)
    expect(second.report.steps.filter(({ calls }) => calls.length === 0).map(({ id }) => id)).toEqual(['alone', 'a'])
    expect(readdirSync(out()).sort()).toEqual(['journal-1.jsonl', 'journal.jsonl', 'run.lock.2'])
    const third = new Recorder()
    await run(undefined, third, { resume: true })
    expect(third.ids).toEqual([])
  })

  test('with reuse, steps that failed are called again, and what they had taken with them', async () => {
    const first = await run(before, new Recorder(['b']))
    expect(first.outcome).toBe('steps_failed')
    const stay = new Recorder()
    await run(undefined, stay, { resume: true })
    expect(stay.ids).toEqual([])
    const again = new Recorder()
    const { outcome } = await run(undefined, again, { reuse: true })
    expect([again.ids, outcome]).toEqual([['b', 'c'], 'ok'])
  })

  test('with reuse, a context file that has changed makes its step be called', async () => {
    const simulator = createSimulator(simulatorProfiles.instant)
    const config = { providers: { groq: { key: 'k', baseUrl: 'http://simulated.invalid/groq/v1' } } }
    const source = plan(
      step('one', [], { type: 'prototyping', context: { files: ['one.txt'] } }),
      step('two', [], { type: 'prototyping', context: { files: ['two.txt'] } }),
    )
    const options = { config, fetch: simulator.fetch, folder, journal: out() }
    for (const name of ['one', 'two']) writeFileSync(path.join(folder, `${name}.txt`), 'as it was')
    await runPlan(source, options)
    const count = simulator.ledger.entries.length
    writeFileSync(path.join(folder, 'two.txt'), 'as it is')
    const called: string[] = []
    await runPlan(
      { ...source, steps: [...(source['steps'] as object[]), step('three', [], { type: 'prototyping' })] },
      {
        ...{ ...options, reuse: true },
        onEvent: (event) => void (event.type === 'call' && called.push(event.step)),
      },
    )
    expect(called).toEqual(['two', 'three'])
    expect(simulator.ledger.entries.length - count).toBe(2)
  })
})

describe('options of a run', () => {
  test('stay those that it began with', async () => {
    await run(plan(step('a'), step('b')), new Recorder(['b']), { mode: 'fast' })
    await expect(run(undefined, new Recorder(), { resume: true, mode: 'build' })).rejects.toMatchObject({
      code: 'host.usage',
      detail: expect.stringContaining('fast'),
    })
    const { report } = await run(undefined, new Recorder(), { resume: true })
    expect(report.mode).toBe('fast')
  })

  test('a simulated run is never resumed against real providers, nor the other way round', async () => {
    await runPlan(plan(step('a')), { simulate: 'instant', config: {}, journal: out() })
    const { simulated } = await runPlan(undefined, { config: {}, journal: out(), resume: true })
    expect(simulated).toBe('instant')
    const other = runPlan(undefined, { simulate: 'default', config: {}, journal: out(), resume: true })
    await expect(other).rejects.toMatchObject({ code: 'host.journal' })
    rmSync(out(), { recursive: true })
    await run(plan(step('a')), new Recorder())
    const played = runPlan(undefined, { simulate: true, config: {}, journal: out(), resume: true })
    await expect(played).rejects.toMatchObject({ code: 'host.journal' })
  })

  test('a provider whose key is gone is named before anything is called', async () => {
    const key = (id: string) => ({ [id]: { key: 'k', baseUrl: `http://127.0.0.1:1/${id}` } })
    const unset = Object.fromEntries(
      ['deepseek', 'gemini', 'mistral', 'openai'].map((id) => [id, { keyEnv: 'UNSET_X' }]),
    )
    const retry = { attempts: 1 }
    const groq = { providers: { ...unset, ...key('groq') }, retry }
    await runPlan(plan(step('a')), { config: groq, journal: out() })
    const none = { providers: { ...unset, groq: { keyEnv: 'UNSET_X' }, openai: { key: 'k' } }, retry }
    await expect(runPlan(undefined, { config: none, journal: out(), resume: true })).rejects.toMatchObject({
      code: 'host.config',
      detail: expect.stringContaining('groq'),
    })
  })
})

describe('the command line', () => {
  test('goes on with an interrupted run, and says how', async () => {
    const sized = (id: string, estimated_tokens: number) => step(id, [], { estimated_tokens })
    writeFileSync(path.join(folder, 'p.json'), JSON.stringify(plan(sized('short', 20), sized('long', 10_000))))
    const running = new Process(['run', 'p.json', '--simulate', '--output', 'out'], { cwd: folder })
    await running.until('done    short')
    running.child.kill('SIGINT')
    const { code, stdout } = await running.exit()
    expect(code).toBe(130)
    // As a person would: what is said is typed.
    const [, command = ''] = /to go on: (.*)/.exec(stdout) ?? []
    expect(command).toMatch(/ run p\.json --output out --resume$/)
    const again = new Process([`exec ${command} --json`], { cwd: folder, command: ['sh', '-c'] })
    await again.until('"type":"done"')
    again.child.kill('SIGKILL')
    const { stdout: told } = await again.exit()
    const since = jsonLines(told.split('"type":"resumed"')[1]?.replace(/^.*\n/, '') ?? '')
    expect(since.filter(({ step, type }) => step === 'short' && type !== 'done')).toEqual([])
  })

  test.each([
    [['run', '--resume'], 'host.usage'],
    [['run'], 'host.usage'],
    [['run', 'p.json', '--output', 'out', '--resume', '--no-journal'], 'host.usage'],
    [['run', '--output', 'nothing', '--resume'], 'host.journal'],
    [['run', 'p.json', '--output', 'out', '--sync', 'sometimes'], 'host.usage'],
    [['replay', 'nothing'], 'host.usage'],
  ])('%j is refused as usage', async (words, code) => {
    writeFileSync(path.join(folder, 'p.json'), JSON.stringify(plan(step('a'))))
    const refused = await aetherflow(words, '', { cwd: folder })
    expect([refused.code, refused.stderr.split('\n')[0]]).toEqual([2, expect.stringContaining(code)])
    expect(readdirSync(folder)).toEqual(['p.json'])
  })

  test('without a journal leaves none, and keeps out of a folder that has one', async () => {
    writeFileSync(path.join(folder, 'p.json'), JSON.stringify(plan(step('a'))))
    const words = ['run', 'p.json', '--simulate', 'instant', '--no-journal', '--output']
    expect((await aetherflow([...words, 'bare'], '', { cwd: folder })).code).toBe(0)
    expect(readdirSync(path.join(folder, 'bare')).sort()).toEqual([
      ...['report.html', 'report.md', 'run.json', 'step_outputs', 'timeline.svg'],
    ])
    await aetherflow(['run', 'p.json', '--simulate', 'instant', '--output', 'kept'], '', { cwd: folder })
    expect((await aetherflow([...words, 'kept'], '', { cwd: folder })).code).toBe(2)
  })

  test('an output that was changed or lost since is written anew', async () => {
    writeFileSync(path.join(folder, 'p.json'), JSON.stringify(plan(step('a'), step('b'))))
    await aetherflow(['run', 'p.json', '--simulate', 'instant', '--output', 'out'], '', { cwd: folder })
    const files = ['a.md', 'b.md'].map((name) => path.join(folder, 'out/step_outputs', name))
    const before = files.map((file) => readFileSync(file, 'utf8'))
    writeFileSync(files[0] ?? '', 'changed')
    rmSync(files[1] ?? '')
    const { code, stdout } = await aetherflow(['run', '--output', 'out', '--resume', '--json'], '', { cwd: folder })
    expect(code).toBe(0)
    expect(files.map((file) => readFileSync(file, 'utf8'))).toEqual(before)
    expect(jsonLines(stdout).at(-1)).toMatchObject({ type: 'result', outcome: 'ok', report: { counts: { done: 2 } } })
  })

  test('of two that resume the same run, one gets it', async () => {
    const sized = (id: string, estimated_tokens: number) => step(id, [], { estimated_tokens })
    writeFileSync(path.join(folder, 'p.json'), JSON.stringify(plan(sized('long', 10_000))))
    const first = new Process(['run', 'p.json', '--simulate', '--output', 'out', '--json'], { cwd: folder })
    await first.until('"type":"call"')
    first.child.kill('SIGKILL')
    await first.exit()
    const two = [1, 2].map(() => new Process(['run', '--output', 'out', '--resume', '--json'], { cwd: folder }))
    const [refused, owner] = await Promise.race(two.map(async (one, nth) => [await one.exit(), two[1 - nth]] as const))
    expect([refused.code, jsonLines(refused.stdout).at(-1)]).toEqual([
      1,
      expect.objectContaining({ code: 'host.run_locked' }),
    ])
    // The one that has the run may still be reading it: the other was refused by its lock alone.
    await owner?.until('"type":"resumed"')
    for (const { child } of two) child.kill('SIGKILL')
    const stdouts = (await Promise.all(two.map((one) => one.exit()))).map(({ stdout }) => stdout)
    expect(stdouts.filter((text) => text.includes('"type":"resumed"'))).toHaveLength(1)
  })
})
