/** The 44 real workflow graphs of the shared data, on the virtual clock. */
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { explainPlan } from '../../node/index.js'
import { sharedPath } from '../fixtures/paths.js'

interface Task {
  readonly id: string
  readonly parents: readonly string[]
  readonly runtime_s: number
}

const file = sharedPath('data/workflows/wfinstances-dag.json')
const present = existsSync(file)
if (!present) console.warn(`SKIPPED the workflow graphs: ${file} is absent`)
const workflows = present
  ? Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, { tasks: Task[] }>)
  : []

/** One token is a tenth of a second here, so that the longest tasks stay within a plan's limits. */
const places = 8
const config = {
  overflow: 'never' as const,
  providers: {
    clock: {
      dialect: 'generic',
      baseUrl: 'http://virtual.invalid',
      key: 'none',
      concurrency: places,
      models: { tenths: { in: 0, out: 0, firstTokenMs: 0, tokensPerSecond: 10, maxOut: 10_000_000 } },
    },
  },
}
const tenths = (task: Task): number => Math.max(1, Math.min(10_000_000, Math.round(task.runtime_s * 10)))

;(present ? describe : describe.skip)('real workflow graphs on the virtual clock', () => {
  test('there are 44', () => expect(workflows.length).toBe(44))

  test.each(workflows)('%s', async (_, { tasks }) => {
    const steps = tasks.map((task) => ({
      id: task.id,
      type: 'testing',
      description: task.id,
      complexity: 0.5,
      estimated_tokens: tenths(task),
      dependencies: task.parents,
      provider: 'clock',
    }))
    const { report } = await explainPlan({ task_id: 'w', description: 'w', steps }, { config })
    expect(report.counts).toMatchObject({ total: tasks.length, done: tasks.length })

    const at = new Map(report.steps.map((step) => [step.id, step]))
    const path = new Map<string, number>()
    const longest = (task: Task): number => {
      // Called in the order of the starts, so the parents are known.
      const before = Math.max(0, ...task.parents.map((id) => path.get(id) ?? 0))
      path.set(task.id, before + tenths(task) * 100)
      return path.get(task.id) ?? 0
    }
    const ordered = [...tasks].sort((a, b) => (at.get(a.id)?.startedAt ?? 0) - (at.get(b.id)?.startedAt ?? 0))
    const critical = Math.max(...ordered.map(longest))
    const work = tasks.reduce((sum, task) => sum + tenths(task) * 100, 0)
    for (const task of tasks) {
      const started = at.get(task.id)?.startedAt ?? -1
      for (const parent of task.parents) expect(at.get(parent)?.settledAt).toBeLessThanOrEqual(started)
    }
    // Between the two lower bounds and the guarantee of every schedule that never idles a place (Graham 1969).
    const bound = Math.max(critical, work / places)
    expect(report.makespanMs).toBeGreaterThanOrEqual(bound)
    expect(report.makespanMs).toBeLessThanOrEqual((2 - 1 / places) * bound + places)
    expect(report.sumOfStepsMs).toBe(work)
  })
})
