/** Contract suites, run in a page by its own stand-in of the test library. */
import { afterAll, expect, test } from '@jest/globals'
import { describeInBrowser, openPage } from './chromium.js'
import { PageServer } from './page-server.js'
import type {} from './pages/suite.js'

describeInBrowser('contracts in a page', () => {
  let server: PageServer | undefined
  afterAll(() => server?.close())

  test.each(['memory-store'])('%s', async (name) => {
    server ??= await PageServer.start()
    const { page, complaints } = await openPage(server.page(name))
    const results = await page.evaluate(() => runSuite())
    const mustFail = results.filter(({ name }) => name.startsWith('[must fail]'))
    expect(mustFail.length).toBe(2)
    expect(mustFail.filter(({ fault }) => fault === undefined)).toEqual([])
    expect(results.length).toBeGreaterThan(15)
    expect(results.filter(({ name, fault }) => fault !== undefined && !name.startsWith('[must fail]'))).toEqual([])
    expect(complaints).toEqual([])
  })
})
