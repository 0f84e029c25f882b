/** Steps that ask for documents in the playground: the visitor's files are looked into, and what went in is shown. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { describeInBrowser } from './chromium.js'
import { openPlayground, type Playground } from './playground.js'

const plan = {
  ...{ task_id: 't', description: 'd' },
  steps: [
    {
      ...{ id: 'explain', type: 'documentation', description: 'Explain the toolchain.' },
      context: { documents: { query: 'fetch the toolchain on Linux' } },
    },
  ],
}

describeInBrowser('documents in the playground', () => {
  let open: Playground
  beforeAll(async () => {
    open = await openPlayground()
  })
  afterAll(() => open?.page.context().close())

  test('without files the run is refused, and says what helps', async () => {
    await open.paste(plan)
    await open.page.locator('.run', { hasText: 'Run' }).click()
    await open.page.getByText('add the documents under Keys and files').first().waitFor()
  })

  test('with files what was found is in the prompt and among what happened', async () => {
    const { page } = open
    await page.getByRole('button', { name: 'Keys and files' }).click()
    await page.locator('#file-input').setInputFiles({
      name: 'guide.md',
      mimeType: 'text/markdown',
      buffer: Buffer.from('# Install\n\n## Linux\n\nUse apt-get to fetch the toolchain.\n'),
    })
    await page.locator('.files li', { hasText: 'guide.md' }).waitFor()
    await page.keyboard.press('Escape')
    expect(await open.run()).toMatch(/^1 of 1 step done/)
    await page.locator('.af-line', { hasText: 'explain' }).locator('.af-bar').click()
    const panel = page.locator('#pane-step')
    await panel.locator('.prompt-texts').waitFor()
    expect((await panel.locator('.prompt-texts pre').allTextContents())[1]).toContain('[guide.md:Install › Linux.3]')
    expect(await panel.locator('.notes').textContent()).toContain('guide.md:Install › Linux.3')
    expect(open.complaints).toEqual([])
  })
})
