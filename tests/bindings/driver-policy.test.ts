/** What the driver does with the core's failure policy: streams that break, hedges, limits, advice. */
import { describe, expect, test } from '@jest/globals'
import type { RunEvent } from '../../bindings/events.js'
import type { CallProgress, CallTicket, Performer } from '../../bindings/performer.js'
import type { Clock, ModelReply } from '../../bindings/ports.js'
import { Answers, begin, planOf, ran, resumed, step, type Ran } from './journalled.js'

const usage = { input: 100, cached: 0, output: 20, reasoning: 0 }
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const failure = (kind: string, more: object = {}): Error => Object.assign(new Error(`it is ${kind}`), { kind }, more)

/** Timers fire at once, and the time has come. */
function fastClock(): Clock & { at: number; waits: number[] } {
  const clock = {
    at: 0,
    waits: [] as number[],
    now: () => clock.at,
    after(ms: number, callback: () => void) {
      const timer = setImmediate(() => {
        clock.at += ms
        clock.waits.push(ms)
        callback()
      })
      return () => clearImmediate(timer)
    },
  }
  return clock
}

/** Each call of a step has its own script. */
function scripted(...scripts: ((ticket: CallTicket, progress: CallProgress) => Promise<ModelReply>)[]) {
  const tickets: CallTicket[] = []
  const performer: Performer = {
    perform(ticket, progress) {
      tickets.push(ticket)
      const script = scripts[tickets.length - 1]
      return script === undefined ? Promise.reject(failure('bad_request')) : script(ticket, progress)
    },
  }
  return { tickets, performer }
}

const whole = (text: string): ModelReply => ({ text, usage, finish: 'stop' })
const breaksAfter = (piece: string) => async (_: CallTicket, progress: CallProgress) => {
  progress.firstToken()
  progress.text(piece)
  await turn()
  throw failure('truncated')
}
const streams =
  (...pieces: string[]) =>
  async ({ prefix = '' }: CallTicket, progress: CallProgress) => {
    progress.firstToken()
    for (const piece of pieces) progress.text(piece)
    await turn()
    return whole(prefix + pieces.join(''))
  }

const shownBy = (events: readonly (RunEvent | { type: 'text'; piece: string })[]): string[] =>
  events.flatMap((event) => (event.type === 'text' ? [event.piece] : event.type === 'restart' ? ['⟲'] : []))

/** Runs with what is streamed among the events. */
async function watched(plan: Uint8Array, performer: Performer, table: object, more: object = {}) {
  const events: (RunEvent | { type: 'text'; piece: string })[] = []
  const options = {
    clock: fastClock(),
    begin: { ...begin, table, ...more },
    onEvent: (event: RunEvent) => void events.push(event),
    onText: (_: string, piece: string) => void events.push({ type: 'text', piece }),
  }
  const run = await ran(plan, performer, options)
  return { ...run, shown: shownBy(events), all: events }
}

describe('a stream that breaks after its text was shown', () => {
  test('begins anew, and a restart says so', async () => {
    const { performer, tickets } = scripted(breaksAfter('once '), streams('twice'))
    const { shown, result } = await watched(planOf(step('a')), performer, { interrupt: 'restart' })
    expect(shown).toEqual(['once ', '⟲', 'twice'])
    expect(tickets.map(({ prefix }) => prefix)).toEqual([undefined, undefined])
    expect(result.outputs.get('a')).toBe('twice')
  })

  test('goes on from the accepted text where the provider can, twice over', async () => {
    const { performer, tickets } = scripted(breaksAfter('one '), breaksAfter('two '), streams('three'))
    const { shown, result } = await watched(planOf(step('a', [], { type: 'testing' })), performer, {
      interrupt: 'continue',
    })
    expect(tickets.map(({ prefix }) => prefix)).toEqual([undefined, 'one ', 'one two '])
    expect(shown).toEqual(['one ', 'two ', 'three'])
    expect(result.outputs.get('a')).toBe('one two three')
  })

  test('goes on from it also in a process that has only the journal', async () => {
    const { performer } = scripted(breaksAfter('one '), streams('two'))
    const first = await watched(planOf(step('a')), performer, { interrupt: 'continue' })
    const cut = first.journal.records.findIndex(({ e }) => e === 'failed') + 1
    const again = scripted(streams('two'))
    const { result } = await resumed(first.bytes, again.performer, { most: cut, options: { clock: fastClock() } })
    expect(again.tickets[0]?.prefix).toBe('one ')
    expect(result.outputs.get('a')).toBe('one two')
  })

  test('fails its step when that is the policy', async () => {
    const { performer, tickets } = scripted(breaksAfter('one '), streams('two'))
    const { result } = await watched(planOf(step('a')), performer, { interrupt: 'fail' })
    expect([result.outcome, tickets.length]).toEqual(['steps_failed', 1])
  })
})

describe('a hedge', () => {
  test('of two calls only the one that began first is shown, delivered and told; the other is cut off', async () => {
    let late: CallProgress | undefined
    let cutOff = false
    const first = (ticket: CallTicket, progress: CallProgress): Promise<ModelReply> => {
      late = progress
      return new Promise((_, reject) => {
        ticket.signal.addEventListener('abort', () => {
          cutOff = true
          late?.text('too late')
          reject(failure('cancelled'))
        })
      })
    }
    const quick = Array.from({ length: 40 }, () => streams('quick'))
    const { performer, tickets } = scripted(...quick, first, streams('hedged'))
    const many = Array.from({ length: 40 }, (_, index) => step(`w${index}`, index === 0 ? [] : [`w${index - 1}`]))
    const plan = planOf(...many, step('slow', ['w39']))
    const { result, all } = await watched(plan, performer, { hedge: { share: 0.5 } })
    expect(tickets.at(-1)?.purpose).toBe('hedge')
    expect(tickets.at(-1)?.answer).toBeUndefined()
    expect(cutOff).toBe(true)
    expect(result.outputs.get('slow')).toBe('hedged')
    expect(shownBy(all).at(-1)).toBe('hedged')
    expect(shownBy(all)).not.toContain('too late')
  })
})

test('what headers say of limits reaches the core', async () => {
  const { performer } = scripted(async (_, progress) => {
    progress.limits([{ window: 'requests_per_minute', limit: 30, remaining: 29, resetMs: 1500.5 }])
    await turn()
    return whole('x')
  })
  const { journal, all } = await watched(planOf(step('a')), performer, {})
  expect(journal.records.find(({ e }) => e === 'limitsSeen')).toMatchObject({ v: [0, 0, 30, 29, 1501] })
  expect(all).toContainEqual(
    expect.objectContaining({ type: 'note', reason: 'limit_learned', detail: expect.stringContaining('30') }),
  )
})

describe('notes', () => {
  const noteOf = ({ events }: Pick<Ran, 'events'>, reason: string) =>
    events.find((event) => event.type === 'note' && event.reason === reason)

  test('of a retry tell the failure and the wait', async () => {
    const { performer } = scripted(() => Promise.reject(failure('overloaded')), streams('x'))
    const { all } = await watched(planOf(step('a')), performer, {})
    const note = noteOf({ events: all as RunEvent[] }, 'retrying')
    expect(note).toMatchObject({
      step: 'a',
      detail: expect.stringMatching(/no capacity now \(it is overloaded\); again in 0\.\d s/),
    })
  })

  test('of a wait for a provider’s own word tell provider and time', async () => {
    const script = () => Promise.reject(failure('rate_limited', { retryAfterMs: 30_000 }))
    const { performer } = scripted(script, streams('x'))
    const { all } = await watched(planOf(step('a')), performer, {}, { available: ['deepseek'] })
    const note = noteOf({ events: all as RunEvent[] }, 'waiting_for_cooldown')
    expect(note).toMatchObject({ detail: expect.stringMatching(/deepseek.*until 3\d\.\d s of the run/) })
  })
})

describe('the message of a failed step says what to do', () => {
  test.each([
    ['no money left', 'quota_exhausted', {}, /top up the account/],
    ['a deadline', 'overloaded', { retry: { deadlineMs: 600, attempts: 9 } }, /raise retry\.deadlineMs/],
    ['a refused key', 'auth', {}, /check the key/],
  ])('%s', async (_, kind, table, expected) => {
    const performer: Performer = { perform: () => Promise.reject(failure(kind)) }
    const { all } = await watched(planOf(step('a')), performer, table, { available: ['deepseek'] })
    const failed = all.find((event) => event.type === 'failed')
    expect(failed).toMatchObject({ message: expect.stringMatching(expected) })
    expect(failed).toMatchObject({ message: expect.stringContaining(`it is ${kind}`) })
  })

  test('a budget that does not suffice', async () => {
    const table = { budget: { step: { usd: 0.0000001 }, ladder: [] } }
    const { all } = await watched(planOf(step('a')), new Answers(), table)
    expect(all.find((event) => event.type === 'failed')).toMatchObject({
      message: expect.stringContaining('raise the budget'),
    })
  })
})

test('a wait that no timer can hold is a tick on the way', async () => {
  const clock = fastClock()
  const far = 3e9
  const { performer } = scripted(() => Promise.reject(failure('rate_limited', { retryAfterMs: far })), streams('x'))
  const options = { clock, begin: { ...begin, available: ['deepseek'], table: { retry: { patienceMs: 4e9 } } } }
  const { result } = await ran(planOf(step('a')), performer, options)
  expect(result.outcome).toBe('ok')
  expect(Math.max(...clock.waits)).toBe(2 ** 31 - 1)
  expect(clock.at).toBeGreaterThanOrEqual(far)
})

test('the wall clock is told once a process, and its jumps move nothing', async () => {
  const jumps = [Date.UTC(2026, 10, 21), Date.UTC(1999, 0, 1)]
  const wallClock = () => jumps.shift() ?? 0
  const first = await ran(planOf(step('a'), step('b', ['a'])), new Answers(), { wallClock })
  const cut = first.journal.records.findIndex(({ e }) => e === 'succeeded') + 1
  const { journal, result } = await resumed(first.bytes, new Answers(), { most: cut, options: { wallClock } })
  expect(journal.records.filter(({ e }) => e === 'clock').map((record) => 'v' in record && record.v[0])).toEqual([
    Date.UTC(2026, 10, 21),
    Date.UTC(1999, 0, 1),
  ])
  const times = journal.records.map(({ t }) => t)
  expect(times).toEqual([...times].sort((a, b) => a - b))
  expect(result.outcome).toBe('ok')
  expect(result.report.steps.every(({ startedAt, settledAt }) => (startedAt ?? 0) <= (settledAt ?? -1))).toBe(true)
})
