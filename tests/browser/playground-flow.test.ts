/** The playground by mouse: from a plan to its report, and back in time. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Download } from 'playwright-core'
import { describeInBrowser } from './chromium.js'
import {
  accessFaults,
  activeWords,
  drawn,
  openPlayground,
  playgroundUrl,
  screenshot,
  type Playground,
} from './playground.js'

const text = async (download: Download): Promise<string> => readFileSync(await download.path(), 'utf8')

describeInBrowser('the playground by mouse', () => {
  let open: Playground
  beforeAll(async () => {
    open = await openPlayground()
  })
  afterAll(() => open?.page.context().close())

  test('opens with an example under its own strict policy, and asks nobody else for anything', async () => {
    const url = await playgroundUrl()
    expect(await open.page.locator('.verdict').textContent()).toContain('4 steps, 4 dependencies')
    expect(open.asked.filter((address) => !address.startsWith(url))).toEqual([])
    expect(open.complaints).toEqual([])
  })

  test('a run fills graph, timeline, counters and status', async () => {
    await open.pick('five-files')
    expect(await open.run()).toMatch(/^6 of 6 steps done, .+ \(simulated: default\)$/)
    const { page } = open
    expect(await page.locator('.af-line').count()).toBe(6)
    expect(await page.locator('.af-line .af-is-done').count()).toBe(6)
    expect(await page.locator('.af-bar').count()).toBe(6)
    expect(await page.locator('.af-count-steps dd').textContent()).toBe('6 / 6')
    expect(await page.locator('.af-count-flight dd').textContent()).toBe('0')
    expect(await page.locator('.af-count-cost dd').textContent()).toMatch(/^\$0\.0\d+$/)
    await screenshot(page, 'flow-done')
    expect(open.complaints).toEqual([])
  })

  test('a click on a bar opens the step: its route, answer and prompt', async () => {
    const { page } = open
    await page.locator('.af-line', { hasText: 'csv' }).locator('.af-bar').click()
    const panel = page.locator('#pane-step')
    expect(await panel.getByRole('heading', { level: 2 }).textContent()).toBe('csv')
    await panel.locator('.prompt-texts').waitFor()
    expect(await panel.locator('.route').textContent()).toContain('by rule')
    const [system, user] = await panel.locator('.prompt-texts pre').allTextContents()
    expect(system).toContain('one step of a plan')
    // The context file of the example is part of what was sent.
    expect(user).toContain('<file name="files/csv.ts">')
    expect(user).toContain('Extend parseCsv by quoted cells')
    // What prompts of other steps begin with too is marked, and the task is not part of it.
    const shared = await panel.locator('.prompt-texts mark.shared').textContent()
    expect(user?.startsWith(shared!)).toBe(true)
    expect(shared).toContain('<plan>')
    expect(shared).not.toContain('Extend parseCsv')
    expect((await panel.locator('.answer').textContent())?.length).toBeGreaterThan(100)
    expect(await activeWords(page, 'Graph of the plan')).toContain('csv, done on ')
    await screenshot(page, 'flow-step')
    await panel.getByRole('button', { name: 'Close the step' }).click()
    expect(await panel.isVisible()).toBe(false)
  })

  test('stripping is shown: what was removed is marked, and the rest is what was sent', async () => {
    const { page } = open
    await open.pick('polite')
    await open.run()
    await page.locator('.af-line', { hasText: 'names' }).click()
    const prompt = page.locator('#pane-step .prompt')
    await prompt.locator('.prompt-texts').waitFor()
    expect(await prompt.locator('.removals').textContent()).toContain('pleasantries')
    const user = prompt.locator('.prompt-texts pre').nth(1)
    expect((await user.locator('del').allTextContents()).join(' ')).toContain('Hello!')
    await prompt.getByText('Before stripping').click()
    expect(await user.textContent()).toContain('Could you please suggest ten names')
    await prompt.getByText('As sent').click()
    expect(await user.textContent()).toContain('Suggest ten names')
    expect(await user.textContent()).not.toContain('please')
    await screenshot(page, 'flow-stripping')
    await page.getByRole('button', { name: 'Close the step' }).click()
  })

  test('time travel shows the run as it was at a record, and comes back', async () => {
    const { page } = open
    const slider = page.getByRole('slider', { name: 'Time travel' })
    const all = Number(await slider.getAttribute('max'))
    expect(all).toBeGreaterThan(10)
    const done = async (): Promise<number> => {
      await drawn(page)
      return Number((await page.locator('.af-count-steps dd').textContent())?.[0])
    }
    let before = 4
    for (const record of [all - 1, Math.floor(all / 2), 4]) {
      await slider.fill(String(record))
      await page.locator('.moment', { hasText: new RegExp(`^${record} / ${all} · `) }).waitFor()
      const now = await done()
      expect(now).toBeLessThanOrEqual(before)
      before = now
    }
    expect(before).toBe(0)
    expect(await page.locator('.moment').textContent()).toContain('next: ')
    await screenshot(page, 'flow-travel')
    await page.getByRole('button', { name: 'Back to the end' }).click()
    await page.locator('.af-count-steps dd', { hasText: '3 / 3' }).waitFor()
  })

  test('the report is shown, and can be kept as Markdown, JSON and HTML', async () => {
    const { page } = open
    await page.getByRole('tab', { name: 'Report' }).click()
    const report = page.getByRole('tabpanel', { name: 'Report' })
    expect(await report.getByRole('heading', { level: 2 }).textContent()).toBe('polite (simulated: default)')
    await screenshot(page, 'flow-report')
    const download = async (name: string): Promise<[string, string]> => {
      const [file] = await Promise.all([
        page.waitForEvent('download'),
        report.getByRole('button', { name, exact: true }).click(),
      ])
      return [file.suggestedFilename(), await text(file)]
    }
    const [markdownName, markdown] = await download('Markdown')
    expect([markdownName, markdown.split('\n')[0]]).toEqual(['polite-report.md', '# polite (simulated: default)'])
    const [jsonName, json] = await download('JSON')
    const kept = JSON.parse(json) as {
      simulated: string
      outcome: string
      outputs: object
      report: { counts: { done: number } }
    }
    expect([jsonName, kept.simulated, kept.outcome, kept.report.counts.done]).toEqual([
      'polite-report.json',
      'default',
      'ok',
      3,
    ])
    expect(Object.keys(kept.outputs)).toEqual(['names', 'interface', 'readme'])
    const [htmlName, html] = await download('HTML')
    expect(htmlName).toBe('polite-report.html')
    expect(html).not.toMatch(/<script|src=|href=/)
    // By itself, without the playground and its network.
    const alone = await page.context().newPage()
    await alone.setContent(html)
    expect(await alone.getByRole('heading', { level: 1 }).textContent()).toBe('polite (simulated: default)')
    expect(await alone.locator('svg').first().locator('rect title').count()).toBe(3)
    // Timeline, time and cost by provider, first tokens: the charts of the command line's report.
    expect(await alone.locator('svg[role=img]').count()).toBe(4)
    expect(html).toContain('Time of calls by provider: ')
    for (const colorScheme of ['light', 'dark'] as const) {
      await alone.emulateMedia({ colorScheme })
      expect(await accessFaults(alone)).toEqual([])
    }
    await screenshot(alone, 'flow-report-html')
    await alone.close()
    await page.getByRole('tab', { name: 'Run' }).click()
  })

  test('stopping keeps what is done, and the run says that it was cancelled', async () => {
    const { page } = open
    await open.pick('mission')
    await page.locator('#set-source').selectOption('mission')
    await page.locator('#set-speed').selectOption('1')
    await page.locator('.run', { hasText: 'Run' }).click()
    await page.locator('.af-count-flight dd', { hasText: '5' }).waitFor()
    // While it runs: the prompt as it was sent, and the answer as it streams.
    await page.locator('.af-line', { hasText: 'queue' }).click()
    const panel = page.locator('#pane-step')
    await panel.locator('.prompt-texts', { hasText: 'bounded job queue' }).waitFor()
    await panel.locator('.answer', { hasText: 'Simulated' }).waitFor()
    const length = async (): Promise<number> => ((await panel.locator('.answer').textContent()) ?? '').length
    const before = await length()
    await page.waitForFunction((known) => (document.querySelector('.answer')?.textContent ?? '').length > known, before)
    await screenshot(page, 'flow-streaming')
    await page.locator('.run', { hasText: 'Stop' }).click()
    await page.locator('.status', { hasText: '0 of 5 steps done, 5 cancelled' }).waitFor()
    await panel.getByRole('button', { name: 'Close the step' }).click()
    await drawn(page)
    expect(await page.locator('.af-line .af-is-cancelled').count()).toBe(5)
    expect(open.complaints).toEqual([])
  })

  test('real providers need a key, and a key is kept nowhere', async () => {
    const { page } = open
    await page.locator('#set-source').selectOption('real')
    expect(await open.status()).toContain('need a key')
    await page.locator('.run', { hasText: 'Run' }).click()
    const dialog = page.getByRole('dialog', { name: 'Keys and files' })
    await dialog.getByLabel('Groq').fill('canary-key-5512')
    await screenshot(page, 'flow-keys')
    await dialog.getByRole('button', { name: 'Done' }).click()
    expect(await open.status()).toBe('Real: Groq will be called and paid')
    await page.getByRole('button', { name: 'Share' }).click()
    const { origins, cookies } = await page.context().storageState({ indexedDB: true })
    expect([origins, cookies]).toEqual([[], []])
    expect(page.url()).not.toContain('canary')
    expect(open.asked.join('\n')).not.toContain('canary')
    await page.locator('#set-source').selectOption('default')
  })
})
