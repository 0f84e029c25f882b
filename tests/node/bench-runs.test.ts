// `aetherflow bench PLAN`, `bench suite` and `bench compare`, as somebody types them, on simulated answers.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { armOfFlag, armWords } from '../../node/bench/arms.js'
import type { BenchmarkData } from '../../node/bench/data.js'
import type { ComparisonData } from '../../node/bench/comparison.js'
import { firstTry } from '../../node/bench/data.js'
import { readBenchmark } from '../../node/bench/result-files.js'
import { targets } from '../../node/bench/targets.js'
import type { StepReport } from '../../bindings/events.js'
import { plan, scratch } from './cli-process.js'
import { aetherflow } from './commands.js'

let folder = ''
let remove = (): void => {}
const at = (...parts: string[]): string => path.join(folder, ...parts)
const text = (...parts: string[]): string => readFileSync(at(...parts), 'utf8')
const json = <Kind>(...parts: string[]): Kind => JSON.parse(text(...parts)) as Kind
const bench = (...words: string[]) => aetherflow(['bench', ...words], '', { cwd: folder })

beforeAll(() => {
  ;({ folder, remove } = scratch())
})
afterAll(() => remove())

describe('bench PLAN', () => {
  let data: BenchmarkData
  beforeAll(async () => {
    const ended = await bench(plan('five-files'), '--simulate', '--repeat', '2', '--output', 'one')
    expect([ended.code, ended.stdout]).toEqual([0, expect.stringContaining('2 runs measured (simulated: default)')])
    data = json('one', 'benchmark_data.json')
  })

  test('keeps figures by run, step and call, which it reads again', () => {
    expect(data).toMatchObject({ kind: 'aetherflow.benchmark', version: 1, simulated: 'default', arm: 'default' })
    expect(data.runs.map(({ seed }) => seed)).toEqual([1, 2])
    const [run] = data.runs
    expect(run?.steps).toHaveLength(6)
    const tokens = run?.steps.flatMap(({ calls }) => calls.map((call) => call.tokens.output)) ?? []
    expect(tokens.reduce((sum, one) => sum + one, 0)).toBe(run?.tokens.output)
    expect(run?.expected?.makespanMs).toBeGreaterThan(0)
    expect(readBenchmark(text('one', 'benchmark_data.json'), 'x')).toEqual(data)
  })

  test('tells every target, with what was not exercised', () => {
    expect(data.targets.map(({ name }) => name)).toEqual(targets.map(({ name }) => name))
    const of = (name: string) => data.targets.find((one) => one.name === name)
    expect(of('queue')).toMatchObject({ verdict: 'met' })
    expect(of('network')).toMatchObject({ verdict: 'not exercised', figure: '' })
    expect(of('draftsAccepted')).toMatchObject({ verdict: 'not exercised' })
    const report = text('one', 'benchmark_report.md')
    for (const part of ['first token', 'drafts accepted', 'references right', 'By provider', 'By type', 'By step'])
      expect(report).toContain(part)
    expect(report).toContain('Questions for the planner')
    expect(report).toContain('Estimate against actual')
  })

  test('has a page with charts and timelines, and no script', () => {
    const page = text('one', 'benchmark_report.html')
    expect(page.match(/<svg [^>]*role="img"/g)?.length).toBeGreaterThanOrEqual(5)
    expect(page).not.toMatch(/<script|<img|https?:\/\/(?!www\.w3\.org)/)
    expect(page).toContain('Time of calls by provider: ')
  })

  test('measures the same twice', async () => {
    await bench(plan('five-files'), '--simulate', '--repeat', '2', '--output', 'again')
    expect(json<BenchmarkData>('again', 'benchmark_data.json').runs).toEqual(data.runs)
  })

  test('a plan that is wrong costs nothing and leaves no report', async () => {
    writeFileSync(at('wrong.json'), '{"task_id": "t", "description": "d", "steps": []}')
    const ended = await bench('wrong.json', '--simulate', '--output', 'wrong')
    expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining('error plan.')])
    expect(existsSync(at('wrong'))).toBe(false)
  })
})

describe('bench suite and bench compare', () => {
  const plans = [plan('diamond'), plan('review')]
  beforeAll(async () => {
    const arms = ['--arm', 'slow=mode=build', '--arm', 'quick=mode=fast', '--arm', 'one=concurrency=groq:1+deepseek:1']
    const ended = await bench('suite', ...plans, ...arms, '--simulate', '--output', 'suite')
    expect([ended.code, ended.stdout]).toEqual([0, expect.stringMatching(/36 runs measured[^]*quick against slow/)])
  })

  test('compares every arm with the first, pair by pair, over all plans and by plan', () => {
    const data = json<ComparisonData>('suite', 'comparison_data.json')
    expect(data).toMatchObject({ kind: 'aetherflow.comparison', version: 1, baseline: 'slow', simulated: 'default' })
    const [slow, quick] = data.arms
    expect(slow?.all).toEqual([])
    const time = quick?.all.find(({ figure }) => figure === 'makespanMs')
    expect(time).toMatchObject({ verdict: 'better', relative: true, difference: { n: 12 } })
    expect(time?.difference.high).toBeLessThan(0)
    const same = quick?.all.find(({ figure }) => figure === 'successRate')
    expect(same).toMatchObject({ verdict: 'no difference shown', difference: { value: 0 } })
    expect(quick?.byPlan.map(({ plan: name }) => name)).toEqual(['diamond.json', 'review.json'])
    for (const name of ['diamond', 'review'])
      for (const arm of ['slow', 'quick', 'one'])
        expect(existsSync(at('suite', name, arm, 'benchmark_report.html'))).toBe(true)
    expect(text('suite', 'comparison_report.md')).toContain('no difference shown')
    expect(text('suite', 'comparison_report.html')).toContain('href="diamond/slow/benchmark_report.html"')
  })

  test('earlier results: by folder, and of a suite by label', async () => {
    const folders = await bench('compare', 'suite/diamond/slow', 'suite/diamond/quick', '--output', 'compared')
    expect([folders.code, folders.stdout]).toEqual([0, expect.stringContaining('quick against slow: time −')])
    expect(json<ComparisonData>('compared', 'comparison_data.json').plans).toEqual(['diamond.json'])
    const labels = ['--baseline-label', 'slow', '--optimized-label', 'quick']
    const whole = await bench('compare', 'suite', 'suite', ...labels, '--json')
    const { arms } = JSON.parse(whole.stdout) as ComparisonData
    const kept = json<ComparisonData>('suite', 'comparison_data.json').arms[1]
    expect(arms[1]?.all).toEqual(kept?.all)
  })

  test('labels name the arms; too few pairs say so', async () => {
    const ended = await bench(
      ...['suite', plan('diamond'), '--arm', 'a', '--arm', 'b=mode=fast', '--simulate', '--repeat', '2'],
      ...['--baseline-label', 'before', '--optimized-label', 'after', '--output', 'labels'],
    )
    expect(ended.stdout).toContain('after against before')
    const data = json<ComparisonData>('labels', 'comparison_data.json')
    expect(data.arms[1]?.all.map(({ verdict }) => verdict)).toEqual(data.arms[1]?.all.map(() => 'too few pairs'))
    expect(data.remarks.join()).toContain('Fewer than 6 pairs')
  })

  test.each([
    [['compare', 'suite', 'suite/diamond/quick'], 'holds the arms'],
    [['compare', 'nothing', 'suite'], 'cannot be read: ENOENT'],
    [['compare', 'suite/comparison_data.json', 'suite'], 'is not the result of a benchmark'],
    [['suite', plan('diamond'), '--simulate', '--arm', 'x=mood=fast'], "no setting 'mood'"],
    [['suite', plan('diamond'), '--simulate', '--arm', 'x', '--arm', 'X'], 'two arms have one name'],
    [['suite', plan('diamond'), '--simulate', '--arm', '../x=mode=fast'], 'a name of letters'],
  ])('%s is refused', async (words, why) => {
    const ended = await bench(...words)
    expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining(why)])
  })
})

test('results that are damaged are refused, with the file', () => {
  const whole = { ...json<BenchmarkData>('one', 'benchmark_data.json') }
  const refused = (value: unknown): unknown => {
    try {
      return readBenchmark(typeof value === 'string' ? value : JSON.stringify(value), 'f.json')
    } catch (error) {
      return error
    }
  }
  const usage = (detail: RegExp) =>
    expect.objectContaining({ code: 'host.usage', where: 'f.json', detail: expect.stringMatching(detail) })
  expect(refused('{')).toEqual(usage(/JSON/))
  expect(refused([])).toEqual(usage(/not the result/))
  expect(refused({ ...whole, version: 9 })).toEqual(usage(/version 9/))
  expect(refused({ ...whole, runs: [{ ...whole.runs[0], makespanMs: 'long' }] })).toEqual(usage(/damaged/))
  expect(refused({ ...whole, runs: [{ ...whole.runs[0], steps: [{}] }] })).toEqual(usage(/damaged/))
  expect(refused({ ...whole, settings: { concurrency: 'x' } })).toEqual(
    expect.objectContaining({ code: 'host.usage', detail: expect.stringContaining('concurrency') }),
  )
})

test('arms: words, files, and a configuration as it is', () => {
  expect(armOfFlag('a').settings).toEqual({})
  expect(armOfFlag('a=strip=off,providers=groq+gemini,concurrency=groq:2,cache=off').settings).toEqual({
    ...{ strip: false, providers: ['groq', 'gemini'], concurrency: { groq: 2 } },
  })
  writeFileSync(at('arm.json'), JSON.stringify({ mode: 'fast', concurrency: { groq: 3 }, config: { repairs: 0 } }))
  expect(armOfFlag(`b=${at('arm.json')}`).settings).toEqual({
    ...{ mode: 'fast', concurrency: { groq: 3 }, config: { repairs: 0 } },
  })
  writeFileSync(at('config.json'), JSON.stringify({ repairs: 0 }))
  expect(armOfFlag(`c=${at('config.json')}`).settings).toEqual({ config: { repairs: 0 } })
  expect(armWords(armOfFlag('d=mode=fast,strip=on').settings)).toBe('mode fast; stripping on')
  expect(armWords({})).toBe('as configured')
})

test('right at the first try: not after a repair, and not where nothing could fail', () => {
  const call = (more: object) => ({ purpose: 'main', outcome: 'ok', ...more })
  const step = (calls: object[], more: object = {}): StepReport => ({ state: 'done', calls, ...more }) as never
  expect(firstTry(step([call({ check: 'passed' })]))).toBe(true)
  expect(firstTry(step([call({})]))).toBeNull()
  expect(firstTry(step([]))).toBeNull()
  // A provider that failed said nothing of the answer.
  expect(firstTry(step([call({ outcome: 'server_error' }), call({ check: 'extracted' })]))).toBe(true)
  expect(firstTry(step([call({ outcome: 'constraint_violated', check: 'not_json' }), call({ check: 'passed' })]))).toBe(
    false,
  )
  expect(firstTry(step([call({ check: 'passed' })], { audit: 'issues' }))).toBe(false)
  expect(firstTry(step([call({ check: 'passed' })], { repaired: true }))).toBe(false)
  // A draft counts where it was delivered; a verdict on it is no answer.
  const drafted = [call({ purpose: 'draft', check: 'passed' }), call({ purpose: 'verify', check: 'not_json' })]
  expect(firstTry(step(drafted, { draft: 'draft_accepted' }))).toBe(true)
  expect(firstTry(step(drafted, { draft: 'draft_patched' }))).toBe(false)
  expect(firstTry(step([...drafted, call({})], { draft: 'draft_rejected' }))).toBeNull()
  expect(firstTry(step([...drafted, call({ check: 'not_json' })], { draft: 'draft_rejected' }))).toBe(false)
})

test('steps that ask for documents find them in the folder of their plan, and cost what a run sends', async () => {
  const step = { id: 'a', type: 'documentation', description: 'How is the cache reset?' }
  const asks = { ...step, context: { documents: { question: 'cache reset' } } }
  writeFileSync(at('notes.md'), '# Cache\n\nIt is reset by hand, every Monday.\n')
  const planOf = (steps: object[]) => JSON.stringify({ task_id: 'asks', description: 'd', steps })
  writeFileSync(at('asks.json'), planOf([asks]))
  writeFileSync(at('plain.json'), planOf([step]))
  const inputOf = async (name: string, output: string) => {
    expect((await bench(name, '--simulate', '--output', output)).code).toBe(0)
    return json<BenchmarkData>(output, 'benchmark_data.json').runs[0]!.tokens.input
  }
  expect(await inputOf('asks.json', 'asks')).toBeGreaterThan(await inputOf('plain.json', 'unasked'))
  expect(await bench('parallel', 'asks.json', '--runs', '1')).toMatchObject({ code: 0, stderr: '' })
  const without = await bench('asks.json', '--simulate', '--docs', 'off', '--output', 'without')
  expect([without.code, without.stderr]).toEqual([
    1,
    expect.stringContaining('docs.none at /steps/0/context/documents'),
  ])
})

describe('drafts as an arm', () => {
  const steps = Array.from({ length: 3 }, (_, index) => ({
    ...{ id: `s${index}`, type: 'documentation', description: `Describe part ${index}`, estimated_tokens: 900 },
  }))
  const draftsOf = (...place: string[]) => json<BenchmarkData>(...place, 'benchmark_data.json')
  beforeAll(async () => {
    writeFileSync(at('manual.json'), JSON.stringify({ task_id: 'manual', description: 'A manual', steps }))
    const arms = ['--arm', 'plain', '--arm', 'drafts=draft=always']
    const ended = await bench('suite', 'manual.json', ...arms, '--simulate', '--repeat', '6', '--output', 'drafts')
    expect([ended.code, ended.stdout]).toEqual([0, expect.stringContaining('drafts against plain: time −')])
  })

  test('each of its targets has a figure, over all runs; the arm without them says that none was drafted', () => {
    const [plain, drafts] = json<ComparisonData>('drafts', 'comparison_data.json').arms
    const of = (arm: typeof plain, name: string) => arm?.targets.find((one) => one.name === name)
    expect(of(plain, 'draftsAccepted')).toMatchObject({ verdict: 'not exercised', figure: '' })
    const made = draftsOf('drafts', 'manual', 'drafts').runs.map((run) => run.drafts!)
    const accepted = made.reduce((sum, one) => sum + one.accepted, 0)
    expect(made.map(({ eligible }) => eligible)).toEqual([3, 3, 3, 3, 3, 3])
    expect(of(drafts, 'draftsAccepted')).toMatchObject({
      verdict: accepted / 18 > 0.7 ? 'met' : 'missed',
      figure: expect.stringContaining(`(${accepted} of 18)`),
    })
    expect(of(drafts, 'draftSpeedup')).toMatchObject({
      verdict: 'met',
      figure: expect.stringMatching(/^[1-9]\.\d\d×$/),
    })
    expect(drafts?.all.find(({ figure }) => figure === 'makespanMs')).toMatchObject({ verdict: 'better' })
  })

  test('a draft and its confirmation are two figures; data from before drafts is read', () => {
    const data = draftsOf('drafts', 'manual', 'drafts')
    const { provisionalMs, confirmedMs } = data.figures
    expect(provisionalMs?.value).toBeLessThan(confirmedMs?.value ?? 0)
    const before = { ...data, runs: data.runs.map(({ drafts: _drafts, ...run }) => run) }
    expect(readBenchmark(JSON.stringify(before), 'x').runs.map(({ drafts }) => drafts)).toEqual(
      data.runs.map(() => null),
    )
    const damaged = { ...data, runs: data.runs.map((run) => ({ ...run, drafts: { eligible: 1 } })) }
    expect(() => readBenchmark(JSON.stringify(damaged), 'x')).toThrow('damaged')
  })

  test('`--draft` of a single plan; where drafting is expected to gain too little the target says so', async () => {
    const settings = ['--simulate', '--output']
    await bench('manual.json', '--draft', 'always', ...settings, 'always')
    expect(draftsOf('always').runs[0]?.drafts?.eligible).toBe(3)
    const short = steps.map((step) => ({ ...step, estimated_tokens: 40 }))
    writeFileSync(at('short.json'), JSON.stringify({ task_id: 'short', description: 'A note', steps: short }))
    await bench('short.json', '--draft', 'auto', ...settings, 'short')
    expect(draftsOf('short').targets.find(({ name }) => name === 'draftsAccepted')).toMatchObject({
      verdict: 'not exercised',
      because: expect.stringContaining('none of 3 steps was drafted'),
    })
  })
})
