/** A plan of a thousand steps: frames while it runs, while somebody zooms, and how long a moment of the past takes. Printed. */
import { expect, test } from '@jest/globals'
import { describeInBrowser } from './chromium.js'
import { activeWords, openPlayground, screenshot } from './playground.js'

interface Frames {
  gaps: number[]
}

describeInBrowser('a plan of a thousand steps in the playground', () => {
  test('is drawn, runs, and goes back in time', async () => {
    const open = await openPlayground()
    const { page } = open
    await page.evaluate(() => {
      const frames: Frames = { gaps: [] }
      Object.assign(globalThis, { frames })
      let last = performance.now()
      const frame = (now: number): void => {
        frames.gaps.push(now - last)
        last = now
        requestAnimationFrame(frame)
      }
      requestAnimationFrame(frame)
    })
    const figures = async (what: string): Promise<void> => {
      const gaps = await page.evaluate(() => {
        const { frames } = globalThis as unknown as { frames: Frames }
        return frames.gaps.splice(0).sort((a, b) => a - b)
      })
      const at = (share: number): string => (gaps[Math.floor(gaps.length * share)] ?? 0).toFixed(0)
      console.log(`${what}: ${gaps.length} frames, ${at(0.5)} ms median, ${at(0.95)} ms p95, ${at(0.9999)} ms longest`)
      expect(gaps.length).toBeGreaterThan(0)
    }
    await open.pick('thousand')
    await figures('reading and laying out')
    expect(await page.locator('.verdict').textContent()).toContain('1,000 steps, 1920 dependencies')
    await page.locator('#set-speed').selectOption('100')
    await page.locator('.run', { hasText: 'Run' }).click()
    await page.locator('.status', { hasText: '1,000 of 1,000 steps done' }).waitFor()
    await figures('running')
    await screenshot(page, 'large-done')
    const stage = page.getByRole('listbox', { name: 'Graph of the plan' })
    await stage.hover()
    for (let turn = 0; turn < 40; turn += 1) await page.mouse.wheel(0, turn < 20 ? -80 : 80)
    await figures('zooming')
    // Rows that are not in sight do not exist.
    expect(await page.locator('.af-line').count()).toBeLessThan(60)
    await stage.focus()
    await page.keyboard.press('End')
    expect(await activeWords(page, 'Graph of the plan')).toMatch(/^s25-40, done on /)
    const begun = Date.now()
    await page.getByRole('slider', { name: 'Time travel' }).fill('2000')
    await page.locator('.moment', { hasText: /^2000 \/ / }).waitFor()
    console.log(`a moment of the past: ${Date.now() - begun} ms`)
    await screenshot(page, 'large-travel')
    expect(open.complaints).toEqual([])
    await page.context().close()
  })
})
