/** A second provider for a slow beginning: rare, never beside a retry, the loser cancelled and paid for. */
import { describe, expect, test } from '@jest/globals'
import { faults } from './catalogue.js'
import { notes, plan, prices, runVirtually, step, withVirtualServer, type HostOptions } from './host.js'
import { answer, answerOf, late, refusal } from './wire.js'

const timeouts = { connectMs: 5000, firstTokenMs: 20_000, idleMs: 30_000, totalMs: 300_000 }
const options = (share: number, more: object = {}): HostOptions => ({ policy: { timeouts, hedge: { share }, ...more } })

describe('a hedge', () => {
  test('is asked when the first token is late; the first to begin wins, the other is cancelled and accounted', async () => {
    await withVirtualServer(async (server, clock) => {
      server.script([{ provider: 'alpha', fault: faults.onlyComments }])
      const ran = await runVirtually(server, clock, plan(step('a')), options(1))
      await server.until(({ entries }) => entries.every(({ endedAt }) => endedAt !== undefined))
      expect([ran.outcome, ran.outputs.get('a'), ran.shown.get('a')]).toEqual(['ok', answerOf('a'), answerOf('a')])
      expect(server.ledger.entries.map(({ provider, left }) => [provider, left])).toEqual([
        ['alpha', true],
        ['beta', false],
      ])
      expect([notes(ran, 'hedged').length, notes(ran, 'hedge_lost').length]).toEqual([1, 1])
      const [lost, won] = ran.report.steps[0]?.calls ?? []
      // A provider bills the prompt that it has read.
      expect(lost?.costMicroUsd).toBeGreaterThan(0)
      expect(won?.costMicroUsd).toBe(server.ledger.billedMicroUsd(prices['beta']!, server.ledger.to('beta')))
    })
  })

  test('loses when the first begins after all: only one answer is shown', async () => {
    await withVirtualServer(async (server, clock) => {
      server.script([
        { provider: 'alpha', fault: late(2000, answer('the first')) },
        { provider: 'beta', fault: late(4000, answer('the second')) },
      ])
      const ran = await runVirtually(server, clock, plan(step('a')), options(1))
      await server.until(({ entries }) => entries.every(({ endedAt }) => endedAt !== undefined))
      expect([ran.outputs.get('a'), ran.shown.get('a')]).toEqual(['the first', 'the first'])
      expect(server.ledger.to('beta').map(({ left }) => left)).toEqual([true])
    })
  })

  test('both fail: the step is tried again, once for both', async () => {
    await withVirtualServer(async (server, clock) => {
      server.script([
        { provider: 'alpha', times: 1, fault: late(3000, refusal(503)) },
        { provider: 'beta', times: 1, fault: late(3000, refusal(503)) },
      ])
      const ran = await runVirtually(server, clock, plan(step('a')), options(1))
      expect(ran.outcome).toBe('ok')
      expect(server.ledger.entries.length).toBe(3)
    })
  })

  test('is never beside a retry', async () => {
    await withVirtualServer(async (server, clock) => {
      server.script([
        { provider: 'alpha', times: 1, fault: refusal(503) },
        { provider: 'alpha', fault: late(10_000, answer()) },
      ])
      const ran = await runVirtually(server, clock, plan(step('a')), options(1))
      expect([ran.outcome, server.ledger.mostAtOnce()]).toEqual(['ok', 1])
      expect(server.ledger.to('beta')).toEqual([])
    })
  })

  test('is a share of the calls at most', async () => {
    await withVirtualServer(async (server, clock) => {
      server.script([{ provider: 'alpha', fault: late(3000, answer()) }])
      const steps = Array.from({ length: 60 }, (_, at) => step(`s${at}`))
      const ran = await runVirtually(server, clock, plan(...steps), options(0.05, { overflow: 'never' }))
      expect(ran.outcome).toBe('ok')
      expect(server.ledger.to('beta').length).toBeLessThanOrEqual(Math.floor(0.05 * server.ledger.entries.length))
    })
  })

  test('is off unless it is asked for', async () => {
    await withVirtualServer(async (server, clock) => {
      server.script([{ provider: 'alpha', fault: late(15_000, answer()) }])
      const ran = await runVirtually(server, clock, plan(step('a')), { policy: { timeouts } })
      expect([ran.outcome, server.ledger.entries.length]).toEqual(['ok', 1])
    })
  })
})
