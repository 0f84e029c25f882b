/**
 * A process that uses a cache's folder, for tests that need several, or that kill one. `store-process.js WHAT FOLDER WORDS…`:
 *
 *   write FIRST COUNT [BYTES]   puts so many entries, each after the one before has been told: one line with its number each
 *   together WHO COUNT SHARED   puts so many of its own and the shared ones, all at once; then, each time a line comes in, tells what it sees
 *   compact                     tells `compacted`
 *   look                        tells how many entries are there, reads them all, and tells what becomes of a put
 *   fill BYTES                  puts until one is refused: `refused CODE`; then a short one, and a removal
 *
 * KILL_AT=n kills it, as `kill -9` does, when it is about to do its n-th change to a file; a write is done by half.
 */
import { writeSync } from 'node:fs'
import promises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { createInterface } from 'node:readline'
import { FileStore } from '../../node/stores/file.js'
import { entryOf, keyOf, longEntryOf } from '../../web/standard/testing/cache-entries.js'

type Call = (this: unknown, ...words: unknown[]) => unknown

const killAt = Number(process.env['KILL_AT'])
let changes = 0

function counted(from: Record<string, Call>, names: readonly string[], half?: Call): void {
  for (const name of names) {
    const real = from[name] as Call
    from[name] = function (this: unknown, ...words: unknown[]) {
      changes += 1
      if (changes === killAt) {
        half?.apply(this, words)
        process.kill(process.pid, 'SIGKILL')
      }
      return real.apply(this, words)
    }
  }
}

async function countChanges(): Promise<void> {
  const handle = await promises.open(process.execPath, 'r')
  const methods = Object.getPrototypeOf(handle) as Record<string, Call>
  await handle.close()
  counted(methods, ['write'], function (this: unknown, ...[bytes, at, length]: unknown[]) {
    writeSync((this as { fd: number }).fd, bytes as Buffer, at as number, Math.floor((length as number) / 2))
  })
  counted(methods, ['datasync', 'sync', 'truncate'])
  counted(promises as unknown as Record<string, Call>, ['open', 'rename', 'unlink', 'link', 'mkdir', 'writeFile'])
  syncBuiltinESMExports()
}

const tell = (line: string): void => void writeSync(1, `${line}\n`)

async function write(store: FileStore, [first = '0', count = '0', bytes = '0']: readonly string[]): Promise<void> {
  for (let number = Number(first); number < Number(first) + Number(count); ++number) {
    await store.put(longEntryOf(number, Number(bytes)))
    tell(String(number))
  }
}

async function together(store: FileStore, [who = '', count = '0', shared = '0']: readonly string[]): Promise<void> {
  const own = Array.from({ length: Number(count) }, (_, at) => entryOf(10_000 * (1 + Number(who)) + at))
  const common = Array.from({ length: Number(shared) }, (_, at) => entryOf(at, { answer: `of ${who}` }))
  await Promise.all([...own, ...common].map((entry) => store.put(entry)))
  store.count({ put: own.length + common.length })
  tell('written')
  for await (const _ of createInterface(process.stdin)) {
    const { damage } = await store.changes()
    const seen = await Promise.all(common.map(async ({ key }) => (await store.read(key))?.answer ?? 'none'))
    tell([damage ?? 'sound', ...seen].join(','))
  }
}

async function look(store: FileStore): Promise<void> {
  const { put } = await store.changes()
  const read = await Promise.all(put.map(({ key }) => store.read(key)))
  tell(`${put.length} ${read.filter((entry) => entry !== undefined).length}`)
  store.count({ looked: 1 })
  store.used([keyOf(1)], 9_000_000)
  await store.put(entryOf(5_000)).then(
    () => tell('put'),
    (error: unknown) => tell(String(error)),
  )
}

async function fill(store: FileStore, [bytes = '0']: readonly string[]): Promise<void> {
  for (let number = 0; ; ++number)
    try {
      await store.put(entryOf(number, { answer: 'a'.repeat(Number(bytes)) }))
      tell(String(number))
    } catch (error) {
      tell(`refused ${(error as { code: string }).code}`)
      break
    }
  const short = await store.put(entryOf(5_000)).then(
    () => '5000',
    (error: unknown) => `refused ${(error as { code: string }).code}`,
  )
  tell(short)
  await store.remove([keyOf(0)]).then(
    () => tell('removed'),
    (error: unknown) => tell(`refused ${(error as { code: string }).code}`),
  )
}

const [what = '', folder = '', ...words] = process.argv.slice(2)
const store = new FileStore(folder)
await store.open()
await countChanges()
if (what === 'write') await write(store, words)
if (what === 'together') await together(store, words)
if (what === 'look') await look(store)
if (what === 'fill') await fill(store, words)
if (what === 'compact') {
  await store.compact()
  tell('compacted')
}
await store.close()
if (Number.isNaN(killAt)) tell(`changes ${changes}`)
