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
      // What else there is to find does not depend on colours.
      faults[state] = await accessFaults(page, colorScheme === 'dark' ? ['color-contrast'] : undefined)
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

  test.each(['reduce', 'no-preference'] as const)(
    'while calls are under way and tell nothing, the graph turns its marks only for those who do not mind: %s',
    async (reducedMotion) => {
      const open = await openPlayground({ reducedMotion })
      const { page } = open
      await open.pick('mission')
      await page.locator('#set-source').selectOption('mission')
      await page.locator('#set-speed').selectOption('0.25')
      await page.locator('.run', { hasText: 'Run' }).click()
      // From here to the first tokens, four seconds later, there is no event.
      await page.locator('.af-count-flight dd', { hasText: '5' }).waitFor()
      const frames = await page.evaluate(async () => {
        const { drawn } = (globalThis as unknown as { aetherflowPlayground: { drawn: { frames: number } } })
          .aetherflowPlayground
        const next = (): Promise<unknown> => new Promise((resolve) => requestAnimationFrame(resolve))
        for (let settling = 0; settling < 5; settling += 1) await next()
        const before = drawn.frames
        for (let waited = 0; waited < 20; waited += 1) await next()
        return drawn.frames - before
      })
      if (reducedMotion === 'reduce') expect(frames).toBe(0)
      else expect(frames).toBeGreaterThan(10)
      await page.locator('.run', { hasText: 'Stop' }).click()
      await page.locator('.status', { hasText: 'cancelled' }).waitFor()
      await page.context().close()
    },
  )

  test('two fingers zoom, one moves', async () => {
    const open = await openPlayground({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true })
    const { page } = open
    await page.getByRole('tab', { name: 'Graph' }).tap()
    const box = (await page.getByRole('listbox', { name: 'Graph of the plan' }).boundingBox())!
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2]
    const session = await page.context().newCDPSession(page)
    const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', points: readonly (readonly [number, number])[]) =>
      session.send('Input.dispatchTouchEvent', {
        type,
        touchPoints: points.map(([px, py], id) => ({ x: px, y: py, id })),
      })
    const view = () =>
      page.evaluate(() => {
        const { x, y, zoom } = (
          globalThis as unknown as { aetherflowPlayground: { view: { x: number; y: number; zoom: number } } }
        ).aetherflowPlayground.view
        return { x, y, zoom }
      })
    const before = await view()
    await touch('touchStart', [
      [x - 40, y],
      [x + 40, y],
    ])
    for (let apart = 50; apart <= 120; apart += 10)
      await touch('touchMove', [
        [x - apart, y],
        [x + apart, y],
      ])
    await touch('touchEnd', [])
    const zoomed = await view()
    expect(zoomed.zoom).toBeGreaterThan(before.zoom * 1.5)
    await touch('touchStart', [[x, y]])
    for (let moved = 10; moved <= 60; moved += 10) await touch('touchMove', [[x + moved, y]])
    await touch('touchEnd', [])
    const moved = await view()
    expect(moved.zoom).toBe(zoomed.zoom)
    expect(moved.x).toBeLessThan(zoomed.x)
    await page.context().close()
  })
})
