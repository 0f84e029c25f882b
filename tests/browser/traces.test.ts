/** The Markdown traces in a browser: the same words, and the same command bytes as the bound core in Node, and as the native one. */
import { existsSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { CoreRun } from '../../bindings/core.js'
import { loadCore } from '../../node/loader.js'
import { TracePlayer } from '../bindings/trace-player.js'
import { readTrace } from '../bindings/trace-runner.js'
import { projectPath } from '../fixtures/paths.js'
import { describeInBrowser, openPage, type OpenPage } from './chromium.js'
import { PageServer } from './page-server.js'
import type {} from './pages/traces.js'

const folder = projectPath('tests/traces')
const native = projectPath('build/traces')
const names = readFileSync(`${folder}/list.txt`, 'utf8').split('\n').filter(Boolean)
const dumped = existsSync(native)
if (!dumped) console.warn('SKIPPED the comparison with the native bytes: run the native tests first (npm test does)')

describeInBrowser('traces in a page', () => {
  let server: PageServer
  let open: OpenPage
  beforeAll(async () => {
    server = await PageServer.start()
    open = await openPage(server.page('traces'))
  }, 60_000)
  afterAll(() => server?.close())

  test.each(names)('%s', async (name) => {
    const { lines, expected, bytes } = await open.page.evaluate((name) => playTrace(name), name)
    expect(expected.length).toBeGreaterThan(0)
    expect(lines).toEqual(expected)
    using run = new CoreRun(await loadCore())
    const here = new TracePlayer(run, readTrace(`${folder}/${name}`)).play()
    expect(Buffer.compare(Buffer.from(bytes), here.bytes)).toBe(0)
    if (dumped) expect(Buffer.compare(Buffer.from(bytes), readFileSync(`${native}/${name}.bytes`))).toBe(0)
  })
})
