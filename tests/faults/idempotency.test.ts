/** The same key on every attempt of the same work, another for other work; what was done is told apart by it. */
import { describe, expect, test } from '@jest/globals'
import { faults } from './catalogue.js'
import { plan, runVirtually, step, withVirtualServer, type HostOptions } from './host.js'
import { refusal } from './wire.js'

const openai = { dialect: 'openai' }
const options: HostOptions = {
  policy: { retry: { attempts: 6, perModel: 2, baseMs: 10 }, breaker: { failures: 100 }, overflow: 'never' },
  providers: { alpha: openai, beta: openai },
}

describe('the idempotency key', () => {
  test('is the same on every attempt and model of a step, and of no other step or run', async () => {
    await withVirtualServer(async (server, clock) => {
      server.script([
        { step: 'a', provider: 'alpha', fault: refusal(503) },
        { step: 'b', times: 1, fault: faults.resetInBody },
      ])
      const source = plan(step('a'), step('b'), step('c', { dependencies: ['a'] }))
      expect((await runVirtually(server, clock, source, options)).outcome).toBe('ok')
      const keys = (id: string): string[] => [...new Set(server.ledger.of(id).map((entry) => entry.idempotencyKey))]
      expect(server.ledger.of('a').map(({ provider }) => provider)).toEqual(['alpha', 'alpha', 'beta'])
      for (const id of ['a', 'b', 'c']) expect(keys(id)).toEqual([expect.stringMatching(/^[\x21-\x7e]{16,}$/)])
      expect(new Set([...keys('a'), ...keys('b'), ...keys('c')]).size).toBe(3)

      const before = server.ledger.entries.length
      await runVirtually(server, clock, source, options)
      const again = server.ledger.entries.slice(before).map(({ idempotencyKey }) => idempotencyKey)
      for (const id of ['a', 'b', 'c']) expect(again).not.toContain(keys(id)[0])
    })
  })

  test('work that was done is done once, unless its reply was lost', async () => {
    await withVirtualServer(async (server, clock) => {
      const ids = Array.from({ length: 10 }, (_, at) => `s${at}`)
      server.script([
        { step: 's3', times: 1, fault: refusal(500) },
        { step: 's5', times: 1, fault: faults.resetAfterEffect },
        { step: 's7', times: 1, fault: faults.resetBeforeHeaders },
      ])
      const ran = await runVirtually(server, clock, plan(...ids.map((id) => step(id))), options)
      expect(ran.outcome).toBe('ok')
      const effects = server.ledger.effects()
      const done = ids.map((id) => effects.get(server.ledger.of(id)[0]?.idempotencyKey ?? ''))
      expect(done).toEqual([1, 1, 1, 1, 1, 2, 1, 1, 1, 1])
    })
  })
})
