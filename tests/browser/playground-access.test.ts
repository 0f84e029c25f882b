/** Whether everybody can use it: axe finds nothing serious in any state, light and dark; nothing is cut off on a phone. */
import { expect, test } from '@jest/globals'
import { describeInBrowser } from './chromium.js'
import { accessFaults, openPlayground, screenshot } from './playground.js'

describeInBrowser('access', () => {
  test.each(['light', 'dark'] as const)('nothing serious in any state, %s', async (colorScheme) => {
    const open = await openPlayground({ colorScheme })
    const { page } = open
    const faults: Record<string, string[]> = {}
    const look = async (state: string): Promise<void> => {
      faults[state] = await accessFaults(page)
      await screenshot(page, `access-${colorScheme}-${state}`)
    }
    await look('idle')
    await open.pick('mission')
    await page.locator('#set-source').selectOption('mission')
    await page.locator('#set-speed').selectOption('1')
    await page.locator('.run', { hasText: 'Run' }).click()
    await page.locator('.af-bar').first().waitFor()
    await look('running')
    await page.locator('.run', { hasText: 'Stop' }).click()
    await page.locator('.status', { hasText: 'cancelled' }).waitFor()
    await page.locator('#set-source').selectOption('flaky')
    await page.locator('#set-speed').selectOption('100')
    await open.pick('code-base')
    await open.run()
    await page.locator('.af-line').nth(3).click()
    await page.locator('.prompt-texts').waitFor()
    await look('step')
    await page.getByRole('tab', { name: 'Report' }).click()
    await look('report')
    await page.getByRole('button', { name: 'Keys' }).click()
    await look('keys')
    await page.keyboard.press('Escape')
    await open.paste('{ "steps": 1 }')
    await look('error')
    expect(faults).toEqual({ idle: [], running: [], step: [], report: [], keys: [], error: [] })
    await page.context().close()
  })

  test('a phone shows one view at a time, and none is wider than the screen', async () => {
    const open = await openPlayground({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true })
    const { page } = open
    const faults: Record<string, readonly [string[], boolean]> = {}
    const look = async (view: string): Promise<void> => {
      const fits = await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)
      faults[view] = [await accessFaults(page), fits]
      await screenshot(page, `narrow-${view.toLowerCase()}`)
    }
    await look('Plan')
    await page.locator('.run', { hasText: 'Run' }).tap()
    // Where the run is seen, not where it was started.
    expect(await page.getByRole('tab', { name: 'Graph' }).getAttribute('aria-selected')).toBe('true')
    await page.locator('.status', { hasText: '4 of 4 steps done' }).waitFor()
    await look('Graph')
    await page.getByRole('tab', { name: 'Timeline' }).tap()
    await look('Timeline')
    await page.locator('.af-line').first().tap()
    await page.locator('.prompt-texts').waitFor()
    await look('Step')
    await page.getByRole('tab', { name: 'Report' }).tap()
    await look('Report')
    expect(faults).toEqual(
      Object.fromEntries(['Plan', 'Graph', 'Timeline', 'Step', 'Report'].map((view) => [view, [[], true]])),
    )
    await page.context().close()
  })

  test('whoever wants less motion gets none: no frame is drawn while nothing changes', async () => {
    const open = await openPlayground({ reducedMotion: 'reduce' })
    const { page } = open
    await open.pick('mission')
    await page.locator('#set-source').selectOption('mission')
    await page.locator('#set-speed').selectOption('1')
    await page.locator('.run', { hasText: 'Run' }).click()
    await page.locator('.af-count-flight dd', { hasText: '5' }).waitFor()
    const turning = await page.evaluate(() => matchMedia('(prefers-reduced-motion: reduce)').matches)
    expect(turning).toBe(true)
    expect(await page.evaluate(() => document.getAnimations().length)).toBe(0)
    await page.locator('.run', { hasText: 'Stop' }).click()
    await page.locator('.status', { hasText: 'cancelled' }).waitFor()
    await page.context().close()
  })
})
