/** Drafts in the playground: what is shown is marked until it is confirmed, and what became of it is told. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Page } from 'playwright-core'
import { describeInBrowser } from './chromium.js'
import { accessFaults, activeWords, drawn, openPlayground, screenshot, type Playground } from './playground.js'

const planOf = (whole: string) => {
  const steps = Array.from({ length: 12 }, (_, index) => ({
    id: `part-${index + 1}`,
    ...{ type: 'documentation', description: `Describe part ${index + 1} of the ${whole}`, estimated_tokens: 900 },
  }))
  return { task_id: 'manual', description: 'A manual', steps }
}

describeInBrowser('drafts in the playground', () => {
  let open: Playground
  let page: Page
  beforeAll(async () => {
    open = await openPlayground()
    page = open.page
    await open.paste(planOf('system'))
    await page.locator('.verdict', { hasText: '12 steps' }).waitFor()
  })
  afterAll(() => open?.page.context().close())

  const panel = () => page.locator('#pane-step')
  const choose = async (id: string): Promise<void> => {
    await page.locator('.af-line', { hasText: id }).first().click()
    await drawn(page)
  }
  const facts = async (): Promise<string[]> => (await panel().locator('.facts dt').allTextContents()).sort()

  test('as planned: this plan asks for none', async () => {
    expect(await open.run()).toMatch(/^12 of 12 steps done/)
    expect(await page.locator('.af-bar.af-draft').count()).toBe(0)
    await choose('part-1')
    expect(await panel().locator('.draft').isVisible()).toBe(false)
  })

  test('while it is verified the answer is marked as a draft; then it is confirmed', async () => {
    await page.locator('#set-draft').selectOption('always')
    // Slow enough to be seen.
    await page.locator('#set-speed').selectOption('3')
    await page.locator('.run', { hasText: 'Run' }).click()
    // One of the last: on a busy machine the first may be confirmed before they can be looked at.
    await choose('part-12')
    await panel().locator('.draft[data-draft=shown]').waitFor()
    expect(await panel().locator('.draft').textContent()).toMatch(/^Draft, not confirmed: written by \w+/)
    await screenshot(page, 'draft-shown')
    await panel().locator('.draft[data-draft=confirmed]').waitFor()
    expect(await panel().locator('.draft').textContent()).toMatch(
      /^Draft confirmed: written by \w+, verified by \w+\.$/,
    )
    await page.locator('.status', { hasText: /12 of 12 steps done/ }).waitFor()
    await drawn(page)
    expect(await panel().locator('.chip').textContent()).toBe('done, draft confirmed')
    expect(await facts()).toEqual(expect.arrayContaining(['Confirmed after', 'Draft shown after']))
    expect(await activeWords(page, 'Timeline of the steps')).toContain('draft confirmed')
    expect(await page.locator('.af-bar.af-draft').count()).toBe(12)
    await screenshot(page, 'draft-confirmed')
  })

  test('a draft that is changed or rejected: the answer that counts is shown in its place', async () => {
    await page.locator('#set-source').selectOption('flaky')
    await page.locator('#set-speed').selectOption('100')
    // What becomes of a draft is drawn from its request, so it takes some plans until each of the three was seen.
    const seen = new Set<string>()
    for (const whole of ['system', 'garden', 'orchestra', 'ledger', 'harbour', 'bakery']) {
      const plan = planOf(whole)
      await open.paste(plan)
      await page.locator('.verdict', { hasText: '12 steps' }).waitFor()
      expect(await open.run()).toMatch(/^12 of 12 steps done/)
      for (const { id } of plan.steps) {
        await choose(id)
        const state = (await panel().locator('.draft').getAttribute('data-draft')) ?? ''
        if (seen.has(state)) continue
        seen.add(state)
        if (state === 'replaced')
          expect(await panel().locator('.draft').textContent()).toMatch(/^The draft by \w+ was replaced/)
        // Of drafts that were not just confirmed: what was found wrong is gone.
        if (state === 'patched' || state === 'replaced')
          expect(await panel().locator('.answer').textContent()).not.toContain('simulated error')
        if (state === 'patched')
          expect(await panel().locator('.answer').textContent()).toContain('the line is right now')
        if (state !== '') await screenshot(page, `draft-${state}`)
      }
      if (['confirmed', 'patched', 'replaced'].every((state) => seen.has(state))) break
    }
    expect([...seen]).toEqual(expect.arrayContaining(['confirmed', 'patched', 'replaced']))
  })

  test('no fault that axe calls serious; nothing complained', async () => {
    for (const scheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme: scheme })
      await drawn(page)
      expect(await accessFaults(page)).toEqual([])
      await screenshot(page, `draft-${scheme}`)
    }
    expect(open.complaints).toEqual([])
  })
})
