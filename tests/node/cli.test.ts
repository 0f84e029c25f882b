import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { root } from '../checks/sources.js'
import { jsonLines, plan, scratch } from './cli-process.js'
import { aetherflow } from './commands.js'

// Processes start slowly on a busy machine; no test waits for the clock.
jest.setTimeout(30_000)

let folder = ''
let remove = (): void => {}
beforeEach(() => void ({ folder, remove } = scratch()))
afterEach(() => remove())

const steps = (...list: object[]): string =>
  JSON.stringify({
    task_id: 't',
    description: 'd',
    steps: list.map((step) => ({ type: 'analysis', description: 'x', ...step })),
  })
const file = (name: string, text: string): string => {
  writeFileSync(path.join(folder, name), text)
  return path.join(folder, name)
}
const read = (...parts: string[]): string => readFileSync(path.join(folder, ...parts), 'utf8')

describe('exit codes', () => {
  const cycle = steps({ id: 'a', dependencies: ['b'] }, { id: 'b', dependencies: ['a'] })
  const lost = steps({ id: 'a', context: { files: ['absent.txt'] } }, { id: 'b', dependencies: ['a'] }, { id: 'c' })
  test.each([
    [0, 'run - --simulate instant', steps({ id: 'a' }), ''],
    [1, 'run - --simulate instant', lost, ''],
    [2, 'run - --simulate instant', cycle, 'plan.cycle'],
    [2, 'run - --simulate instant', '{"steps":[', 'json.malformed'],
    [2, 'run - --simulate instant', '[]', 'plan.not_object'],
    [2, 'run - --simulate nonsense', '', 'host.usage'],
    [2, 'run - --simulate --mode wild', steps({ id: 'a' }), 'options.invalid'],
    [2, 'run - --simulate --concurrency groq=0', '', 'host.usage'],
    [2, 'run - --simulate --seed x', '', 'host.usage'],
    [2, 'run -', steps({ id: 'a' }), 'route.no_provider'],
    [2, 'run -', steps({ id: 'a' }), 'route.no_provider'],
    [2, 'run absent.json --simulate', '', 'host.usage'],
    [2, 'run - --config absent.json', '', 'host.config'],
    [2, 'run - --wat', '', 'host.usage'],
    [2, 'run', '', 'host.usage'],
    [2, 'run a b', '', 'host.usage'],
    [2, 'wat', '', 'host.usage'],
    [2, 'check -', cycle, 'plan.cycle'],
    [2, 'explain -', cycle, 'plan.cycle'],
    [1, 'run - --simulate --output /dev/null/x', steps({ id: 'a' }), 'host.io_failed'],
  ])('%i: %s (%#)', async (code, words, input, error) => {
    const ended = await aetherflow(words.split(' '), input, { cwd: folder })
    expect(`${ended.code} ${ended.stderr}`).toMatch(new RegExp(`^${code} ${error === '' ? '$' : `error ${error}`}`))
    // Two lines and no stack: what is wrong and where, then what to do.
    if (error !== '') expect(ended.stderr).toMatch(/^error [^\n]+\n {2}[^\n]+\n$/)
  })

  test('help and version succeed, a missing command does not', async () => {
    const [help, version, none] = await Promise.all([['--help'], ['--version'], []].map((words) => aetherflow(words)))
    expect([help?.code, version?.code, none?.code]).toEqual([0, 0, 2])
    expect(help?.stdout).toContain('Exit codes')
    expect(version?.stdout.trim()).toBe(
      (JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as { version: string }).version,
    )
  })

  test('a plan error names its place', async () => {
    const { stderr, stdout } = await aetherflow(['check', '-'], cycle)
    expect(stderr).toMatch(/^error plan\.cycle at \/steps\/\d+\/dependencies\/0: .*a.*→.*b/)
    expect(stdout).toBe('')
  })
})

describe('run', () => {
  test('plain lines, and the summary at the end', async () => {
    const { code, stdout } = await aetherflow(['run', plan('diamond'), '--simulate', 'instant'])
    expect(code).toBe(0)
    const lines = stdout.trimEnd().split('\n')
    expect(lines[0]).toBe('plan diamond.json, mode build (simulated: instant)')
    for (const id of ['outline', 'risks', 'interface', 'decision']) {
      const start = lines.findIndex((line) => line.includes(`start   ${id} `))
      const done = lines.findIndex((line) => line.includes(`done    ${id} `))
      expect(start).toBeGreaterThan(0)
      expect(done).toBeGreaterThan(start)
    }
    expect(stdout).toMatch(/✓ 4 of 4 steps done in .+ \(simulated: instant\)\n/)
    expect(stdout).not.toContain('\u001b')
  })

  test('quiet: one line, labelled', async () => {
    const { stdout, stderr } = await aetherflow(['run', plan('diamond'), '--simulate', 'instant', '--quiet'])
    expect(stdout).toMatch(
      /^✓ 4 of 4 steps done in .+ \(simulated: instant\), outputs in aetherflow-out\/diamond-\d{8}-\d{6}(-\d+)?\n$/,
    )
    expect(stderr).toBe('')
  })

  test('five files and a summary: outputs, run.json and report.md, all labelled', async () => {
    const out = path.join(folder, 'out')
    const { code, stdout } = await aetherflow(['run', plan('five-files'), '--simulate', 'instant', '--output', out])
    expect(code).toBe(0)
    expect(stdout).toContain(`${out}/report.md`)
    const names = ['access-log-review.md', 'cart.ts', 'csv.ts', 'dates-tests.ts', 'retry.ts', 'summary.md']
    expect(readdirSync(path.join(out, 'step_outputs')).sort()).toEqual(names)
    const record = JSON.parse(read('out', 'run.json')) as Record<string, unknown>
    expect(record).toMatchObject({ simulated: 'instant', plan: 'five-files.json', outcome: 'ok' })
    expect(record['outputs']).toMatchObject({ cart: 'step_outputs/cart.ts' })
    expect(record['report']).toMatchObject({ outcome: 'ok', counts: { total: 6, done: 6 } })
    expect(read('out', 'report.md')).toMatch(/^# five-files \(simulated: instant\)\n/)
  })

  test('a failed step: its dependents are skipped, the rest is done, the report says why', async () => {
    const text = steps({ id: 'a', provider: 'openai' }, { id: 'b', dependencies: ['a'] }, { id: 'c', provider: 'groq' })
    // A profile of one's own: one provider that refuses its key.
    const refusing = { firstTokenMs: 0, tokensPerSecond: 1e6, failures: [{ kind: 'auth', share: 1 }] }
    const profile = file('refusing.json', JSON.stringify({ name: 'refusing', providers: { openai: refusing } }))
    const targets = file('targets.json', JSON.stringify({ targets: { responseMs: 1000 } }))
    const words = ['run', file('p.json', text), `--simulate=${profile}`, '--output', path.join(folder, 'out')]
    const { code, stdout } = await aetherflow([...words, '--config', targets])
    expect(code).toBe(1)
    expect(stdout).toContain('✗ 1 of 3 steps done, 1 failed, 1 skipped')
    expect(readdirSync(path.join(folder, 'out/step_outputs'))).toEqual(['c.md'])
    expect(read('out', 'report.md')).toMatch(/\| a \| failed \| auth: /)
    expect(read('out', 'report.md')).toMatch(/\| b \| skipped \| .*because of a/)
    expect(read('out', 'report.md')).toContain('aetherflow providers tells which keys are accepted')
    expect(read('out', 'report.md')).toContain('They are those of targets.json.')
  })

  test('ids that would escape stay inside', async () => {
    const ids = ['../../escaped', '..', 'A', 'a', 'CON', '/etc/x']
    const text = steps(...ids.map((id) => ({ id })))
    const words = [
      'run',
      file('p.json', text),
      '--simulate',
      'instant',
      '--quiet',
      '--output',
      path.join(folder, 'deep/out'),
    ]
    expect((await aetherflow(words)).code).toBe(0)
    expect(readdirSync(folder).sort()).toEqual(['deep', 'p.json'])
    expect(readdirSync(path.join(folder, 'deep'))).toEqual(['out'])
    expect(readdirSync(path.join(folder, 'deep/out')).sort()).toEqual([
      ...['journal.jsonl', 'report.html', 'report.md', 'run.json', 'run.lock.1', 'step_outputs', 'timeline.svg'],
    ])
    expect(readdirSync(path.join(folder, 'deep/out/step_outputs'))).toHaveLength(ids.length)
  })

  test('a bad plan leaves no folder behind', async () => {
    const words = ['run', '-', '--simulate', 'instant', '--output', path.join(folder, 'out')]
    expect((await aetherflow(words, '{}')).code).toBe(2)
    expect(readdirSync(folder)).toEqual([])
  })

  test('double-check: every result is audited', async () => {
    const { code, stdout } = await aetherflow([
      'run',
      plan('review'),
      '--simulate',
      'instant',
      '--mode',
      'double-check',
      '--json',
    ])
    expect(code).toBe(0)
    const lines = jsonLines(stdout)
    const audits = lines.filter(({ type, purpose }) => type === 'answer' && purpose === 'audit')
    expect(audits.map(({ step }) => step).sort()).toEqual(['money', 'slug', 'verdict'])
  })
})

describe('the other commands', () => {
  test('check: counts, DOT and JSON', async () => {
    const [plain, dot, json] = await Promise.all(
      [[], ['--dot'], ['--json']].map((flags) => aetherflow(['check', plan('diamond'), ...flags])),
    )
    expect(plain?.stdout).toBe('✓ diamond.json: 4 steps, 4 dependencies, 0 warnings\n')
    expect(dot?.stdout).toMatch(/^digraph/)
    expect(JSON.parse(json?.stdout ?? '')).toMatchObject({
      ok: true,
      warnings: [],
      steps: [{ id: 'outline' }, {}, {}, {}],
    })
  })

  test('check --json tells an error in JSON as well', async () => {
    const { code, stdout } = await aetherflow(['check', '-', '--json'], '{"steps":[]}')
    expect(code).toBe(2)
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, error: { code: 'plan.empty' } })
  })

  test('explain: figures, routes with reasons, and a chart of at most 100 columns', async () => {
    const { code, stdout } = await aetherflow(['explain', plan('five-files')])
    expect(code).toBe(0)
    expect(stdout).toMatch(/makespan .* of work/)
    expect(stdout).toMatch(/cost .*expected.* to .*prices of/)
    expect(stdout).toMatch(/cart +mistral codestral-\S+ +refactoring wants a model made for code/)
    expect(stdout).toMatch(/cart +MMM/)
    expect(stdout).toContain('no keys are set: explained as if all providers were configured')
    const chart = stdout.split('\n').filter((line) => /^\S+ +([A-Z])\1+$/.test(line))
    expect(chart).toHaveLength(6)
    expect(Math.max(...chart.map((line) => line.length))).toBeLessThanOrEqual(100)
  })

  test('explain --json has all of it', async () => {
    const { stdout } = await aetherflow(['explain', plan('mission'), '--json', '--simulate'])
    expect(JSON.parse(stdout)).toMatchObject({
      virtual: true,
      simulated: 'default',
      warnings: [],
      report: { counts: { done: 5 } },
    })
  })

  test('generate: the answer on stdout and nothing else there', async () => {
    for (const mode of ['build', 'double-check']) {
      const { code, stdout, stderr } = await aetherflow([
        'generate',
        'Say hello',
        '--simulate',
        'instant',
        '--mode',
        mode,
      ])
      expect(code).toBe(0)
      expect(stdout.match(/Simulated answer/g)).toHaveLength(1)
      expect(stderr).toMatch(/^✓ 1 of 1 step done in .*\(simulated: instant\)\n$/)
    }
  })
})

describe('run --json', () => {
  const documented = [...readFileSync(`${root}node/cli/README.md`, 'utf8').matchAll(/^\| `([A-Za-z]+)` +\|/gm)].map(
    ([, type]) => type,
  )

  test('parses line by line, labelled, in the documented order, the result last', async () => {
    const { code, stdout, stderr } = await aetherflow(['run', plan('diamond'), '--simulate', 'instant', '--json'])
    expect([code, stderr]).toEqual([0, ''])
    const lines = jsonLines(stdout)
    expect(lines.every(({ simulated }) => simulated === 'instant')).toBe(true)
    expect(lines.filter(({ type }) => !documented.includes(String(type)))).toEqual([])
    expect(lines[0]).toMatchObject({ type: 'folder', path: expect.stringContaining('aetherflow-out/diamond-') })
    expect(lines[1]).toMatchObject({ type: 'steps', at: expect.any(Number) })
    expect(lines.at(-1)).toMatchObject({ type: 'result', outcome: 'ok', report: { counts: { done: 4 } } })
    expect(lines.filter(({ type }) => type === 'result')).toHaveLength(1)
    for (const id of ['outline', 'risks', 'interface', 'decision']) {
      const types = lines.filter(({ step, type }) => step === id && type !== 'progress').map(({ type }) => type)
      expect(types).toEqual(['call', 'prompt', 'firstToken', 'answer', 'callEnd', 'done'])
    }
    const times = lines.flatMap(({ at }) => (typeof at === 'number' ? [at] : []))
    expect(times).toEqual([...times].sort((a, b) => a - b))
  })

  test('a run without a result ends in an error line', async () => {
    const { code, stdout, stderr } = await aetherflow(['run', '-', '--simulate', '--json'], '{"steps":[]}')
    expect(code).toBe(2)
    expect(jsonLines(stdout).at(-1)).toMatchObject({ type: 'error', code: 'plan.empty', simulated: 'default' })
    expect(stderr).toMatch(/^error plan\.empty/)
  })
})
