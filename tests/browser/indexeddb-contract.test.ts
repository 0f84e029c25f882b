/** The suites that every store obeys, over IndexedDB in a browser: one test for each of their cases, in a page and in a worker. */
import { afterAll, describe, expect, test } from '@jest/globals'
import { describeInBrowser, openPage } from './chromium.js'
import { PageServer } from './page-server.js'
import type { SuiteResult } from './pages/suite.js'

const skipped = describeInBrowser === describe.skip
const server = skipped ? undefined : await PageServer.start()
afterAll(() => server?.close())

/** It runs before the tests are named, for only it knows its cases. */
async function results(suite: 'store-contract' | 'run-store', thread: 'page' | 'worker'): Promise<SuiteResult[]> {
  if (server === undefined) return [{ name: 'the suite' }]
  const { page, context } = await openPage(server.page(suite))
  const ran = page.evaluate(
    ([suite, thread]) => {
      if (thread === 'page') return runSuite()
      const worker = new Worker(`/tests/browser/pages/${suite}.js`, { type: 'module' })
      return new Promise<SuiteResult[]>((resolve, reject) => {
        worker.onmessage = ({ data }) => resolve(data as SuiteResult[])
        worker.onerror = ({ message }) => reject(new Error(message))
      })
    },
    [suite, thread] as const,
  )
  const late = new Promise<SuiteResult[]>((resolve) =>
    setTimeout(() => resolve([{ name: 'the suite', fault: 'did not come to its end' }]), 120_000).unref(),
  )
  return await Promise.race([ran, late]).finally(() => context.close())
}

describeInBrowser.each([
  ['a cache store', 'page', 20, await results('store-contract', 'page')],
  ['a cache store', 'worker', 20, await results('store-contract', 'worker')],
  ['a run store', 'page', 14, await results('run-store', 'page')],
  ['a run store', 'worker', 14, await results('run-store', 'worker')],
] as const)('%s in IndexedDB, in a %s', (_store, _thread, most, cases) => {
  test.each(cases)('$name', ({ fault }) => expect(fault).toBe(undefined))
  if (!skipped) test('all cases ran', () => expect(cases.length).toBeGreaterThan(most))
})
