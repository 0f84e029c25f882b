/** The published schema holds every event: of all traces, and of runs that were really carried out; and calls add up by their numbers. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { CoreRun } from '../../bindings/core.js'
import { AetherflowError } from '../../bindings/errors.js'
import type { RunEvent } from '../../bindings/events.js'
import { eventsSchema } from '../../bindings/events-schema.js'
import { MemoryJournal } from '../../bindings/journal/journal.js'
import { readJournal } from '../../bindings/journal/reader.js'
import { JournalRecorder } from '../../bindings/journal/recorder.js'
import { runPlan, type RunResult } from '../../node/index.js'
import { loadCore } from '../../node/loader.js'
import { replayEvents } from '../../web/standard/run/replay-events.js'
import { simulatorProfiles } from '../../web/standard/simulator/index.js'
import { projectPath } from '../fixtures/paths.js'
import { header } from './journalled.js'
import { TracePlayer } from './trace-player.js'
import { readTrace } from './trace-runner.js'

const ajv = new Ajv2020({ allErrors: true, strict: false })
ajv.addSchema(eventsSchema, 'events')
const whole = ajv.getSchema('events')!

/** Judged by the schema of its own type: `oneOf` would only say that none fits. */
function faultOf(event: RunEvent): string | undefined {
  const own = ajv.getSchema(`events#/$defs/events/${event.type}`)
  if (own === undefined) return `no schema for ${event.type}`
  return own(event) && whole(event) ? undefined : `${JSON.stringify(event)}: ${ajv.errorsText(own.errors)}`
}
const faults = (events: readonly RunEvent[]): string[] => events.flatMap((event) => faultOf(event) ?? [])

/** A trace as the events that its watchers would see. */
async function eventsOfTrace(name: string): Promise<RunEvent[]> {
  const journal = new MemoryJournal()
  const module = await loadCore()
  using run = new CoreRun(module)
  run.tap = new JournalRecorder(journal, run.documentText('defaults'), header)
  new TracePlayer(run, readTrace(projectPath(`tests/traces/${name}`))).play()
  const events: RunEvent[] = []
  using again = new CoreRun(module)
  try {
    replayEvents(again, readJournal(journal.bytes()), Infinity, (event) => events.push(event))
  } catch (error) {
    // A run whose `begin` was refused, or was not its first event, has told nothing.
    const refused = error instanceof AetherflowError ? error.code : ''
    if (refused !== 'route.no_provider' && refused !== 'host.journal_damaged') throw error
    expect(events).toEqual([])
  }
  return events
}

const names = readFileSync(projectPath('tests/traces/list.txt'), 'utf8').split('\n').filter(Boolean)
const seen = new Set<string>()

test.each(names)('every event of %s is as the schema says', async (name) => {
  const events = await eventsOfTrace(name)
  for (const { type } of events) seen.add(type)
  expect(faults(events)).toEqual([])
})

test('the traces tell of nearly everything', () => {
  const told = Object.keys(eventsSchema.$defs.events)
  // Told by hosts alone: the end once all is durable, what a resumed run begins with, what checks found.
  expect(told.filter((type) => !seen.has(type)).sort()).toEqual(['checked', 'finish', 'resumed', 'warning'])
})

test('what was checked is told as the schema says', async () => {
  const events: RunEvent[] = []
  const steps = [
    { id: 'good', type: 'testing', description: 'good', output_file: 'a.js' },
    { id: 'bad', type: 'testing', description: 'bad', target: 'b.json', check: { rubric: ['short'] } },
  ]
  const known = { wrongShare: 0, answers: steps.map(({ id }) => ({ task: id, right: 'a()', wrong: 'x' })) }
  const simulate = { ...simulatorProfiles.instant, known }
  const plan = JSON.stringify({ task_id: 't', description: 'd', steps })
  await runPlan(plan, { config: {}, simulate, onEvent: (event) => events.push(event) })
  const checked = events.filter((event) => event.type === 'checked')
  expect(checked.map((event) => [event.step, event.pass]).sort()).toEqual([
    ['bad', false],
    ['bad', false],
    ['good', true],
  ])
  expect(faults(events)).toEqual([])
})

describe.each([
  ['five-files', 'instant', 'build'],
  ['code-base', 'flaky', 'build'],
  ['review', 'instant', 'double-check'],
] as const)('a run of %s, %s, %s', (name, profile, mode) => {
  const events: RunEvent[] = []
  let result: RunResult
  test('tells what the schema says', async () => {
    result = await runPlan(readFileSync(projectPath(`examples/plans/${name}.json`), 'utf8'), {
      mode,
      simulate: { ...simulatorProfiles[profile], timeScale: 0.01 },
      policy: { retry: { baseMs: 20, capMs: 80 }, hedge: { share: 0.2 } },
      folder: projectPath('examples/plans'),
      onEvent: (event) => events.push(event),
      deliver: ({ id }) => `somewhere/${id}`,
    })
    expect(faults(events)).toEqual([])
  }, 60_000)

  test('every call has one end, which agrees with the report', () => {
    const calls = events.flatMap((event) => (event.type === 'call' ? [event] : []))
    const ends = events.flatMap((event) => (event.type === 'callEnd' ? [event] : []))
    expect(calls.length).toBeGreaterThan(3)
    expect(ends.map(({ call }) => call).sort((a, b) => a - b)).toEqual(
      calls.map(({ call }) => call).sort((a, b) => a - b),
    )
    const reported = result.report.steps.flatMap(({ id, calls }) => calls.map((call) => ({ ...call, step: id })))
    for (const end of ends) {
      const call = reported.find(({ call }) => call === end.call)!
      const { input, cached, output, reasoning } = call.tokens
      expect(end).toMatchObject({
        step: call.step,
        purpose: call.purpose,
        attempt: call.attempt,
        provider: call.provider,
      })
      expect([end.failure ?? end.outcome, end.costMicroUsd]).toEqual([call.outcome, call.costMicroUsd])
      expect(end.tokens).toEqual({ input, cached, output, reasoning })
    }
    const spent = ends.reduce((sum, { costMicroUsd }) => sum + costMicroUsd, 0)
    expect(spent).toBe(result.report.totals.costMicroUsd)
  })

  test('every event of a call lies between its beginning and its end', () => {
    const open = new Set<number>()
    for (const event of events) {
      if (event.type === 'call') open.add(event.call)
      if (
        event.type === 'prompt' ||
        event.type === 'firstToken' ||
        event.type === 'progress' ||
        event.type === 'answer'
      )
        expect(open.has(event.call)).toBe(true)
      if (event.type === 'callEnd') expect(open.delete(event.call)).toBe(true)
    }
    expect(open.size).toBe(0)
  })

  test('done says where the host has put the output', () => {
    const done = events.flatMap((event) => (event.type === 'done' ? [event] : []))
    expect(done.length).toBeGreaterThan(0)
    expect(done.map(({ path }) => path)).toEqual(done.map(({ step }) => `somewhere/${step}`))
  })
})

test('the schema refuses what is no event', () => {
  const good = { type: 'firstToken', at: 1, step: 'a', call: 0, purpose: 'main' }
  expect(whole(good)).toBe(true)
  for (const bad of [
    { ...good, call: undefined },
    { ...good, call: -1 },
    { ...good, purpose: 'other' },
    { ...good, type: 'first_token' },
    { ...good, more: 1 },
  ])
    expect(whole(JSON.parse(JSON.stringify(bad)))).toBe(false)
})
