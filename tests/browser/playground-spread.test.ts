/** Plans that spread, in the playground: parts come into graph and timeline as they are known. */
import { expect, test } from '@jest/globals'
import { describeInBrowser } from './chromium.js'
import { openPlayground, screenshot } from './playground.js'

describeInBrowser('the playground', () => {
  test('carries out a step for each of what another answers, a vote and a condition', async () => {
    const { page, complaints, pick, run } = await openPlayground()
    await pick('spread')
    const told = await run()
    expect(told).toMatch(/\d+ of \d+ steps done/)
    expect(told).not.toMatch(/failed/)
    // The plan has five steps; the others came with the list and the vote.
    expect(Number(/of (\d+) steps/.exec(told)?.[1])).toBeGreaterThan(10)
    await screenshot(page, 'spread')
    expect(complaints).toEqual([])
    await page.context().close()
  })

  test('a debate ends turns that are not needed', async () => {
    const { page, complaints, pick, run } = await openPlayground()
    await pick('consensus')
    expect(await run()).toMatch(/steps done/)
    await screenshot(page, 'consensus')
    expect(complaints).toEqual([])
    await page.context().close()
  })

  test('a thousand items', async () => {
    const { page, complaints, paste, run } = await openPlayground()
    const items = Array.from({ length: 1000 }, (_, at) => `file${at}.ts`)
    await paste({
      task_id: 'many',
      description: 'A thousand items',
      steps: [
        { id: 'each', type: 'documentation', description: 'Look at {{item}}', estimated_tokens: 20, for_each: items },
      ],
    })
    expect(await run()).toMatch(/^.*1,001 of 1,001 steps done/)
    await screenshot(page, 'spread-thousand')
    expect(complaints).toEqual([])
    await page.context().close()
  })
})
