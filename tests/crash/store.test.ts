/** A cache's folder under many processes, and under such as are killed. By default a few rounds; more with `npm run test:crash`. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { CacheEntry } from '../../bindings/cache/ports.js'
import { openFileStore } from '../../node/stores/file.js'
import { entryOf, keyOf, longEntryOf, vectorOf } from '../../web/standard/testing/cache-entries.js'

const whole = process.env['AETHERFLOW_CRASH'] === 'whole'
jest.setTimeout(whole ? 1_800_000 : 120_000)

let folder = ''
beforeEach(() => void (folder = mkdtempSync(path.join(tmpdir(), 'aetherflow-store-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const program = fileURLToPath(new URL('store-process.js', import.meta.url))

/** A process with the folder open, and what it has told. */
class Other {
  readonly child: ChildProcess
  readonly lines: string[] = []
  readonly ended: Promise<unknown>
  #heard: () => void = () => {}

  constructor(words: readonly (string | number)[], env: Record<string, string> = {}, before: readonly string[] = []) {
    const [file = '', ...rest] = [...before, process.execPath, program, ...words.map(String)]
    const stdio: ['pipe', 'pipe', 'inherit'] = ['pipe', 'pipe', 'inherit']
    this.child = spawn(file, rest, { stdio, env: { ...process.env, NODE_OPTIONS: '', ...env } })
    createInterface(this.child.stdout!).on('line', (line) => {
      this.lines.push(line)
      this.#heard()
    })
    this.ended = once(this.child, 'close')
  }

  async until(count: number): Promise<void> {
    const over = this.ended.then(() => true)
    while (this.lines.length < count) {
      const more = new Promise<boolean>((resolve) => (this.#heard = () => resolve(false)))
      if (await Promise.race([more, over])) return
    }
  }

  async line(number: number): Promise<string | undefined> {
    await this.until(number + 1)
    return this.lines[number]
  }
}

const segments = (ending = '.seg'): string[] =>
  readdirSync(path.join(folder, 'v1')).filter((name) => name.endsWith(ending))

test('eight processes that write at once lose nothing, and agree on what they wrote to the same keys', async () => {
  const others = Array.from({ length: 8 }, (_, who) => new Other(['together', folder, who, 160, 40]))
  for (const other of others) expect(await other.line(0)).toBe('written')
  for (const { child } of others) child.stdin!.write('look\n')
  const seen = await Promise.all(others.map((other) => other.line(1)))
  expect(new Set(seen).size).toBe(1)
  const shared = seen[0]?.split(',') ?? []
  expect(shared[0]).toBe('sound')
  expect(shared.slice(1).filter((answer) => /^of [0-7]$/.test(answer))).toHaveLength(40)
  for (const { child } of others) child.stdin!.end()
  await Promise.all(others.map(({ ended }) => ended))
  const store = await openFileStore(folder)
  const { put, damage } = await store.changes()
  expect([put.length, damage]).toEqual([8 * 160 + 40, undefined])
  for (let who = 0; who < 8; ++who)
    for (let at = 0; at < 160; ++at) {
      const entry = entryOf(10_000 * (1 + who) + at)
      expect(await store.read(entry.key)).toEqual(entry)
    }
  for (let at = 0; at < 40; ++at) expect((await store.read(keyOf(at)))?.answer).toBe(shared[at + 1])
  expect(await store.tally()).toEqual({ put: 1600 })
  await store.close()
})

test('what a process told before it was killed is there, whole', async () => {
  const bytes = 60_000
  const told: number[] = []
  let torn = 0
  for (let round = 0; round < (whole ? 100 : 8); ++round) {
    const other = new Other(['write', folder, round * 1000, 1000, bytes])
    await other.until(1 + Math.floor(Math.random() * 40))
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 5))
    other.child.kill('SIGKILL')
    await other.ended
    told.push(...other.lines.map(Number).filter((number) => !Number.isNaN(number)))
    const store = await openFileStore(folder)
    const { put, damage } = await store.changes()
    if (damage !== undefined) torn += 1
    const keys = new Set(put.map(({ key }) => key))
    expect(told.filter((number) => !keys.has(keyOf(number)))).toEqual([])
    for (const { key } of put) {
      const number = parseInt(key, 16)
      expect(await store.read(key)).toEqual(longEntryOf(number, bytes))
    }
    await store.close()
  }
  expect(told.length).toBeGreaterThan(20)
  console.info(`${told.length} entries told by killed processes; ${torn} were killed in the midst of a record`)
})

test('half a record at the end is left out and told, whoever was killed over it', async () => {
  // Open, first record, rename; then each put is one write.
  for (let at = 1; at <= 9; ++at) {
    const killed = new Other(['write', folder, at * 100, 50, 5000], { KILL_AT: String(at) })
    await killed.ended
    expect([killed.child.signalCode, killed.lines.length]).toEqual(['SIGKILL', Math.max(0, at - 4)])
    const store = await openFileStore(folder)
    const { put, damage } = await store.changes()
    expect(put.filter(({ key }) => parseInt(key, 16) >= at * 100)).toHaveLength(killed.lines.length)
    expect(damage).toEqual(at < 4 ? undefined : expect.stringContaining('cut off at its end'))
    for (const number of killed.lines.map(Number))
      expect(await store.read(keyOf(number))).toEqual(longEntryOf(number, 5000))
    await store.close()
  }
})

/** Entries of several processes, among them replaced and removed ones, a killed writer, embeddings, uses and counters. */
async function furnish(): Promise<Map<string, CacheEntry | undefined>> {
  const expected = new Map<string, CacheEntry | undefined>()
  for (let session = 0; session < 3; ++session) {
    const store = await openFileStore(folder)
    for (let number = 0; number < 12; ++number) {
      const entry = entryOf(number + 6 * session, { answer: `${'long '.repeat(400)}${session}` })
      await store.put(entry)
      expected.set(entry.key, entry)
    }
    await store.remove([keyOf(session)])
    expected.set(keyOf(session), undefined)
    store.used([keyOf(11)], 7_000_000 + session)
    store.count({ sessions: 1 })
    store.keepEmbedding(keyOf(session), vectorOf(session))
    store.keepEmbedding(keyOf(9), vectorOf(9))
    await store.close()
  }
  const killed = new Other(['write', folder, 100, 1000, 3000])
  await killed.until(20)
  killed.child.kill('SIGKILL')
  await killed.ended
  for (const number of killed.lines.map(Number)) expected.set(keyOf(number), longEntryOf(number, 3000))
  return expected
}

async function expectAll(expected: ReadonlyMap<string, CacheEntry | undefined>): Promise<void> {
  const store = await openFileStore(folder)
  const { put } = await store.changes()
  expect(put.at(-1)?.key).toBe(keyOf(11))
  for (const [key, entry] of expected) expect(await store.read(key)).toEqual(entry)
  expect(await store.tally()).toEqual({ sessions: 3 })
  for (const number of [0, 1, 2, 9]) expect(await store.embedding(keyOf(number))).toEqual(vectorOf(number))
  await store.close()
}

describe('compaction', () => {
  test('killed at any of its changes, half of a write included, loses nothing and brings nothing back', async () => {
    const expected = await furnish()
    const copy = `${folder}-copy`
    cpSync(folder, copy, { recursive: true })
    try {
      const undisturbed = new Other(['compact', folder])
      await undisturbed.ended
      expect(undisturbed.lines[0]).toBe('compacted')
      expect([segments(), segments('.vec')].map(({ length }) => length)).toEqual([1, 1])
      await expectAll(expected)
      const changes = Number(/^changes (\d+)$/.exec(undisturbed.lines[1] ?? '')?.[1])
      expect(changes).toBeGreaterThan(20)
      for (let at = 1; at <= changes; at += 1) {
        rmSync(folder, { recursive: true })
        cpSync(copy, folder, { recursive: true })
        const killed = new Other(['compact', folder], { KILL_AT: String(at) })
        await killed.ended
        expect([at, killed.child.signalCode]).toEqual([at, 'SIGKILL'])
        await expectAll(expected)
        if (!whole && at % 4 !== 0) continue
        await new Other(['compact', folder]).ended
        await expectAll(expected)
        expect(readdirSync(path.join(folder, 'v1')).filter((name) => name.endsWith('.part'))).toEqual([])
        expect(segments().length).toBe(1)
      }
    } finally {
      rmSync(copy, { recursive: true, force: true })
    }
  })

  test('by several at once, beside a writer and a reader, loses nothing', async () => {
    const expected = await furnish()
    const reader = await openFileStore(folder)
    await reader.changes()
    const writer = new Other(['write', folder, 2000, 300, 5000])
    for (let round = 0; round < (whole ? 10 : 2); ++round) {
      const compactors = [1, 2, 3].map(() => new Other(['compact', folder]))
      for (const { ended, lines } of compactors) {
        await ended
        expect(lines[0]).toBe('compacted')
      }
      for (const [key, entry] of expected) expect(await reader.read(key)).toEqual(entry)
    }
    await writer.ended
    await reader.changes()
    for (let number = 2000; number < 2300; ++number)
      expect(await reader.read(keyOf(number))).toEqual(longEntryOf(number, 5000))
    await reader.close()
    await expectAll(expected)
  })
})
