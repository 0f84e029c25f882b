/** <aetherflow-run> in a page of its own, and the examples that embed it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Page } from 'playwright-core'
import type { AetherflowRun } from '../../web/element/index.js'
import { browser, describeInBrowser } from './chromium.js'
import { PageServer } from './page-server.js'
import { accessFaults, screenshot } from './playground.js'

const steps = ['a', 'b', 'c'].map((id, at, ids) => ({
  id,
  type: 'analysis',
  description: `do ${id}`,
  dependencies: ids.slice(0, at),
}))
const plan = { task_id: 'element', description: 'd', steps }

const html = `<!doctype html><html lang="en"><title>element</title>
<script type="module" src="./page.js"></script>
<body><main><h1>Element</h1><p id="beside">beside</p><aetherflow-run controls simulate="instant"></aetherflow-run></main></body>`
const script = `const before = new Set(Object.getOwnPropertyNames(globalThis))
const sheets = document.adoptedStyleSheets.length + document.styleSheets.length
await import('/package/element/index.js')
globalThis.added = Object.getOwnPropertyNames(globalThis).filter((name) => !before.has(name) && name !== 'added')
globalThis.sheetsAdded = document.adoptedStyleSheets.length + document.styleSheets.length - sheets
globalThis.ready = true`

describeInBrowser('<aetherflow-run>', () => {
  const site = mkdtempSync(join(tmpdir(), 'aetherflow-element-'))
  let server: PageServer
  const complaints: string[] = []
  beforeAll(async () => {
    writeFileSync(join(site, 'index.html'), html)
    writeFileSync(join(site, 'page.js'), script)
    server = await PageServer.start({ site })
  })
  afterAll(async () => {
    await server?.close()
    rmSync(site, { recursive: true, force: true })
  })

  async function opened(path = 'site/index.html'): Promise<Page> {
    const page = await (await (await browser()).newContext()).newPage()
    page.on('pageerror', (error) => complaints.push(String(error)))
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text())
    })
    await page.goto(`${server.origin}/${path}`)
    return page
  }
  const element = async (page: Page) => {
    await page.waitForFunction(() => customElements.get('aetherflow-run') !== undefined)
    return page.locator('aetherflow-run')
  }

  test('shows a plan, runs it and tells everything as events; the page around it is left alone', async () => {
    const page = await opened()
    await page.waitForFunction(() => (globalThis as { ready?: boolean }).ready === true)
    const left = await page.evaluate(() => {
      const { added, sheetsAdded } = globalThis as unknown as { added: string[]; sheetsAdded: number }
      return { added, sheetsAdded }
    })
    expect(left).toEqual({ added: [], sheetsAdded: 0 })
    const run = await element(page)
    const told = await run.evaluate(async (node, plan) => {
      const host = node as AetherflowRun
      const kinds: string[] = []
      let text = ''
      // Listened for outside: the events leave the shadow root.
      document.addEventListener('aetherflow-event', (event) => kinds.push((event as CustomEvent).detail.type))
      document.addEventListener('aetherflow-text', (event) => (text += (event as CustomEvent).detail.piece))
      let result: unknown
      document.addEventListener('aetherflow-result', (event) => (result = (event as CustomEvent).detail))
      host.plan = plan
      const own = await host.run()
      return {
        same: own === result,
        running: host.running,
        outcome: own.outcome,
        outputs: [...own.outputs.keys()],
        kinds: [...new Set(kinds)],
        text: text.length,
      }
    }, plan)
    expect(told).toMatchObject({ same: true, running: false, outcome: 'ok', outputs: ['a', 'b', 'c'] })
    expect(told.kinds).toEqual(expect.arrayContaining(['steps', 'call', 'prompt', 'answer', 'done', 'finish']))
    expect(told.text).toBeGreaterThan(100)
    expect(await page.locator('aetherflow-run .status').textContent()).toMatch(
      /^3 of 3 steps done, .* \(simulated: instant\)$/,
    )
    expect(await page.locator('aetherflow-run .af-line').count()).toBe(3)
    expect(await accessFaults(page)).toEqual([])
    await screenshot(page, 'element')
    expect(complaints).toEqual([])
    await page.context().close()
  })

  test('the button runs and stops; a second run beside it is refused', async () => {
    const page = await opened()
    const run = await element(page)
    await run.evaluate((node, plan) => {
      const host = node as AetherflowRun
      host.setAttribute('simulate', 'mission')
      host.plan = JSON.stringify(plan)
    }, plan)
    await page.locator('aetherflow-run .status', { hasText: '3 steps' }).waitFor()
    await page.getByRole('button', { name: 'Run', exact: true }).click()
    await page.locator('aetherflow-run .af-count-flight dd', { hasText: '1' }).waitFor()
    const refused = await run.evaluate((node) =>
      (node as AetherflowRun).run().then(
        () => 'ran',
        (error: { code: string }) => error.code,
      ),
    )
    expect(refused).toBe('host.usage')
    await page.getByRole('button', { name: 'Stop' }).click()
    await page.locator('aetherflow-run .status', { hasText: '0 of 3 steps done, 3 cancelled' }).waitFor()
    await page.context().close()
  })

  test('a plan that is wrong is told by event and in words; taking it out of the page stops its run', async () => {
    const page = await opened()
    const run = await element(page)
    const code = await run.evaluate(
      (node) =>
        new Promise((resolve) => {
          node.addEventListener('aetherflow-error', (event) => resolve((event as CustomEvent).detail.code))
          ;(node as AetherflowRun).plan = '{"steps":[{"id":"a","type":"x","description":"d","dependencies":["b"]}]}'
        }),
    )
    expect(code).toBe('plan.unknown_dependency')
    expect(await page.locator('aetherflow-run .status.bad').textContent()).toContain('"b" is the id of no step')
    const outcome = await run.evaluate(async (node, plan) => {
      const host = node as AetherflowRun
      host.setAttribute('simulate', 'mission')
      host.plan = plan
      const result = host.run()
      await new Promise((resolve) => host.addEventListener('aetherflow-event', resolve, { once: true }))
      host.remove()
      return (await result).outcome
    }, plan)
    expect(outcome).toBe('cancelled')
    await page.context().close()
  })

  test('colours are variables that the page may set', async () => {
    const page = await opened()
    const run = await element(page)
    const colour = await run.evaluate((node) => {
      ;(node as AetherflowRun).style.setProperty('--af-accent', 'rgb(1, 2, 3)')
      return getComputedStyle(node.shadowRoot!.querySelector('.button')!).backgroundColor
    })
    expect(colour).toBe('rgb(1, 2, 3)')
    await page.context().close()
  })

  test('the example beside an editor: what is typed is drawn, what is answered is shown', async () => {
    const page = await opened('examples/browser/editor.html')
    await element(page)
    await page.locator('aetherflow-run .status', { hasText: '3 steps' }).waitFor()
    await page.getByRole('button', { name: 'Run', exact: true }).click()
    await page.waitForFunction(() => document.title === '3 steps done', undefined, { timeout: 20_000 })
    await page.locator('aetherflow-run .af-line', { hasText: 'code' }).click()
    expect(await page.locator('#chosen').textContent()).toBe('code')
    expect((await page.locator('#answer').inputValue()).length).toBeGreaterThan(50)
    await screenshot(page, 'example-editor')
    await page.locator('#plan').fill('{"steps":[{"id":"only","type":"analysis","description":"one"}]}')
    await page.locator('aetherflow-run .status', { hasText: '1 step' }).waitFor()
    expect(complaints).toEqual([])
    await page.context().close()
  })

  test('the example in a worker of one`s own runs there alone', async () => {
    const page = await opened('examples/browser/worker.html')
    await page.waitForFunction(() => document.title.startsWith('done'), undefined, { timeout: 20_000 })
    expect(await page.title()).toMatch(/^done: 3 steps, the rule has \d{2,} characters$/)
    expect(page.workers().length).toBe(1)
    expect(await page.locator('#log').textContent()).toContain('rule is done')
    expect(complaints).toEqual([])
    await page.context().close()
  })
})
