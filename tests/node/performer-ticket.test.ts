/** A performer that wraps another may copy its ticket: nothing of it is lost by that. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import type { CallTicket } from '../../bindings/performer.js'
import { runPlan } from '../../node/index.js'
import { usage } from './patterns-play.js'
import { planOf, step } from './spread-play.js'

test('a copied ticket has the key and the signal of its call', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'aetherflow-ticket-'))
  try {
    const seen: { readonly ticket: CallTicket; readonly copy: CallTicket }[] = []
    const perform = async (ticket: CallTicket) => {
      seen.push({ ticket, copy: { ...ticket } })
      return Promise.resolve({ text: 'fine', usage, finish: 'stop' as const })
    }
    await runPlan(planOf(step('a'), step('b')), { performer: { perform }, config: {}, journal: join(folder, 'out') })
    expect(seen).toHaveLength(2)
    for (const { ticket, copy } of seen) {
      expect(copy.signal).toBe(ticket.signal)
      expect(copy.idempotencyKey).toMatch(/^[0-9a-f]{32}$/)
      expect(copy.idempotencyKey).toBe(ticket.idempotencyKey)
    }
    expect(seen[0]?.copy.idempotencyKey).not.toBe(seen[1]?.copy.idempotencyKey)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
