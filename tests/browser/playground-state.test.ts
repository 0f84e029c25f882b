/** One truth on the screen, and nothing lost: drafts over a reload, files, links, and what is shown when the plan changes. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from '@jest/globals'
import type { Page } from 'playwright-core'
import { describeInBrowser } from './chromium.js'
import { drawn, openPlayground, screenshot } from './playground.js'

const planOf = (id: string, steps: readonly string[]) => ({
  task_id: id,
  description: 'd',
  steps: steps.map((step, at) => ({
    id: step,
    type: 'analysis',
    description: `Say ${step}.`,
    dependencies: at === 0 ? [] : [steps[at - 1]],
  })),
})
const figures = async (page: Page): Promise<string> => {
  await drawn(page)
  return (await page.locator('.af-count-steps dd').textContent()) ?? ''
}
const report = (page: Page) => page.locator('#pane-report .report-body')
const judged = (page: Page, words: string | RegExp) => page.locator('.verdict', { hasText: words }).waitFor()

describeInBrowser('the state of the playground', () => {
  test('a reload brings plan and settings back, and no key; a link that is new to the tab counts more', async () => {
    const open = await openPlayground()
    const { page } = open
    await open.paste(planOf('draft', ['one', 'two']))
    await page.locator('#set-mode').selectOption('fast')
    await page.locator('#set-source').selectOption('flaky')
    await page.locator('#set-budget').fill('0.5')
    await page.getByRole('button', { name: 'Keys' }).click()
    await page.getByLabel('Groq').fill('canary-key-77')
    await page.getByRole('button', { name: 'Done' }).click()
    await page.reload()
    await judged(page, '2 steps, 1 dependency')
    const values = ['mode', 'source', 'speed', 'budget'].map((name) => page.locator(`#set-${name}`).inputValue())
    expect(await Promise.all(values)).toEqual(['fast', 'flaky', '100', '0.5'])
    const kept = await page.evaluate(() => JSON.stringify({ ...sessionStorage, ...localStorage }))
    expect(kept).toContain('draft')
    expect(kept).not.toContain('canary')
    await page.getByRole('button', { name: 'Share' }).click()
    await page.locator('.status', { hasText: 'link' }).waitFor()
    expect(page.url()).toContain('&mode=fast')
    // What is changed after that is not lost to the link that now is in the address.
    await open.paste(planOf('later', ['one', 'two', 'three']))
    await page.reload()
    await judged(page, '3 steps')
    const other = await openPlayground({}, new URL(page.url()).hash)
    await judged(other.page, '2 steps')
    expect(await other.page.locator('#set-mode').inputValue()).toBe('fast')
    expect([open.complaints, other.complaints]).toEqual([[], []])
    await Promise.all([page.context().close(), other.page.context().close()])
  })

  test('plans are opened from files, UTF-16 too, and saved as they are; what is no text is refused in words', async () => {
    const open = await openPlayground()
    const { page } = open
    const choose = async (name: string, buffer: Buffer): Promise<void> => {
      const [chooser] = await Promise.all([
        page.waitForEvent('filechooser'),
        page.getByRole('button', { name: 'Open', exact: true }).click(),
      ])
      await chooser.setFiles({ name, mimeType: 'application/json', buffer })
    }
    const text = JSON.stringify(planOf('geöffnet', ['a', 'b', 'c']))
    await choose('plan.json', Buffer.from(`\ufeff${text}`, 'utf16le'))
    await judged(page, '3 steps')
    expect(await open.status()).toBe('The plan of plan.json')
    const save = async (press: () => Promise<void>): Promise<[string, string]> => {
      const [file] = await Promise.all([page.waitForEvent('download'), press()])
      return [file.suggestedFilename(), readFileSync(await file.path(), 'utf8')]
    }
    const button = page.getByRole('button', { name: 'Save', exact: true })
    expect(await save(() => button.click())).toEqual(['ge-ffnet.json', text])
    await page.getByRole('listbox', { name: 'Graph of the plan' }).focus()
    expect(await save(() => page.keyboard.press('Control+s'))).toEqual(['ge-ffnet.json', text])
    await choose('picture.json', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0xff, 0xfe]))
    await page.locator('.status', { hasText: 'picture.json is no text' }).waitFor()
    await judged(page, '3 steps')
    expect(open.complaints).toEqual([])
    await page.context().close()
  })

  test('another plan clears path, report and header of the run before; undo brings them back; a broken one is told everywhere', async () => {
    const open = await openPlayground()
    const { page } = open
    await open.pick('five-files')
    const end = await open.run()
    expect(end).toMatch(/^6 of 6 steps done/)
    await open.paste(planOf('other', ['one', 'two']))
    expect(await figures(page)).toBe('0 / 2')
    expect(await open.status()).toMatch(/^Simulated/)
    expect(await report(page).textContent()).toContain('Run the plan')
    expect(await page.locator('.travel').isHidden()).toBe(true)
    await page.locator('.cm-content').focus()
    await page.keyboard.press('Control+z')
    await judged(page, '6 steps')
    expect(await figures(page)).toBe('6 / 6')
    expect(await open.status()).toBe(end)
    expect(await report(page).textContent()).toContain('five-files')
    await page.locator('.travel').waitFor()
    await open.paste('{ "steps": 1 }')
    expect(await open.status()).toMatch(/^The plan cannot run yet: /)
    expect(await figures(page)).toBe('0 / 6')
    expect(await report(page).textContent()).toContain('Run the plan')
    for (const name of ['af-graph', 'af-timeline', 'af-figures'])
      expect(await page.locator(`.${name}.stale`).count()).toBe(1)
    await screenshot(page, 'state-broken')
    expect(open.complaints).toEqual([])
    await page.context().close()
  })

  test('in time travel header, counters and path tell of that moment; a plan that changes meanwhile ends it', async () => {
    const open = await openPlayground()
    const { page } = open
    await open.pick('five-files')
    const end = await open.run()
    const slider = page.getByRole('slider', { name: 'Time travel' })
    await slider.fill('4')
    await page.locator('.status', { hasText: /^Time travel: .* into the run, record 4$/ }).waitFor()
    expect(await figures(page)).toBe('0 / 6')
    await page.getByRole('button', { name: 'Back to the end' }).click()
    expect(await figures(page)).toBe('6 / 6')
    expect(await open.status()).toBe(end)
    await slider.fill('4')
    await page.locator('.status', { hasText: /^Time travel/ }).waitFor()
    await open.paste(planOf('other', ['one', 'two']))
    expect(await figures(page)).toBe('0 / 2')
    expect(await open.status()).toMatch(/^Simulated/)
    await page.locator('.cm-content').focus()
    await page.keyboard.press('Control+z')
    await judged(page, '6 steps')
    expect(await figures(page)).toBe('6 / 6')
    await page.context().close()
  })

  test('an empty page offers a plan to begin with, which runs by its key from anywhere', async () => {
    const open = await openPlayground()
    const { page } = open
    await open.paste('')
    expect(await open.status()).toBe('')
    await page.getByRole('button', { name: 'Begin with a small plan' }).click()
    await judged(page, '3 steps, 2 dependencies')
    await page.getByRole('tab', { name: 'Run' }).focus()
    await page.keyboard.press('Control+Enter')
    await page.locator('.status', { hasText: '3 of 3 steps done' }).waitFor()
    expect(open.complaints).toEqual([])
    await page.context().close()
  })

  test('a plan that is run before it was judged runs when it is; a change meanwhile takes that back', async () => {
    const open = await openPlayground()
    const { page } = open
    // In one turn of the page: no check comes between.
    const pasteAndRun = async (plan: unknown, ...more: readonly string[]): Promise<void> => {
      await page.locator('.cm-content').click()
      await page.keyboard.press('ControlOrMeta+a')
      const run = await page.locator('.run').elementHandle()
      await page.locator('.cm-content').evaluate(
        (editor, { button, texts }) => {
          for (const [at, text] of texts.entries()) {
            const clipboardData = new DataTransfer()
            clipboardData.setData('text/plain', text)
            editor.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }))
            if (at === 0) (button as HTMLButtonElement).click()
          }
        },
        { button: run, texts: [JSON.stringify(plan), ...more] },
      )
    }
    await open.paste(planOf('first', ['one']))
    await pasteAndRun(planOf('other', ['one', 'two']))
    await page.locator('.status', { hasText: '2 of 2 steps done' }).waitFor()
    await pasteAndRun(planOf('third', ['one']), '\n')
    await judged(page, '1 step')
    expect(await open.status()).toMatch(/^Simulated/)
    expect(open.complaints).toEqual([])
    await page.context().close()
  })

  test('a budget that does not suffice stops the run, and the header says which step and why', async () => {
    const open = await openPlayground()
    const { page } = open
    await open.pick('diamond')
    await page.locator('#set-budget').fill('0.000001')
    await page.locator('#set-budget').blur()
    const words = await open.run()
    expect(words).toMatch(/^0 of 4 steps done, 4 skipped \(\w+: .*budget/)
    await page.locator('#set-budget').fill('a lot')
    await page.locator('#set-budget').blur()
    expect(await page.locator('#set-budget').getAttribute('aria-invalid')).toBe('true')
    await page.context().close()
  })

  test('times are those of the profile, whatever the speed: estimate, run and report agree', async () => {
    const open = await openPlayground()
    const { page } = open
    await open.paste({
      ...planOf('paced', ['one', 'two']),
      steps: planOf('paced', ['one', 'two']).steps.map((step) => ({ ...step, estimated_tokens: 1500 })),
    })
    await page.locator('#set-source').selectOption('mission')
    await open.run()
    const seconds = async (): Promise<number> => {
      await drawn(page)
      const words = (await page.locator('.af-count-time dd').textContent()) ?? ''
      const [, minutes = '0', rest = '0'] = /^(?:(\d+)m )?([\d.]+) ?s$/.exec(words) ?? []
      return 60 * Number(minutes) + Number(rest)
    }
    // Two answers of 30 s, one behind the other, a hundred times as fast.
    const shown = await seconds()
    expect(shown).toBeGreaterThanOrEqual(60)
    const told = await page.locator('#pane-report').textContent()
    expect(told).toContain((await page.locator('.af-count-time dd').textContent()) ?? '-')
    await page.context().close()
  })

  test('a provider of one`s own is configured in the page, with a key, and called', async () => {
    const open = await openPlayground()
    const { page } = open
    const asked: string[] = []
    const server = createServer((request, reply) => {
      if (request.method === 'POST') asked.push(`${request.url} ${request.headers.authorization}`)
      const cors = { 'access-control-allow-origin': '*', 'access-control-allow-headers': '*, authorization' }
      reply.writeHead(200, { ...cors, 'content-type': 'text/event-stream' })
      const chunk = { choices: [{ index: 0, delta: { content: 'from my own' }, finish_reason: 'stop' }] }
      reply.end(`data: ${JSON.stringify(chunk)}\n\ndata: [DONE]\n\n`)
    }).listen(0, '127.0.0.1')
    // Whatever comes of the test, nothing is kept open by it.
    server.unref()
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    await page.locator('#set-source').selectOption('real')
    await page.getByRole('button', { name: 'Keys' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Configuration, JSON').fill('{ "providers": ')
    await dialog.getByLabel('Configuration, JSON').blur()
    expect(await dialog.locator('#configuration-said').textContent()).toMatch(/^Not used: /)
    const own = { dialect: 'generic', baseUrl: `http://127.0.0.1:${port}/v1`, models: { m: {} }, default: 'm' }
    await dialog.getByLabel('Configuration, JSON').fill(JSON.stringify({ providers: { mine: own } }))
    await dialog.getByLabel('Configuration, JSON').blur()
    await dialog.getByLabel('mine').fill('own-key')
    await screenshot(page, 'state-configuration')
    await dialog.getByRole('button', { name: 'Done' }).click()
    expect(await open.status()).toBe('Real: mine will be called and paid')
    await open.paste({
      task_id: 'own',
      description: 'd',
      steps: [{ id: 'a', type: 'analysis', description: 'Say it.', provider: 'mine' }],
    })
    await open.run()
    await page.locator('.af-line').first().click()
    await page.locator('.answer', { hasText: 'from my own' }).waitFor()
    expect(asked).toEqual(['/v1/chat/completions Bearer own-key'])
    server.closeAllConnections()
    server.close()
    await page.context().close()
  })
})
