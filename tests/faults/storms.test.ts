/** Limits that last: a provider that says when to come back costs patience, not attempts, and everything is done after the storm. */
import { describe, expect, test } from '@jest/globals'
import { rateLimited } from './catalogue.js'
import { notes, plan, runVirtually, step, withVirtualServer, type HostOptions, type Policy } from './host.js'
import { answer, refusal, type Fault } from './wire.js'

const many = (count: number): object[] =>
  Array.from({ length: count }, (_, at) => step(`s${at}`, { provider: 'alpha' }))
const options = (concurrency: number, policy: Policy = {}): HostOptions => ({
  policy: { retry: { attempts: 3, baseMs: 500, capMs: 8000 }, ...policy },
  providers: { alpha: { concurrency } },
})

const soon = { 'retry-after': '1' }
const storms: readonly (readonly [kind: string, Fault, steps: number, stormMs: number, longestWaitMs: number])[] = [
  ['429 with Retry-After: 1', rateLimited(soon), 640, 20_000, 1200],
  ['429 with Retry-After: 1', rateLimited(soon), 200, 60_000, 1200],
  ['429 without a word', rateLimited({}), 80, 30_000, 8000 * 1.2],
  ['503 with Retry-After: 1', refusal(503, undefined, soon), 80, 20_000, 60_000],
]

test.each(storms)(
  '%s, %# of the storms: all steps are done, soon after its end, at their own price',
  async (_, fault, count, stormMs, longestWaitMs) => {
    await withVirtualServer(async (server, clock) => {
      server.script([{ fault: (asked) => (clock.now() < stormMs ? fault : answer())(asked) }])
      const ran = await runVirtually(server, clock, plan(...many(count)), options(64))
      expect([ran.outcome, ran.outputs.size]).toEqual(['ok', count])
      const { entries } = server.ledger
      const served = entries.filter(({ committed }) => committed)
      expect(served).toHaveLength(count)
      expect(served[0]!.at).toBeLessThanOrEqual(stormMs + longestWaitMs)
      // After those that were under way already one at a time asks, and not the same one again and again.
      const refused = entries.filter(({ committed }) => !committed)
      expect(refused.length).toBeLessThan(64 + (2 * stormMs) / 1000)
      const probes = refused.slice(64).map((entry) => entry.step)
      expect(new Set(probes).size).toBe(probes.length)
    })
  },
)

test('a step that is refused for what it asks holds nobody up, and is given up when patience ends', async () => {
  await withVirtualServer(async (server, clock) => {
    server.script([{ step: 's0', fault: rateLimited(soon) }])
    const retry = { attempts: 3, patienceMs: 120_000 }
    const ran = await runVirtually(server, clock, plan(...many(20)), options(4, { retry }))
    const failed = ran.report.steps.filter(({ state }) => state === 'failed')
    expect(failed.map(({ id, failure }) => [id, failure])).toEqual([['s0', 'rate_limited']])
    expect(ran.outputs.size).toBe(19)
    const lastServed = Math.max(...server.ledger.entries.filter(({ committed }) => committed).map(({ at }) => at))
    expect(lastServed).toBeLessThan(60_000)
  })
})

describe('limits that only headers tell of', () => {
  const told = (headers: Readonly<Record<string, string>>): Fault => {
    const plain = answer()
    return (asked) => {
      const reply = plain(asked)
      return { ...reply, headers: { ...reply.headers, ...headers } }
    }
  }
  const of = (what: string, limit: string, remaining: string, reset?: string): Readonly<Record<string, string>> => ({
    [`x-ratelimit-limit-${what}`]: limit,
    [`x-ratelimit-remaining-${what}`]: remaining,
    ...(reset !== undefined && { [`x-ratelimit-reset-${what}`]: reset }),
  })
  test.each<[string, Readonly<Record<string, string>>]>([
    ['no requests at all', of('requests', '0', '0')],
    ['no tokens at all', of('tokens', '0', '0')],
    ['one request, used up', of('requests', '1', '0', '1')],
    ['fewer tokens than a request reserves', of('tokens', '100', '20')],
    ['fewer tokens than the prompt has', of('tokens', '5', '0', '1s')],
    ['a limit and nothing else', { 'x-ratelimit-limit-tokens': '100' }],
  ])('%s: the next step goes within a minute, and says what it waits for', async (_, headers) => {
    await withVirtualServer(async (server, clock) => {
      server.script([{ fault: told(headers) }])
      const ran = await runVirtually(server, clock, plan(step('a'), step('b', { dependencies: ['a'] })), options(4))
      expect(ran.outcome).toBe('ok')
      const [first, second] = server.ledger.entries
      const waited = second!.at - first!.at
      expect(waited).toBeLessThanOrEqual(61_000)
      expect(notes(ran, 'waiting_for_limit').length).toBe(waited > 1000 ? 1 : 0)
    })
  })
})
