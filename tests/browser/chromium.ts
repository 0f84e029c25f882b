/** A real browser for tests: Debian's, driven by playwright-core. */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { afterAll, describe, jest } from '@jest/globals'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']

function found(): string | undefined {
  const named = process.env['AETHERFLOW_CHROMIUM']
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  const places = named ? [named] : names.flatMap((name) => folders.map((folder) => join(folder, name)))
  return places.find((file) => {
    try {
      accessSync(file, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

const executablePath = found()
if (executablePath === undefined) console.warn('SKIPPED the tests in a browser: no Chromium on this system')

/** `describe` where there is a browser; skipped with a message where there is none. */
export const describeInBrowser = executablePath === undefined ? describe.skip : describe

/** As root a browser refuses its own sandbox; without the rest it looks for hosts of its maker at every start. */
const flags = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

// A browser on a busy machine takes its time, and no test here is about that.
jest.setTimeout(60_000)

let running: Promise<Browser> | undefined

/** One browser for each test file, closed after it. */
export function browser(): Promise<Browser> {
  running ??= chromium.launch({
    ...(executablePath === undefined ? {} : { executablePath }),
    args: process.getuid?.() === 0 ? ['--no-sandbox', ...flags] : flags,
  })
  return running
}
afterAll(async () => {
  await (await running?.catch(() => undefined))?.close()
})

export interface OpenPage {
  readonly page: Page
  readonly context: BrowserContext
  /** What the page complained about: uncaught errors, console errors, refusals of its policy. */
  readonly complaints: string[]
}

/** An empty browser profile with one empty page. Of its complaints only uncaught errors are told: a refusal may be what a test is about. */
export async function emptyPage(): Promise<OpenPage> {
  const context = await (await browser()).newContext()
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(String(error)))
  return { page, context, complaints }
}

/** An empty browser profile with one page of it at `url`, loaded until `window.ready`. */
export async function openPage(url: string): Promise<OpenPage> {
  const { page, context, complaints } = await emptyPage()
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  await page.goto(url)
  await page.waitForFunction(() => (globalThis as { ready?: unknown }).ready === true)
  return { page, context, complaints }
}
