/**
 * Runs that are killed at their n-th flush, and again while they recover. By default a few of them; all with
 * `npm run test:crash`.
 */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { CrashBench, steps, type Ended, type LedgerEntry } from './crash-run.js'

const whole = process.env['AETHERFLOW_CRASH'] === 'whole'
jest.setTimeout(whole ? 1_800_000 : 120_000)

let bench: CrashBench
let expected: Record<string, string>
/** Flushes of a run that nobody disturbs. */
let syncs = 0

beforeAll(async () => {
  bench = await CrashBench.start()
  const undisturbed = await bench.begin('undisturbed')
  expect([undisturbed.code, [...undisturbed.done].sort()]).toEqual([0, [...steps].sort()])
  syncs = Number(/^syncs (\d+)$/m.exec(undisturbed.stderr)?.[1])
  expected = bench.leavings('undisturbed')
})
afterAll(() => bench?.stop())

/** Calls of steps that were asked for again although their result was known. */
function calledAgain(known: readonly string[], since: readonly LedgerEntry[]): string[] {
  return since.map(({ step }) => step).filter((step) => known.includes(step))
}

/** One key for all calls of a step, and none without. */
function keysAgree(ledger: readonly LedgerEntry[]): boolean {
  const keys = new Map<string, string | undefined>()
  for (const { step, key } of ledger) {
    if (key === undefined || (keys.get(step) ?? key) !== key) return false
    keys.set(step, key)
  }
  return true
}

/** Kills a run at its flushes `killAt`, one after the other, then lets it end; checks every promise on the way. */
async function killed(name: string, killAt: readonly number[], before: readonly string[] = []): Promise<void> {
  await bench.clear()
  let seen = 0
  const known = new Set<string>()
  const again: string[] = []
  const look = async (ended: Ended): Promise<void> => {
    const ledger = await bench.ledger()
    again.push(...calledAgain([...known], ledger.slice(seen)))
    seen = ledger.length
    // Told is kept: what a process has told as done is in the journal that it leaves.
    const journalled = bench.journalled(name)
    expect(ended.done.filter((step) => !journalled.includes(step))).toEqual([])
    for (const step of journalled) known.add(step)
  }
  for (const at of killAt) {
    const strace = before.length > 0 ? before.map((word) => word.replace('WHEN', String(at))) : []
    const ended = await bench.resume(name, strace.length > 0 ? { before: strace } : { killAt: at })
    await look(ended)
  }
  const last = await bench.resume(name)
  await look(last)
  expect({ killAt, code: last.code, again }).toEqual({ killAt, code: 0, again: [] })
  expect([...new Set(last.done)].sort()).toEqual([...steps].sort())
  expect(bench.leavings(name)).toEqual(expected)
  expect(keysAgree(await bench.ledger())).toBe(true)
  expect(readdirSync(bench.out(name)).filter((file) => file.endsWith('.part'))).toEqual([])
}

const every = (step: number, from: number, to: number): number[] => {
  const numbers: number[] = []
  for (let at = from; at <= to; at += step) numbers.push(at)
  return numbers
}

describe('kill -9', () => {
  test('at its n-th flush: what was told is kept, and is not called again', async () => {
    expect(syncs).toBeGreaterThan(20)
    for (const at of every(whole ? 1 : 9, 1, syncs)) await killed(`k${at}`, [at])
  })

  test('and again while it recovers', async () => {
    for (const at of every(whole ? 2 : 17, 2, syncs)) {
      for (const second of every(whole ? 3 : 11, 1 + (at % 3), syncs - at + 6))
        await killed(`k${at}-${second}`, [at, second])
    }
  })

  test('five times over', async () => {
    await killed('often', whole ? [9, 7, 5, 3, 4, 6] : [9, 7, 5])
  })
})

test('killed while a changed plan takes over what still matches: only the changed step is called, and what is behind it', async () => {
  let kills = 0
  for (const at of every(whole ? 1 : 13, 1, syncs)) {
    const name = `reuse${at}`
    await bench.begin(name)
    await bench.clear()
    const first = await bench.reuse(name, { killAt: at })
    const known = new Set(bench.journalled(name).length < steps.length ? bench.journalled(name) : [])
    const before = (await bench.ledger()).length
    const last = await bench.reuse(name)
    kills += Number(first.signal === 'SIGKILL')
    expect([at, last.code]).toEqual([at, 0])
    const ledger = await bench.ledger()
    expect([...new Set(ledger.map(({ step }) => step))].filter((step) => step !== 'cd' && step !== 'all')).toEqual([])
    expect(calledAgain([...known], ledger.slice(before))).toEqual([])
    expect(new Set(last.done)).toEqual(new Set(steps))
  }
  expect(kills).toBeGreaterThan(1)
})

test('the canary key is in nothing that a run leaves', () => {
  const texts = readdirSync(bench.out('undisturbed'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), 'utf8'))
  expect(texts.length).toBeGreaterThan(steps.length)
  expect(texts.filter((text) => text.includes('sk-canary-3b7f'))).toEqual([])
})

const strace = spawnSync('strace', ['-f', '-e', 'trace=none', 'true'])
const canTrace = strace.status === 0
const traced = canTrace ? test : test.skip
if (!canTrace) console.log('no strace here: kills by the system call itself are left out')

traced('kill -9 by the system itself, at the n-th fdatasync or fsync', async () => {
  const inject = [
    'strace',
    '-f',
    '-o',
    '/dev/null',
    '-e',
    'trace=fdatasync,fsync',
    '-e',
    'inject=fdatasync,fsync:signal=SIGKILL:when=WHEN',
  ]
  for (const at of whole ? every(1, 1, syncs) : [4, 15]) await killed(`s${at}`, [at], inject)
})
