/**
 * Pages with few and with many steps, wide and narrow, light and dark, on paper: nothing is cut off, axe finds nothing serious.
 *   AETHERFLOW_LOOK=whole    all of them, for people to look at in build/screenshots; else a few
 */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Page } from 'playwright-core'
import { projectPath } from '../fixtures/paths.js'
import { scratch } from '../node/cli-process.js'
import { aetherflow } from '../node/commands.js'
import { browser, describeInBrowser } from './chromium.js'
import { accessFaults, openPlayground, screenshot } from './playground.js'

const whole = process.env['AETHERFLOW_LOOK'] === 'whole'
// A thousand steps take half a minute, at a hundred times their speed.
if (whole) jest.setTimeout(600_000)
const sizes = whole ? [8, 23, 200, 1000] : [23]
const widths = [1280, 390]
const schemes = whole ? (['light', 'dark'] as const) : (['dark'] as const)
const all = sizes.flatMap((steps) =>
  widths.flatMap((width) => schemes.map((scheme) => [steps, width, scheme] as const)),
)

const { folder, remove } = scratch()
afterAll(remove)

/** So many steps in stages of eight, each with two of the stage before. */
function planOf(steps: number): object {
  const id = (index: number): string => `step-${index}-${'of-a-long-name'.slice(0, index % 15)}`
  return {
    task_id: `look-${steps}`,
    description: 'A plan to be looked at',
    steps: Array.from({ length: steps }, (_, index) => ({
      id: id(index),
      type: ['analysis', 'code_generation', 'refactoring', 'documentation'][index % 4],
      description: `Do part ${index} of the work`,
      complexity: (index % 10) / 10,
      estimated_tokens: 100 + (index % 7) * 100,
      dependencies:
        index < 8 ? [] : [...new Set([index - 8, index - 8 - (index % 3)])].filter((one) => one >= 0).map(id),
    })),
  }
}

const fits = (page: Page): Promise<boolean> =>
  page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth)

describeInBrowser('the playground', () => {
  test.each(all)('%i steps, %i px, %s', async (steps, width, colorScheme) => {
    const open = await openPlayground({ viewport: { width, height: width < 600 ? 844 : 900 }, colorScheme })
    const { page } = open
    page.setDefaultTimeout(whole ? 300_000 : 30_000)
    await open.paste(planOf(steps))
    await open.run()
    const faults: Record<string, unknown> = {}
    for (const view of ['Graph', 'Timeline', 'Report']) {
      const tab = page.getByRole('tab', { name: view, exact: true })
      if (await tab.isVisible()) await tab.click()
      faults[view] = [await fits(page), await accessFaults(page)]
      await screenshot(page, `look-page-${steps}-${width}-${colorScheme}-${view.toLowerCase()}`)
    }
    expect(faults).toEqual({ Graph: [true, []], Timeline: [true, []], Report: [true, []] })
    expect(open.complaints).toEqual([])
    await page.context().close()
  })
})

describeInBrowser('the report of the command line', () => {
  beforeAll(async () => {
    for (const steps of sizes) {
      const plan = path.join(folder, `${steps}.json`)
      writeFileSync(plan, JSON.stringify(planOf(steps)))
      const words = ['run', plan, '--simulate', 'instant', '--output', path.join(folder, String(steps)), '--quiet']
      expect((await aetherflow(words, '', { cwd: folder })).code).toBe(0)
    }
  }, 120_000)

  test.each(all)('%i steps, %i px, %s', async (steps, width, colorScheme) => {
    const context = await (await browser()).newContext({ viewport: { width, height: 900 }, colorScheme })
    const page = await context.newPage()
    await page.goto(pathToFileURL(path.join(folder, String(steps), 'report.html')).href)
    expect([await fits(page), await accessFaults(page)]).toEqual([true, []])
    await screenshot(page, `look-report-${steps}-${width}-${colorScheme}`)
    await context.close()
  })

  test.each(sizes)(
    '%i steps on paper: dark on white, whatever the screen has, and nothing beside the sheet',
    async (steps) => {
      const context = await (
        await browser()
      ).newContext({ viewport: { width: 794, height: 1123 }, colorScheme: 'dark' })
      const page = await context.newPage()
      await page.goto(pathToFileURL(path.join(folder, String(steps), 'report.html')).href)
      await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
      const colours = await page.evaluate(() => {
        const { backgroundColor, color } = getComputedStyle(document.body)
        const light = (text: string): number => Math.max(...(text.match(/[\d.]+/g) ?? ['255']).slice(0, 3).map(Number))
        return [backgroundColor === 'rgba(0, 0, 0, 0)' ? 255 : light(backgroundColor), light(color)]
      })
      expect(colours[0]).toBeGreaterThan(240)
      expect(colours[1]).toBeLessThan(100)
      expect(await fits(page)).toBe(true)
      const sheets = await page.pdf({ format: 'A4' })
      expect(sheets.subarray(0, 5).toString('latin1')).toBe('%PDF-')
      mkdirSync(projectPath('build/screenshots'), { recursive: true })
      writeFileSync(projectPath(`build/screenshots/look-report-${steps}.pdf`), sheets)
      await screenshot(page, `look-paper-${steps}`)
      await context.close()
    },
  )

  test('--open hands that page to the browser that is named', async () => {
    const told = path.join(folder, 'told')
    const opener = path.join(folder, 'opener.sh')
    writeFileSync(opener, `#!/bin/sh\nprintf %s "$1" > '${told}.part' && mv '${told}.part' '${told}'\n`, {
      mode: 0o755,
    })
    const out = path.join(folder, 'opened')
    const plan = path.join(folder, `${sizes[0]}.json`)
    const ended = await aetherflow(['run', plan, '--simulate', 'instant', '--output', out, '--open'], '', {
      cwd: folder,
      env: { BROWSER: opener },
    })
    expect(ended.code).toBe(0)
    // It goes on by itself, after the command has ended.
    for (;;) {
      const file = await Promise.resolve()
        .then(() => readFileSync(told, 'utf8'))
        .catch(() => undefined)
      if (file !== undefined) return expect(file).toBe(path.join(out, 'report.html'))
      await new Promise((resolve) => setImmediate(resolve))
    }
  })
})
