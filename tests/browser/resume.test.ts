/** Runs that outlive their tab: reloaded in the middle, in two tabs, on a full origin, where nothing can be kept. */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import type { Page } from 'playwright-core'
import { describeInBrowser, openPage } from './chromium.js'
import { PageServer } from './page-server.js'
import type {} from './pages/api.js'
import { goodKey, startProviders, strictProfile, type ProviderServer } from './provider-server.js'

const step = { type: 'analysis', complexity: 0.1, estimated_tokens: 50, provider: 'groq' }
/** Each waits for the one before. */
const plan = {
  task_id: 'kept',
  description: 'd',
  steps: ['a', 'b', 'c', 'd'].map((id, at, ids) => ({
    ...step,
    id,
    description: `do step-${id}`,
    dependencies: ids.slice(at - 1 < 0 ? ids.length : at - 1, at),
  })),
}

describeInBrowser('a run with a journal', () => {
  let server: PageServer
  let providers: ProviderServer
  /** While it is set, calls for that step wait. */
  let held: { step: string; until: Promise<void>; release(): void } | undefined
  const hold = (step: string): void => {
    let release = (): void => undefined
    held = { step, until: new Promise((resolve) => (release = resolve)), release: () => release() }
  }
  /** Calls so far by the step that they ask for: what the others say is in the prompt before. */
  const calls = () => {
    const bodies = providers.asked.map(({ body }) => body).filter((body) => body.includes('do step-'))
    const last = bodies.map((body) => [...body.matchAll(/do step-(\w)/g)].at(-1)?.[1] ?? '')
    return Object.fromEntries(['a', 'b', 'c', 'd'].map((id) => [id, last.filter((found) => found === id).length]))
  }
  beforeAll(async () => {
    server = await PageServer.start()
    providers = await startProviders(strictProfile(), {
      hold: (body) => (held !== undefined && body.includes(`do step-${held.step}`) ? held.until : undefined),
    })
  }, 60_000)
  afterAll(async () => {
    held?.release()
    await Promise.all([server?.close(), providers?.close()])
  })
  beforeEach(() => {
    held?.release()
    held = undefined
    providers.asked.length = 0
  })

  const opened = async () => {
    const open = await openPage(server.page('api'))
    const another = async (): Promise<Page> => {
      const page = await open.context.newPage()
      await page.goto(server.page('api'))
      await page.waitForFunction(() => globalThis.ready)
      return page
    }
    return { ...open, another }
  }
  const reload = async (page: Page) => {
    await page.reload()
    await page.waitForFunction(() => globalThis.ready)
  }
  interface Told {
    outcome?: string
    code?: string
    outputs: Record<string, string>
    done: number
    delivered: string[]
    warnings: string[]
    run: string | undefined
  }
  type Options = Parameters<typeof api.runPlan>[1]
  const given = (options: Options = {}): Options => ({ config: providers.config, journal: 'kept', ...options })
  /** Runs to its end, or its error. */
  const run = (page: Page, options: Options, what: unknown = plan): Promise<Told> =>
    page.evaluate(
      async ([plan, options, key]) => {
        const delivered: string[] = []
        const warnings: string[] = []
        try {
          const result = await api.runPlan((plan ?? undefined) as string | undefined, {
            ...options,
            keys: () => key,
            onEvent: (event) => event.type === 'warning' && warnings.push(event.code),
            deliver: async ({ id }, _text, again) => void delivered.push(again ? `${id} again` : id),
          })
          const outputs = Object.fromEntries(result.outputs)
          const { outcome, report } = result
          return { outcome, outputs, done: report.counts.done, delivered, warnings, run: result.run?.run }
        } catch (error) {
          const code = error instanceof api.AetherflowError ? error.code : String(error)
          return { code, outputs: {}, done: 0, delivered, warnings, run: undefined }
        }
      },
      [what ?? null, options, goodKey] as const,
    )
  /** Begins a run, and resolves when a step of it is told as done. */
  const runUntil = (page: Page, options: Options, until: string): Promise<Record<string, string>> =>
    page.evaluate(
      ([plan, options, key, until]) =>
        new Promise<Record<string, string>>((resolve) => {
          const outputs: Record<string, string> = {}
          void api.runPlan(plan, {
            ...options,
            keys: () => key,
            deliver: ({ id }, text) => {
              outputs[id] = text
              if (id === until) resolve(outputs)
            },
          })
        }),
      [plan, options, goodKey, until] as const,
    )

  test.each([true, false] as const)(
    'reloaded in the middle, it goes on: nothing that was done is called again, worker: %s',
    async (worker) => {
      const { page } = await opened()
      hold('c')
      const before = await runUntil(page, given({ worker }), 'b')
      await reload(page)
      held?.release()
      const [listed] = await page.evaluate(() => api.listRuns())
      expect(listed).toMatchObject({ name: 'kept', outcome: undefined })
      const told = await run(page, given({ worker, resume: true }))
      expect(told).toMatchObject({ outcome: 'ok', done: 4, delivered: ['a again', 'b again', 'c', 'd'], warnings: [] })
      expect(told.outputs).toMatchObject(before)
      expect(Object.keys(told.outputs)).toEqual(['a', 'b', 'c', 'd'])
      expect(told.run).toBe(listed?.run)
      expect(calls()).toMatchObject({ a: 1, b: 1, d: 1 })
      const ended = await page.evaluate(() => api.listRuns())
      expect(ended).toMatchObject([{ name: 'kept', outcome: 'ok', running: false }])
      // Once more: all of it is told from the journal, without its plan too.
      const count = providers.asked.length
      const again = await run(page, given({ worker, resume: true }), null)
      expect(again).toMatchObject({ outcome: 'ok', done: 4, outputs: told.outputs })
      expect(calls()).toMatchObject({ a: 1, b: 1, d: 1 })
      expect(providers.asked.length).toBe(count)
    },
    30_000,
  )

  test('one owner: a second tab is refused while the first has it, and may go on when that is closed', async () => {
    const { page, another } = await opened()
    const second = await another()
    hold('b')
    await runUntil(page, given(), 'a')
    expect(await second.evaluate(() => api.listRuns())).toMatchObject([{ name: 'kept', running: true }])
    expect((await run(second, given({ resume: true }))).code).toBe('host.run_locked')
    const deleted = () => second.evaluate(() => api.deleteRun('kept').catch((error) => error.code as string))
    expect(await deleted()).toBe('host.run_locked')
    await page.close()
    held?.release()
    expect(await run(second, given({ resume: true }))).toMatchObject({ outcome: 'ok', done: 4 })
    expect(calls()).toMatchObject({ a: 1, c: 1, d: 1 })
    expect([await deleted(), await deleted()]).toEqual([true, false])
    expect(await second.evaluate(() => api.listRuns())).toEqual([])
  }, 30_000)

  test('a plan that was still coming when the tab went is given once more', async () => {
    const { page } = await opened()
    const text = JSON.stringify(plan)
    await page.evaluate(
      ([text, options, key]) =>
        new Promise<void>((resolve) => {
          async function* half() {
            yield text.slice(0, text.indexOf('"id":"c"'))
            await new Promise(() => undefined)
          }
          void api.runPlan(half(), {
            ...options,
            keys: () => key,
            deliver: ({ id }) => (id === 'a' ? resolve() : undefined),
          })
        }),
      [text, given(), goodKey] as const,
    )
    await reload(page)
    expect((await run(page, given({ resume: true }), null)).code).toBe('host.journal')
    expect((await run(page, given({ resume: true }), text.replace('do step-a', 'do another'))).code).toBe(
      'host.plan_changed',
    )
    expect(await run(page, given({ resume: true }), text)).toMatchObject({ outcome: 'ok', done: 4 })
    expect(calls()).toMatchObject({ a: 1, c: 1, d: 1 })
  })

  test('the browser is asked once for each page to keep what is there', async () => {
    const { page } = await opened()
    const asked = await page.evaluate(
      async ([plan, options, key]) => {
        let asked = 0
        const { storage } = navigator
        storage.persist = () => Promise.resolve(++asked < 0)
        await api.runPlan(plan, { simulate: 'instant' })
        const before = asked
        await api.runPlan(plan, { ...options, keys: () => key })
        await api.runPlan(plan, { ...options, keys: () => key, resume: true })
        return [before, asked]
      },
      [plan, given(), goodKey] as const,
    )
    expect(asked).toEqual([0, 1])
  })

  test('no key is kept', async () => {
    const { page, context } = await opened()
    const config = { providers: { groq: { ...providers.config.providers['groq'], key: `${goodKey}-in-config` } } }
    expect((await run(page, given())).outcome).toBe('ok')
    await run(page, given({ journal: 'keyed', config: config as object }))
    const { origins } = await context.storageState({ indexedDB: true })
    const kept = JSON.stringify(origins)
    expect(kept).toContain('step-a')
    expect(kept).not.toContain(goodKey)
    const journal = await page.evaluate(async () => new TextDecoder().decode(await api.readRun('kept')))
    expect(journal).toMatch(/^\{"aetherflow":/)
    expect(journal).toMatch(/"e":"end","outcome":"ok"[^\n]*\n$/)
    expect(await page.evaluate(() => api.readRun('never'))).toBe(undefined)
  })

  test('what does not fit is refused, and changes nothing', async () => {
    const { page } = await opened()
    const first = await run(page, given())
    const other = { ...plan, steps: plan.steps.slice(0, 3) }
    const codes = [
      await run(page, given()),
      await run(page, given({ resume: true }), other),
      await run(page, given({ resume: true, mode: 'fast' })),
      await run(page, given({ resume: true, simulate: 'instant' })),
      await run(page, given({ resume: true, journal: 'never' }), null),
      await run(page, { resume: true }),
      await run(page, {}, null),
      await run(page, given({ journal: 'cyclic' }), { ...plan, steps: [{ ...plan.steps[0], dependencies: ['a'] }] }),
    ].map(({ code }) => code)
    expect(codes).toEqual([
      ...['host.journal', 'host.plan_changed', 'host.usage', 'host.journal'],
      ...['host.journal', 'host.usage', 'host.usage', 'plan.cycle'],
    ])
    // A plan that was refused leaves no journal.
    expect(await page.evaluate(() => api.listRuns())).toMatchObject([{ name: 'kept', outcome: 'ok' }])
    expect(await run(page, given({ resume: true }))).toMatchObject({ outputs: first.outputs })
  })

  test('a journal that lost its end is gone on with from where it is whole, and says so', async () => {
    const { page } = await opened()
    await run(page, given())
    await page.evaluate(
      () =>
        new Promise<void>((resolve, reject) => {
          const opening = indexedDB.open('aetherflow.runs')
          opening.onsuccess = () => {
            const transaction = opening.result.transaction(['lines'], 'readwrite')
            const all = transaction.objectStore('lines').getAll()
            all.onsuccess = () => {
              // From the answer of c on, one line that is not what was written.
              const row = all.result.find(
                ({ text }: { text: string }) =>
                  /"e":"succeeded"/.test(text.split('step-c')[1] ?? text) && text.includes('"e":"end"'),
              )
              const rows = row === undefined ? all.result.slice(-2) : [row]
              for (const { text, ...keys } of rows)
                transaction.objectStore('lines').put({ ...keys, text: text.replace('"v"', '"w"') })
            }
            transaction.oncomplete = () => (opening.result.close(), resolve())
            transaction.onerror = () => reject(transaction.error)
          }
        }),
    )
    const told = await run(page, given({ resume: true }))
    expect(told).toMatchObject({ outcome: 'ok', done: 4, warnings: ['host.journal_damaged'] })
    expect(calls()).toMatchObject({ a: 1 })
    expect(await run(page, given({ resume: true }))).toMatchObject({ warnings: [], outputs: told.outputs })
  })

  test('with reuse, a changed plan begins a new run, which keeps what still matches', async () => {
    const { page } = await opened()
    const first = await run(page, given())
    const changed = {
      ...plan,
      steps: plan.steps.map((step) => (step.id === 'c' ? { ...step, description: 'otherwise step-c' } : step)),
    }
    expect((await run(page, given({ resume: true }), changed)).code).toBe('host.plan_changed')
    // Without the browser's own questions whether it may.
    const posted = () => providers.asked.filter(({ body }) => body !== '').length
    const count = posted()
    const second = await run(page, given({ reuse: true }), changed)
    expect(second).toMatchObject({ outcome: 'ok', done: 4 })
    // c, and d behind it.
    expect(posted() - count).toBe(2)
    expect([second.outputs['a'], second.outputs['b']]).toEqual([first.outputs['a'], first.outputs['b']])
    expect(second.run).not.toBe(first.run)
    // What was set aside is no run of its own, and goes with the run.
    expect(await page.evaluate(() => api.listRuns())).toMatchObject([{ name: 'kept', run: second.run }])
    expect(await page.evaluate(() => api.deleteRun('kept'))).toBe(true)
    const left = await page.evaluate(
      () =>
        new Promise<number>((resolve, reject) => {
          const opening = indexedDB.open('aetherflow.runs')
          opening.onerror = () => reject(opening.error)
          opening.onsuccess = () => {
            const counting = opening.result.transaction('lines').objectStore('lines').count()
            counting.onsuccess = () => (opening.result.close(), resolve(counting.result))
          }
        }),
    )
    expect(left).toBe(0)
  })

  test('an answer from the cache is worth a journal: what fails then goes on from it', async () => {
    const { page } = await opened()
    const told = await page.evaluate(
      async ([plan, options, key]) => {
        const cache = { name: 'hits' }
        const common = { ...options, keys: () => key, cache }
        await api.runPlan(plan, { ...common, journal: undefined })
        const deliver = () => Promise.reject(new Error('no room'))
        const failed = await api.runPlan(plan, { ...common, deliver }).result.catch((error) => String(error))
        const again = await api.runPlan(undefined, { ...common, resume: true })
        return [failed, again.outcome, again.report.totals.calls]
      },
      [plan, given(), goodKey] as const,
    )
    expect(told).toEqual([expect.stringContaining('no room'), 'ok', 0])
  })

  test('cancelled, it can be taken up again', async () => {
    const { page } = await opened()
    hold('b')
    const outcome = await page.evaluate(
      async ([plan, options, key]) => {
        const going = api.runPlan(plan, { ...options, keys: () => key, deliver: () => going.cancel() })
        return (await going).outcome
      },
      [plan, given(), goodKey] as const,
    )
    expect(outcome).toBe('cancelled')
    expect(await page.evaluate(() => api.listRuns())).toMatchObject([{ outcome: 'cancelled' }])
    held?.release()
    expect(await run(page, given({ resume: true }))).toMatchObject({ outcome: 'ok', done: 4 })
    expect(calls()).toMatchObject({ a: 1, c: 1, d: 1 })
  })

  test('a full origin ends the run with its reason; with room again it goes on', async () => {
    const { page, context } = await opened()
    const devtools = await context.newCDPSession(page)
    const quota = (size?: object) => devtools.send('Storage.overrideQuotaForOrigin', { origin: server.origin, ...size })
    await quota({ quotaSize: 1_000 })
    const full = await run(page, given())
    expect(full.code).toBe('host.io_failed')
    await quota()
    expect(await run(page, given({ resume: true }))).toMatchObject({ outcome: 'ok', done: 4 })
  })

  test('where nothing can be kept, nothing is called', async () => {
    const { page } = await opened()
    await page.evaluate(() => {
      IDBFactory.prototype.open = () => {
        throw new DOMException('The operation is insecure.', 'SecurityError')
      }
    })
    expect((await run(page, given({ worker: false }))).code).toBe('host.io_failed')
    expect(providers.asked.length).toBe(0)
  })

  test('a journal that is deleted while its run goes on ends the run', async () => {
    const { page } = await opened()
    hold('b')
    const ended = page.evaluate(
      async ([plan, options, key]) => {
        const going = api.runPlan(plan, { ...options, keys: () => key })
        for await (const event of going) if (event.type === 'done') break
        await new Promise((resolve) => (indexedDB.deleteDatabase('aetherflow.runs').onsuccess = resolve))
        Object.assign(globalThis, { deleted: true })
        return going.result.catch((error: { code?: string; detail?: string }) => `${error.code}: ${error.detail}`)
      },
      [plan, given(), goodKey] as const,
    )
    await page.waitForFunction(() => 'deleted' in globalThis)
    held?.release()
    expect(await ended).toMatch(/^host\.io_failed: the journal was deleted/)
  })
})
