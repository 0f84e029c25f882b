/** The semantic cache of a page, with the built-in embedder: in a worker and in the page, over tabs and reloads, in runs. */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import type { Page } from 'playwright-core'
import { describeInBrowser, openPage } from './chromium.js'
import { PageServer, strictPolicy, type PageServerOptions } from './page-server.js'
import type {} from './pages/api.js'
import type {} from './pages/indexeddb.js'
import { goodKey, startProviders, strictProfile, type ProviderServer } from './provider-server.js'

const step = { type: 'analysis', complexity: 0.1, estimated_tokens: 50, provider: 'groq' }
const plan = {
  task_id: 'cached',
  description: 'd',
  steps: ['a', 'b'].map((id, at) => ({
    ...step,
    id,
    description: `do step-${id}`,
    dependencies: at === 0 ? [] : ['a'],
  })),
}

describeInBrowser('a cache in a page', () => {
  const servers: PageServer[] = []
  let server: PageServer
  let providers: ProviderServer
  beforeAll(async () => {
    servers.push((server = await PageServer.start()))
    providers = await startProviders(strictProfile())
  }, 60_000)
  afterAll(() => Promise.all([...servers, providers].map((one) => one?.close())))
  beforeEach(() => void (providers.asked.length = 0))

  const opened = async (options?: PageServerOptions) => {
    const from = options === undefined ? server : await PageServer.start(options)
    if (options !== undefined) servers.push(from)
    const open = await openPage(from.page('cache'))
    const another = async (): Promise<Page> => {
      const page = await open.context.newPage()
      await page.goto(from.page('cache'))
      await page.waitForFunction(() => globalThis.ready)
      return page
    }
    return { ...open, another, origin: from.origin }
  }

  test('what was written while the clock was a month ahead is stale once the clock is right, in IndexedDB too', async () => {
    const { page } = await opened()
    const told = await page.evaluate(async () => {
      const right = Date.now()
      let now = right + 30 * 86_400_000
      const open = () => api.SemanticCache.open({ name: 'ahead', maxWrongShare: 0.05, now: () => now })
      const asked = { prompt: 'How do I enable dark mode?', scope: { provider: 'p', model: 'm' } }
      const alike = { ...asked, prompt: 'How can I enable dark mode?' }
      const kinds: string[] = []
      const writer = await open()
      await writer.put({ ...asked, answer: 'of the future' })
      kinds.push((await writer.get(asked)).kind)
      await writer.close()
      now = right
      const reader = await open()
      // By meaning first: the exact lookup forgets it.
      for (const question of [alike, asked]) kinds.push((await reader.get(question)).kind)
      await reader.put({ ...asked, answer: 'of today' })
      kinds.push((await reader.get(asked)).kind)
      await reader.close()
      return kinds
    })
    expect(told).toEqual(['exact', 'miss', 'miss', 'exact'])
  })

  test.each([true, false] as const)('keeps and finds answers, also in other words, worker: %s', async (worker) => {
    const { page, complaints } = await opened()
    const told = await page.evaluate(async (worker) => {
      const cache = await api.SemanticCache.open({ name: 'answers', worker, maxWrongShare: 0.05 })
      const scope = { provider: 'p', model: 'm' }
      const first = await cache.get({ prompt: 'How do I enable dark mode?', scope })
      const put = await cache.put({ prompt: 'How do I enable dark mode?', scope, answer: 'A', worth: { tokens: 7 } })
      const same = await cache.get({ prompt: 'How do I enable dark mode?', scope })
      const alike = await cache.get({ prompt: 'How can I enable dark mode?', scope })
      const opposite = await cache.get({ prompt: 'How can I disable dark mode?', scope })
      const elsewhere = await cache.get({ prompt: 'How do I enable dark mode?', scope: { ...scope, tenant: 'x' } })
      const right = await cache.feedback(alike.id, { right: true })
      const { hits, misses, saved } = await cache.stats()
      const list = (await cache.list()).map(({ label }) => label)
      const read = (await cache.read(put.key))?.answer
      const { candidates } = await cache.explain('How could I enable dark mode?', { scope })
      const size = await cache.size()
      const wrong = await cache
        .get({ prompt: 7 as unknown as string })
        .catch((error) => [error instanceof api.AetherflowError, error.code])
      await cache.close()
      await cache.close()
      const after = await cache.get({ prompt: 'x' }).catch((error) => error.code as string)
      return {
        kinds: [first, same, alike, opposite, elsewhere].map(({ kind }) => kind),
        ...{ put: put.admission, right, hits, misses, saved: saved.tokens, list, read, candidates: candidates.length },
        ...{ size: size.store > 20 && size.vectors > 1000, wrong, after, thread: cache.thread },
      }
    }, worker)
    expect(told).toEqual({
      kinds: ['miss', 'exact', 'semantic', 'miss', 'miss'],
      ...{
        put: 'stored',
        right: true,
        hits: { exact: 1, semantic: 1 },
        misses: 3,
        saved: 14,
        list: ['p/m'],
        read: 'A',
      },
      ...{
        candidates: 1,
        size: true,
        wrong: [true, 'host.usage'],
        after: 'host.disposed',
        thread: worker ? 'worker' : 'page',
      },
    })
    expect(complaints).toEqual([])
  })

  test('is there after a reload, and in other tabs, which hear of what one puts', async () => {
    const { page, another } = await opened()
    const ask = (page: Page, prompt: string, answer?: string) =>
      page.evaluate(
        async ([prompt, answer]) => {
          const global = globalThis as { cache?: ReturnType<typeof api.SemanticCache.open> }
          const cache = await (global.cache ??= api.SemanticCache.open({ name: 'shared' }))
          if (answer !== undefined) await cache.put({ prompt: prompt!, answer })
          return (await cache.get({ prompt: prompt! })).kind
        },
        [prompt, answer],
      )
    const second = await another()
    expect(await ask(second, 'What is a tide?')).toBe('miss')
    expect(await ask(page, 'What is a tide?', 'Water')).toBe('exact')
    expect(await ask(second, 'What is a tide?')).toBe('exact')
    await page.reload()
    await page.waitForFunction(() => globalThis.ready)
    expect(await ask(page, 'What is a tide?')).toBe('exact')
    await second.evaluate(async () =>
      (await (globalThis as unknown as { cache: Promise<{ clear(): unknown }> }).cache).clear(),
    )
    expect(await ask(page, 'What is a tide?')).toBe('miss')
  })

  test('without a name it is in memory and leaves nothing; where nothing can be kept it is too, and says so', async () => {
    const { page } = await opened()
    const told = await page.evaluate(async () => {
      const use = async (name?: string) => {
        const problems: string[] = []
        const cache = await api.SemanticCache.open({
          name,
          worker: false,
          onProblem: (problem) => problems.push(problem),
        })
        await cache.put({ prompt: 'What is a tide?', answer: 'Water' })
        const { kind } = await cache.get({ prompt: 'What is a tide?' })
        await cache.close()
        return [kind, ...problems]
      }
      const inMemory = await use()
      const databases = (await indexedDB.databases()).length
      IDBFactory.prototype.open = () => {
        throw new DOMException('The operation is insecure.', 'SecurityError')
      }
      return { inMemory, databases, refused: await use('refused') }
    })
    const problem = 'the cache is kept in memory alone: the browser refuses IndexedDB: The operation is insecure.'
    expect(told).toEqual({ inMemory: ['exact'], databases: 0, refused: ['exact', problem] })
  })

  test('where no worker can be started it is in the page, and says so', async () => {
    const { page } = await opened({ policy: strictPolicy.replace("worker-src 'self'", "worker-src 'none'") })
    const told = await page.evaluate(async () => {
      const problems: string[] = []
      const cache = await api.SemanticCache.open({ onProblem: (problem) => problems.push(problem) })
      return [cache.thread, (await cache.get({ prompt: 'What is a tide?' })).kind, ...problems]
    })
    expect(told).toEqual(['page', 'miss', expect.stringContaining('no worker could be started')])
    const dead = await (
      await opened()
    ).page.evaluate(() =>
      api.SemanticCache.open({ assets: { cache: '/absent.js' } }).catch((error) => error.code as string),
    )
    expect(dead).toBe('host.io_failed')
  })

  type Options = NonNullable<Parameters<typeof api.runPlan>[1]>
  const run = (page: Page, options: Options) =>
    page.evaluate(
      async ([plan, options, key]) => {
        const warnings: string[] = []
        const hits: string[] = []
        const result = await api.runPlan(plan, {
          ...options,
          keys: () => key,
          onEvent: (event) => {
            if (event.type === 'warning') warnings.push(event.code)
            if (event.type === 'hit') hits.push(`${event.step} ${event.kind}`)
          },
        })
        const { outcome, thread, outputs, report } = result
        return { outcome, thread, outputs: Object.fromEntries(outputs), calls: report.totals.calls, warnings, hits }
      },
      [plan, { config: providers.config, ...options }, goodKey] as const,
    )

  test.each([true, false] as const)('a run calls nothing again, also after a reload, worker: %s', async (worker) => {
    const { page, complaints } = await opened()
    const options = { worker, cache: { name: 'runs' } }
    const first = await run(page, options)
    expect(first).toMatchObject({ outcome: 'ok', calls: 2, hits: [], warnings: [] })
    await page.reload()
    await page.waitForFunction(() => globalThis.ready)
    const asked = providers.asked.length
    const second = await run(page, options)
    expect(second).toMatchObject({ outcome: 'ok', calls: 0, hits: ['a exact', 'b exact'], outputs: first.outputs })
    expect(second.thread).toBe(worker ? 'worker' : 'page')
    expect(providers.asked.slice(asked).filter(({ method }) => method === 'POST')).toEqual([])
    const tenant = await run(page, { ...options, tenant: 'other' })
    expect(tenant.hits).toEqual([])
    const off = await run(page, { ...options, cacheModes: { '*': 'off', analysis: 'off' } })
    expect([off.hits, off.calls]).toEqual([[], 2])
    expect(complaints).toEqual([])
  })

  test('a run may be given a cache that is open, and goes on without one that fails', async () => {
    const { page } = await opened()
    const told = await page.evaluate(
      async ([plan, config, key]) => {
        const cache = await api.SemanticCache.open({ name: 'given' })
        const go = async () => {
          const warnings: string[] = []
          const onEvent: Options['onEvent'] = (event) => event.type === 'warning' && warnings.push(event.code)
          const { outcome, report } = await api.runPlan(plan, { config, keys: () => key, cache, onEvent })
          return [outcome, report.totals.calls, ...warnings]
        }
        const runs = [await go(), await go()]
        await cache.close()
        return [...runs, await go()]
      },
      [plan, providers.config, goodKey] as const,
    )
    expect(told).toEqual([
      ['ok', 2],
      ['ok', 0],
      ['ok', 2, 'host.disposed'],
    ])
    const absent = await run(page, { cache: { name: 'x', model: '/absent/', runtime: '/absent.mjs' } })
    expect(absent).toMatchObject({ outcome: 'ok', calls: 2, warnings: ['cache.model'] })
  })

  test('runs share a cache`s worker, which ends with the others', async () => {
    const { page } = await opened()
    const go = () => run(page, { cache: { name: 'workers' } })
    expect((await Promise.all([go(), go(), go()])).map(({ outcome }) => outcome)).toEqual(Array(3).fill('ok'))
    expect(page.workers().length).toBe(2)
    await page.evaluate(() => api.disposeWorkers())
    for (let tries = 0; page.workers().length > 0 && tries < 200; tries++) await page.waitForTimeout(25)
    expect(page.workers()).toEqual([])
    expect(await go()).toMatchObject({ outcome: 'ok', calls: 0 })
  })

  test('a full origin costs a run nothing but its cache, told once', async () => {
    const { page, context, origin } = await opened()
    const devtools = await context.newCDPSession(page)
    await devtools.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1_000 })
    const told = await run(page, { cache: { name: 'full' } })
    expect(told).toMatchObject({ outcome: 'ok', calls: 2 })
    expect(told.warnings.length).toBe(1)
  })

  test('a journal and a cache: resumed, hits are told again and nothing is called', async () => {
    const { page } = await opened()
    const options = { journal: 'both', cache: { name: 'both' } }
    await run(page, { cache: { name: 'both' } })
    const first = await run(page, options)
    expect(first).toMatchObject({ outcome: 'ok', calls: 0, hits: ['a exact', 'b exact'] })
    const again = await run(page, { ...options, resume: true })
    expect(again).toMatchObject({ outcome: 'ok', calls: 0, hits: ['a exact', 'b exact'], outputs: first.outputs })
  })
})
