/** Sessions that put, remove, use, compact, end and begin in random order; a plain map says what must be there. */
import { expect, jest, test } from '@jest/globals'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { CacheEntry, CacheStore } from '../../bindings/cache/ports.js'
import { FileStore } from '../../node/stores/file.js'
import { MemoryBacking, MemoryStore } from '../../web/standard/stores/memory.js'
import { entryOf, keyOf } from '../../web/standard/testing/cache-entries.js'

jest.setTimeout(120_000)
const rounds = process.env['AETHERFLOW_CRASH'] === 'whole' ? 200 : 12

/** Equal seeds, equal numbers: below `most`. */
function dice(seed: number): (most: number) => number {
  let state = seed * 2654435761 + 1
  return (most) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * most)
  }
}

/** Someone who has the store open and keeps a list by what it is told. */
class Session {
  readonly store: CacheStore
  readonly listed = new Map<string, number>()

  constructor(store: CacheStore) {
    this.store = store
  }
  async look(): Promise<void> {
    const { put, removed, damage } = await this.store.changes()
    expect(damage).toBeUndefined()
    for (const key of removed) this.listed.delete(key)
    for (const { key, createdAt } of put) this.listed.set(key, createdAt)
  }
}

async function play(seed: number, make: () => CacheStore): Promise<void> {
  const roll = dice(seed)
  const truth = new Map<string, CacheEntry>()
  const sessions: Session[] = []
  const begin = async (): Promise<Session> => {
    const session = new Session(make())
    await session.store.open()
    return session
  }
  const agree = async (session: Session): Promise<void> => {
    await session.look()
    const expected = [...truth.values()].map(({ key, createdAt }) => `${key} ${createdAt}`).sort()
    expect([...session.listed].map(([key, createdAt]) => `${key} ${createdAt}`).sort()).toEqual(expected)
    for (let number = 0; number < 12; ++number)
      expect(await session.store.read(keyOf(number))).toEqual(truth.get(keyOf(number)))
  }
  for (let who = 0; who < 3; ++who) sessions.push(await begin())
  for (let step = 0; step < 80; ++step) {
    const who = roll(3)
    const session = sessions[who]!
    const number = roll(12)
    const what = roll(20)
    // To have looked just before makes plain what the last word is, however coarse the clock.
    await session.look()
    if (what < 9) {
      const entry = entryOf(number, { createdAt: step, answer: `${step} `.repeat(1 + roll(200)) })
      await session.store.put(entry)
      truth.set(entry.key, entry)
      session.listed.set(entry.key, step)
    } else if (what < 13) {
      await session.store.remove([keyOf(number), keyOf(99)])
      truth.delete(keyOf(number))
      session.listed.delete(keyOf(number))
    } else if (what < 15) session.store.used([keyOf(number)], 1000 + step)
    else if (what < 17) await session.store.compact()
    else if (what < 18) {
      await session.store.close()
      sessions[who] = await begin()
    } else await agree(session)
  }
  for (const session of sessions) await agree(session)
  for (const { store } of sessions) await store.close()
  const last = await begin()
  await agree(last)
  await last.store.close()
}

test.each(Array.from({ length: rounds }, (_, seed) => seed))('in a folder, seed %d', async (seed) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'aetherflow-store-'))
  try {
    await play(seed, () => new FileStore(folder))
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.each([100, 101, 102])('in memory, seed %d', async (seed) => {
  const backing = new MemoryBacking()
  await play(seed, () => new MemoryStore(backing))
})
