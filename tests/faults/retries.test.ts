/** One owner of retries: how many, when, and of what; counted by the server that was asked. */
import { describe, expect, test } from '@jest/globals'
import { absurdRetryAfter, faults, rateLimited, retryAfterForms, type FaultName } from './catalogue.js'
import { notes, plan, prices, runVirtually, step, withVirtualServer, type HostOptions, type Policy } from './host.js'
import { answer, answerOf, late, refusal, type Fault } from './wire.js'

const timeouts = { connectMs: 5000, firstTokenMs: 20_000, idleMs: 30_000, totalMs: 300_000 }
/** Only alpha will do. */
const alone = step('a', { provider: 'alpha' })

const policy = (retry: object, more: Policy = {}): HostOptions => ({ policy: { timeouts, retry, ...more } })

describe('how many', () => {
  test.each([1, 2, 3, 7])('a provider that always fails gets exactly %i requests', async (attempts) => {
    for (const fault of [refusal(500), refusal(503), faults.resetInBody] as const)
      await withVirtualServer(async (server, clock) => {
        server.script([{ fault }])
        const ran = await runVirtually(server, clock, plan(alone), policy({ attempts }))
        expect(ran.outcome).toBe('steps_failed')
        expect(server.ledger.entries.length).toBe(attempts)
        expect(server.ledger.mostAtOnce()).toBe(1)
      })
  })

  test.each([2, 7])(
    'a limit costs patience instead of %i attempts, and one attempt is one request',
    async (attempts) => {
      const retry = { baseMs: 1000, capMs: 8000, patienceMs: 60_000 }
      await withVirtualServer(async (server, clock) => {
        server.script([{ fault: rateLimited({}) }])
        const ran = await runVirtually(server, clock, plan(alone), policy({ ...retry, attempts }))
        expect(ran.outcome).toBe('steps_failed')
        expect(ran.report.steps[0]?.failure).toBe('rate_limited')
        // Back-offs double to their most: a minute of patience holds few of them, and none comes before its time.
        const gaps = server.ledger.gaps('a')
        expect(gaps.length).toBeGreaterThan(attempts)
        expect(gaps.length).toBeLessThan(30)
        expect(Math.min(...gaps.slice(0, 10))).toBeGreaterThanOrEqual(0.8 * 1000)
        expect(server.ledger.mostAtOnce()).toBe(1)
      })
      await withVirtualServer(async (server, clock) => {
        server.script([{ fault: rateLimited({}) }])
        const ran = await runVirtually(server, clock, plan(alone), policy({ ...retry, attempts: 1 }))
        expect([ran.outcome, server.ledger.entries.length]).toEqual(['steps_failed', 1])
      })
    },
  )

  test.each<[string, Fault]>([
    ...([400, 401, 402, 403, 404, 413, 422] as const).map((status): [string, Fault] => [`${status}`, refusal(status)]),
    ['an empty account', refusal(429, { error: { message: 'no', code: 'insufficient_quota' } })],
    ['a redirect', () => ({ status: 307, headers: { location: '/x' } })],
  ])('%s is asked once', async (_, fault) => {
    await withVirtualServer(async (server, clock) => {
      server.script([{ fault }])
      const ran = await runVirtually(server, clock, plan(alone), policy({ attempts: 5 }))
      expect([ran.outcome, server.ledger.entries.length]).toEqual(['steps_failed', 1])
    })
  })

  test.each<[FaultName | 'refused', string]>([
    ['resetBeforeHeaders', 'unreachable'],
    ['closeBeforeHeaders', 'unreachable'],
    ['resetInBody', 'truncated'],
    ['endInBody', 'truncated'],
    ['endOfConnection', 'truncated'],
    ['noFinish', 'truncated'],
    ['errorInStream', 'server_error'],
    ['errorInWhole', 'server_error'],
    ['headersNever', 'timeout'],
    ['stalls', 'timeout'],
    ['onlyComments', 'timeout'],
    ['garbage', 'malformed'],
    ['hugeEvent', 'malformed'],
    ['html', 'malformed'],
    ['emptyBody', 'truncated'],
    ['emptyAnswer', 'malformed'],
  ])('%s (%s) twice, then an answer: three requests and the whole answer', async (name) => {
    await withVirtualServer(async (server, clock) => {
      server.script([{ times: 2, fault: faults[name as FaultName] }])
      const ran = await runVirtually(server, clock, plan(alone), policy({ attempts: 3 }))
      expect([ran.outcome, server.ledger.entries.length]).toEqual(['ok', 3])
      expect(ran.outputs.get('a')).toBe(answerOf('a'))
      expect(notes(ran, 'retrying').length).toBe(2)
      expect(server.ledger.mostAtOnce()).toBe(1)
    })
  })

  test.each<[string, string, number, number]>([
    ['a server that says no', 'false', 503, 1],
    ['a server that says no to a full limit', 'false', 429, 1],
    ['a server that says yes', 'true', 503, 3],
    ['a server that says yes to a refused key', 'true', 401, 1],
    ['a server that says yes to a malformed request', 'true', 400, 1],
  ])('%s (x-should-retry: %s on %i) is asked %i times', async (_, hint, status, requests) => {
    await withVirtualServer(async (server, clock) => {
      server.script([{ fault: refusal(status, undefined, { 'x-should-retry': hint }) }])
      await runVirtually(server, clock, plan(alone), policy({ attempts: 3 }))
      expect(server.ledger.entries.length).toBe(requests)
    })
  })
})

describe('when', () => {
  test.each(retryAfterForms)('Retry-After, %s: never undercut, at any attempt', async (_, fault, waitMs) => {
    await withVirtualServer(async (server, clock) => {
      server.script([{ times: 3, fault }])
      const ran = await runVirtually(server, clock, plan(alone), policy({ attempts: 4, perModel: 4, baseMs: 400 }))
      expect(ran.outcome).toBe('ok')
      const gaps = server.ledger.gaps('a')
      expect(gaps.length).toBe(3)
      gaps.forEach((gap, index) => {
        // The back-off doubles and is jittered by a fifth; what the provider says is a floor on top.
        expect(gap).toBeGreaterThanOrEqual(Math.max(waitMs ?? 0, Math.floor(0.8 * 400 * 2 ** index)))
      })
    })
  })

  test.each(absurdRetryAfter)('Retry-After of %s: nobody waits, the step says when', async (_, fault) => {
    await withVirtualServer(async (server, clock) => {
      server.script([{ fault }])
      const ran = await runVirtually(server, clock, plan(alone), policy({ attempts: 5 }))
      expect([ran.outcome, server.ledger.entries.length]).toEqual(['steps_failed', 1])
      expect(ran.report.steps[0]?.failure).toMatch(/^(rate_limited|quota_exhausted)$/)
      expect(clock.now()).toBeLessThan(3_600_000)
    })
  })

  test('what one step is told holds for every step of that provider', async () => {
    await withVirtualServer(async (server, clock) => {
      server.script([{ order: 0, fault: rateLimited({ 'retry-after': '30' }) }])
      const steps = ['a', 'b', 'c', 'd'].map((id) => step(id, { provider: 'alpha' }))
      const one = { providers: { alpha: { concurrency: 1 } } }
      const ran = await runVirtually(server, clock, plan(...steps), { ...policy({}), ...one })
      expect(ran.outcome).toBe('ok')
      const [first = 0, ...later] = server.ledger.entries.map(({ at }) => at)
      expect(later.length).toBe(4)
      for (const at of later) expect(at - first).toBeGreaterThanOrEqual(30_000)
    })
  })

  test('steps that failed together do not come back together', async () => {
    await withVirtualServer(async (server, clock) => {
      const ids = Array.from({ length: 8 }, (_, at) => `s${at}`)
      server.script(ids.map((id) => ({ step: id, times: 1, fault: refusal(500) })))
      const retry = { attempts: 3, baseMs: 10_000, capMs: 10_000 }
      const steps = ids.map((id) => step(id, { provider: 'alpha' }))
      const ran = await runVirtually(server, clock, plan(...steps), policy(retry, { breaker: { failures: 1000 } }))
      expect(ran.outcome).toBe('ok')
      const second = ids.map((id) => server.ledger.of(id)[1]?.at)
      expect(new Set(second).size).toBeGreaterThan(4)
    })
  })

  test('one deadline over attempts and waits', async () => {
    await withVirtualServer(async (server, clock) => {
      server.script([{ fault: rateLimited({ 'retry-after': '4' }) }])
      const ran = await runVirtually(
        server,
        clock,
        plan(alone),
        policy({ attempts: 50, perModel: 50, deadlineMs: 10_000 }),
      )
      expect(ran.report.steps[0]?.failure).toBe('deadline')
      const times = server.ledger.entries.map(({ at }) => at - (server.ledger.entries[0]?.at ?? 0))
      expect(times.filter((at) => at > 10_000)).toEqual([])
      expect(times.length).toBeGreaterThan(1)
    })
  })

  test('a deadline cuts a call that is under way', async () => {
    await withVirtualServer(async (server, clock) => {
      server.script([{ fault: faults.stalls }])
      const ran = await runVirtually(server, clock, plan(alone), policy({ deadlineMs: 7000 }))
      await server.until(({ entries }) => entries.every(({ endedAt }) => endedAt !== undefined))
      expect(ran.report.steps[0]?.failure).toBe('deadline')
      expect(server.ledger.entries.map(({ left, endedAt }) => [left, endedAt])).toEqual([[true, 7000]])
    })
  })
})

describe('a minute of refusals, then recovery', () => {
  const ids = Array.from({ length: 20 }, (_, at) => `s${at}`)
  const steps = ids.map((id) => step(id, { provider: 'alpha' }))

  test('with Retry-After: nobody comes early, everybody is served', async () => {
    await withVirtualServer(async (server, clock) => {
      const until = 60_000
      const refused: Fault = (asked) => rateLimited({ 'retry-after-ms': String(until - clock.now()) })(asked)
      server.script([{ fault: (asked) => (clock.now() < until ? refused : answer())(asked) }])
      const ran = await runVirtually(server, clock, plan(...steps), policy({}))
      expect(ran.outcome).toBe('ok')
      const early = server.ledger.entries.filter(({ at }) => at > 0 && at < until)
      // Those that were under way when the first refusal came had heard nothing.
      expect(early.filter(({ at }) => at > 1000)).toEqual([])
      for (const id of ids) expect(server.ledger.of(id).length).toBeLessThanOrEqual(2)
      expect(server.ledger.billedMicroUsd(prices['alpha']!)).toBe(ran.report.totals.costMicroUsd)
    })
  })

  test('without a word: attempts within their number, none before its back-off', async () => {
    await withVirtualServer(async (server, clock) => {
      server.script([{ fault: (asked) => (clock.now() < 60_000 ? rateLimited({}) : answer())(asked) }])
      const retry = { attempts: 30, perModel: 30, baseMs: 500, capMs: 8000 }
      const ran = await runVirtually(server, clock, plan(...steps), policy(retry))
      expect(ran.outcome).toBe('ok')
      for (const id of ids) expect(server.ledger.of(id).length).toBeLessThanOrEqual(30)
      for (const id of ids)
        server.ledger.gaps(id).forEach((gap, index) => {
          expect(gap).toBeGreaterThanOrEqual(Math.floor(0.8 * Math.min(8000, 500 * 2 ** index)))
        })
    })
  })

  test('under a storm one at a time asks, each step in its turn', async () => {
    await withVirtualServer(async (server, clock) => {
      server.script([{ fault: (asked) => late(300, clock.now() < 60_000 ? rateLimited({}) : answer())(asked) }])
      const retry = { attempts: 40, perModel: 40, baseMs: 500, capMs: 2000 }
      const ran = await runVirtually(server, clock, plan(...steps), policy(retry))
      expect(ran.outcome).toBe('ok')
      expect(server.ledger.mostAtOnce()).toBeGreaterThan(4)
      const storm = server.ledger.entries.filter(({ at }) => at > 3000 && at < 60_000)
      expect(storm.length).toBeGreaterThan(20)
      const asked = ids.map((id) => storm.filter((entry) => entry.step === id).length)
      expect(Math.max(...asked) - Math.min(...asked)).toBeLessThanOrEqual(1)
      expect(server.ledger.mostAtOnce(storm)).toBe(1)
      expect(notes(ran, 'waiting_for_retry').length).toBeGreaterThan(0)
    })
  })
})
