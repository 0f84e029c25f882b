/** Money and tokens: reserved before, settled after, never overspent; by what the server bills. */
import { describe, expect, test } from '@jest/globals'
import { counted, faults } from './catalogue.js'
import { notes, plan, prices, runVirtually, step, withVirtualServer, type HostOptions } from './host.js'
import { answer, answerOf, late, refusal, type Fault } from './wire.js'

const timeouts = { connectMs: 5000, firstTokenMs: 20_000, idleMs: 30_000, totalMs: 300_000 }
const alpha = prices['alpha']!
const many = (count: number, more: object = {}): object[] =>
  Array.from({ length: count }, (_, at) => step(`s${at}`, { provider: 'alpha', ...more }))

const options = (budget: object, more: object = {}): HostOptions => ({ policy: { budget, timeouts, ...more } })

/** A model whose answers are at most 256 tokens, and cost half a dollar then; prompts are free. */
const dear = { in: 0, out: 500_000 / 256 }
const half = {
  alpha: {
    concurrency: 8,
    models: { 'alpha-1': { in: 0, cached: 0, out: dear.out, firstTokenMs: 100, tokensPerSecond: 100, maxOut: 256 } },
  },
}
const costing = (usd: number): string => 'x'.repeat(Math.round((usd / 0.5) * 256) * 4)

describe('a run with one dollar', () => {
  test('five steps at 0.50 at once: two run', async () => {
    await withVirtualServer(async (server, clock) => {
      server.script([{ fault: late(1000, answer(costing(0.5))) }])
      const ran = await runVirtually(server, clock, plan(...many(5)), {
        ...options({ run: { usd: 1 } }),
        providers: half,
      })
      expect(ran.outcome).toBe('budget_exhausted')
      expect(server.ledger.entries.length).toBe(2)
      expect(server.ledger.billedMicroUsd(dear)).toBe(1_000_000)
      expect(ran.report.totals.costMicroUsd).toBe(1_000_000)
      expect(ran.report.counts).toMatchObject({ done: 2 })
      expect(notes(ran, 'budget_stopped').length).toBe(1)
    })
  })

  test('what a call did not cost is there for the next', async () => {
    await withVirtualServer(async (server, clock) => {
      server.script([{ fault: late(1000, answer(costing(0.1))) }])
      const ran = await runVirtually(server, clock, plan(...many(5)), {
        ...options({ run: { usd: 1 } }),
        providers: half,
      })
      expect(ran.outcome).toBe('ok')
      expect(server.ledger.mostAtOnce()).toBe(2)
      // Each call is rounded up to a whole micro-dollar.
      const billed = server.ledger.billedMicroUsd(dear)
      expect(ran.report.totals.costMicroUsd).toBeGreaterThanOrEqual(billed)
      expect(ran.report.totals.costMicroUsd).toBeLessThan(billed + 5)
    })
  })

  const failures: readonly (readonly [string, Fault])[] = [
    ['refusals', refusal(503)],
    ['cut streams', faults.resetInBody],
    ['ends in the body', faults.endOfConnection],
    ['errors in the stream', faults.errorInStream],
    ['stalled streams', faults.stalls],
    ['answers without a finish', faults.noFinish],
    ['silence', faults.headersNever],
    ['counts that never came', faults.usageMissing],
    ['negative counts', faults.usageNegative],
  ]
  test.each(failures)('is never exceeded: %s', async (_, fault) => {
    await withVirtualServer(async (server, clock) => {
      server.script([{ fault: (asked) => (asked.order % 3 === 2 ? fault : answer(costing(0.2)))(asked) }])
      const retry = { attempts: 4, perModel: 4, baseMs: 10 }
      const dollar = options({ run: { usd: 1 } }, { retry, breaker: { failures: 100 } })
      const ran = await runVirtually(server, clock, plan(...many(12, { estimated_tokens: 110 })), {
        ...dollar,
        providers: half,
      })
      expect(server.ledger.billedMicroUsd(dear)).toBeLessThanOrEqual(1_000_000)
      expect(ran.report.totals.costMicroUsd).toBeLessThanOrEqual(1_000_000)
    })
  })

  test('is never exceeded: answers that were written and lost on the way', async () => {
    await withVirtualServer(async (server, clock) => {
      const lost: Fault = () => ({ instead: 'reset', committed: true, tokens: 256 })
      server.script([{ fault: lost }])
      const retry = { attempts: 5, perModel: 5, baseMs: 10 }
      const dollar = options({ run: { usd: 1 } }, { retry, breaker: { failures: 100 } })
      await runVirtually(server, clock, plan(...many(3)), { ...dollar, providers: half })
      expect(server.ledger.entries.length).toBeLessThanOrEqual(2)
    })
  })
})

describe('what is counted is what is billed', () => {
  test('streamed and whole answers cost the same by the same rule', async () => {
    await withVirtualServer(async (server, clock) => {
      // Groq sends no stream together with an output format.
      const providers = { alpha: { dialect: 'groq', json: 'object' } }
      server.script([{ step: 'json', fault: answer('{"a":[1,2,3]}') }])
      const steps = [step('text'), step('json', { output: 'json' })].map((each) => ({ ...each, provider: 'alpha' }))
      const ran = await runVirtually(server, clock, plan(...steps), { ...options({}), providers })
      expect(server.ledger.entries.map(({ stream }) => stream).sort()).toEqual([false, true])
      for (const { id, costMicroUsd } of ran.report.steps)
        expect(costMicroUsd).toBe(server.ledger.billedMicroUsd(alpha, server.ledger.of(id)))
    })
  })

  test('retries of refused calls cost nothing; cut streams cost what they brought, marked as an estimate', async () => {
    await withVirtualServer(async (server, clock) => {
      server.script([
        { step: 's0', times: 2, fault: refusal(429) },
        { step: 's1', times: 1, fault: faults.resetInBody },
      ])
      const ran = await runVirtually(server, clock, plan(...many(2)), options({}))
      expect(ran.outcome).toBe('ok')
      const [refused, cut] = ran.report.steps
      expect(refused?.costMicroUsd).toBe(server.ledger.billedMicroUsd(alpha, server.ledger.of('s0')))
      const [first, second] = cut?.calls ?? []
      expect(first?.tokens).toMatchObject({ estimated: true })
      expect(first?.costMicroUsd).toBeGreaterThan(0)
      expect(second?.costMicroUsd).toBe(server.ledger.billedMicroUsd(alpha, server.ledger.of('s1').slice(1)))
    })
  })

  test('a request whose reply never began is counted with what it may have cost, as an estimate', async () => {
    await withVirtualServer(async (server, clock) => {
      server.script([{ times: 1, fault: faults.resetAfterEffect }])
      const ran = await runVirtually(server, clock, plan(...many(1)), options({}))
      const [lost] = ran.report.steps[0]?.calls ?? []
      expect(lost?.tokens).toMatchObject({ estimated: true })
      expect(lost?.tokens.input).toBeGreaterThan(0)
      expect(ran.report.totals.costMicroUsd).toBeGreaterThanOrEqual(server.ledger.billedMicroUsd(alpha))
    })
  })

  test('a price that nobody knows counts as the worst, never as nothing', async () => {
    await withVirtualServer(async (server, clock) => {
      const models = { 'alpha-1': { in: null, cached: null, out: null, maxOut: 4096 } }
      const worst = { unknownPrice: { in: 100, cached: 100, out: 500 } }
      const ran = await runVirtually(server, clock, plan(...many(1)), {
        ...options({}, worst),
        providers: { alpha: { models } },
      })
      expect(ran.report.totals.costMicroUsd).toBe(server.ledger.billedMicroUsd({ in: 100, out: 500 }))
      expect(ran.report.steps[0]?.calls[0]).toMatchObject({ priceKnown: false })
    })
  })

  test('cached tokens have their own price, and are told apart', async () => {
    await withVirtualServer(async (server, clock) => {
      const price = { in: 100, cached: 10, out: 0, maxOut: 4096 }
      const usage = { prompt_tokens: 1000, completion_tokens: 9, prompt_tokens_details: { cached_tokens: 600 } }
      server.script([{ fault: counted(usage) }])
      const ran = await runVirtually(server, clock, plan(...many(1)), {
        ...options({}),
        providers: { alpha: { models: { 'alpha-1': price } } },
      })
      expect(ran.report.totals.tokens).toMatchObject({ input: 1000, cached: 600 })
      expect(ran.report.totals.costMicroUsd).toBe(400 * 100 + 600 * 10)
    })
  })

  test('a provider that claims absurd counts ends the run, it does not break it', async () => {
    await withVirtualServer(async (server, clock) => {
      server.script([{ times: 1, fault: faults.usageLargest }])
      const one = { alpha: { concurrency: 1 } }
      const ran = await runVirtually(server, clock, plan(...many(3)), {
        ...options({ run: { usd: 100 } }),
        providers: one,
      })
      expect([ran.outcome, server.ledger.entries.length]).toEqual(['budget_exhausted', 1])
      expect(Number.isSafeInteger(ran.report.totals.costMicroUsd)).toBe(true)
    })
  })
})

describe('the ladder', () => {
  const models = {
    'alpha-1': { in: 0, cached: 0, out: 1000, firstTokenMs: 100, tokensPerSecond: 100, maxOut: 1000 },
    'alpha-mini': { in: 0, cached: 0, out: 10, firstTokenMs: 100, tokensPerSecond: 100, maxOut: 1000 },
  }

  test('a cheaper model takes what the dear one is too dear for, and it is said', async () => {
    await withVirtualServer(async (server, clock) => {
      const ran = await runVirtually(server, clock, plan(...many(3)), {
        ...options({ run: { usd: 0.1 }, ladder: ['cheaper'] }),
        providers: { alpha: { models } },
      })
      expect(ran.outcome).toBe('ok')
      expect(server.ledger.entries.map(({ model }) => model)).toEqual(['alpha-mini', 'alpha-mini', 'alpha-mini'])
      expect(notes(ran, 'cheaper_model').length).toBe(3)
    })
  })

  test('optional steps are left out before the run is stopped', async () => {
    await withVirtualServer(async (server, clock) => {
      server.script([{ fault: late(1000, answer(costing(0.5))) }])
      const expected = { provider: 'alpha', estimated_tokens: 256 }
      const optional = Array.from({ length: 3 }, (_, at) => step(`o${at}`, { ...expected, optional: true }))
      const ran = await runVirtually(server, clock, plan(...optional, ...many(2, expected)), {
        ...options({ run: { usd: 1 }, ladder: ['skip_optional', 'stop'] }),
        providers: half,
      })
      expect(server.ledger.entries.map((entry) => entry.step).sort()).toEqual(['s0', 's1'])
      expect(ran.report.counts).toMatchObject({ done: 2, skipped: 3 })
      expect(ran.events.filter(({ type }) => type === 'skipped').length).toBe(3)
    })
  })

  test('without a rung the step fails and the others go on', async () => {
    await withVirtualServer(async (server, clock) => {
      server.script([{ fault: late(1000, answer(costing(0.5))) }])
      const ran = await runVirtually(server, clock, plan(...many(4)), {
        ...options({ run: { usd: 1 }, ladder: [] }),
        providers: half,
      })
      expect(server.ledger.entries.length).toBe(2)
      const failures = ran.report.steps.map(({ failure }) => failure).filter((failure) => failure !== undefined)
      expect(failures).toEqual(['budget_exceeded', 'budget_exceeded'])
    })
  })
})

describe('smaller ceilings', () => {
  test('of an attempt: the answer is asked for no longer than it may cost', async () => {
    await withVirtualServer(async (server, clock) => {
      const ran = await runVirtually(server, clock, plan(...many(2)), options({ attempt: { tokens: 700 } }))
      expect(ran.outcome).toBe('ok')
      for (const { promptTokens, maxTokens } of server.ledger.entries)
        expect(promptTokens + maxTokens).toBeLessThanOrEqual(700)
    })
  })

  test('of a step: retries end where its money does', async () => {
    await withVirtualServer(async (server, clock) => {
      server.script([{ fault: faults.endOfConnection }])
      const retry = { attempts: 50, perModel: 50, baseMs: 1, capMs: 1 }
      const ran = await runVirtually(server, clock, plan(...many(1)), options({ step: { tokens: 3000 } }, { retry }))
      expect(ran.report.steps[0]?.failure).toBe('budget_exceeded')
      const used = server.ledger.entries.reduce(
        (sum, { promptTokens, sentTokens }) => sum + promptTokens + sentTokens,
        0,
      )
      expect(used).toBeLessThanOrEqual(3000)
    })
  })

  test('of the run, in tokens', async () => {
    await withVirtualServer(async (server, clock) => {
      const ran = await runVirtually(server, clock, plan(...many(40)), options({ run: { tokens: 2500 } }))
      expect(ran.outcome).toBe('budget_exhausted')
      const used = server.ledger.entries.reduce(
        (sum, { promptTokens, sentTokens }) => sum + promptTokens + sentTokens,
        0,
      )
      expect(used).toBeLessThanOrEqual(2500)
      expect(used).toBeGreaterThan(1500)
      expect(ran.outputs.get('s0')).toBe(answerOf('s0'))
    })
  })
})
