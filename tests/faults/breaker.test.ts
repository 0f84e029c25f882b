/** A provider that keeps failing is left alone, tried with one call, and taken back. */
import { describe, expect, test } from '@jest/globals'
import { notes, plan, runVirtually, step, withVirtualServer, type HostOptions } from './host.js'
import type { Entry } from './ledger.js'
import { answer, late, refusal } from './wire.js'

const breaker = { failures: 3, openMs: 10_000, maxOpenMs: 20_000 }
const options: HostOptions = {
  policy: { breaker, overflow: 'when_sooner', retry: { attempts: 6, perModel: 6, baseMs: 100, capMs: 1000 } },
  providers: { alpha: { concurrency: 4 }, beta: { concurrency: 1 }, gamma: { concurrency: 1 } },
}

/** So that a run lasts. */
const slow = late(5000, answer())

const steps = (count: number): object[] => Array.from({ length: count }, (_, at) => step(`s${at}`))

/** Requests after the first `failures` answers were in: those that the open breaker let through. */
function afterOpening(entries: readonly Entry[]): Entry[] {
  const opened = entries.map(({ endedAt }) => endedAt ?? 0).sort((a, b) => a - b)[breaker.failures - 1] ?? 0
  return entries.filter(({ at }) => at > opened)
}

describe('a breaker', () => {
  test('opens, lets one probe through at a time, waits longer after each, never longer than stated', async () => {
    await withVirtualServer(async (server, clock) => {
      server.script([{ provider: 'alpha', fault: refusal(500) }, { fault: slow }])
      const ran = await runVirtually(server, clock, plan(...steps(24)), options)
      expect(ran.outcome).toBe('ok')
      const probes = afterOpening(server.ledger.to('alpha'))
      expect(probes.length).toBeGreaterThanOrEqual(3)
      expect(server.ledger.mostAtOnce(probes)).toBe(1)
      const [first, ...gaps] = probes.map(({ at }, index) => at - (probes[index - 1]?.endedAt ?? 0))
      expect(first).toBeGreaterThanOrEqual(breaker.openMs)
      for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(breaker.maxOpenMs)
      expect(notes(ran, 'breaker_opened').length).toBe(probes.length + 1)
      expect(notes(ran, 'breaker_probing').length).toBe(probes.length)
      expect(notes(ran, 'breaker_closed')).toEqual([])
    })
  })

  test('closes when a probe succeeds, and the provider is used again', async () => {
    await withVirtualServer(async (server, clock) => {
      server.script([
        { provider: 'alpha', fault: (asked) => (clock.now() < 12_000 ? refusal(503) : answer())(asked) },
        { fault: slow },
      ])
      const ran = await runVirtually(server, clock, plan(...steps(30)), options)
      expect(ran.outcome).toBe('ok')
      expect(notes(ran, 'breaker_opened').length).toBeGreaterThanOrEqual(1)
      expect(notes(ran, 'breaker_closed').length).toBe(1)
      const good = server.ledger.to('alpha').filter(({ status }) => status === 200)
      expect(good.length).toBeGreaterThan(1)
    })
  })

  test('a single provider: steps wait for its recovery instead of failing', async () => {
    await withVirtualServer(async (server, clock) => {
      server.script([{ fault: (asked) => (clock.now() < 25_000 ? refusal(503) : answer())(asked) }])
      const only = Array.from({ length: 6 }, (_, at) => step(`s${at}`, { provider: 'alpha' }))
      const ran = await runVirtually(server, clock, plan(...only), options)
      expect(ran.outcome).toBe('ok')
      expect(notes(ran, 'waiting_for_breaker').length).toBeGreaterThanOrEqual(1)
      const probes = afterOpening(server.ledger.to('alpha')).filter(({ status }) => status === 503)
      expect(server.ledger.mostAtOnce(probes)).toBeLessThanOrEqual(1)
    })
  })

  test.each([400, 401, 404, 429])('%i is no sign of ill health', async (status) => {
    await withVirtualServer(async (server, clock) => {
      server.script([{ times: 12, fault: refusal(status) }])
      const only = Array.from({ length: 12 }, (_, at) => step(`s${at}`, { provider: 'alpha' }))
      const ran = await runVirtually(server, clock, plan(...only), options)
      expect(notes(ran, 'breaker_opened')).toEqual([])
    })
  })
})
