/** The playground with answers reused: a second run is answered by the first, and everything that shows it says so. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Page } from 'playwright-core'
import { describeInBrowser } from './chromium.js'
import { accessFaults, activeWords, drawn, openPlayground, screenshot, type Playground } from './playground.js'

describeInBrowser('answers that are reused in the playground', () => {
  let open: Playground
  let page: Page
  beforeAll(async () => {
    open = await openPlayground()
    page = open.page
    await open.pick('five-files')
    await page.locator('.verdict', { hasText: '6 steps' }).waitFor()
  })
  afterAll(() => open?.page.context().close())

  const counter = async (): Promise<string | null> => {
    await drawn(page)
    return page.locator('.af-count-reused dd').textContent()
  }
  const ofCache = (): string[] => open.asked.filter((address) => /cache/.test(address))
  const reuse = () => page.getByRole('switch', { name: 'Reuse answers' })

  test('off at first: nothing of the cache is loaded, no figure speaks of it', async () => {
    expect(await reuse().isChecked()).toBe(false)
    expect(await page.getByRole('button', { name: 'Clear' }).isVisible()).toBe(false)
    expect(await open.run()).toMatch(/^6 of 6 steps done, \d/)
    expect(await page.locator('.af-count-reused').isVisible()).toBe(false)
    expect(await page.locator('.af-bar').count()).toBe(6)
    expect(ofCache()).toEqual([])
  })

  test('switched on, the first run is called and kept', async () => {
    await reuse().check()
    await page.locator('#reuse-said', { hasText: 'none kept yet' }).waitFor()
    expect(ofCache().map((address) => address.split('/').at(-1))).toContain('aetherflow_cache.wasm')
    expect(await open.run()).toMatch(/^6 of 6 steps done, \d/)
    expect(await counter()).toBe('0 / 6')
    await page.locator('#reuse-said', { hasText: '6 kept' }).waitFor()
  })

  test('the second is not called at all: counter, graph and timeline say so', async () => {
    expect(await open.run()).toMatch(/^6 of 6 steps done, 6 reused, .+, \$0 \(/)
    expect(await counter()).toBe('6 / 6')
    expect(await page.locator('.af-count-reused').getAttribute('title')).toMatch(/Saved: [1-9][\d,]* tokens, \$0\.0\d+/)
    expect(await page.locator('.af-bar').count()).toBe(0)
    expect(await page.locator('.af-line .af-reused').allTextContents()).toEqual(
      Array<string>(6).fill('reused: same request'),
    )
    expect(await page.locator('.af-line .af-is-reused').count()).toBe(6)
    await page.locator('.af-line', { hasText: 'csv' }).click()
    expect(await activeWords(page, 'Graph of the plan')).toContain('csv, reused: same request')
    expect(open.complaints).toEqual([])
  })

  test('the step tells what it saved, and has the whole answer', async () => {
    const panel = page.locator('#pane-step')
    expect(await panel.locator('.chip').textContent()).toBe('done, reused: same request')
    expect(await panel.locator('.facts div', { hasText: 'Saved' }).textContent()).toMatch(
      /Saved[1-9][\d,]* tokens, \$0/,
    )
    expect((await panel.locator('.answer').textContent())?.length).toBeGreaterThan(100)
    expect(await panel.locator('.prompt').textContent()).toContain('It was not sent')
    expect(await panel.locator('.calls').isVisible()).toBe(false)
  })

  test.each(['light', 'dark'] as const)('no fault that axe calls serious, and a look at it: %s', async (scheme) => {
    await page.emulateMedia({ colorScheme: scheme })
    await drawn(page)
    expect(await accessFaults(page)).toEqual([])
    await screenshot(page, `reused-${scheme}`)
  })

  test('the report has what was saved; back in time nothing is reused yet', async () => {
    await page.getByRole('button', { name: 'Close the step' }).click()
    await page.getByRole('tab', { name: 'Report' }).click()
    const report = page.getByRole('tabpanel', { name: 'Report' })
    expect(await report.textContent()).toContain('6 of 6 steps without a call (6 exact)')
    await page.getByRole('tab', { name: 'Run' }).click()
    const slider = page.getByRole('slider', { name: 'Time travel' })
    const all = Number(await slider.getAttribute('max'))
    await slider.fill('3')
    await page.locator('.moment', { hasText: /^3 \// }).waitFor()
    expect(await counter()).toBe('0 / 0')
    await slider.fill(String(all - 1))
    await page.locator('.moment', { hasText: new RegExp(`^${all - 1} /`) }).waitFor()
    expect(await counter()).toBe('6 / 6')
    await page.getByRole('button', { name: 'Back to the end' }).click()
  })

  test('another profile is not told what this one has said', async () => {
    await page.locator('#set-source').selectOption('instant')
    await open.run()
    expect(await counter()).toBe('0 / 6')
    await page.locator('#set-source').selectOption('default')
  })

  test('steps that ask the same share an answer, other words for it do too: each is told as what it is', async () => {
    const step = { type: 'analysis', complexity: 0.1, estimated_tokens: 50, dependencies: [], provider: 'groq' }
    const asking = (...descriptions: string[]) => ({
      task_id: 'alike',
      description: 'd',
      steps: descriptions.map((description, at) => ({ ...step, id: `s${at}`, description })),
    })
    const told = () => page.locator('.af-line .af-reused').allTextContents()
    await open.paste(asking('How do I enable dark mode?', 'How do I enable dark mode?'))
    await open.run()
    expect(await told()).toEqual(['reused: shared'])
    await open.paste(asking('How do I enable the dark mode?'))
    await open.run()
    expect(await told()).toEqual(['reused: same meaning'])
    await page.locator('.af-line').click()
    expect(await page.locator('#pane-step .notes').textContent()).toMatch(/reused: same meaning: cosine 0\.\d{3}$/)
    await page.getByRole('button', { name: 'Close the step' }).click()
    await open.pick('five-files')
    await page.locator('.verdict', { hasText: '6 steps' }).waitFor()
  })

  test('cleared, everything is called again; switched off, nothing is looked up', async () => {
    await page.locator('#reuse-said', { hasText: '13 kept' }).waitFor()
    await page.getByRole('button', { name: 'Clear' }).click()
    await page.locator('#reuse-said', { hasText: '13 forgotten' }).waitFor()
    await open.run()
    expect(await counter()).toBe('0 / 6')
    await reuse().uncheck()
    await open.run()
    expect(await page.locator('.af-count-reused').isVisible()).toBe(false)
    expect(await page.locator('.af-bar').count()).toBe(6)
    const { origins, cookies } = await page.context().storageState({ indexedDB: true })
    expect([origins, cookies]).toEqual([[], []])
    expect(open.complaints).toEqual([])
  })
})
