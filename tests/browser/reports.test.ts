/** Reports as pages, opened from the disk: nothing is complained about, axe finds nothing serious, light, dark and on paper. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { playRun } from '../../node/bench/played-run.js'
import { reportFiles } from '../../node/run/report-files.js'
import { simulatorProfiles } from '../../web/standard/simulator/index.js'
import { plan, scratch } from '../node/cli-process.js'
import { aetherflow } from '../node/commands.js'
import { browser, describeInBrowser } from './chromium.js'
import { accessFaults, screenshot } from './playground.js'

let folder = ''
let remove = (): void => {}
beforeAll(() => {
  ;({ folder, remove } = scratch())
})
afterAll(() => remove())

/** Five chains of forty steps. */
function largePlan(): string {
  const steps = Array.from({ length: 200 }, (_, index) => ({
    id: `step-${index + 1}`,
    type: index % 2 === 0 ? 'code_generation' : 'analysis',
    description: `Do part ${index + 1}`,
    complexity: 0.5,
    estimated_tokens: 300,
    dependencies: index < 5 ? [] : [`step-${index - 4}`],
  }))
  return JSON.stringify({ task_id: 'large', description: 'Two hundred steps', steps })
}

async function ordinary(name: string, text: string): Promise<string> {
  const { report } = await playRun({ plan: text, profile: simulatorProfiles.default, seed: 1 })
  const file = path.join(folder, `${name}.html`)
  const { 'report.html': page = '' } = await reportFiles(report, { simulated: 'default', plan: `${name}.json` })
  mkdirSync(folder, { recursive: true })
  writeFileSync(file, page)
  return file
}

async function suite(): Promise<string> {
  const arms = ['--arm', 'build=mode=build', '--arm', 'fast=mode=fast', '--arm', 'plain=strip=off']
  const words = ['bench', 'suite', plan('polite'), plan('review'), ...arms, '--simulate', '--output', 'suite']
  const { code } = await aetherflow(words, '', { cwd: folder })
  expect(code).toBe(0)
  return path.join(folder, 'suite', 'comparison_report.html')
}

describeInBrowser('reports', () => {
  test.each([
    ['ordinary', () => ordinary('ordinary', largePlan().replaceAll('Do part', '<b>Do</b>')), 4],
    ['suite', suite, 6],
    ['arm', () => Promise.resolve(path.join(folder, 'suite', 'review', 'fast', 'benchmark_report.html')), 5],
  ] as const)('%s: no complaint, nothing that axe calls serious', async (name, make, charts) => {
    const file = await make()
    for (const colorScheme of ['light', 'dark'] as const) {
      const context = await (await browser()).newContext({ colorScheme, viewport: { width: 1100, height: 800 } })
      const page = await context.newPage()
      const complaints: string[] = []
      page.on('pageerror', (error) => complaints.push(String(error)))
      page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())))
      await page.goto(pathToFileURL(file).href)
      expect(await page.locator('svg[role=img]').count()).toBeGreaterThanOrEqual(charts)
      expect(await page.locator('script, b').count()).toBe(0)
      expect([colorScheme, complaints]).toEqual([colorScheme, []])
      expect(await accessFaults(page)).toEqual([])
      // Wide drawings scroll inside the page, which itself stays as wide as the screen.
      expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true)
      await screenshot(page, `report-${name}-${colorScheme}`)
      await context.close()
    }
  })
})
