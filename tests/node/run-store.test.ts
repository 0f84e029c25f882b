/** Runs in folders obey the contract of run stores, and a store of one's own serves `runPlan` as well. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { MemoryJournal, type JournalHeader } from '../../bindings/journal/journal.js'
import type { JournalEnd } from '../../bindings/journal/reader.js'
import { FileRunStore, KeptJournal, runPlan, type OwnedRun, type RunEvent, type RunStore } from '../../node/index.js'
import { MapCache } from '../bindings/map-cache.js'
import { runStoreContract } from '../contract/run-store.js'

runStoreContract('runs in folders', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'af-run-store-'))
  return Promise.resolve({
    store: () => new FileRunStore(path.join(folder, 'run')),
    end: () => Promise.resolve(rmSync(folder, { recursive: true, force: true })),
  })
})

/** Runs in memory: what a host of its own kind might write. */
class MemoryRunStore implements RunStore {
  readonly name = 'memory'
  text: string | undefined
  #kept: KeptJournal | undefined
  peeks = 0

  peek(): Promise<KeptJournal | undefined> {
    this.peeks += 1
    const { text } = this
    if (text === undefined) this.#kept = undefined
    else if (new TextDecoder().decode(this.#kept?.bytes) !== text)
      this.#kept = new KeptJournal(new TextEncoder().encode(text), this.name)
    return Promise.resolve(this.#kept)
  }
  async open(): Promise<OwnedRun> {
    const kept = await this.peek()
    let writer: MemoryJournal | undefined
    const start = (text: string): Promise<MemoryJournal> => {
      writer = new MemoryJournal()
      writer.append(text)
      return Promise.resolve(writer)
    }
    const close = (): Promise<void> => {
      if (writer !== undefined) this.text = writer.text()
      return Promise.resolve()
    }
    return {
      kept,
      begin: (_header: JournalHeader, line: string) => start(line),
      resume: ({ bytes }: JournalEnd) => start(new TextDecoder().decode(kept?.bytes.subarray(0, bytes))),
      setAside: () => Promise.resolve('none'),
      aside: () => Promise.resolve(undefined),
      close,
      discard: () => Promise.resolve(),
    }
  }
}

describe('a store of one’s own', () => {
  const step = { type: 'testing', complexity: 0.1, estimated_tokens: 10 }
  const plan = { task_id: 't', description: 'd', steps: [{ ...step, id: 'a', description: 'do a', dependencies: [] }] }

  test('keeps a run, which goes on from it without a call', async () => {
    const store = new MemoryRunStore()
    const first = await runPlan(plan, { journal: store, simulate: 'instant', config: {} })
    expect(store.text).toContain('"e":"end"')
    const events: RunEvent[] = []
    const onEvent = (event: RunEvent): void => void events.push(event)
    const again = await runPlan(undefined, { journal: store, resume: true, config: {}, onEvent })
    expect([...again.outputs]).toEqual([...first.outputs])
    expect(again.simulated).toBe('instant')
    expect(events.filter(({ type }) => type === 'resumed')).toEqual([])
    await expect(runPlan(plan, { journal: store, config: {} })).rejects.toMatchObject({ code: 'host.journal' })
  })
})

/** Decided on one side only before there was one host: a run that made no call but had hits was thrown away in pages. */
test('an answer from the cache is worth a journal: what fails then goes on from it', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'af-run-store-'))
  try {
    const journal = path.join(folder, 'run')
    const cache = new MapCache()
    const step = { type: 'testing', complexity: 0.1, estimated_tokens: 10, dependencies: [] }
    const plan = { task_id: 't', description: 'd', steps: [{ ...step, id: 'a', description: 'do a' }] }
    const options = { simulate: 'instant', config: {}, cache } as const
    await runPlan(plan, options)
    const full = (): Promise<never> => Promise.reject(new Error('no room'))
    const calls: string[] = []
    const onEvent = ({ type }: RunEvent): void => void calls.push(type)
    await expect(runPlan(plan, { ...options, journal, deliver: full, onEvent })).rejects.toThrow('no room')
    expect([calls.includes('call'), calls.includes('hit')]).toEqual([false, true])
    expect((await new FileRunStore(journal).peek())?.journal.records.map(({ e }) => e)).toContain('looked')
    const again = await runPlan(undefined, { ...options, journal, resume: true })
    expect([again.outcome, again.report.totals.calls]).toEqual(['ok', 0])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
