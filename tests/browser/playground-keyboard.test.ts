/** The playground without a mouse. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { describeInBrowser } from './chromium.js'
import { activeWords, openPlayground, screenshot, type Playground } from './playground.js'

describeInBrowser('the playground by keyboard alone', () => {
  let open: Playground
  beforeAll(async () => {
    open = await openPlayground()
  })
  afterAll(() => open?.page.context().close())

  /** Presses Tab until the focus is on what has this role and name; each stop on the way is told when it never comes. */
  async function tabTo(name: RegExp): Promise<void> {
    const seen: string[] = []
    for (let presses = 0; presses < 40; presses += 1) {
      await open.page.keyboard.press('Tab')
      const focused = await open.page.evaluate(() => {
        const element = document.activeElement
        const label =
          element?.getAttribute('aria-label') ?? (element as HTMLInputElement | null)?.labels?.[0]?.textContent
        return label ?? element?.textContent ?? ''
      })
      seen.push(focused)
      if (name.test(focused)) return
    }
    throw new Error(`${name} was not reached by Tab: ${seen.join(' → ')}`)
  }

  test('an example is picked and run, and what happens is spoken', async () => {
    const { page } = open
    await page.evaluate(() => {
      const said: string[] = []
      Object.assign(globalThis, { said })
      const region = document.querySelector('[role=status][aria-live]')
      new MutationObserver(() => said.push(region?.textContent ?? '')).observe(region!, { childList: true })
    })
    await tabTo(/^Example$/)
    await page.keyboard.type('Five')
    await page.locator('.verdict', { hasText: '6 steps' }).waitFor()
    // Out of the editor by Tab, as everywhere: it catches nobody.
    await tabTo(/^Graph of the plan$/)
    await page.locator('.cm-content').focus()
    await page.keyboard.press('Control+Enter')
    await page.locator('.status', { hasText: '6 of 6 steps done' }).waitFor()
    const said = await page.evaluate(() => (globalThis as unknown as { said: string[] }).said)
    expect(said[0]).toBe('The run begins: 6 steps')
    expect(said.at(-1)).toContain('6 of 6 steps done')
    expect(said.length).toBeLessThan(8)
  })

  test('arrows go along the edges, Enter opens a step, Escape closes it and comes back', async () => {
    const { page } = open
    await tabTo(/^Graph of the plan$/)
    await page.keyboard.press('Home')
    expect(await activeWords(page, 'Graph of the plan')).toMatch(/^cart, done on /)
    await page.keyboard.press('ArrowRight')
    expect(await activeWords(page, 'Graph of the plan')).toMatch(/^summary, done on .*needs 5 steps, needed by 0$/)
    await page.keyboard.press('ArrowLeft')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowUp')
    expect(await activeWords(page, 'Graph of the plan')).toMatch(/^cart, /)
    for (const key of ['+', '+', '-', '0', 'Shift+ArrowLeft']) await page.keyboard.press(key)
    await page.keyboard.press('Enter')
    const heading = page.locator('#pane-step h2')
    expect(await heading.textContent()).toBe('cart')
    expect(await heading.evaluate((element) => element === document.activeElement)).toBe(true)
    await screenshot(page, 'keyboard-step')
    await page.keyboard.press('Escape')
    expect(await page.locator('#pane-step').isVisible()).toBe(false)
    expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Graph of the plan')
  })

  test('the timeline is a list that arrows walk through', async () => {
    const { page } = open
    await tabTo(/^Timeline of the steps$/)
    await page.keyboard.press('End')
    expect(await activeWords(page, 'Timeline of the steps')).toMatch(/^summary, /)
    await page.keyboard.press('Enter')
    expect(await page.locator('#pane-step h2').textContent()).toBe('summary')
    await page.keyboard.press('Escape')
  })

  test('the slider travels record by record, the tabs by arrows', async () => {
    const { page } = open
    await tabTo(/^Time travel$/)
    await page.keyboard.press('ArrowLeft')
    await page.locator('.moment', { hasText: ' / ' }).waitFor()
    expect(await page.getByRole('slider').getAttribute('aria-valuetext')).toMatch(/^\d+ \/ \d+ · /)
    await page.keyboard.press('End')
    await page.getByRole('tab', { name: 'Run' }).focus()
    await page.keyboard.press('ArrowRight')
    expect(await page.getByRole('tab', { name: 'Report' }).getAttribute('aria-selected')).toBe('true')
    expect(await page.getByRole('tabpanel', { name: 'Report' }).isVisible()).toBe(true)
    await page.keyboard.press('ArrowLeft')
    expect(await page.getByRole('tabpanel', { name: 'Run' }).isVisible()).toBe(true)
    expect(open.complaints).toEqual([])
  })
})
