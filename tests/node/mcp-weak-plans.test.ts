/** Transcripts of weak plans: the answer of check_plan says enough for one try to repair each. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { weakPlans } from '../fixtures/weak-plans.js'
import { overStdio, Place, type Connection } from './mcp-client.js'

jest.setTimeout(60_000)

const place = new Place()
let it: Connection
beforeAll(async () => void (it = await overStdio(place, 'legacy', '--budget', '1')))
afterAll(async () => {
  await it.close()
  place.remove()
})

describe.each(weakPlans)('$name', ({ sent, told, repaired }) => {
  test('is told with its place and what to do, and the repaired plan passes', async () => {
    const { text } = await it.call('check_plan', { plan: sent })
    let at = 0
    for (const words of told) {
      const found = typeof words === 'string' ? text.indexOf(words, at) : text.slice(at).search(words) + at
      expect([words, text, found]).toEqual([words, text, expect.any(Number)])
      expect([words, text, found >= at]).toEqual([words, text, true])
      at = found
    }
    expect(text.length).toBeLessThan(1500)
    expect((await it.call('check_plan', { plan: repaired })).text).toMatch(
      /^ok: \d steps?, \d dependenc\w+, 0 warnings$/,
    )
  })
})
