/** The suite that every store obeys, in a browser: one test for each of its cases, in a page; and all of them in a worker. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Page } from 'playwright-core'
import { projectPath } from '../fixtures/paths.js'
import { describeInBrowser, openPage } from './chromium.js'
import { PageServer } from './page-server.js'

const site = mkdtempSync(join(tmpdir(), 'aetherflow-contract-'))
const bundle = join(site, 'store-contract.js')
execFileSync(process.execPath, [projectPath('tests/browser/bundle-page.mjs'), 'store-contract', bundle], {
  env: { ...process.env, NODE_OPTIONS: '' },
})
writeFileSync(
  join(site, 'page.html'),
  '<!doctype html><title>t</title><script type="module" src="store-contract.js"></script>',
)
const { names } = (await import(pathToFileURL(bundle).href)) as { names: string[] }
afterAll(() => rmSync(site, { recursive: true, force: true }))

describeInBrowser('a store in IndexedDB', () => {
  let server: PageServer
  let page: Page
  beforeAll(async () => {
    server = await PageServer.start({ site })
    page = (await openPage(`${server.origin}/site/page.html`)).page
  }, 60_000)
  afterAll(() => server?.close())

  test.each(names)(
    '%s',
    async (name) => {
      const run = (name: string) => (globalThis as unknown as { runCase(name: string): unknown }).runCase(name)
      expect(await page.evaluate(run, name)).toBe(undefined)
    },
    30_000,
  )

  test('all of it in a worker', async () => {
    const run = () => (globalThis as unknown as { runInWorker(): unknown }).runInWorker()
    expect(await page.evaluate(run)).toEqual({ ran: names.length, failed: [] })
  }, 120_000)
})
