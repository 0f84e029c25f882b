/** The runs that a server knows: what is in memory is bounded, the rest is read from its folders; an end is told when the disk has it. */
import { afterAll, expect, test } from '@jest/globals'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { RunEvent } from '../../node/index.js'
import { KeptEvents } from '../../node/serve/kept-events.js'
import { Registry, Run } from '../../node/serve/registry.js'

const folders: string[] = []
const fresh = (): string => {
  const folder = mkdtempSync(path.join(tmpdir(), 'aetherflow-registry-'))
  folders.push(folder)
  return folder
}
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })))

const idOf = (number: number): string => `r${number.toString(16).padStart(24, '0')}`
const done = (step: string): RunEvent => ({ type: 'done', at: 1, step, bytes: 3, repaired: false, costMicroUsd: 7 })
const note: RunEvent = { type: 'note', at: 1, reason: 'retrying', words: 'again' }
const kind = ({ type }: RunEvent): string => type

function write(folder: string, number: number, tenant: string): void {
  const own = path.join(folder, idOf(number))
  mkdirSync(own)
  const put = (name: string, value: unknown): void => writeFileSync(path.join(own, name), JSON.stringify(value))
  // Not in the order of their names.
  put('request.json', { id: idOf(number), key: 'k', tenant, createdAt: 10_000 - number })
  put('end.json', { outcome: 'ok', costMicroUsd: number, endedAt: 20_000 })
  writeFileSync(path.join(own, 'events.jsonl'), `${JSON.stringify(done(`s${number}`))}\n`)
}

test('of many runs that are over few are in memory, and all are found, listed and read', async () => {
  const folder = fresh()
  for (let number = 0; number < 300; ++number) write(folder, number, number % 3 === 0 ? 'a' : 'b')
  const registry = new Registry(folder)
  expect(await registry.open()).toEqual([])
  expect(registry.held).toBe(0)
  const ids: string[] = []
  for (let after: string | null = null; ;) {
    const { runs, more } = await registry.list('a', 7, after)
    ids.push(...runs.map(({ request }) => request.id))
    if (!more) break
    after = ids.at(-1) ?? null
  }
  // The latest first, each once.
  expect(ids).toEqual(Array.from({ length: 100 }, (_, at) => idOf(at * 3)))
  for (let number = 0; number < 300; ++number) {
    const run = await registry.find(idOf(number), number % 3 === 0 ? 'a' : 'b')
    expect([run.end?.costMicroUsd, (await run.state()).steps[0]?.id]).toEqual([number, `s${number}`])
  }
  expect(registry.held).toBeGreaterThan(0)
  expect(registry.held).toBeLessThanOrEqual(50)
  await expect(registry.find(idOf(0), 'b')).rejects.toMatchObject({ status: 404 })
  await expect(registry.find(idOf(999), 'a')).rejects.toMatchObject({ status: 404 })
  rmSync(path.join(folder, idOf(3)), { recursive: true })
  expect((await registry.list('a', 2, null)).runs.map(({ request }) => request.id)).toEqual([idOf(0)])
})

test('a run under way is the one object that its watchers have, until it is over', async () => {
  const folder = fresh()
  const registry = new Registry(folder)
  await registry.open()
  const run = new Run({ id: idOf(1), key: 'k', tenant: 'a', createdAt: 1 }, path.join(folder, idOf(1)))
  registry.add(run)
  expect(await registry.find(idOf(1), 'a')).toBe(run)
  expect(registry.underWay(idOf(1))).toBe(run)
  run.end = { outcome: 'ok', costMicroUsd: 0, endedAt: 2 }
  registry.settle(run)
  expect(registry.underWay(idOf(1))).toBeUndefined()
  const other = new Run({ id: idOf(2), key: 'k', tenant: 'a', createdAt: 2 }, path.join(folder, idOf(2)))
  registry.add(other)
  registry.remove(other)
  expect((await registry.list('a', 9, null)).runs).toEqual([run])
})

test('that a step has ended is told once the disk has it; a note waits for nobody', async () => {
  const file = path.join(fresh(), 'events.jsonl')
  const probe = await open(path.join(fresh(), 'probe'), 'w')
  const prototype = Object.getPrototypeOf(probe) as { datasync(): Promise<void> }
  await probe.close()
  const { datasync } = prototype
  const order: string[] = []
  prototype.datasync = async function (this: typeof prototype) {
    await datasync.call(this)
    order.push(`disk has ${(await readFile(file, 'utf8')).split('\n').length - 1}`)
  }
  try {
    const kept = await KeptEvents.open(file, ({ id, event }) => void order.push(`${id} ${kind(event)}`))
    kept.add(note)
    await kept.settled()
    kept.add(done('a'))
    await kept.settled()
    kept.add(note)
    await kept.settled()
    await kept.close()
  } finally {
    prototype.datasync = datasync
  }
  expect(order).toEqual(['1 note', 'disk has 2', '2 done', '3 note'])
})
