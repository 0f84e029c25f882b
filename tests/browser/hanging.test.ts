/** What the browser never answers: every wait has its end, the failure has its code, and a run goes on where it may. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { BrowserContext, Page } from 'playwright-core'
import { describeInBrowser, openPage } from './chromium.js'
import { PageServer } from './page-server.js'
import type {} from './pages/api.js'
import type {} from './pages/indexeddb.js'

const plan = {
  task_id: 'hanging',
  description: 'd',
  steps: [{ id: 'a', type: 'analysis', description: 'say hello', dependencies: [] }],
}
type Holder = { held: IDBDatabase; deleted: Promise<unknown>; go: boolean }

describeInBrowser('what never answers', () => {
  let server: PageServer
  beforeAll(async () => void (server = await PageServer.start()), 60_000)
  afterAll(() => server?.close())

  const another = async (context: BrowserContext, name = 'cache'): Promise<Page> => {
    const page = await context.newPage()
    await page.goto(server.page(name))
    await page.waitForFunction(() => globalThis.ready)
    return page
  }
  /** Runs, and tells how it ended and what it warned of. */
  const run = (page: Page, options: object) =>
    page.evaluate(
      async ([plan, options]) => {
        const warned: string[] = []
        const result = await api
          .runPlan(plan, {
            simulate: 'instant',
            ...options,
            onEvent: (event) => event.type === 'warning' && warned.push(`${event.code}: ${event.detail}`),
          })
          .result.catch((error: { code: string; message: string }) => ({ outcome: error.code, error: error.message }))
        return { outcome: result.outcome as string, warned, error: 'error' in result ? result.error : '' }
      },
      [plan, options] as const,
    )

  /** One tab holds a database and lets go for nobody, a second waits to delete it: anyone who opens it next stands behind both. */
  const blocked = async (database: string, warm: object) => {
    const { page: holder, context } = await openPage(server.page('cache'))
    await run(holder, warm)
    await holder.evaluate(async (database) => {
      const held = await stores.given(indexedDB.open(database))
      held.onversionchange = () => undefined
      Object.assign(globalThis, { held })
    }, database)
    const deleter = await another(context)
    await deleter.evaluate(async (database) => {
      // A deletion that is only asked for asks the others first, and is told of those that stay.
      const deleting = indexedDB.deleteDatabase(database)
      Object.assign(globalThis, { deleted: stores.given(deleting) })
      await new Promise((resolve) => (deleting.onblocked = resolve))
    }, database)
    const release = async (): Promise<void> => {
      await holder.evaluate(() => (globalThis as unknown as Holder).held.close())
      await deleter.evaluate(async () => void (await (globalThis as unknown as Holder).deleted))
    }
    return { page: await another(context), context, release }
  }

  /** Time of the page goes as the test says; what the page waits for from outside keeps its own. */
  const passed = async <T>(page: Page, work: Promise<T>, seconds: number): Promise<T> => {
    let over = false
    void work.catch(() => undefined).finally(() => (over = true))
    for (let second = 0; second < seconds && !over; second += 1) {
      // What the page asked for just now, a lock for one, is answered first, however slow the machine.
      await page.evaluate(() => navigator.locks.query())
      await page.clock.runFor(1000)
    }
    return work
  }

  test('a journal behind a deletion that is blocked: refused in words, in worker and page; when it goes, all works again', async () => {
    const { page, context, release } = await blocked('aetherflow.runs', { journal: 'first' })
    const refused = { outcome: 'host.io_failed', warned: [], error: expect.stringContaining('did not answer within') }
    const [worker, list] = await Promise.all([
      run(page, { journal: 'second' }),
      page.evaluate(() => api.listRuns().catch((error: { code: string }) => error.code)),
    ])
    expect([worker, list]).toEqual([refused, 'host.io_failed'])
    const here = await another(context)
    await here.clock.install()
    expect(await passed(here, run(here, { journal: 'third', worker: false }), 30)).toEqual(refused)
    await release()
    for (const tab of [page, here]) expect((await run(tab, { journal: 'fourth', resume: true })).outcome).toBe('ok')
    await context.close()
  })

  test('a cache behind a deletion that is blocked: the run goes on with one in memory, and says so', async () => {
    const { page, context } = await blocked('aetherflow.cache.answers', { cache: { name: 'answers' } })
    const { outcome, warned } = await run(page, { cache: { name: 'answers' } })
    expect(outcome).toBe('ok')
    expect(warned).toEqual([
      expect.stringMatching(/^cache\.store_failed: the cache is kept in memory alone: .*did not answer/),
    ])
    await context.close()
  })

  test('a transaction that another tab never ends: each of ours fails in its time, the later ones soon; then all works again', async () => {
    const { page: holder, context } = await openPage(server.page('indexeddb'))
    const page = await another(context, 'indexeddb')
    await page.evaluate(async () => {
      const store = new stores.IndexedDbStore('busy')
      await store.open()
      await store.put(stores.entry(1))
      await store.flush()
      Object.assign(globalThis, { store })
    })
    await holder.evaluate(async () => {
      const database = await stores.given(indexedDB.open(stores.cacheDatabase('busy')))
      const busy = database.transaction([...stores.allStores], 'readwrite')
      Object.assign(globalThis, { go: true })
      const again = (): void => {
        if (!(globalThis as unknown as Holder).go) return
        busy.objectStore('state').get(0).onsuccess = again
      }
      again()
      await stores.given(busy.objectStore('state').get(0))
    })
    await page.clock.install()
    const read = () =>
      page.evaluate(() => {
        const { store } = globalThis as unknown as { store: InstanceType<typeof stores.IndexedDbStore> }
        const began = performance.now()
        return stores
          .code(store.read(stores.key(1)))
          .then((said) => [said, Math.round((performance.now() - began) / 1000)])
      })
    expect(await passed(page, read(), 60)).toEqual(['cache.store_failed: IndexedDB did not answer within 30 s', 30])
    expect(await passed(page, read(), 60)).toEqual(['cache.store_failed: IndexedDB did not answer within 1 s', 1])
    await holder.evaluate(() => void ((globalThis as unknown as Holder).go = false))
    expect((await read())[0]).toBe('ok')
    await context.close()
  })

  test('a worker whose thread hangs ends, and its run with it', async () => {
    const { page, context } = await openPage(server.page('api'))
    await page.clock.install()
    const silent = { worker: 'own', assets: { worker: `${server.origin}/tests/browser/pages/silent-worker.js` } }
    expect(await passed(page, run(page, silent), 120)).toEqual({
      outcome: 'host.worker',
      warned: [],
      error: expect.stringContaining('did not answer for 75 s'),
    })
    await context.close()
  })

  test('a worker that only waits for its providers answers, however long that takes', async () => {
    const { page, context } = await openPage(server.page('api'))
    await page.clock.install()
    const outcome = await page.evaluate(async (plan) => {
      const post = Worker.prototype.postMessage
      let asked: () => void
      Worker.prototype.postMessage = function (this: Worker, message: { does?: string }) {
        post.call(this, message)
        // Its answer comes by the same way as all it says.
        if (message.does === 'ping') this.addEventListener('message', () => asked(), { once: true })
      }
      const run = api.runPlan(plan, { simulate: 'mission', simulateSpeed: 0.001 })
      const events = run[Symbol.asyncIterator]()
      for (let event = await events.next(); event.value?.type !== 'call'; event = await events.next());
      Object.assign(globalThis, {
        answered: () => new Promise<void>((resolve) => (asked = resolve)),
        end: () => (run.cancel(), run.result.then(({ outcome }) => outcome)),
      })
      return 'running'
    }, plan)
    expect(outcome).toBe('running')
    for (let quarter = 0; quarter < 8; quarter += 1) {
      const answered = page.evaluate(() => (globalThis as unknown as { answered(): Promise<void> }).answered())
      await page.clock.runFor(15_000)
      await answered
    }
    expect(await page.evaluate(() => (globalThis as unknown as { end(): unknown }).end())).toBe('cancelled')
    await context.close()
  })
})
