/** A stream that breaks after its text was shown: restarted with an event, continued, or given up, as the step wants. */
import { describe, expect, test } from '@jest/globals'
import { cutOff, dripping, faults, stall } from './catalogue.js'
import { notes, plan, prices, runVirtually, step, withVirtualServer, type HostOptions, type Ran } from './host.js'
import { answer, answerOf, late, type Fault } from './wire.js'

const timeouts = { connectMs: 5000, firstTokenMs: 20_000, idleMs: 30_000, totalMs: 300_000 }
const options = (more: object, alpha: object = {}): HostOptions => ({
  policy: { timeouts, breaker: { failures: 100 }, ...more },
  providers: { alpha },
})
const alone = (more: object = {}): object => step('a', { provider: 'alpha', ...more })
const restarts = (ran: Ran): number => ran.events.filter(({ type }) => type === 'restart').length
/** It can go on from a given beginning. */
const goesOn = { dialect: 'deepseek', prefix: true }

/** Runs one step with its first request broken by `fault`. */
async function broken(fault: Fault, plans: object, with_: HostOptions, times = 1) {
  return withVirtualServer(async (server, clock) => {
    server.script([{ times, fault }])
    const ran = await runVirtually(server, clock, plan(plans), with_)
    return { ran, entries: server.ledger.entries, ledger: server.ledger }
  })
}

const breaks: readonly (readonly [string, Fault])[] = [
  ['a reset', cutOff(0.6, 'reset')],
  ['an end in the body', cutOff(0.6, 'fin')],
  ['the end of the connection', cutOff(0.6, 'fin', true)],
  ['an error object', faults.errorInStream],
  ['silence', stall(0.6)],
]

describe('restart', () => {
  test.each(breaks)('after %s: said before the answer begins anew, and the answer is whole', async (_, fault) => {
    const { ran, entries } = await broken(fault, alone(), options({ interrupt: 'restart' }))
    expect([ran.outcome, entries.length]).toEqual(['ok', 2])
    expect(ran.outputs.get('a')).toBe(answerOf('a'))
    expect(restarts(ran)).toBe(1)
    const order = ran.events.filter(({ type }) => type === 'firstToken' || type === 'restart').map(({ type }) => type)
    expect(order).toEqual(['firstToken', 'restart', 'firstToken'])
    expect(entries[1]?.prefix).toBeUndefined()
  })

  test.each([
    ['no text was shown yet', cutOff(0, 'reset')],
    ['only comments came', faults.onlyComments],
    ['nothing came', faults.resetBeforeHeaders],
  ])('where %s nothing is taken back', async (_, fault) => {
    const { ran } = await broken(fault, alone(), options({ interrupt: 'restart' }))
    expect([ran.outcome, restarts(ran), ran.shown.get('a')]).toEqual(['ok', 0, answerOf('a')])
  })

  test('at another provider too', async () => {
    const { ran, entries } = await broken(
      cutOff(0.6, 'reset'),
      step('a'),
      options({ interrupt: 'continue', retry: { perModel: 1 }, overflow: 'never' }),
    )
    expect(entries.map(({ provider }) => provider)).toEqual(['alpha', 'beta'])
    expect([ran.outcome, restarts(ran), ran.outputs.get('a')]).toEqual(['ok', 1, answerOf('a')])
  })
})

describe('continue', () => {
  test.each(breaks)('after %s: what was shown stands, and nothing is shown twice', async (_, fault) => {
    const { ran, entries } = await broken(fault, alone(), options({ interrupt: 'continue' }, goesOn))
    expect([ran.outcome, entries.length, restarts(ran)]).toEqual(['ok', 2, 0])
    expect(ran.outputs.get('a')).toBe(answerOf('a'))
    expect(ran.shown.get('a')).toBe(answerOf('a'))
    expect(entries[1]?.prefix).toBeTruthy()
    expect(answerOf('a').startsWith(entries[1]?.prefix ?? '-')).toBe(true)
    expect(entries[1]?.path).toContain('/beta/')
  })

  test('twice in one answer, from further on each time', async () => {
    const { ran, entries } = await broken(cutOff(0.6, 'reset'), alone(), options({ interrupt: 'continue' }, goesOn), 1)
    expect(entries.length).toBe(2)
    const halves: Fault = (asked) => {
      const all = answerOf(asked.step)
      const begun = (asked.prefix ?? '').length
      return begun > 30
        ? answer()(asked)
        : { ...answer(all.slice(0, begun + 16), { finish: null, done: false })(asked) }
    }
    const again = await broken(halves, alone(), options({ interrupt: 'continue' }, goesOn), 5)
    const lengths = again.entries.map(({ prefix = '' }) => prefix.length)
    expect(lengths).toEqual([...lengths].sort((a, b) => a - b))
    expect(new Set(lengths).size).toBe(lengths.length)
    expect([again.ran.outputs.get('a'), again.ran.shown.get('a')]).toEqual([answerOf('a'), answerOf('a')])
    expect(ran.outcome).toBe('ok')
  })

  test('where the provider cannot, the answer begins anew, and it is said', async () => {
    const { ran, entries } = await broken(cutOff(0.6, 'reset'), alone(), options({ interrupt: 'continue' }))
    expect([ran.outcome, entries.length, restarts(ran)]).toEqual(['ok', 2, 1])
    expect(entries[1]?.prefix).toBeUndefined()
  })

  test('costs both calls', async () => {
    const fault = cutOff(0.6, 'reset')
    const { ran, entries } = await broken(fault, alone(), options({ interrupt: 'continue' }, goesOn))
    const [first, second] = ran.report.steps[0]?.calls ?? []
    expect(first?.costMicroUsd).toBeGreaterThan(0)
    const { in: input, out } = prices['alpha']!
    expect(second?.costMicroUsd).toBe((entries[1]?.promptTokens ?? 0) * input + (entries[1]?.sentTokens ?? 0) * out)
  })
})

describe('fail', () => {
  test.each(breaks)('after %s: no second request', async (_, fault) => {
    const { ran, entries } = await broken(fault, alone(), options({ interrupt: 'fail' }))
    expect([ran.outcome, entries.length, restarts(ran)]).toEqual(['steps_failed', 1, 0])
    expect([...ran.outputs]).toEqual([])
  })

  test('what broke before any text was shown is tried again all the same', async () => {
    const { ran, entries } = await broken(faults.resetBeforeHeaders, alone(), options({ interrupt: 'fail' }))
    expect([ran.outcome, entries.length]).toEqual(['ok', 2])
  })

  test.each([
    ['fail', 'restart', 2],
    ['restart', 'fail', 1],
  ])('the configuration says %s, the step %s', async (interrupt, own, requests) => {
    const source = alone({ on_interrupt: own })
    const { entries } = await broken(cutOff(0.6, 'reset'), source, options({ interrupt }))
    expect(entries.length).toBe(requests)
  })
})

describe('the least speed', () => {
  test('a stream that lives but crawls is given up for another', async () => {
    const floor = { tokensPerSecond: 10, afterMs: 5000 }
    const { ran, entries } = await broken(dripping(1000, 40), alone(), options({ floor, interrupt: 'restart' }))
    expect([ran.outcome, entries.length]).toEqual(['ok', 2])
    expect(notes(ran, 'too_slow').length).toBe(1)
    expect(entries[0]?.left).toBe(true)
  })

  test('one that is fast enough is left alone, however late it began', async () => {
    const floor = { tokensPerSecond: 1, afterMs: 1000 }
    const { ran, entries } = await broken(late(15_000, answer()), alone(), options({ floor }))
    expect([ran.outcome, entries.length]).toEqual(['ok', 1])
  })
})
