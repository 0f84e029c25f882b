/** The window of a minute in the book of one server, beside a model that looks at every request. */
import { expect, test } from '@jest/globals'
import type { Asked } from '../../node/serve/accounts.js'
import type { ServeKey } from '../../node/serve/keys.js'
import { OwnBook } from '../../node/serve/own-book.js'
import { Spending } from '../../node/serve/spending.js'
import { seeded } from '../../web/standard/simulator/random.js'

const key: ServeKey = { name: 'a', token: 'afk_a', requestsPerMinute: 700, tokensPerMinute: 60_000 }

interface Seen {
  readonly at: number
  tokens: number
}

const asked = (id: number, tokens: number): Asked => ({ id: String(id), kind: 'request', tokens, microUsd: 0 })

test.each([1, 2, 3])(
  'requests and tokens of the last minute are what a count of each of them gives, seed %d',
  async (seed) => {
    const random = seeded(seed)
    let now = 0
    const book = new OwnBook({ now: () => now, after: () => () => undefined }, await Spending.open(undefined))
    let model: Seen[] = []
    const open = new Map<number, Seen>()
    const standing = () => {
      model = model.filter(({ at }) => at > now - 60_000)
      const [oldest] = model
      return {
        requests: model.length,
        tokens: model.reduce((sum, { tokens }) => sum + tokens, 0),
        resetMs: oldest === undefined ? 0 : Math.max(1, oldest.at + 60_000 - now),
      }
    }
    let refusals = 0
    for (let id = 0; id < 4000; id += 1) {
      // Often several at the same time, at times a long silence.
      if (random() < 0.6) now += Math.floor(random() * 150)
      if (random() < 0.002) now += 50_000
      const tokens = Math.floor(random() * 200)
      const { refused, microUsd: _none, ...told } = book.decide(key, asked(id, tokens))
      const before = standing()
      const expected = before.requests >= 700 ? 'requests' : before.tokens + tokens > 60_000 ? 'tokens' : undefined
      expect(refused).toBe(expected)
      if (expected === undefined) {
        const entry = { at: now, tokens }
        model.push(entry)
        open.set(id, entry)
      } else refusals += 1
      expect(told).toEqual(standing())
      // Some are answered long after they have left the window.
      const [over] = open
      if (over !== undefined && (open.size > 300 || random() < 0.5)) {
        const [number, entry] = over
        open.delete(number)
        entry.tokens = Math.floor(random() * 300)
        expect(book.leave(key, asked(number, 0), { tokens: entry.tokens, microUsd: 0 })).toEqual(standing())
      }
    }
    expect(refusals).toBeGreaterThan(100)
  },
)
