/** What every store of the cache must do: see CacheStore in bindings/cache/ports.ts. */
import { describe, expect, setTestLibrary, test, type TestLibrary } from './library.js'
import type { CacheEntry, CacheEntryHead, CacheStore } from '../../../bindings/cache/ports.js'
import { entryOf, keyOf, vectorOf } from './cache-entries.js'
import { countsVersions } from './cache-versions.js'

/** Somewhere that entries are kept: each `store()` is one more that opens it, as another process (tab) would. */
export interface StorePlace {
  store(): CacheStore
  /** Its stores count versions of scopes. */
  readonly versions?: boolean
  /** Takes everything away. The suite has closed the stores. */
  end(): Promise<void>
}

const headOf = ({ prompt: _prompt, answer: _answer, ...head }: CacheEntry): CacheEntryHead => head
const keys = (heads: readonly CacheEntryHead[]): string[] => heads.map(({ key }) => key)
const numbers = (count: number, from = 0): number[] => Array.from({ length: count }, (_, at) => from + at)

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'it did not fail',
    (error: { readonly code?: unknown }) => String(error.code),
  )

type Use = (open: () => Promise<CacheStore>, place: StorePlace) => Promise<void>
type With = (use: Use) => () => Promise<void>

/** Defines the suite. `make`: a fresh place for each test. `library`: default the names that the test runner made global. */
export function cacheStoreContract(name: string, make: () => Promise<StorePlace>, library?: TestLibrary): void {
  setTestLibrary(library)
  const within: With = (use) => async () => {
    const place = await make()
    const opened: CacheStore[] = []
    try {
      await use(async () => {
        const store = place.store()
        opened.push(store)
        await store.open()
        return store
      }, place)
    } finally {
      for (const store of opened) await store.close()
      await place.end()
    }
  }
  describe(`${name}: one that has it open`, () => {
    startsEmpty(within)
    keeps(within)
    keepsOddTexts(within)
    ends(within)
  })
  describe(`${name}: two that have it open`, () => {
    seesOthers(within)
    agrees(within)
    countsVersions(within)
  })
  describe(`${name}: opened again`, () => remembers(within))
  describe(`${name}: embeddings and counters`, () => {
    embeds(within)
    counts(within)
  })
  describe(`${name}: compacting`, () => compacts(within))
}

function startsEmpty(within: With): void {
  test(
    'is empty at first',
    within(async (open) => {
      const store = await open()
      expect(await store.changes()).toEqual({ put: [], removed: [] })
      expect(await store.read(keyOf(1))).toBe(undefined)
      expect(await store.embedding(keyOf(1))).toBe(undefined)
      expect(await store.tally()).toEqual({})
      await store.remove([keyOf(1)])
      store.used([keyOf(1)], 5)
      await store.compact()
      expect(await store.changes()).toEqual({ put: [], removed: [] })
    }),
  )

  test(
    'has a secret of 32 hexadecimal digits, the same for all and for ever',
    within(async (_open, place) => {
      const stores = numbers(4).map(() => place.store())
      const secrets = await Promise.all(stores.map((store) => store.open()))
      const [first] = secrets
      expect(/^[0-9a-f]{32}$/.test(first?.secret ?? '')).toBe(true)
      expect(secrets.every(({ secret }) => secret === first?.secret)).toBe(true)
      for (const store of stores) await store.close()
      const later = place.store()
      expect(await later.open()).toEqual({ secret: first?.secret })
      await later.close()
    }),
  )
}

function keeps(within: With): void {
  test(
    'gives back whole what was put, and does not list it as news to who put it',
    within(async (open) => {
      const store = await open()
      await store.put(entryOf(1))
      await store.put(entryOf(2))
      expect(await store.read(keyOf(1))).toEqual(entryOf(1))
      expect(await store.read(keyOf(2))).toEqual(entryOf(2))
      expect(await store.read(keyOf(3))).toBe(undefined)
      expect(await store.changes()).toEqual({ put: [], removed: [] })
    }),
  )

  test(
    'replaces and removes',
    within(async (open) => {
      const store = await open()
      await store.put(entryOf(1))
      const other = entryOf(1, { answer: 'another answer', createdAt: 2_000_000 })
      await store.put(other)
      expect(await store.read(keyOf(1))).toEqual(other)
      await store.put(entryOf(2))
      await store.remove([keyOf(1), keyOf(7)])
      expect(await store.read(keyOf(1))).toBe(undefined)
      expect(await store.read(keyOf(2))).toEqual(entryOf(2))
      await store.put(entryOf(1))
      expect(await store.read(keyOf(1))).toEqual(entryOf(1))
    }),
  )

  test(
    'takes many at once',
    within(async (open) => {
      const store = await open()
      await Promise.all(numbers(200).map((number) => store.put(entryOf(number % 150, { answer: `a${number}` }))))
      const texts = await Promise.all(numbers(150).map(async (number) => (await store.read(keyOf(number)))?.answer))
      expect(texts).toEqual(numbers(150).map((number) => `a${number < 50 ? number + 150 : number}`))
      const late = await open()
      expect((await late.changes()).put.length).toBe(150)
    }),
  )

  test(
    'grows with what it holds',
    within(async (open) => {
      const store = await open()
      const before = await store.size()
      await store.put(entryOf(1, { answer: 'x'.repeat(100_000) }))
      expect((await store.size()) - before >= 100_000).toBe(true)
    }),
  )
}

function keepsOddTexts(within: With): void {
  const texts: readonly [string, string][] = [
    ['empty texts', ''],
    ['every plane of Unicode', 'aé漢🜁 \u0000\u0001\u2028\ufeff\uffff e\u0301 \u202eabc'],
    ['line ends and quotes', '"\\"\r\n\n\r\t\u0085 {"t":"put"}'],
    ['a megabyte', '0123456789abcdé漢'.repeat(70_000)],
  ]
  for (const [what, text] of texts)
    test(
      `keeps ${what}`,
      within(async (open) => {
        const store = await open()
        const entries = [
          entryOf(1, { prompt: text, answer: 'short' }),
          entryOf(2, { prompt: 'short', answer: text, label: text.slice(0, 100) }),
          entryOf(3, { prompt: text, answer: text }),
        ]
        for (const entry of entries) await store.put(entry)
        const late = await open()
        expect((await late.changes()).put).toEqual(entries.map(headOf))
        for (const entry of entries) {
          expect(await store.read(entry.key)).toEqual(entry)
          expect(await late.read(entry.key)).toEqual(entry)
        }
      }),
    )

  test(
    'keeps numbers that are large, and marks that are not known to it do not come back',
    within(async (open) => {
      const store = await open()
      const entry = entryOf(1, { createdAt: 8.64e15, worth: { tokens: 2 ** 53 - 1, microUsd: 0, ms: 0.5 } })
      await store.put({ ...entry, unknown: true } as CacheEntry)
      expect(await store.read(keyOf(1))).toEqual(entry)
      expect((await (await open()).changes()).put).toEqual([headOf(entry)])
    }),
  )
}

function ends(within: With): void {
  test(
    'may be closed twice, and is over then',
    within(async (open) => {
      const store = await open()
      await store.put(entryOf(1))
      await store.close()
      await store.close()
      expect(await codeOf(store.read(keyOf(1)))).toBe('cache.store_failed')
      expect(await codeOf(store.put(entryOf(2)))).toBe('cache.store_failed')
      expect(await codeOf(store.changes())).toBe('cache.store_failed')
      expect(await codeOf(store.open())).toBe('cache.store_failed')
      store.used([keyOf(1)], 1)
      store.count({ looked: 1 })
      store.keepEmbedding(keyOf(1), vectorOf(1))
    }),
  )
}

function seesOthers(within: With): void {
  test(
    'sees what the other put, replaced and removed, once',
    within(async (open) => {
      const [one, other] = [await open(), await open()]
      await one.changes()
      await other.changes()
      await one.put(entryOf(1))
      await one.put(entryOf(2))
      expect(await other.changes()).toEqual({ put: [headOf(entryOf(1)), headOf(entryOf(2))], removed: [] })
      expect(await other.changes()).toEqual({ put: [], removed: [] })
      expect(await other.read(keyOf(2))).toEqual(entryOf(2))
      const newer = entryOf(2, { answer: 'newer', createdAt: 2_000_000 })
      await other.put(newer)
      await other.remove([keyOf(1)])
      expect(await other.read(keyOf(1))).toBe(undefined)
      expect(await one.changes()).toEqual({ put: [headOf(newer)], removed: [keyOf(1)] })
      expect(await one.read(keyOf(2))).toEqual(newer)
      expect(await one.read(keyOf(1))).toBe(undefined)
      expect(await other.changes()).toEqual({ put: [], removed: [] })
    }),
  )

  test(
    'what was removed and put again is there',
    within(async (open) => {
      const [one, other] = [await open(), await open()]
      await one.put(entryOf(1))
      await other.changes()
      await other.remove([keyOf(1)])
      await one.changes()
      await one.put(entryOf(1, { answer: 'again' }))
      expect(keys((await other.changes()).put)).toEqual([keyOf(1)])
      expect((await other.read(keyOf(1)))?.answer).toBe('again')
    }),
  )
}

function agrees(within: With): void {
  test(
    'both have the same answer when both put it at once, and so has a third',
    within(async (open) => {
      const stores = [await open(), await open()]
      await Promise.all(
        stores.flatMap((store, who) =>
          numbers(50).map((number) => store.put(entryOf(number, { answer: `${who}: ${number}` }))),
        ),
      )
      for (const store of stores) await store.changes()
      const all = [...stores, await open()]
      const read = async (store: CacheStore): Promise<(string | undefined)[]> =>
        Promise.all(numbers(50).map(async (number) => (await store.read(keyOf(number)))?.answer))
      const [first, ...rest] = await Promise.all(all.map(read))
      expect(first?.every((answer) => answer !== undefined)).toBe(true)
      for (const answers of rest) expect(answers).toEqual(first)
    }),
  )
}

function remembers(within: With): void {
  test(
    'everything is there, the longest unused first',
    within(async (open) => {
      const store = await open()
      for (const number of [4, 2, 3, 1]) await store.put(entryOf(number))
      store.used([keyOf(1), keyOf(3)], 1_000_010)
      store.used([keyOf(3)], 1_000_020)
      store.used([keyOf(3)], 1_000_015)
      await store.remove([keyOf(4)])
      await store.close()
      const again = await open()
      const { put, removed } = await again.changes()
      expect([keys(put), removed]).toEqual([[keyOf(2), keyOf(1), keyOf(3)], []])
      expect(put[0]).toEqual(headOf(entryOf(2)))
      expect(await again.read(keyOf(3))).toEqual(entryOf(3))
      expect(await again.read(keyOf(4))).toBe(undefined)
    }),
  )

  test(
    'reading needs no look at the changes first',
    within(async (open) => {
      const store = await open()
      await store.put(entryOf(1))
      await store.close()
      const again = await open()
      expect(await again.read(keyOf(1))).toEqual(entryOf(1))
      expect(keys((await again.changes()).put)).toEqual([keyOf(1)])
    }),
  )
}

function embeds(within: With): void {
  test(
    'gives back an embedding bit by bit, to others and later too',
    within(async (open) => {
      const store = await open()
      const vectors = numbers(20).map((number) => vectorOf(number, number % 2 === 0 ? 384 : 3))
      vectors.forEach((vector, number) => store.keepEmbedding(keyOf(number), vector))
      const given = vectors.map((vector) => vector.slice())
      // What is done to the array afterwards is of no concern to the store.
      for (const vector of vectors) vector.fill(0)
      for (const [number, vector] of given.entries()) expect(await store.embedding(keyOf(number))).toEqual(vector)
      await store.close()
      const again = await open()
      for (const [number, vector] of given.entries()) expect(await again.embedding(keyOf(number))).toEqual(vector)
      expect(await again.embedding(keyOf(99))).toBe(undefined)
    }),
  )

  test(
    'hands out copies, and keeps the last that it was given',
    within(async (open) => {
      const store = await open()
      store.keepEmbedding(keyOf(1), vectorOf(1))
      store.keepEmbedding(keyOf(1), vectorOf(2))
      ;(await store.embedding(keyOf(1)))?.fill(0)
      expect(await store.embedding(keyOf(1))).toEqual(vectorOf(2))
    }),
  )
}

function counts(within: With): void {
  test(
    'adds up over all who ever had it open',
    within(async (open) => {
      const [one, other] = [await open(), await open()]
      one.count({ looked: 2, exact: 1 })
      one.count({ looked: 1 })
      other.count({ looked: 10, '__proto__ is a name': 1 })
      expect((await one.tally())['exact']).toBe(1)
      await one.close()
      await other.close()
      const third = await open()
      third.count({ looked: 100 })
      expect(await third.tally()).toEqual({ looked: 113, exact: 1, '__proto__ is a name': 1 })
    }),
  )
}

function compacts(within: With): void {
  test(
    'keeps everything, for who does it and for others, also their own',
    within(async (open) => {
      const [one, other, past] = [await open(), await open(), await open()]
      await past.put(entryOf(0))
      await past.close()
      for (const number of numbers(40, 1)) await one.put(entryOf(number % 20, { answer: `a${number}` }))
      await other.put(entryOf(30))
      await one.remove([keyOf(1)])
      one.used([keyOf(2)], 5_000_000)
      one.count({ looked: 3 })
      one.keepEmbedding(keyOf(2), vectorOf(2))
      await one.changes()
      await other.changes()
      await one.compact()
      expect(await one.changes()).toEqual({ put: [], removed: [] })
      expect(await other.changes()).toEqual({ put: [], removed: [] })
      const late = await open()
      const { put, removed } = await late.changes()
      expect(put.length).toBe(20)
      expect(removed).toEqual([])
      expect(put.at(-1)?.key).toBe(keyOf(2))
      for (const store of [one, other, late]) {
        expect((await store.read(keyOf(2)))?.answer).toBe('a22')
        expect((await store.read(keyOf(0)))?.answer).toBe('a40')
        expect(await store.read(keyOf(1))).toBe(undefined)
        expect((await store.read(keyOf(30)))?.answer).toBe('answer 30')
        expect(await store.embedding(keyOf(2))).toEqual(vectorOf(2))
        expect(await store.tally()).toEqual({ looked: 3 })
      }
    }),
  )

  test(
    'is harmless beside those who write',
    within(async (open) => {
      const stores = await Promise.all(numbers(3).map(() => open()))
      await Promise.all([
        ...numbers(90).map((number) => stores[number % 3]!.put(entryOf(number))),
        ...stores.map((store) => store.compact()),
      ])
      await Promise.all(stores.map((store) => store.compact()))
      for (const store of stores) {
        await store.changes()
        for (const number of numbers(90)) expect(await store.read(keyOf(number))).toEqual(entryOf(number))
      }
      expect((await (await open()).changes()).put.length).toBe(90)
    }),
  )
}
