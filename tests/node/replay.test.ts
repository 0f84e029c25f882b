import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { CoreRun } from '../../bindings/core.js'
import { readJournal, type Journal } from '../../bindings/journal/reader.js'
import { JournalLines } from '../../bindings/journal/journal.js'
import { loadCore } from '../../node/loader.js'
import { replayJournal, type Replayed } from '../../web/standard/run/replay.js'
import { plan, scratch } from './cli-process.js'
import { aetherflow } from './commands.js'

jest.setTimeout(30_000)

let folder = ''
let remove = (): void => {}
let file = ''
let journal: Journal
let report: { makespanMs: number; totals: { costMicroUsd: number } }

beforeAll(async () => {
  ;({ folder, remove } = scratch())
  const words = ['run', plan('five-files'), '--simulate', 'flaky', '--seed', '3', '--output', path.join(folder, 'out')]
  await aetherflow(words)
  file = path.join(folder, 'out/journal.jsonl')
  journal = readJournal(readFileSync(file))
  const run = JSON.parse(readFileSync(path.join(folder, 'out/run.json'), 'utf8')) as { report: typeof report }
  report = run.report
})
afterAll(() => remove())

async function replayed(of = journal, until?: number): Promise<Replayed> {
  const core = new CoreRun(await loadCore())
  try {
    return replayJournal(core, of, until)
  } finally {
    core.dispose()
  }
}

type Members = Record<string, unknown>

/** The journal with record `at` replaced, and every checksum right again. */
function altered(at: number, change: (record: Members) => Members): Journal {
  const lines = new JournalLines()
  const line = ({ crc: _, ...members }: Members): string => lines.line(JSON.stringify(members).slice(1, -1))
  const all = [journal.header, ...journal.records] as unknown as Members[]
  const text = all.map((members, index) => line(index === at + 1 ? change(members) : members)).join('')
  return readJournal(new TextEncoder().encode(text))
}

describe('a replay', () => {
  test('of a run with failures comes to the same end, time and cost, without any call', async () => {
    const { records, replayed: count, commands, outcome, state, dropped } = await replayed()
    expect([count, dropped]).toEqual([records, null])
    expect(commands).toBeGreaterThan(6)
    expect(outcome).toBe('ok')
    expect(state.costMicroUsd).toBe(report.totals.costMicroUsd)
    expect(state.steps.every((step) => step.state === 'done' && step.calls.length === 0)).toBe(true)
  })

  test('may stop at every record: costs only grow, and whatever is under way has begun', async () => {
    let cost = 0
    for (let until = 0; until <= journal.records.length; ++until) {
      const { state } = await replayed(journal, until)
      expect(state.record).toBe(until)
      expect(state.costMicroUsd).toBeGreaterThanOrEqual(cost)
      cost = state.costMicroUsd
      for (const { calls } of state.steps) for (const { since } of calls) expect(since).toBeLessThanOrEqual(state.at)
    }
    const prompted = journal.records.findIndex(({ e }) => e === 'prompted')
    const { state } = await replayed(journal, prompted + 1)
    expect(state.words).toMatch(/^prompted \w/)
    expect(state.steps.flatMap(({ calls }) => calls).length).toBeGreaterThan(0)
  })

  test('that decides otherwise is found, with the record', async () => {
    const at = journal.records.findIndex(({ d = 0 }) => d > 0)
    const otherwise = altered(at, (record) => ({ ...record, d: 1 }))
    await expect(replayed(otherwise)).rejects.toMatchObject({ code: 'host.replay_differs', where: `record ${at + 1}` })
    const succeeded = journal.records.findIndex(({ e }) => e === 'succeeded')
    const failed = altered(succeeded, (record) => {
      const [call] = record['v'] as number[]
      return { ...record, e: 'failed', v: [call, 3, -1, 0, 0, 0, 0, 0, -1] }
    })
    await expect(replayed(failed)).rejects.toMatchObject({ code: 'host.replay_differs' })
    // The same journal written once more is the same run.
    expect((await replayed(altered(0, (record) => record))).outcome).toBe('ok')
  })

  test('against another table of providers is refused as such', async () => {
    await expect(replayed(altered(0, (record) => ({ ...record, table: 1 })))).rejects.toMatchObject({
      code: 'host.journal',
    })
  })
})

describe('aetherflow replay', () => {
  test('says what was replayed, and shows the run at a record', async () => {
    const { code, stdout } = await aetherflow(['replay', path.join(folder, 'out'), '--until', '12'])
    expect(code).toBe(0)
    expect(stdout).toContain(`12 of ${journal.records.length} records replayed`)
    expect(stdout).toMatch(/^record 12: /m)
    expect(stdout).toMatch(/^summary +waiting/m)
  })

  test('--json gives the same as one object; a differing run is an error with its code', async () => {
    const { stdout } = await aetherflow(['replay', path.join(folder, 'out'), '--json'])
    expect(JSON.parse(stdout)).toEqual(await replayed())
    const lines = new TextDecoder().decode(readFileSync(file)).split('\n')
    const spoiled = path.join(folder, 'spoiled.jsonl')
    writeFileSync(spoiled, lines.slice(0, 9).join('\n') + '\nrubbish\n')
    const damaged = await aetherflow(['replay', spoiled, '--json'])
    expect(JSON.parse(damaged.stdout)).toMatchObject({ replayed: 8, outcome: null, dropped: { line: 10 } })
    const past = await aetherflow(['replay', path.join(folder, 'out'), '--until', '9999'])
    expect([past.code, past.stderr]).toEqual([2, expect.stringContaining('--until')])
  })
})
