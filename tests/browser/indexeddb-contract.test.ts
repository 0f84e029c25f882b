/** The suite that every store obeys, over IndexedDB in a browser: one test for each of its cases, in a page and in a worker. */
import { afterAll, describe, expect, test } from '@jest/globals'
import { describeInBrowser, openPage } from './chromium.js'
import { PageServer } from './page-server.js'
import type { SuiteResult } from './pages/suite.js'

const skipped = describeInBrowser === describe.skip
const server = skipped ? undefined : await PageServer.start()
afterAll(() => server?.close())

/** It runs before the tests are named, for only it knows its cases. */
async function results(thread: 'page' | 'worker'): Promise<SuiteResult[]> {
  if (server === undefined) return [{ name: 'the suite' }]
  const { page, context } = await openPage(server.page('store-contract'))
  const ran = page.evaluate((thread) => {
    if (thread === 'page') return runSuite()
    const worker = new Worker('/tests/browser/pages/store-contract.js', { type: 'module' })
    return new Promise<SuiteResult[]>((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data as SuiteResult[])
      worker.onerror = ({ message }) => reject(new Error(message))
    })
  }, thread)
  const late = new Promise<SuiteResult[]>((resolve) =>
    setTimeout(() => resolve([{ name: 'the suite', fault: 'did not come to its end' }]), 120_000).unref(),
  )
  return await Promise.race([ran, late]).finally(() => context.close())
}

describeInBrowser.each([
  ['page', await results('page')],
  ['worker', await results('worker')],
] as const)('a store in IndexedDB, in a %s', (_, cases) => {
  test.each(cases)('$name', ({ fault }) => expect(fault).toBe(undefined))
  if (!skipped) test('all cases ran', () => expect(cases.length).toBeGreaterThan(20))
})
