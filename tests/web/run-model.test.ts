/** What a page folds out of a run's events is what the run's report says; and a journal tells those events once more. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { CoreRun } from '../../bindings/core.js'
import type { RunEvent } from '../../bindings/events.js'
import { readJournal, type Journal } from '../../bindings/journal/reader.js'
import { runPlan, SemanticCache, type RunResult } from '../../node/index.js'
import { loadCore } from '../../node/loader.js'
import { RunModel } from '../../web/element/run-model.js'
import { replayEvents } from '../../web/standard/run/replay-events.js'
import { simulatorProfiles } from '../../web/standard/simulator/index.js'
import { projectPath } from '../fixtures/paths.js'
import { scratch } from '../node/cli-process.js'

interface Ran {
  readonly events: RunEvent[]
  readonly result: RunResult
  readonly journal: Journal
}

const { folder, remove } = scratch()
afterAll(remove)

type Answers = 'called' | 'reused'

/** `reused`: answered by a run before it, as far as that came. */
async function ran(name: string, profile: 'instant' | 'flaky', mode: string, answers: Answers): Promise<Ran> {
  if (answers === 'called') return once(name, profile, mode)
  const cache = await SemanticCache.open({ dir: path.join(folder, `${name}-${profile}-${mode}-cache`) })
  try {
    await once(name, profile, mode, cache, 'first')
    return await once(name, profile, mode, cache, 'second')
  } finally {
    await cache.close()
  }
}

async function once(
  name: string,
  profile: 'instant' | 'flaky',
  mode: string,
  cache?: SemanticCache,
  order = '',
): Promise<Ran> {
  const events: RunEvent[] = []
  const journal = path.join(folder, `${name}-${profile}-${mode}${order}`)
  const text = readFileSync(projectPath(`examples/plans/${name}.json`), 'utf8')
  const result = await runPlan(text, {
    mode,
    journal,
    cache,
    // Retries wait in real time; the answers themselves need not.
    simulate: { ...simulatorProfiles[profile], timeScale: 0.01 },
    policy: { retry: { baseMs: 20, capMs: 80 } },
    folder: projectPath('examples/plans'),
    onEvent: (event) => events.push(event),
    sync: 'never',
  })
  return { events, result, journal: readJournal(readFileSync(path.join(journal, 'journal.jsonl'))) }
}

describe.each([
  ['code-base', 'flaky', 'build', 'called'],
  ['review', 'instant', 'double-check', 'called'],
  ['diamond', 'instant', 'fast', 'called'],
  ['spread', 'instant', 'build', 'called'],
  ['five-files', 'instant', 'build', 'reused'],
  ['code-base', 'flaky', 'build', 'reused'],
] as const)('%s, %s, %s, %s', (name, profile, mode, answers) => {
  let run: Ran
  beforeAll(async () => {
    run = await ran(name, profile, mode, answers)
  }, 60_000)

  test('the model comes to what the report says', () => {
    const model = new RunModel()
    for (const event of run.events) model.apply(event)
    const { report } = run.result
    const { done, failed, skipped, cancelled } = model.counts
    expect({ total: model.rows.length, done, failed, skipped, cancelled }).toEqual(report.counts)
    expect(model.outcome).toBe(run.result.outcome)
    expect(model.calls).toBe(report.totals.calls)
    expect(model.costMicroUsd).toBe(report.totals.costMicroUsd)
    expect(model.open).toBe(0)
    const { cache } = report
    expect(cache === undefined).toBe(answers === 'called')
    const { exact = 0, semantic = 0, shared = 0, savedTokens = 0, savedMicroUsd = 0, savedMs = 0 } = cache ?? {}
    expect(model.reused).toEqual({ exact, semantic, shared, tokens: savedTokens, microUsd: savedMicroUsd, ms: savedMs })
    if (cache !== undefined) expect([exact > 0, model.stepsCalled]).toEqual([true, cache.misses])
    expect(model.counts.waiting + model.counts.ready + model.counts.running).toBe(0)
    for (const [index, step] of report.steps.entries()) {
      const row = model.rows[index]!
      expect([row.info.id, row.state]).toEqual([step.id, step.state])
      expect(row.bars.map(({ provider, purpose }) => [provider, purpose])).toEqual(
        step.calls.map(({ provider, purpose }) => [provider, purpose]),
      )
      expect(row.bars.filter(({ end }) => end === 'ok').length).toBe(
        step.calls.filter(({ outcome }) => outcome === 'ok').length,
      )
    }
  })

  test('a part comes after what the step that spread into it has waited for, and before that step', () => {
    const model = new RunModel()
    for (const event of run.events) model.apply(event)
    const parts = model.rows.filter(({ info }) => info.partOf !== undefined)
    expect(parts.length > 0).toBe(name === 'spread')
    for (const { info } of parts) {
      const whole = model.rows[info.partOf ?? -1]?.info.dependencies ?? []
      const before = whole.filter((step) => model.rows[step]?.info.partOf !== info.partOf)
      expect(whole).toContain(info.step)
      expect(info.dependencies).toEqual(expect.arrayContaining(before))
      expect(before.length).toBeGreaterThan(0)
    }
  })

  test('the journal tells the same events, and of each moment those until then', async () => {
    const module = await loadCore()
    const told = (until: number): RunEvent[] => {
      const events: RunEvent[] = []
      const core = new CoreRun(module)
      try {
        replayEvents(core, run.journal, until, (event) => events.push(event))
      } finally {
        core.dispose()
      }
      return events
    }
    const known = (event: RunEvent): boolean => event.type !== 'progress' && event.type !== 'warning'
    // Times may differ by the ms between a command and its being carried out; bytes are told when they are durable.
    const words = (event: RunEvent): string =>
      [
        event.type,
        'step' in event ? event.step : '',
        'purpose' in event ? event.purpose : '',
        event.type === 'done' ? event.cached : event.type === 'hit' ? [event.kind, event.score, event.savedTokens] : '',
      ].join(' ')
    const whole = told(run.journal.records.length)
    expect(whole.filter(known).map(words).sort()).toEqual(run.events.filter(known).map(words).sort())
    let before = 0
    for (const share of [0.1, 0.4, 0.8]) {
      const part = told(Math.floor(run.journal.records.length * share))
      const model = new RunModel()
      for (const event of part) model.apply(event)
      expect(model.settled).toBeGreaterThanOrEqual(before)
      before = model.settled
    }
    expect(before).toBeLessThanOrEqual(run.result.report.counts.total)
  })
})
