/** What a run's log comes to: in pieces, at once by several readers, with lines that are none. */
import { afterAll, expect, test } from '@jest/globals'
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { RunLog } from '../../node/mcp/run-log.js'

const folder = mkdtempSync(path.join(tmpdir(), 'aetherflow-log-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const line = (record: unknown): string => `${JSON.stringify(record)}\n`
const steps = (...ids: string[]) => ({ type: 'steps', at: 0, steps: ids.map((id) => ({ id })) })
const callEnd = (costMicroUsd: number) => ({ type: 'callEnd', at: 5, step: 'ä', costMicroUsd })

test('a file that is not there yet has nothing, and what comes in pieces is read on', async () => {
  const file = path.join(folder, 'a.jsonl')
  const log = new RunLog(file)
  await log.read()
  expect(log.steps.size).toBe(0)
  const bytes = Buffer.from(line(steps('ä', 'b')) + line({ type: 'call', at: 1, step: 'ä' }))
  // Within a character.
  const cut = bytes.indexOf(0xc3) + 1
  writeFileSync(file, bytes.subarray(0, cut))
  await log.read()
  expect(log.steps.size).toBe(0)
  appendFileSync(file, bytes.subarray(cut))
  await log.read()
  expect([...log.steps]).toEqual([
    ['ä', { state: 'calling' }],
    ['b', { state: 'waiting' }],
  ])
})

test('several readers at once count every line once', async () => {
  const file = path.join(folder, 'b.jsonl')
  const log = new RunLog(file)
  writeFileSync(file, line(steps('ä')) + Array.from({ length: 20_000 }, () => line(callEnd(1))).join(''))
  await Promise.all([log.read(), log.read(), log.read()])
  appendFileSync(file, line(callEnd(7)))
  await Promise.all([log.read(), log.read()])
  expect(log.cost).toBe(20_007)
})

test('lines that are no records are passed over; the last word counts', async () => {
  const file = path.join(folder, 'c.jsonl')
  const log = new RunLog(file)
  writeFileSync(file, `null\n5\n"x"\n[]\n{"type\n\n${line(steps('a'))}${line({ type: 'unknown' })}`)
  await log.read()
  expect([log.steps.size, log.over]).toEqual([1, false])
  appendFileSync(file, line({ type: 'done', at: 9, step: 'a', bytes: 3, path: 'x/step_outputs/a.md' }))
  appendFileSync(
    file,
    line({ type: 'finish', at: 12, outcome: 'ok', costMicroUsd: 42 }) + line({ type: 'result', outcome: 'ok' }),
  )
  await log.read()
  expect([log.over, log.outcome, log.cost, log.ms]).toEqual([true, 'ok', 42, 12])
  expect(log.steps.get('a')).toEqual({ state: 'done', bytes: 3, path: 'x/step_outputs/a.md' })
})
