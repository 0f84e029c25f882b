/** The playground as somebody opens it: served by the program itself, in a browser. */
import { mkdirSync, readFileSync } from 'node:fs'
import { afterAll, jest } from '@jest/globals'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { projectPath } from '../fixtures/paths.js'
import { Process } from '../node/cli-process.js'
import { browser } from './chromium.js'

export interface Playground {
  readonly page: Page
  /** What the page complained about: uncaught errors, console errors, refusals of its policy. */
  readonly complaints: string[]
  /** Addresses that the page and its workers asked for. */
  readonly asked: string[]
  pick(example: string): Promise<void>
  /** Runs what is in the editor to its end; the words of the status line. */
  run(): Promise<string>
  status(): Promise<string>
  /** Replaces the plan, as somebody who pastes it. */
  paste(plan: unknown): Promise<void>
}

// A browser on a machine that is busy with other tests takes its time.
jest.setTimeout(60_000)

let served: Promise<string> | undefined

/** Address of the playground; one process for each test file. */
export function playgroundUrl(): Promise<string> {
  served ??= (async () => {
    const program = new Process(['playground', '--port', '0'])
    await program.until('/\n')
    return program.stdout.trim()
  })()
  return served
}
afterAll(() => Process.endAll())

export async function openPlayground(options: BrowserContextOptions = {}, fragment = ''): Promise<Playground> {
  const url = await playgroundUrl()
  const context = await (await browser()).newContext({ viewport: { width: 1440, height: 900 }, ...options })
  const page = await context.newPage()
  const complaints: string[] = []
  const asked: string[] = []
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  context.on('request', (request) => asked.push(request.url()))
  await page.goto(url + fragment)
  await page.locator('.verdict', { hasText: /dependenc|cannot/ }).waitFor()
  // The simulated answers need not take their time as well. Of a link the first words are to be read: a setting replaces them.
  if (fragment === '') await page.locator('#set-speed').selectOption('100')
  const status = async (): Promise<string> => (await page.locator('.status').textContent()) ?? ''
  return {
    page,
    complaints,
    asked,
    status,
    async pick(example) {
      await page.locator('#set-example').selectOption(example)
      await page.locator('.run:not([disabled])').waitFor()
      await settled(page)
    },
    async run() {
      await page.locator('.run', { hasText: 'Run' }).click()
      await page.locator('.status', { hasText: /steps? done/ }).waitFor()
      await drawn(page)
      return status()
    },
    async paste(plan) {
      await page.locator('.cm-content').click()
      await page.keyboard.press('ControlOrMeta+a')
      const text = typeof plan === 'string' ? plan : JSON.stringify(plan, null, 2)
      await page.locator('.cm-content').evaluate((element, pasted) => {
        const clipboardData = new DataTransfer()
        clipboardData.setData('text/plain', pasted)
        element.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }))
      }, text)
      await settled(page)
    },
  }
}

/** The check after the last key has come back: the page says so by an attribute. */
async function settled(page: Page): Promise<void> {
  await page.locator('.problems[aria-busy=false]').waitFor()
}

/** Graph, timeline and counters are drawn once a frame: after this they show what the page knows now. */
export async function drawn(page: Page): Promise<void> {
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))))
}

/** What the graph or the timeline tells of its active step. */
export async function activeWords(page: Page, list: 'Graph of the plan' | 'Timeline of the steps'): Promise<string> {
  await drawn(page)
  const box = page.getByRole('listbox', { name: list })
  const id = await box.getAttribute('aria-activedescendant')
  const option = page.locator(`[id="${id ?? ''}"]`)
  return (await option.getAttribute('aria-label')) ?? (await option.textContent()) ?? ''
}

/** Kept for people to look at; ignored by git. */
export async function screenshot(page: Page, name: string): Promise<void> {
  const folder = projectPath('build/screenshots')
  mkdirSync(folder, { recursive: true })
  await page.screenshot({ path: `${folder}/${name}.png` })
}

interface Violation {
  readonly impact?: string | null
  readonly id: string
  readonly nodes: readonly { readonly target: readonly unknown[] }[]
}

/** What axe finds that is serious or worse, as `rule: places`. Injected past the page's policy, which lets no such script in. */
export async function accessFaults(page: Page, rules?: readonly string[]): Promise<string[]> {
  const session = await page.context().newCDPSession(page)
  const expression = readFileSync(projectPath('node_modules/axe-core/axe.min.js'), 'utf8')
  await session.send('Runtime.evaluate', { expression })
  await session.detach()
  return page.evaluate(async (only) => {
    // Colours on their way from one scheme to the other are nobody's choice; what spins for ever is not waited for.
    const passing = document.getAnimations().filter((one) => one.effect?.getComputedTiming().iterations !== Infinity)
    await Promise.allSettled(passing.map(({ finished }) => finished))
    const { axe } = globalThis as unknown as { axe: { run(options: object): Promise<{ violations: Violation[] }> } }
    const { violations } = await axe.run(only === undefined ? {} : { runOnly: only })
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`)
  }, rules)
}
