/** What can happen to a database in a browser: tabs, reloads, versions, a full origin, refusals, damage, deletion. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Page } from 'playwright-core'
import { describeInBrowser, openPage } from './chromium.js'
import { PageServer } from './page-server.js'
import type {} from './pages/api.js'
import type {} from './pages/indexeddb.js'

describeInBrowser('a store in IndexedDB', () => {
  let server: PageServer
  beforeAll(async () => void (server = await PageServer.start()), 60_000)
  afterAll(() => server?.close())
  const opened = async () => {
    const open = await openPage(server.page('indexeddb'))
    const another = async (): Promise<Page> => {
      const page = await open.context.newPage()
      await page.goto(server.page('indexeddb'))
      await page.waitForFunction(() => globalThis.ready)
      return page
    }
    return { ...open, another }
  }

  test('is there after a reload, and for another tab, with its counters and vectors', async () => {
    const { page, another } = await opened()
    await page.evaluate(async () => {
      const { IndexedDbStore, entry, key } = stores
      const store = new IndexedDbStore('kept')
      await store.open()
      await store.put(entry(1))
      await store.put(entry(2))
      store.used([key(1)], 5_000_000)
      store.count({ looked: 3 })
      store.keepEmbedding(key(7), new Float32Array([0.6, 0.8]))
      await store.close()
    })
    const look = async (page: Page) =>
      page.evaluate(async () => {
        const { IndexedDbStore, key } = stores
        const store = new IndexedDbStore('kept')
        const { secret } = await store.open()
        const keys = (await store.changes()).put.map((head) => Number(`0x${head.key}`))
        const vector = [...((await store.embedding(key(7))) ?? [])].map((value) => value.toFixed(1))
        const told = { keys, vector, tally: await store.tally(), answer: (await store.read(key(1)))?.answer }
        await store.close()
        return { secret, told }
      })
    await page.reload()
    await page.waitForFunction(() => globalThis.ready)
    const [reloaded, other] = [await look(page), await look(await another())]
    expect(reloaded.told).toEqual({ keys: [2, 1], vector: ['0.6', '0.8'], tally: { looked: 3 }, answer: 'answer 1' })
    expect(other).toEqual(reloaded)
  })

  test('tabs that write at once lose nothing and hear of each other', async () => {
    const { page, another } = await opened()
    const pages = [page, await another(), await another()]
    await Promise.all(
      pages.map((page, who) =>
        page.evaluate(async (who) => {
          const store = new stores.IndexedDbStore('tabs')
          await store.open()
          Object.assign(globalThis, { store })
          const numbers = Array.from({ length: 60 }, (_, at) => at * 3 + who)
          await Promise.all(numbers.map((number) => store.put(stores.entry(number))))
          await Promise.all(Array.from({ length: 50 }, () => store.put(stores.entry(1_000, `of ${who}`))))
          for (let i = 0; i < 40; i++) store.count({ looked: 1 })
          await store.flush()
        }, who),
      ),
    )
    const told = await Promise.all(
      pages.map((page) =>
        page.evaluate(async () => {
          const { store } = globalThis as unknown as { store: InstanceType<typeof stores.IndexedDbStore> }
          const heard = (await store.changes()).put.filter((head) => head.key !== stores.key(1_000)).length
          const late = new stores.IndexedDbStore('tabs')
          await late.open()
          const all = (await late.changes()).put.length
          const told = { heard, all, last: (await store.read(stores.key(1_000)))?.answer, tally: await store.tally() }
          await late.close()
          return told
        }),
      ),
    )
    const last = told[0]?.last
    expect(last).toMatch(/^of [012]$/)
    expect(told).toEqual(Array(3).fill({ heard: 120, all: 181, last, tally: { looked: 120 } }))
  })

  test('a new version takes the entries over; whoever has the old one open lets go and then says why it cannot go on', async () => {
    const { page, another } = await opened()
    await page.evaluate(async () => {
      const store = new stores.IndexedDbStore('upgraded')
      await store.open()
      await store.put(stores.entry(1))
      Object.assign(globalThis, { store })
    })
    const next = await another()
    const told = await next.evaluate(async () => {
      const store = new stores.IndexedDbStore('upgraded', stores.nextSchema)
      await store.open()
      const entry = await store.read(stores.key(1))
      await store.close()
      const database = new stores.Database(stores.cacheDatabase('upgraded'), stores.nextSchema)
      const row = await database.run(['heads'], 'readonly', (name) => stores.given(name('heads').get(stores.key(1))))
      database.close()
      return [entry?.answer, (row as { colour?: string }).colour]
    })
    expect(told).toEqual(['answer 1', 'red'])
    const codes = await page.evaluate(async () => {
      const { store } = globalThis as unknown as { store: InstanceType<typeof stores.IndexedDbStore> }
      const { code, entry, IndexedDbStore } = stores
      const late = new IndexedDbStore('upgraded')
      return [await code(store.put(entry(2))), await code(store.changes()), await code(late.open())]
    })
    for (const said of codes) expect(said).toMatch(/^cache\.store_failed: a newer version/)
  })

  test('one that holds an older version open and does not let go is named, and blocks nobody for ever', async () => {
    const { page, another } = await opened()
    await page.evaluate(async () => {
      const opening = indexedDB.open(stores.cacheDatabase('blocked'), 1)
      opening.onupgradeneeded = () => stores.cacheSchema.upgrade(opening.result, opening.transaction!, 0)
      await stores.given(opening)
      Object.assign(globalThis, { held: opening.result })
    })
    const next = await another()
    const open = () =>
      next.evaluate(async () => {
        const store = new stores.IndexedDbStore('blocked', stores.nextSchema)
        return await stores.code(store.open().finally(() => store.close()))
      })
    expect(await open()).toMatch(/^cache\.store_failed: another tab/)
    await page.evaluate(() => (globalThis as unknown as { held: IDBDatabase }).held.close())
    expect(await open()).toBe('ok')
  }, 30_000)

  test('a full origin: the longest unused go, then it says so, and works on when there is room again', async () => {
    const { page, context } = await opened()
    const devtools = await context.newCDPSession(page)
    const quota = (quotaSize?: number) =>
      devtools.send('Storage.overrideQuotaForOrigin', {
        origin: server.origin,
        ...(quotaSize === undefined ? {} : { quotaSize }),
      })
    // Before the first write: Chromium asks for the room that is left only now and then.
    await quota(4_000_000)
    const full = await page.evaluate(async () => {
      const { IndexedDbStore, entry, key, code } = stores
      const store = new IndexedDbStore('full')
      await store.open()
      Object.assign(globalThis, { store })
      // Nothing that can be compressed.
      const text = () => btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(40_000))))
      const said: string[] = []
      const add = async (text: string) => said.push(await code(store.put(entry(said.length, text))))
      await store.changes()
      for (let i = 0; i < 150; i++) {
        await add(text())
        store.used([key(0)], 9_000_000 + i)
        await store.flush()
      }
      const evicted = (await store.changes()).removed.length
      for (let i = 0; i < 3; i++) await add(text().repeat(100))
      const reads = said.map(async (_, i) => ((await store.read(key(i))) === undefined ? [] : [i]))
      return { said, evicted, there: (await Promise.all(reads)).flat() }
    })
    // 150 entries of 53 KB do not fit into 4 MB: those used last do. One that is larger than all the room does not.
    expect(full.said.slice(0, 150).every((said) => said === 'ok')).toBe(true)
    expect(full.evicted).toBeGreaterThan(75)
    expect(full.said.slice(150)).toEqual(Array(3).fill(expect.stringMatching(/^cache\.full: /)))
    expect(full.there).toEqual(expect.arrayContaining([0, 149]))
    // It cost no more than half of what was there.
    expect(full.there.length).toBeGreaterThanOrEqual(Math.floor((150 - full.evicted) / 2))
    await quota()
    const after = await page.evaluate(async (full) => {
      const { store } = globalThis as unknown as { store: InstanceType<typeof stores.IndexedDbStore> }
      const put = await stores.code(store.put(stores.entry(200)))
      const removed = full.evicted + (await store.changes()).removed.length
      const size = await store.size()
      await store.compact()
      return { put, removed, counted: size - (await store.size()) }
    }, full)
    expect(after).toEqual({ put: 'ok', removed: 150 - full.there.length, counted: 0 })
  }, 60_000)

  test('where the browser refuses, it says so', async () => {
    const { page } = await opened()
    const said = await page.evaluate(async () => {
      const { code, IndexedDbStore } = stores
      const open = IDBFactory.prototype.open
      IDBFactory.prototype.open = () => {
        throw new DOMException('The operation is insecure.', 'SecurityError')
      }
      const refused = await code(new IndexedDbStore('refused').open())
      IDBFactory.prototype.open = open
      return [refused, await code(new IndexedDbStore('refused').open())]
    })
    expect(said).toEqual(['host.io_failed: the browser refuses IndexedDB: The operation is insecure.', 'ok'])
  })

  test('damaged and missing rows are dropped, once, and everyone hears of it', async () => {
    const { page } = await opened()
    const told = await page.evaluate(async () => {
      const { IndexedDbStore, entry, key, Database, cacheDatabase, cacheSchema } = stores
      const store = new IndexedDbStore('damaged')
      await store.open()
      for (let i = 0; i < 6; i++) await store.put(entry(i))
      store.keepEmbedding(key(9), new Float32Array([1]))
      await store.flush()
      await store.changes()
      const other = new IndexedDbStore('damaged')
      await other.open()
      await other.changes()
      const raw = new Database(cacheDatabase('damaged'), cacheSchema)
      await raw.run(['heads', 'texts', 'embeddings'], 'readwrite', async (name) => {
        name('heads').put({ key: key(1), write: 2, usedAt: 1, nonsense: true })
        name('texts').delete(key(2))
        name('texts').put({ key: key(3), prompt: 7 })
        name('embeddings').put({ key: key(9), vector: 'no vector', day: 1 })
        await stores.given(name('heads').put({ key: 'not a key', write: 3, usedAt: 'never' }))
      })
      raw.close()
      const reads = await Promise.all([1, 2, 3, 4].map(async (i) => (await store.read(key(i)))?.answer))
      const late = new IndexedDbStore('damaged')
      await late.open()
      const first = await late.changes()
      return {
        reads,
        vector: await store.embedding(key(9)),
        own: await store.changes(),
        heard: (await other.changes()).removed.length,
        late: [first.put.length, first.damage],
        again: (await late.changes()).damage,
      }
    })
    expect(told.reads).toEqual([undefined, undefined, undefined, 'answer 4'])
    expect(told.vector).toBe(undefined)
    expect(told.own.removed.length).toBe(4)
    expect(told.own.damage).toMatch(/damaged entry was dropped/)
    expect(told.heard).toBe(4)
    expect(told.late).toEqual([3, '1 damaged entry was dropped'])
    expect(told.again).toBe(undefined)
  })

  test('deleted while it is open, it goes on empty; without its state it starts anew and says so', async () => {
    const { page } = await opened()
    const told = await page.evaluate(async () => {
      const { IndexedDbStore, entry, key, code, cacheDatabase, cacheSchema, Database, given } = stores
      const store = new IndexedDbStore('deleted')
      const { secret } = await store.open()
      await store.put(entry(1))
      await given(indexedDB.deleteDatabase(cacheDatabase('deleted')))
      const gone = await store.read(key(1))
      await store.put(entry(2))
      const late = new IndexedDbStore('deleted')
      const same = (await late.open()).secret === secret
      const answer = (await late.read(key(2)))?.answer
      await late.close()
      await store.close()
      const raw = new Database(cacheDatabase('deleted'), cacheSchema)
      await raw.run(['state'], 'readwrite', async (name) => void (await given(name('state').clear())))
      raw.close()
      const anew = new IndexedDbStore('deleted')
      const other = (await anew.open()).secret !== secret
      const { put, damage } = await anew.changes()
      return { gone, same, answer, other, put, damage, works: await code(anew.put(entry(3))) }
    })
    const damage = expect.stringContaining('emptied')
    expect(told).toEqual({ gone: undefined, same: true, answer: 'answer 2', other: true, put: [], damage, works: 'ok' })
  })

  test('vectors of texts that nobody asks for again do not gather for ever; those of entries stay', async () => {
    const { page } = await opened()
    const told = await page.evaluate(async () => {
      const { IndexedDbStore, entry, key } = stores
      const store = new IndexedDbStore('vectors')
      await store.open()
      await store.put({ ...entry(1), space: key(5), vector: key(0) })
      for (let i = 0; i < 10_600; i++) store.keepEmbedding(key(i), new Float32Array([i]))
      await store.compact()
      const there = await Promise.all([0, 1, 10_599].map(async (i) => (await store.embedding(key(i)))?.[0]))
      return { there, size: (await store.size()) - entry(1).bytes }
    })
    expect(told.there).toEqual([0, undefined, 10_599])
    expect(told.size).toBe(4 * 10_000)
  }, 60_000)
})
