/** A cancel reaches the socket, and what the call had taken comes back. */
import { describe, expect, test } from '@jest/globals'
import { runPlan, type PlanRun, type RunResult } from '../../node/index.js'
import { faults } from './catalogue.js'
import type { FaultServer } from './fault-server.js'
import { configOf, plan, step, withServer, type HostOptions } from './host.js'
import type { Ledger } from './ledger.js'

const alone = { provider: 'alpha' }
const ended = ({ entries }: Ledger): boolean => entries.every(({ endedAt }) => endedAt !== undefined)

/** Runs it on the real clock: every test ends by its cancel, not by a time-out. */
function start(server: FaultServer, source: Record<string, unknown>, options: HostOptions, more: object = {}): PlanRun {
  return runPlan(source, { ...more, config: configOf(server, options) })
}

const moments = [
  ['before the headers', faults.headersNever],
  ['before the first token', faults.onlyComments],
  ['in the answer', faults.stalls],
] as const

describe.each(moments)('%s', (_, fault) => {
  const one = { providers: { alpha: { concurrency: 1 } } }

  test('a cancelled step closes its socket, and its place goes to the next', () =>
    withServer(async (server) => {
      server.script([{ step: 'a', fault }])
      const run = start(server, plan(step('a', alone), step('b', alone)), one)
      await server.until(({ entries }) => entries.length === 1)
      run.cancel('a')
      const result = await run
      expect(result.report.steps.map(({ state }) => state)).toEqual(['cancelled', 'done'])
      await server.until(ended)
      expect(server.ledger.entries.map(({ step, left }) => [step, left])).toEqual([
        ['a', true],
        ['b', false],
      ])
    }))

  test('its money comes back', () =>
    withServer(async (server) => {
      server.script([{ step: 'a', fault }])
      // Room for one call at a time, and what the cancelled one had taken is needed for the other.
      const models = { 'alpha-1': { in: 0, cached: 0, out: 1000, maxOut: 1000 } }
      const options = { policy: { budget: { run: { usd: 1.4 } } }, providers: { alpha: { models } } }
      const run = start(server, plan(step('a', alone), step('b', alone)), options)
      await server.until(({ entries }) => entries.some((entry) => entry.step === 'a'))
      run.cancel('a')
      const result: RunResult = await run
      expect(result.outputs.has('b')).toBe(true)
    }))

  test('a cancelled run closes every socket and starts nothing more', () =>
    withServer(async (server) => {
      server.script([{ fault }])
      const ids = ['a', 'b', 'c', 'd']
      const stop = new AbortController()
      const run = start(
        server,
        plan(...ids.map((id) => step(id, alone)), step('e', { dependencies: ids })),
        {},
        {
          signal: stop.signal,
        },
      )
      await server.until(({ entries }) => entries.length === ids.length)
      stop.abort()
      expect((await run).outcome).toBe('cancelled')
      await server.until(ended)
      expect(server.ledger.entries.map(({ left }) => left)).toEqual([true, true, true, true])
    }))
})

test('a step that waits for its retry is cancelled without another request', () =>
  withServer(async (server) => {
    server.script([{ fault: () => ({ status: 429, headers: { 'retry-after': '600' } }) }])
    const told: string[] = []
    const run = start(
      server,
      plan(step('a', alone)),
      {},
      {
        onEvent: (event: { type: string; reason?: string }) =>
          void (event.type === 'note' && told.push(event.reason ?? '')),
      },
    )
    for await (const event of run) {
      if (event.type === 'note' && event.reason === 'waiting_for_cooldown') run.cancel('a')
    }
    const result = await run
    expect(result.report.steps[0]?.state).toBe('cancelled')
    expect(told).toContain('waiting_for_cooldown')
    expect(server.ledger.entries.length).toBe(1)
  }))
