/** Where there is no worker, one that dies, and what is left when a page is done with them. */
import { afterAll, expect, test } from '@jest/globals'
import { describeInBrowser, openPage } from './chromium.js'
import { PageServer, strictPolicy, type PageServerOptions } from './page-server.js'
import type {} from './pages/api.js'

const plan = {
  task_id: 'one',
  description: 'd',
  steps: [{ id: 'a', type: 'analysis', description: 'say hello', dependencies: [] }],
}

describeInBrowser('threads', () => {
  const servers: PageServer[] = []
  const opened = async (options: PageServerOptions = {}) => {
    const server = await PageServer.start(options)
    servers.push(server)
    return { server, ...(await openPage(server.page('api'))) }
  }
  afterAll(() => Promise.all(servers.map((server) => server.close())))

  test.each([
    ['the policy forbids workers', { policy: strictPolicy.replace("worker-src 'self'", "worker-src 'none'") }, {}],
    ['its file is not there', {}, { worker: '/package/browser/absent.js' }],
    ['its file is no script', {}, { worker: '/examples/plans/diamond.json' }],
  ])('%s: the page`s own thread does the work, and says so', async (_, options, assets) => {
    const { page } = await opened(options)
    const told = await page.evaluate(
      async ([plan, assets]) => {
        const warnings: string[] = []
        const { outcome, thread } = await api.runPlan(plan, {
          simulate: 'instant',
          assets,
          onEvent: (event) => event.type === 'warning' && warnings.push(event.code),
        })
        return [outcome, thread, warnings]
      },
      [plan, assets] as const,
    )
    expect(told).toEqual(['ok', 'page', ['host.worker']])
  })

  test('a module with another type than application/wasm is loaded all the same', async () => {
    const { page } = await opened({ types: { '.wasm': 'application/octet-stream' } })
    const run = () => page.evaluate(async (plan) => (await api.runPlan(plan, { simulate: 'instant' })).thread, plan)
    expect(await run()).toBe('worker')
  })

  test('a module that is not there is an error with a code, and may be there the next time', async () => {
    const { page } = await opened()
    const told = await page.evaluate(async (plan) => {
      const codes: unknown[] = []
      for (const worker of [true, false]) {
        const assets = { core: '/package/core/absent.wasm' }
        await api.runPlan(plan, { simulate: 'instant', worker, assets }).result.catch((error) => codes.push(error.code))
        codes.push((await api.runPlan(plan, { simulate: 'instant', worker })).outcome)
      }
      return codes
    }, plan)
    expect(told).toEqual(['host.io_failed', 'ok', 'host.io_failed', 'ok'])
  })

  test('a worker that dies takes its runs with it, by code; the next run has a new one', async () => {
    const { page } = await opened()
    const told = await page.evaluate(async (plan) => {
      const assets = { worker: '/tests/browser/pages/failing-worker.js' }
      const codes: unknown[] = []
      const failed = api.runPlan(plan, { simulate: 'instant', assets })
      await failed.result.catch((error) => codes.push(error.code, error.detail.includes('out of order')))
      const { outcome, thread } = await api.runPlan(plan, { simulate: 'instant' })
      return [...codes, outcome, thread]
    }, plan)
    expect(told).toEqual(['host.worker', true, 'ok', 'worker'])
  })

  test('the library works in a worker of the page`s own', async () => {
    const { page } = await opened()
    const told = await page.evaluate(
      () =>
        new Promise((resolve, reject) => {
          const worker = new Worker('/tests/browser/pages/own-worker.js', { type: 'module' })
          worker.onmessage = ({ data }) => resolve(data)
          worker.onerror = ({ message }) => reject(new Error(message))
        }),
    )
    expect(told).toEqual([
      ['ok', 'page'],
      ['ok', 'worker'],
    ])
  })

  test('the shared worker stays for the next run, and ends when none comes', async () => {
    const { page } = await opened()
    await page.clock.install()
    const run = () => page.evaluate(async (plan) => (await api.runPlan(plan, { simulate: 'instant' })).thread, plan)
    expect(await run()).toBe('worker')
    await page.clock.runFor(9000)
    expect(page.workers().length).toBe(1)
    expect(await run()).toBe('worker')
    expect(page.workers().length).toBe(1)
    await page.clock.runFor(11_000)
    await gone(page)
  })

  test('workers that are only starting are disposed of too', async () => {
    const { page } = await opened()
    const code = await page.evaluate((plan) => {
      const failed = api.runPlan(plan, { simulate: 'instant' }).result.catch((error) => error.code as string)
      api.disposeWorkers()
      return failed
    }, plan)
    expect(code).toBe('host.disposed')
    await gone(page)
  })

  test('a worker of its own ends with its run, the shared one when it is disposed of', async () => {
    const { page } = await opened()
    const own = await page.evaluate(async (plan) => {
      const runs = [1, 2].map(() => api.runPlan(plan, { simulate: 'instant', worker: 'own' }).result)
      return (await Promise.all(runs)).map(({ outcome, thread }) => [outcome, thread])
    }, plan)
    expect(own).toEqual(Array(2).fill(['ok', 'worker']))
    await gone(page)
    const code = await page.evaluate(async (plan) => {
      const going = api.runPlan(plan, { simulate: 'mission' })
      const failed = going.result.catch((error) => error.code as string)
      for await (const event of going) {
        if (event.type === 'call') break
      }
      api.disposeWorkers()
      return failed
    }, plan)
    expect(code).toBe('host.disposed')
    await gone(page)
    expect(await page.evaluate(async (plan) => (await api.runPlan(plan, { simulate: 'instant' })).thread, plan)).toBe(
      'worker',
    )
  })
})

/** Workers end a moment after they were told to. */
async function gone(page: { workers(): readonly unknown[] }): Promise<void> {
  for (let tries = 0; page.workers().length > 0 && tries < 200; tries++)
    await new Promise((resolve) => setTimeout(resolve, 25))
  expect(page.workers()).toEqual([])
}
