/** Files of a cache cut short and changed, at every place. What is damaged is left out and told; the rest lives. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { inTurn } from '../../node/stores/compaction.js'
import { openFileStore } from '../../node/stores/file.js'
import { encodeRecord } from '../../node/stores/record.js'
import { keyOf, longEntryOf, vectorOf } from '../../web/standard/testing/cache-entries.js'

const whole = process.env['AETHERFLOW_CRASH'] === 'whole'
jest.setTimeout(whole ? 600_000 : 60_000)
const count = 12
const most = 60

let folder = ''
let file = ''
let bytes: Buffer
/** Where the records begin, and the file's end. */
let starts: number[]

const place = (): string => path.join(folder, 'v1')
const named = (ending: string): string =>
  path.join(place(), readdirSync(place()).find((name) => name.endsWith(ending)) ?? 'none')

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'aetherflow-store-'))
  // Of a process that has ended: what one that lives has at the end of its file may be on its way.
  const program = fileURLToPath(new URL('../crash/store-process.js', import.meta.url))
  spawnSync(process.execPath, [program, 'write', folder, '0', String(count), String(most)])
  file = named('.seg')
  bytes = readFileSync(file)
  starts = []
  for (let at = bytes.indexOf('fffeaf01', 'hex'); at >= 0; at = bytes.indexOf('fffeaf01', at + 1, 'hex'))
    starts.push(at)
  starts.push(bytes.length)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** In place of what is there, which may have been compacted by now. */
function put(content: Buffer): void {
  for (const name of readdirSync(place())) if (name.endsWith('.seg')) rmSync(path.join(place(), name))
  writeFileSync(file, content)
}

/** Nobody compacts meanwhile: what is to be looked at stays, and no disk is waited for. */
const undisturbed = (work: () => Promise<void>) => async (): Promise<void> => {
  await inTurn(place(), work)
}

/** How many entries are there whole, and whether damage was told; fails when one is there and not what it was. */
async function look(): Promise<{ whole: number; told: boolean }> {
  const store = await openFileStore(folder)
  const first = await store.changes()
  let sound = 0
  for (let number = 0; number < count; ++number) {
    const entry = await store.read(keyOf(number))
    if (entry === undefined) continue
    expect(entry).toEqual(longEntryOf(number, most))
    sound += 1
  }
  const listed = first.put.filter(({ key }) => parseInt(key, 16) < count)
  const { damage, removed } = await store.changes()
  // An entry that was listed and then found damaged is told as removed.
  expect(listed.length - removed.length).toBe(sound)
  await store.close()
  return { whole: sound, told: first.damage !== undefined || damage !== undefined }
}

test('the file is what is expected: a beginning, entries, an end', async () => {
  expect(starts).toHaveLength(count + 3)
  expect(await look()).toEqual({ whole: count, told: false })
})

test(
  'cut at any byte of its last records, it has all before',
  undisturbed(async () => {
    for (let end = starts[count - 2]!; end < bytes.length; end += whole ? 1 : 4) {
      put(bytes.subarray(0, end))
      const whole = starts.filter((start) => start <= end).length - 2
      expect([end, await look()]).toEqual([end, { whole, told: !starts.includes(end) }])
    }
  }),
)

test(
  'a bit changed anywhere costs one record, and is told',
  undisturbed(async () => {
    const last = starts[count - 1]!
    for (let at = 0; at < bytes.length; at += whole ? 1 : at >= last ? 3 : 11) {
      const changed = Buffer.from(bytes)
      changed[at]! ^= 1 << (at % 8)
      put(changed)
      const isEntry = at >= starts[1]! && at < starts[count + 1]!
      expect([at, await look()]).toEqual([at, { whole: isEntry ? count - 1 : count, told: true }])
    }
  }),
)

test('a stretch of zeros, or of another file, costs what it covers', async () => {
  for (const filling of [0, 0xff]) {
    const changed = Buffer.from(bytes)
    changed.fill(filling, starts[3]! + 5, starts[6]! + 5)
    put(changed)
    expect(await look()).toEqual({ whole: count - 4, told: true })
  }
})

test('the text of a damaged entry cannot pass for a record', async () => {
  const store = await openFileStore(folder)
  const forged = bytes.subarray(starts[1], starts[2]).toString('latin1').replaceAll('answer 0', 'answer X')
  await store.put({ ...longEntryOf(20, 0), answer: forged })
  await store.put(longEntryOf(21, 0))
  await store.close()
  const files = readdirSync(place()).filter((name) => name.endsWith('.seg'))
  const own = path.join(place(), files.sort().at(-1)!)
  const changed = readFileSync(own)
  changed[changed.indexOf('"answer') === -1 ? changed.indexOf('fffeaf01', 10, 'hex') + 8 : 0]! ^= 0x10
  writeFileSync(own, changed)
  const again = await openFileStore(folder)
  const { put, damage } = await again.changes()
  expect([put.length, damage]).toEqual([count + 1, expect.stringContaining('unreadable')])
  expect((await again.read(keyOf(0)))?.answer).toBe('answer 0')
  await again.close()
})

test('files that are no files of a cache are left alone', async () => {
  writeFileSync(path.join(place(), 'notes.txt'), 'mine')
  writeFileSync(path.join(place(), 'empty.seg'), '')
  writeFileSync(path.join(place(), 'noise.seg'), Buffer.alloc(5000, 0xfe))
  expect(await look()).toMatchObject({ whole: count })
  const store = await openFileStore(folder)
  await store.compact()
  await store.close()
  expect(await look()).toMatchObject({ whole: count })
  expect(readFileSync(path.join(place(), 'notes.txt'), 'utf8')).toBe('mine')
})

test('a sound record that says something else is left out and told', async () => {
  for (const [kind, head] of [
    ['put', {}],
    ['remove', { at: 1, by: 'a' }],
    ['used', { keys: 7 }],
    ['count', 'text'],
  ] as const) {
    put(Buffer.concat([bytes, encodeRecord(kind, head), encodeRecord('count', { looked: 1 })]))
    const store = await openFileStore(folder)
    const { put: listed, damage } = await store.changes()
    expect([kind, listed.length, damage]).toEqual([kind, count, expect.stringContaining('1 records unreadable')])
    expect(await store.tally()).toEqual({ looked: 1 })
    await store.close()
  }
})

describe('compaction', () => {
  test('takes over what is sound, and tells the rest', async () => {
    const changed = Buffer.from(bytes)
    changed[starts[4]! - 3]! ^= 1
    put(changed)
    const store = await openFileStore(folder)
    expect((await store.changes()).put).toHaveLength(count)
    await store.put(longEntryOf(50, most))
    await store.compact()
    expect(await store.changes()).toEqual({
      put: [],
      removed: [keyOf(2)],
      damage: expect.stringContaining('unreadable'),
    })
    await store.close()
    expect(await look()).toEqual({ whole: count - 1, told: false })
  })

  test('comes by itself after damage, which so is told once', async () => {
    const changed = Buffer.from(bytes)
    changed[starts[4]!]! ^= 1
    put(changed)
    expect(await look()).toEqual({ whole: count - 1, told: true })
    expect(await look()).toEqual({ whole: count - 1, told: false })
  })
})

test(
  'a damaged embedding is not given out, the others are',
  undisturbed(async () => {
    const store = await openFileStore(folder)
    for (let number = 0; number < 5; ++number) store.keepEmbedding(keyOf(number), vectorOf(number))
    await store.close()
    const vectors = named('.vec')
    const sound = readFileSync(vectors)
    for (let at = 0; at < sound.length; at += whole ? 13 : 97) {
      const changed = Buffer.from(sound)
      changed[at]! ^= 1 << (at % 8)
      for (const name of readdirSync(place())) if (name.endsWith('.vec')) rmSync(path.join(place(), name))
      writeFileSync(vectors, changed)
      const again = await openFileStore(folder)
      let given = 0
      for (let number = 0; number < 5; ++number) {
        const vector = await again.embedding(keyOf(number))
        if (vector === undefined) continue
        expect(vector).toEqual(vectorOf(number))
        given += 1
      }
      expect([at, given >= 4]).toEqual([at, true])
      await again.close()
    }
  }),
)

test('a damaged secret is refused, for with another one no entry would be found', async () => {
  for (const text of ['', 'x', `${'g'.repeat(32)}\n`, 'a'.repeat(40)]) {
    writeFileSync(path.join(place(), 'secret'), text)
    await expect(openFileStore(folder)).rejects.toMatchObject({ code: 'cache.store_failed' })
  }
  rmSync(path.join(place(), 'secret'))
  mkdirSync(path.join(place(), 'secret'))
  await expect(openFileStore(folder)).rejects.toMatchObject({ code: 'host.io_failed' })
})
