import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { inTurn } from '../../node/stores/compaction.js'
import { FileStore, openFileStore } from '../../node/stores/file.js'
import { encodeRecord } from '../../node/stores/record.js'
import { entryOf, keyOf, longEntryOf, vectorOf } from '../../web/standard/testing/cache-entries.js'
import { cacheStoreContract } from '../contract/cache-store.js'

jest.setTimeout(60_000)

let folder = ''
beforeEach(() => void (folder = mkdtempSync(path.join(tmpdir(), 'aetherflow-store-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

for (const sync of [false, true])
  cacheStoreContract(sync ? 'a folder, flushed' : 'a folder', () => {
    const own = mkdtempSync(path.join(tmpdir(), 'aetherflow-store-'))
    return Promise.resolve({
      store: () => new FileStore(own, { sync }),
      end: () => Promise.resolve(rmSync(own, { recursive: true })),
    })
  })

const place = (name = ''): string => path.join(folder, 'v1', name)
const files = (ending = '.seg'): string[] => readdirSync(place()).filter((name) => name.endsWith(ending))
const root = process.getuid?.() === 0
if (root) console.warn('skipped: a folder without permission to write means nothing to root')

/** One session of a process: something is put, and it ends. */
async function session(number: number): Promise<void> {
  const store = await openFileStore(folder)
  await store.put(entryOf(number))
  store.keepEmbedding(keyOf(number), vectorOf(number))
  await store.close()
}

const child = (before: readonly string[], words: readonly string[]): string => {
  const program = fileURLToPath(new URL('../crash/store-process.js', import.meta.url))
  const [file = '', ...rest] = [...before, process.execPath, program, ...words]
  const { stdout, stderr } = spawnSync(file, rest, { encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } })
  expect(stderr).toBe('')
  return stdout
}

const mounts = spawnSync('unshare', ['-rm', 'sh', '-c', 'mount -t tmpfs -o size=64k none /mnt']).status === 0
if (!mounts)
  console.warn('skipped: full and read-only disks need `unshare -rm` and a tmpfs, which this machine refuses')

describe('the folder', () => {
  test('is made, is private, and its names are lawful everywhere', async () => {
    const deep = path.join(folder, 'a', 'b')
    const store = await openFileStore(deep)
    await store.put(entryOf(1))
    store.keepEmbedding(keyOf(1), vectorOf(1))
    await store.close()
    const inside = path.join(deep, 'v1')
    const mode = (name: string): number => statSync(path.join(inside, name)).mode & 0o777
    expect([statSync(deep).mode & 0o777, mode('')]).toEqual([0o700, 0o700])
    const names = readdirSync(inside)
    expect(names).toHaveLength(3)
    for (const name of names) expect([name, mode(name)]).toEqual([expect.stringMatching(/^[a-z0-9.-]+$/), 0o600])
  })

  test('who only reads leaves nothing but the secret', async () => {
    const store = await openFileStore(folder)
    await store.changes()
    await store.read(keyOf(1))
    await store.close()
    expect(readdirSync(place())).toEqual(['secret'])
  })

  test('of a newer version is refused and left as it is, an older one is left alone', async () => {
    mkdirSync(path.join(folder, 'v2'))
    const refused = { code: 'cache.store_failed', detail: expect.stringContaining('newer AetherFlow') }
    await expect(openFileStore(folder)).rejects.toMatchObject(refused)
    expect(readdirSync(folder)).toEqual(['v2'])
    rmSync(path.join(folder, 'v2'), { recursive: true })
    mkdirSync(path.join(folder, 'v0'))
    writeFileSync(path.join(folder, 'v0', 'old'), 'old')
    await session(1)
    expect(readFileSync(path.join(folder, 'v0', 'old'), 'utf8')).toBe('old')
  })

  test('that cannot be one is told with its path', async () => {
    const file = path.join(folder, 'file')
    writeFileSync(file, '')
    for (const wrong of [file, path.join(file, 'below')])
      await expect(openFileStore(wrong)).rejects.toMatchObject({ code: 'host.io_failed', where: wrong })
    writeFileSync(place(), '')
    await expect(openFileStore(folder)).rejects.toMatchObject({ code: 'host.io_failed' })
  })

  test('opening that failed may be tried again', async () => {
    mkdirSync(path.join(folder, 'v2'))
    const store = new FileStore(folder)
    await expect(store.open()).rejects.toMatchObject({ code: 'cache.store_failed' })
    await expect(store.changes()).rejects.toMatchObject({ code: 'cache.store_failed' })
    rmSync(path.join(folder, 'v2'), { recursive: true })
    expect(await store.open()).toEqual({ secret: expect.any(String) })
    await store.close()
  })
  ;(root ? test.skip : test)('that may only be read is read, and a put is told why not', async () => {
    await session(1)
    chmodSync(place(), 0o500)
    const store = await openFileStore(folder)
    expect((await store.changes()).put).toHaveLength(1)
    expect(await store.read(keyOf(1))).toEqual(entryOf(1))
    await expect(store.put(entryOf(2))).rejects.toMatchObject({ code: 'host.io_failed', detail: 'not permitted' })
    store.count({ looked: 1 })
    store.keepEmbedding(keyOf(5), vectorOf(5))
    await store.close()
    chmodSync(place(), 0o700)
  })

  ;(mounts ? test : test.skip)('on a disk that may only be read: the same', async () => {
    await session(1)
    await session(2)
    const script = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && "$@"'
    const [entries, refused] = child(['unshare', '-rm', 'sh', '-c', script, folder], ['look', folder]).split('\n')
    expect([entries, refused]).toEqual(['2 2', expect.stringMatching(/host\.io_failed.*read-only/)])
    expect(files()).toHaveLength(2)
  })

  test('that goes away while it is open takes the entries with it, and a put fails', async () => {
    const store = await openFileStore(folder)
    await store.put(entryOf(1))
    rmSync(folder, { recursive: true })
    expect(await store.changes()).toEqual({ put: [], removed: [keyOf(1)] })
    await expect(store.put(entryOf(2))).rejects.toMatchObject({ code: 'host.io_failed' })
    await store.close()
    expect(existsSync(folder)).toBe(false)
  })
})

describe('no room', () => {
  test('a file that may not grow: what was told is there, the rest is refused as cache.full, and nothing is torn', async () => {
    const told = child(['bash', '-c', 'ulimit -f 64; exec "$@"', 'bash'], ['fill', folder, '5000']).split('\n')
    const numbers = told.filter((line) => /^\d+$/.test(line)).map(Number)
    expect(told).toContain('refused cache.full')
    expect(numbers.length).toBeGreaterThan(5)
    // What is short found room behind the one that had none.
    expect(numbers).toContain(5000)
    expect(told).toContain('removed')
    const store = await openFileStore(folder)
    const { put, damage } = await store.changes()
    expect(damage).toBeUndefined()
    expect(put.map(({ key }) => parseInt(key, 16)).sort((a, b) => a - b)).toEqual(
      numbers.filter((number) => number > 0),
    )
    for (const { key } of put) expect(await store.read(key)).toBeDefined()
    await store.close()
  })

  ;(mounts ? test : test.skip)('a full disk: the same, also for who opens it next', async () => {
    const script = `mount -t tmpfs -o size=64k none "$0" && "$@"; cp -r "$0" "$0-after"`
    const inside = path.join(folder, 'disk')
    mkdirSync(inside)
    const told = child(['unshare', '-rm', 'sh', '-c', script, inside], ['fill', inside, '5000']).split('\n')
    expect(told).toContain('refused cache.full')
    const numbers = told.filter((line) => /^\d+$/.test(line)).map(Number)
    const removed = told.includes('removed') ? [0] : []
    const store = await openFileStore(`${inside}-after`)
    const { put, damage } = await store.changes()
    expect(damage).toBeUndefined()
    const expected = numbers.filter((number) => !removed.includes(number))
    expect(put.map(({ key }) => parseInt(key, 16)).sort((a, b) => a - b)).toEqual(expected)
    expect(expected.length).toBeGreaterThan(5)
    await store.close()
  })
})

describe('compaction by itself', () => {
  test('keeps the files few, however many sessions there were', async () => {
    for (let number = 0; number < 40; ++number) {
      await session(number)
      expect([files().length, files('.vec').length].every((count) => count <= 17)).toBe(true)
    }
    const store = await openFileStore(folder)
    expect((await store.changes()).put).toHaveLength(40)
    for (let number = 0; number < 40; ++number) expect(await store.embedding(keyOf(number))).toEqual(vectorOf(number))
    await store.close()
  })

  test('takes away dead weight when a session ends', async () => {
    const store = await openFileStore(folder)
    for (let turn = 0; turn < 100; ++turn) await store.put(entryOf(turn % 3, { answer: 'x'.repeat(20_000) }))
    expect(await store.size()).toBeGreaterThan(2_000_000)
    await store.close()
    const again = await openFileStore(folder)
    expect(await again.size()).toBeLessThan(100_000)
    expect((await again.changes()).put).toHaveLength(3)
    await again.close()
  })

  test('leaves alone the files of who still writes, and remembers for them what was removed', async () => {
    const writer = await openFileStore(folder)
    await writer.put(entryOf(1))
    await writer.put(entryOf(2))
    const other = await openFileStore(folder)
    await other.remove([keyOf(1)])
    await other.compact()
    await other.close()
    expect(files()).toHaveLength(2)
    const third = await openFileStore(folder)
    expect((await third.changes()).put.map(({ key }) => key)).toEqual([keyOf(2)])
    await third.close()
    expect(await writer.changes()).toEqual({ put: [], removed: [keyOf(1)] })
    await writer.put(entryOf(3))
    await writer.compact()
    expect(files()).toHaveLength(1)
    await writer.close()
    const last = await openFileStore(folder)
    expect((await last.changes()).put.map(({ key }) => key)).toEqual([keyOf(2), keyOf(3)])
    await last.close()
  })

  test('waits for a turn: while another has it nothing is rewritten, and nobody is kept waiting', async () => {
    await session(1)
    await session(2)
    const store = await openFileStore(folder)
    await inTurn(place(), async () => {
      await store.compact()
      expect(files()).toHaveLength(2)
    })
    await store.compact()
    expect(files()).toHaveLength(1)
    await store.close()
  })

  test('takes files from elsewhere when nothing was heard of them for a day', async () => {
    await session(1)
    const owner = { pid: 1, started: '', host: 'elsewhere', machine: 'm', boot: 'b' }
    const foreign = place('000000001-a-b.seg')
    writeFileSync(foreign, encodeRecord('begin', { format: 1, owner }))
    const store = await openFileStore(folder)
    await store.compact()
    expect(existsSync(foreign)).toBe(true)
    await store.close()
    const before = new Date(Date.now() - 90_000_000)
    utimesSync(foreign, before, before)
    const later = await openFileStore(folder)
    await later.compact()
    expect(existsSync(foreign)).toBe(false)
    expect(await later.read(keyOf(1))).toEqual(entryOf(1))
    await later.close()
  })
})

test('a quiet folder is not listed again, and what comes is noticed all the same', async () => {
  const [one, other] = [await openFileStore(folder), await openFileStore(folder)]
  const clock = jest.spyOn(performance, 'now')
  const news = async (): Promise<string[]> => (await other.changes()).put.map(({ key }) => key)
  try {
    await one.put(entryOf(1))
    expect(await news()).toEqual([keyOf(1)])
    // A time in whole seconds, which can be set again.
    const then = new Date(1_700_000_000_000)
    utimesSync(place(), then, then)
    expect(await news()).toEqual([])
    // The time of the folder has been the same for longer than any file system's clock takes to tick.
    clock.mockReturnValue(performance.now() + 10_000)
    expect(await news()).toEqual([])
    await one.put(entryOf(2))
    expect(await news()).toEqual([keyOf(2)])
    // A new file in a folder whose time was set back is seen by nobody who goes by the time.
    await session(3)
    utimesSync(place(), then, then)
    expect(await news()).toEqual([])
    utimesSync(place(), then, new Date())
    expect(await news()).toEqual([keyOf(3)])
  } finally {
    clock.mockRestore()
    await Promise.all([one.close(), other.close()])
  }
})

test('the word that counts is the later one by its time, whatever order the files are read in', async () => {
  await session(1)
  const said = (at: number, by: string, answer: string): Buffer => {
    const entry = entryOf(1, { answer })
    const prompt = Buffer.from(entry.prompt)
    const { prompt: _prompt, answer: _answer, ...head } = entry
    const body = Buffer.concat([prompt, Buffer.from(answer)])
    return encodeRecord('put', { at, by, promptBytes: prompt.length, entry: head }, body)
  }
  const future = Date.now() + 1000
  writeFileSync(place('000000001-a-b.seg'), said(future, 'b', 'the last'))
  writeFileSync(place('zzzzzzzzz-a-b.seg'), said(future, 'a', 'of the same time'))
  writeFileSync(place('zzzzzzzzz-b-b.seg'), said(future - 500, 'z', 'older'))
  const store = await openFileStore(folder)
  expect((await store.read(keyOf(1)))?.answer).toBe('the last')
  // Anyone who has seen it speaks after it, though the clock is behind.
  await store.put(entryOf(1, { answer: 'mine' }))
  const other = await openFileStore(folder)
  expect((await other.read(keyOf(1)))?.answer).toBe('mine')
  await other.remove([keyOf(1)])
  await store.changes()
  expect(await store.read(keyOf(1))).toBeUndefined()
  await store.close()
  await other.close()
})

test('files open for reading are few, however many there are', async () => {
  if (!existsSync('/proc/self/fd')) return console.warn('skipped: open files can be counted on Linux alone')
  const isOurs = (number: string): boolean => {
    try {
      return readlinkSync(`/proc/self/fd/${number}`).startsWith(folder)
    } catch {
      // That of the listing itself.
      return false
    }
  }
  const fds = (): number => readdirSync('/proc/self/fd').filter(isOurs).length
  const writers = await Promise.all(Array.from({ length: 30 }, () => openFileStore(folder)))
  for (const [number, writer] of writers.entries()) await writer.put(longEntryOf(number, 100))
  const before = fds()
  const reader = await openFileStore(folder)
  for (let number = 0; number < 30; ++number) expect(await reader.read(keyOf(number))).toEqual(longEntryOf(number, 100))
  expect(fds() - before).toBeLessThanOrEqual(8)
  expect(fds() - before).toBeGreaterThan(0)
  for (const store of [reader, ...writers]) await store.close()
  expect(fds()).toBe(0)
})
