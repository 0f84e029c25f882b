/** What every RunStore obeys; see the port in web/standard/run/run-store.ts. */
import { describe, expect, setTestLibrary, test, type TestLibrary } from './library.js'
import { AetherflowError } from '../../../bindings/errors.js'
import { JournalLines, type JournalHeader } from '../../../bindings/journal/journal.js'
import type { RunStore } from '../run/run-store.js'

/** One place for runs, empty at first. */
export interface RunStorePlace {
  /** A store of the same run each time: as another process, or another tab, would see it. */
  store(): RunStore
  /** Ends what the test has left behind. */
  end(): Promise<void>
}

const header = (run: string): JournalHeader => ({
  aetherflow: '0.0.0',
  journal: 1,
  run,
  startedAt: '2026-11-21T12:00:00.000Z',
})
const one = '11'.repeat(16)
const two = '22'.repeat(16)
const decoder = new TextDecoder()

/** A journal as a run would write it. */
function lines(run: string, ...members: string[]): { readonly head: string; readonly rest: readonly string[] } {
  const made = new JournalLines()
  const head = made.header(header(run))
  return { head, rest: members.map((member) => made.line(member)) }
}
const options = '"t":0,"e":"begin","options":"{\\"mode\\":\\"fast\\"}","table":1'
const planEnd = '"t":1,"e":"planEnd"'

const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no error',
    (error: unknown) => (error instanceof AetherflowError ? error.code : String(error)),
  )

type InPlace = (what: string, body: (place: RunStorePlace) => Promise<void>) => void

/** A run that wrote these lines and ended. */
async function written(place: RunStorePlace, { head, rest }: ReturnType<typeof lines>): Promise<void> {
  const owned = await place.store().open()
  const writer = await owned.begin(header(one), head)
  for (const line of rest) writer.append(line)
  await writer.flush()
  await owned.close()
}

const textOf = async (store: RunStore): Promise<string> => decoder.decode((await store.peek())?.bytes)

/** Defines the suite. `open`: a fresh place for each test. `library`: default the names that the test runner made global. */
export function runStoreContract(name: string, open: () => Promise<RunStorePlace>, library?: TestLibrary): void {
  setTestLibrary(library)
  const inPlace: InPlace = (what, body) =>
    test(what, async () => {
      const place = await open()
      try {
        await body(place)
      } finally {
        await place.end()
      }
    })
  describe(name, () => {
    describe('peek', () => peeks(inPlace))
    describe('open', () => opens(inPlace))
    describe('begin', () => begins(inPlace))
    describe('resume', () => resumes(inPlace))
    describe('setAside', () => setsAside(inPlace))
    describe('discard', () => discards(inPlace))
  })
}

function peeks(inPlace: InPlace): void {
  inPlace('finds nothing where nothing is', async (place) => {
    expect(await place.store().peek()).toBe(undefined)
  })
  inPlace('reads what a run has written, its options too', async (place) => {
    const journal = lines(one, options, planEnd)
    await written(place, journal)
    const kept = await place.store().peek()
    expect(decoder.decode(kept?.bytes)).toBe(journal.head + journal.rest.join(''))
    expect(kept?.journal.header.run).toBe(one)
    expect(kept?.journal.records.length).toBe(2)
    expect(kept?.begin).toEqual({ mode: 'fast' })
  })
  inPlace('and open give the same object while nothing is written: a journal is parsed once', async (place) => {
    await written(place, lines(one, options))
    const store = place.store()
    const first = await store.peek()
    expect((await store.peek()) === first).toBe(true)
    const owned = await store.open()
    expect(owned.kept === first).toBe(true)
    expect(owned.kept?.journal === first?.journal).toBe(true)
    await owned.close()
  })
  inPlace('sees what another has written since', async (place) => {
    const { head, rest } = lines(one, options, planEnd)
    await written(place, { head, rest: rest.slice(0, 1) })
    const store = place.store()
    const before = await store.peek()
    const owned = await place.store().open()
    const writer = await owned.resume(before!.journal.after(0))
    writer.append(rest[1]!)
    await writer.flush()
    expect((await store.peek())?.journal.records.length).toBe(2)
    await owned.close()
    expect(before!.journal.records.length).toBe(1)
  })
  inPlace('needs no ownership', async (place) => {
    await written(place, lines(one, options))
    const owned = await place.store().open()
    expect((await place.store().peek())?.journal.header.run).toBe(one)
    await owned.close()
  })
}

function opens(inPlace: InPlace): void {
  inPlace('gives a run to one owner, and to the next when that lets go', async (place) => {
    const owned = await place.store().open()
    expect(await codeOf(place.store().open())).toBe('host.run_locked')
    await owned.close()
    await owned.close()
    const next = await place.store().open()
    await next.close()
  })
  inPlace('and close leave nothing where nothing was begun', async (place) => {
    await (await place.store().open()).close()
    expect(await place.store().peek()).toBe(undefined)
  })
}

function begins(inPlace: InPlace): void {
  inPlace('takes the place of a journal that is there', async (place) => {
    await written(place, lines(one, options, planEnd))
    const owned = await place.store().open()
    const { head } = lines(two)
    const writer = await owned.begin(header(two), head)
    await writer.flush()
    await owned.close()
    expect(await textOf(place.store())).toBe(head)
  })
  inPlace('keeps lines in their order, also those that nobody waited for', async (place) => {
    const members = Array.from({ length: 200 }, (_, at) => `"t":${at},"e":"tick","v":[]`)
    const journal = lines(one, options, ...members)
    await written(place, journal)
    expect(await textOf(place.store())).toBe(journal.head + journal.rest.join(''))
  })
  inPlace('keeps texts of any characters as they are', async (place) => {
    const journal = lines(one, options, `"t":0,"e":"planBytes","text":${JSON.stringify('漢字 \u0000 \u2028 👩‍💻 "')}`)
    await written(place, journal)
    expect((await place.store().peek())?.journal.records.length).toBe(2)
  })
}

function resumes(inPlace: InPlace): void {
  inPlace('goes on behind the last line', async (place) => {
    const { head, rest } = lines(one, options, planEnd)
    await written(place, { head, rest: rest.slice(0, 1) })
    const owned = await place.store().open()
    const writer = await owned.resume(owned.kept!.journal.after(0))
    writer.append(rest[1]!)
    await writer.flush()
    await owned.close()
    expect(await textOf(place.store())).toBe(head + rest.join(''))
  })
  inPlace('drops what lies behind the end that it is given', async (place) => {
    const { head, rest } = lines(one, options, planEnd, '"t":2,"e":"cancelRun","v":[]')
    await written(place, { head, rest })
    const owned = await place.store().open()
    await (await owned.resume(owned.kept!.journal.after(0))).flush()
    await owned.close()
    expect(await textOf(place.store())).toBe(head + rest[0]!)
  })
  inPlace('completes a last line whose newline is missing', async (place) => {
    const { head, rest } = lines(one, options, planEnd)
    await written(place, { head, rest: [rest[0]!.slice(0, -1)] })
    const owned = await place.store().open()
    const end = owned.kept!.journal.after(0)
    expect(end.newline).toBe(false)
    const writer = await owned.resume(end)
    writer.append(rest[1]!)
    await writer.flush()
    await owned.close()
    expect((await place.store().peek())?.journal.dropped).toBe(undefined)
    expect((await place.store().peek())?.journal.records.length).toBe(2)
  })
}

function setsAside(inPlace: InPlace): void {
  inPlace('keeps the journal under a name of its own when another takes its place', async (place) => {
    const old = lines(one, options)
    await written(place, old)
    const owned = await place.store().open()
    const name = await owned.setAside()
    const writer = await owned.begin(header(two), lines(two).head)
    await writer.flush()
    await owned.close()
    const later = await place.store().open()
    expect(later.kept?.journal.header.run).toBe(two)
    expect(decoder.decode((await later.aside(name))?.bytes)).toBe(old.head + old.rest.join(''))
    expect((await later.setAside()) === name).toBe(false)
    await later.close()
  })
  inPlace('finds nothing under names that it has not given, be they paths', async (place) => {
    await written(place, lines(one, options))
    const owned = await place.store().open()
    for (const name of ['journal-7', 'journal-7.jsonl', '', '../secret', '/etc/passwd', 'journal.jsonl'])
      expect(await owned.aside(name)).toBe(undefined)
    await owned.close()
  })
}

function discards(inPlace: InPlace): void {
  inPlace('removes the journal and lets go; once is enough', async (place) => {
    const owned = await place.store().open()
    const writer = await owned.begin(header(one), lines(one).head)
    await writer.flush()
    await owned.discard()
    await owned.discard()
    await owned.close()
    expect(await place.store().peek()).toBe(undefined)
    await (await place.store().open()).close()
  })
}
