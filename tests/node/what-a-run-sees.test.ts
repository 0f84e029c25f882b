/** `check` and `explain` see what the run will see, in the run's own figures. Simulated where it says so. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import {
  AetherflowError,
  checkPlan,
  explainPlan,
  runPlan,
  type RunEvent,
  type RunPlanOptions,
  type RunReport,
  type SimulatorProfile,
} from '../../node/index.js'
import { RunView } from '../../node/cli/run-view.js'
import { RunModel } from '../../web/element/run-model.js'
import { createSimulator, simulatorProfiles } from '../../web/standard/simulator/index.js'
import { PatientClock } from '../faults/patient-clock.js'

let folder = ''
beforeEach(() => void (folder = mkdtempSync(path.join(tmpdir(), 'aetherflow-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const step = (id: string, more: object = {}): object => ({ id, type: 'analysis', description: `do ${id}`, ...more })
const plan = (...steps: object[]) => ({ task_id: 't', description: 'd', steps })
const config = {}

/** What each of the three says of a plan that none of them may take, and whether anything was called. */
async function refusals(source: ReturnType<typeof plan>): Promise<{ errors: AetherflowError[]; called: number }> {
  let called = 0
  const onEvent = ({ type }: RunEvent): void => void (called += type === 'call' ? 1 : 0)
  const options = { config, folder }
  const each = [
    checkPlan(source, options),
    explainPlan(source, options),
    runPlan(source, { ...options, simulate: 'instant', onEvent }),
  ]
  const errors = await Promise.all(
    each.map((one) =>
      Promise.resolve(one).then(
        () => undefined,
        (error: unknown) => error,
      ),
    ),
  )
  for (const error of errors) expect(error).toBeInstanceOf(AetherflowError)
  return { errors: errors as AetherflowError[], called }
}

describe('what none of check, explain and run takes', () => {
  test.each([
    ['a missing file', { context: { files: ['src/missing.ts'] } }, 'host.io_failed', '/steps/1/context/files/0'],
    ['a folder', { context: { files: ['.'] } }, 'host.file_refused', '/steps/1/context/files/0'],
    ['an unknown provider', { provider: 'claude' }, 'route.unknown_provider', '/steps/1/provider'],
    ['an unknown model', { provider: 'groq/does-not-exist' }, 'route.unknown_provider', '/steps/1/provider'],
    ['a misspelt reference', { description: '{{steps.a.ouput}}' }, 'plan.bad_template', '/steps/1/description'],
    ['a placeholder', { description: 'About {{topic}}' }, 'plan.bad_template', '/steps/1/description'],
  ])('%s', async (_, more, code, where) => {
    const { errors, called } = await refusals(plan(step('a'), step('b', { dependencies: ['a'], ...more })))
    for (const error of errors) expect(error).toMatchObject({ code, where })
    expect(called).toBe(0)
  })

  test('all of it at once', async () => {
    const files = { context: { files: ['one.txt', 'two.txt'] } }
    const { errors } = await refusals(
      plan(step('a', files), step('b', { context: { files: ['three.txt', 'one.txt'] } })),
    )
    for (const { where, others } of errors) {
      expect([where, ...others.map((other) => other.where)]).toEqual([
        '/steps/0/context/files/0',
        '/steps/0/context/files/1',
        '/steps/1/context/files/0',
      ])
    }
    const routes = await refusals(plan(step('a', { provider: 'x' }), step('b'), step('c', { provider: 'gemini/y' })))
    for (const { where, others } of routes.errors) {
      expect([where, ...others.map((other) => other.where)]).toEqual(['/steps/0/provider', '/steps/2/provider'])
    }
  })
})

describe('context files', () => {
  test('their size is in the estimate, as it is in the run (simulated)', async () => {
    writeFileSync(path.join(folder, 'large.txt'), 'The quick brown fox jumps over the lazy dog.\n'.repeat(10_000))
    const source = plan(step('a', { estimated_tokens: 200, context: { files: ['large.txt'] } }))
    const small = await explainPlan(plan(step('a', { estimated_tokens: 200 })), { config, folder, simulate: 'instant' })
    const explained = await explainPlan(source, { config, folder, simulate: 'instant' })
    const { report } = await runPlan(source, { config, folder, simulate: 'instant' })
    const input = explained.report.totals.tokens.input
    expect(input).toBeGreaterThan(50 * small.report.totals.tokens.input)
    expect(Math.abs(input - report.totals.tokens.input)).toBeLessThan(0.2 * report.totals.tokens.input)
    const { low, high } = explained.costMicroUsd
    expect(report.totals.costMicroUsd).toBeGreaterThan(low * 0.8)
    expect(report.totals.costMicroUsd).toBeLessThan(high * 1.2)
  })

  test('a budget that they break does not suffice, and explain says so', async () => {
    writeFileSync(path.join(folder, 'large.txt'), 'word '.repeat(200_000))
    const source = plan(step('a', { context: { files: ['large.txt'] } }))
    const policy = { budget: { run: { usd: 0.02 } } }
    const { report } = await explainPlan(source, { config, folder, policy })
    expect(report.counts.done).toBe(0)
    const ran = await runPlan(source, { config, folder, policy, simulate: 'instant' })
    expect(ran.outcome).toBe('budget_exhausted')
  })
})

/** Answers take as long as they are planned: n tokens are 1 s and n × 29 ms / 1.5. No chance. */
const steady = { firstTokenMs: 1000, tokensPerSecond: 1500 / 29, jitter: 0, concurrency: 39 }
const tokensFor = (seconds: number): number => Math.floor(((seconds - 1) * 1500) / 29)
const seeds = (timeScale: number): SimulatorProfile => ({
  name: 'seeds',
  timeScale,
  auditIssueShare: 0,
  answerShare: 0.25,
  providers: { deepseek: steady, groq: steady, openai: steady, gemini: steady, mistral: steady },
})

/** The run of a plan on a virtual clock, simulator and all: what this machine takes for it counts for nothing. */
async function playedVirtually(
  source: ReturnType<typeof plan>,
  more: (clock: PatientClock) => Pick<RunPlanOptions, 'deliver' | 'onEvent'> = () => ({}),
): Promise<RunReport> {
  const clock = new PatientClock()
  const { onEvent: hear, ...rest } = more(clock)
  const simulator = createSimulator(seeds(1), { clock })
  const ids = Object.keys(seeds(1).providers)
  const providers = Object.fromEntries(
    ids.map((id) => [
      id,
      { key: 'k', baseUrl: `http://simulated.invalid/${id}${id === 'gemini' ? '/v1beta' : '/v1'}` },
    ]),
  )
  let told = 0
  const onEvent = (event: RunEvent): void => {
    told += 1
    hear?.(event)
  }
  const { fetch } = simulator
  const run = runPlan(source, { config: { providers }, fetch, clock, stream: false, ...rest, onEvent })
  const quiet = { mark: () => `${told} ${simulator.ledger.entries.length}`, still: () => told > 0 }
  return (await clock.drive(run, quiet)).report
}

describe('one clock', () => {
  const lasting = (id: string, seconds: number, more: object = {}): object =>
    step(id, { estimated_tokens: tokensFor(seconds), ...more })
  const cases = [
    {
      name: '82 s of work',
      source: plan(
        ...['a', 'b', 'c'].map((id) => lasting(id, 18)),
        lasting('d', 28, { dependencies: ['a', 'b', 'c'] }),
      ),
      mostMs: 46_000,
      workMs: 82_000,
    },
    {
      name: '150 s of work',
      source: plan(...[1, 2, 3, 4, 5].map((n) => lasting(`f${n}`, 30))),
      mostMs: 35_000,
      workMs: 150_000,
    },
  ]
  test.each(cases)('$name: explain and the run agree, in the time of the profile (simulated)', async (one) => {
    const { report: planned } = await explainPlan(one.source, { config, simulate: seeds(1) })
    const ran = await playedVirtually(one.source)
    for (const { makespanMs } of [planned, ran]) expect(makespanMs).toBeLessThanOrEqual(one.mostMs)
    expect(Math.abs(planned.sumOfStepsMs - one.workMs)).toBeLessThan(0.02 * one.workMs)
    expect(Math.abs(ran.makespanMs - planned.makespanMs)).toBeLessThan(0.05 * planned.makespanMs)
  })

  test('a step took one time, on the screen, in the page and in the report, however long its output takes to write', async () => {
    const source = plan(lasting('a', 10), lasting('b', 20, { dependencies: ['a'] }))
    const [screen, page] = [new RunView(), new RunModel()]
    const late: number[] = []
    const report = await playedVirtually(source, (clock) => ({
      deliver: () => new Promise<void>((resolve) => void clock.after(5000, resolve)),
      onEvent: (event) => {
        screen.apply(event)
        page.apply(event)
        if (event.type === 'done') late.push(event.at)
      },
    }))
    const took = ({ startedAt, endedAt }: { startedAt?: number | undefined; endedAt?: number | undefined }): number =>
      (endedAt ?? NaN) - (startedAt ?? NaN)
    for (const [i, { id, startedAt, settledAt }] of report.steps.entries()) {
      const written = (settledAt ?? 0) - (startedAt ?? 0)
      expect(written).toBeGreaterThan(9_000)
      expect(late[i]).toBeGreaterThanOrEqual((settledAt ?? 0) + 5000)
      expect({ id, screen: took(screen.row(id)!), page: took(page.rows[i]!) }).toEqual({
        id,
        screen: written,
        page: written,
      })
    }
  })

  test('a run that is played faster tells the time of the profile all the same (simulated)', async () => {
    const source = plan(lasting('a', 10), lasting('b', 10, { dependencies: ['a'] }))
    const { report } = await runPlan(source, { config, simulate: seeds(0.02) })
    // No simulated second is shorter than told; how much longer they are is this machine's affair.
    expect(report.makespanMs).toBeGreaterThan(19_800)
    for (const { startedAt, settledAt } of report.steps)
      expect((settledAt ?? 0) - (startedAt ?? 0)).toBeGreaterThan(9_900)
  })

  test('explain with a profile uses its times; the pace at which it is played changes no figure', async () => {
    const source = plan(lasting('a', 10), lasting('b', 10, { dependencies: ['a'] }))
    const makespan = async (simulate: SimulatorProfile): Promise<number> =>
      (await explainPlan(source, { config, simulate })).report.makespanMs
    const slow = { ...seeds(1), providers: { ...seeds(1).providers, gemini: { ...steady, firstTokenMs: 5000 } } }
    expect(await makespan(slow)).toBe((await makespan(seeds(1))) + 2 * 4000)
    expect(await makespan(seeds(0.001))).toBe(await makespan(seeds(1)))
    expect(await makespan(simulatorProfiles.mission)).not.toBe(await makespan(simulatorProfiles.default))
  })
})

describe('options', () => {
  test('that there are not are refused with what was meant', async () => {
    const misspelt = { simulat: 'instant', config } as object
    for (const each of [runPlan(plan(step('a')), misspelt), explainPlan(plan(step('a')), misspelt)]) {
      await expect(each).rejects.toMatchObject({
        code: 'host.usage',
        where: 'simulat',
        detail: expect.stringContaining("did you mean 'simulate'?"),
      })
    }
  })
})
