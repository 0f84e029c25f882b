/** Seeded storms of everything at once, and what must hold in all of them, by the server's ledger. */
import { describe, expect, jest, test } from '@jest/globals'
import { cutOff, faults, rateLimited } from './catalogue.js'
import { plan, prices, runVirtually, step, withVirtualServer, type HostOptions } from './host.js'
import type { Entry } from './ledger.js'
import { answer, answerOf, late, refusal, type Fault } from './wire.js'

jest.setTimeout(60_000)

/** Small and good enough: mulberry32. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const kinds: readonly Fault[] = [
  ...[rateLimited({ 'retry-after': '3' }), rateLimited({}), refusal(500), refusal(503), refusal(529), refusal(408)],
  ...[cutOff(0.3, 'reset'), cutOff(0.7, 'fin'), cutOff(0, 'reset'), faults.errorInStream, faults.errorAtOnce],
  ...[faults.garbage, faults.emptyBody, faults.html, faults.noFinish, faults.stalls, faults.onlyComments],
  ...[faults.headersNever, faults.resetBeforeHeaders, faults.usageMissing, faults.neverCloses],
]

const attempts = 6
const minute = 60_000
const limits = { alpha: { requestsPerMinute: 25, concurrency: 5 }, beta: { tokensPerMinute: 9000 } }
const timeouts = { connectMs: 5000, firstTokenMs: 8000, idleMs: 8000, totalMs: 60_000 }
const options = (seed: number): HostOptions => ({
  policy: { timeouts, limits, retry: { attempts, perModel: 2, baseMs: 200 }, budget: { run: { usd: 1 } } },
  seed,
})

/** Thirty steps in layers, each on up to three earlier ones. */
function layered(draw: () => number): object[] {
  return Array.from({ length: 30 }, (_, at) => {
    const earlier = at === 0 ? [] : Array.from({ length: Math.floor(draw() * 4) }, () => `s${Math.floor(draw() * at)}`)
    const more = { dependencies: [...new Set(earlier)], optional: draw() < 0.1, priority: Math.floor(draw() * 3) }
    return step(`s${at}`, more)
  })
}

const tokens = (entry: Entry): number => entry.promptTokens + entry.sentTokens

describe('a storm', () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])('of seed %i', async (seed) => {
    const draw = random(seed)
    await withVirtualServer(async (server, clock) => {
      server.script([
        {
          fault: (asked) => {
            const fault = draw() < 0.35 ? kinds[Math.floor(draw() * kinds.length)] : undefined
            return late(Math.floor(draw() * 4000), fault ?? answer())(asked)
          },
        },
      ])
      const ran = await runVirtually(server, clock, plan(...layered(draw)), options(seed))
      await server.until(({ entries }) => entries.every(({ endedAt }) => endedAt !== undefined))
      const { ledger } = server
      const { counts } = ran.report
      expect(counts.done + counts.failed + counts.skipped + counts.cancelled).toBe(counts.total)
      // Attempts bounded, one at a time; limits kept; every output whole, and delivered once.
      for (const { id } of ran.report.steps) {
        expect(ledger.of(id).length).toBeLessThanOrEqual(attempts)
        // A client that leaves is noticed here a little later than its next request may come.
        expect(ledger.mostAtOnce(ledger.of(id).filter(({ left }) => !left))).toBeLessThanOrEqual(1)
        if (ran.outputs.has(id)) expect(ran.outputs.get(id)).toBe(answerOf(id))
      }
      const done = ran.events.flatMap((event) => (event.type === 'done' ? [event.step] : []))
      expect(new Set(done).size).toBe(done.length)
      const [alpha, beta] = [ledger.to('alpha'), ledger.to('beta')]
      expect(ledger.fullest(minute, () => 1, undefined, alpha)).toBeLessThanOrEqual(25)
      expect(ledger.mostAtOnce(alpha.filter(({ left }) => !left))).toBeLessThanOrEqual(5)
      expect(ledger.fullest(minute, tokens, undefined, beta)).toBeLessThanOrEqual(9000)
      // A step is asked for once what it needs is there.
      for (const entry of ledger.entries) expect(entry.prompt).not.toContain('undefined')
      // Our count is never below the bill of the answers that came.
      const answered = ran.report.steps.flatMap(({ id, calls }) =>
        calls.flatMap((call) => (call.outcome === 'ok' && !call.tokens.estimated ? [{ id, call }] : [])),
      )
      for (const { id, call } of answered) {
        const bills = ledger.of(id).map((entry) => ledger.billedMicroUsd(prices[call.provider]!, [entry]))
        expect(bills).toContain(call.costMicroUsd)
      }
    })
  })
})
