/** Writing a plan: errors where they are, completion by the schema, links that hold the plan. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { describeInBrowser } from './chromium.js'
import { openPlayground, screenshot, type Playground } from './playground.js'

const step = (id: string, more: object = {}) => ({ id, type: 'analysis', description: `do ${id}`, ...more })

describeInBrowser('the editor of plans', () => {
  let open: Playground
  beforeAll(async () => {
    open = await openPlayground()
  })
  afterAll(() => open?.page.context().close())

  const marked = (kind: 'error' | 'warning') => open.page.locator(`.cm-lintRange-${kind}`)

  test.each([
    ['an unknown dependency', { steps: [step('a', { dependencies: ['b'] })] }, '"b"', 'plan.unknown_dependency'],
    ['a number out of range', { steps: [step('a', { complexity: 3 })] }, '3', 'plan.out_of_range'],
    ['a circle', { steps: [step('a', { dependencies: ['a'] })] }, '"a"', 'plan.cycle'],
    ['broken JSON', '{ "steps": [ ] oops }', 'o', 'json.malformed'],
  ])('%s is marked where it stands, and cannot be run', async (_, plan, place, code) => {
    await open.paste(plan)
    await marked('error').first().waitFor()
    expect((await marked('error').allTextContents()).join('')).toBe(place)
    const problem = open.page.locator('.problems li')
    expect(await problem.textContent()).toContain(code)
    expect(await open.page.locator('.run').isDisabled()).toBe(true)
    // The list leads there.
    await problem.getByRole('button').click()
    expect(await open.page.evaluate(() => document.activeElement?.className)).toBe('editor')
    await screenshot(open.page, 'editor-error')
  })

  test('a warning is marked on the name that it is about, and does not keep from running', async () => {
    await open.paste({ task_id: 't', description: 'd', steps: [step('a', { colour: 'red' })] })
    await marked('warning').first().waitFor()
    expect(await marked('warning').allTextContents()).toEqual(['"colour"'])
    expect(await open.run()).toContain('1 of 1 step done')
  })

  test('members are offered by the schema, steps by their ids', async () => {
    const { page } = open
    await open.paste(
      '{"task_id":"t","description":"d","steps":[{"id":"first","type":"analysis","description":"x"},{}]}',
    )
    await page.locator('.cm-content').click()
    await page.keyboard.press('ControlOrMeta+End')
    for (let back = 0; back < 3; back += 1) await page.keyboard.press('ArrowLeft')
    await page.keyboard.press('Control+Space')
    const list = page.locator('.cm-tooltip-autocomplete li')
    await list.first().waitFor()
    const names = await list.locator('.cm-completionLabel').allTextContents()
    expect(names).toEqual(expect.arrayContaining(['id', 'type', 'description', 'dependencies', 'provider']))
    await screenshot(page, 'editor-completion')
    await page.keyboard.type('dep')
    await page.waitForTimeout(150)
    await page.keyboard.press('Enter')
    await page.keyboard.type('"')
    await page.keyboard.press('Control+Space')
    await list.filter({ hasText: 'first' }).waitFor()
    expect(await list.locator('.cm-completionLabel').allTextContents()).toEqual(['first'])
    // A list that has just opened takes no key yet: it may have come up under somebody's fingers.
    await page.waitForTimeout(150)
    await page.keyboard.press('Enter')
    expect(await page.locator('.cm-content').textContent()).toContain('"dependencies": ["first"]')
    await page.keyboard.press('Escape')
  })

  test('the schema`s words appear under the pointer', async () => {
    const { page } = open
    await open.paste({ steps: [step('a', { priority: 3 })] })
    await page.locator('.cm-line', { hasText: 'priority' }).getByText('"priority"').hover()
    await page.locator('.cm-tooltip .hint-type').waitFor()
    await page.locator('.cm-tooltip', { hasText: 'Among ready steps the higher goes first' }).waitFor()
    expect(await page.locator('.cm-tooltip .hint-type').textContent()).toContain('from -1000 to 1000')
  })

  test('the cursor in a step selects it in the graph', async () => {
    const { page } = open
    await open.pick('diamond')
    await page.locator('.cm-line', { hasText: '"risks"' }).first().click()
    await page.locator('[role=option][id^=af-graph]', { hasText: 'risks' }).waitFor({ state: 'attached' })
  })

  test('a link holds the plan and nothing else, and opens with it', async () => {
    const plan = { task_id: 'linked', description: 'Größe ✓', steps: [step('a'), step('b', { dependencies: ['a'] })] }
    await open.paste(plan)
    await open.page.getByRole('button', { name: 'Share' }).click()
    await open.page.waitForURL(/#plan=/)
    const { hash } = new URL(open.page.url())
    const other = await openPlayground({}, hash)
    expect(await other.page.locator('.verdict').textContent()).toContain('2 steps, 1 dependency')
    expect(await other.page.locator('.cm-content').textContent()).toContain('Größe ✓')
    expect(await other.run()).toContain('2 of 2 steps done')
    await other.page.context().close()
  })

  test('a plan that is too large for a link is told so; a damaged link opens an example', async () => {
    const random = await open.page.evaluate(() => {
      const bytes = crypto.getRandomValues(new Uint8Array(24_000))
      return Array.from(bytes, (byte) => (byte % 36).toString(36)).join('')
    })
    await open.paste({ description: 'd', steps: [step('a', { description: random })] })
    await open.page.getByRole('button', { name: 'Share' }).click()
    await open.page.locator('.status', { hasText: 'too large for a link' }).waitFor()
    const other = await openPlayground({}, '#plan=AAAA')
    await other.page.locator('.status', { hasText: 'The link is damaged' }).waitFor()
    expect(await other.page.locator('.verdict').textContent()).toContain('4 steps')
    await other.page.context().close()
  })
})
