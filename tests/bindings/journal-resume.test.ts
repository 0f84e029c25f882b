/** What a resumed run takes up, and what it keeps its hands off. */
import { describe, expect, test } from '@jest/globals'
import { createHash } from 'node:crypto'
import type { DriverOptions } from '../../bindings/driver.js'
import { MemoryJournal } from '../../bindings/journal/journal.js'
import type { CallProgress, CallTicket, Performer } from '../../bindings/performer.js'
import { Answers, begin, planOf, ran, resumed, step, type Ran } from './journalled.js'

const identity: DriverOptions['identity'] = {
  run: 'r1',
  digest: (parts) => createHash('sha256').update(parts.join('\0')).digest('hex'),
}

/** The number of the first record of a kind, so that a run can be cut right behind it. */
const upTo = ({ journal }: Ran, kind: string, nth = 0): number => {
  const found = journal.records.flatMap((record, index) => (record.e === kind ? [index + 1] : []))
  return found[nth] ?? -1
}

describe('calls under way when the process died', () => {
  test('are made again with the same number and key; those before and after are made once', async () => {
    const plan = planOf(step('a'), step('b'), step('c', ['a', 'b']))
    const first = new Answers()
    const whole = await ran(plan, first, { identity })
    const again = new Answers()
    const second = await resumed(whole.bytes, again, { most: upTo(whole, 'succeeded'), options: { identity } })
    expect(again.ids).toEqual(['b', 'c'])
    const [b, c] = again.tickets
    expect([b?.call, b?.idempotencyKey]).toEqual([first.tickets[1]?.call, first.tickets[1]?.idempotencyKey])
    expect(b?.idempotencyKey).toMatch(/^[0-9a-f]{32}$/)
    expect(c?.idempotencyKey).toBe(first.tickets[2]?.idempotencyKey)
    expect(c?.dependencies).toEqual(first.tickets[2]?.dependencies)
    expect(new Set(first.tickets.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(3)
    expect(second.events.filter(({ type }) => type === 'resumed')).toMatchObject([{ calls: 1 }])
    expect(second.events.filter(({ type }) => type === 'call')).toHaveLength(3)
  })

  test('of which text had been shown begin anew, and say so', async () => {
    const streams = (until: number): Performer => ({
      perform: async (_ticket, progress) => {
        progress.firstToken()
        progress.text('half')
        if (until === 1) await new Promise((resolve) => setImmediate(resolve))
        return { text: 'half and half', usage: undefined, finish: 'stop' }
      },
    })
    const whole = await ran(planOf(step('a')), streams(1))
    const cut = upTo(whole, 'progress')
    const { events, result } = await resumed(whole.bytes, streams(1), { most: cut })
    const types = events.map(({ type }) => type)
    expect(types.indexOf('restart')).toBeGreaterThan(types.indexOf('resumed'))
    expect(types.filter((type) => type === 'restart')).toHaveLength(1)
    expect(result.outputs.get('a')).toBe('half and half')
  })

  test('audits and repairs find the answer and the issues that they are about', async () => {
    const answer = ({ purpose }: CallTicket): string =>
      purpose === 'audit' ? '{"verdict":"issues","issues":["too short"]}' : purpose === 'repair' ? 'repaired' : 'first'
    const options = { begin: { ...begin, mode: 'double-check' } }
    const first = new Answers(answer)
    const whole = await ran(planOf(step('a')), first, options)
    expect(first.ids).toEqual(['a', 'a audit', 'a repair'])
    for (const [kind, nth, expected] of [
      ['succeeded', 0, ['a audit', 'a repair']],
      ['verdict', 0, ['a repair']],
    ] as const) {
      const again = new Answers(answer)
      const { result } = await resumed(whole.bytes, again, { most: upTo(whole, kind, nth) })
      expect(again.ids).toEqual(expected)
      expect(again.tickets.at(-1)).toMatchObject({ answer: 'first', issues: expect.stringContaining('too short') })
      expect(result.outputs.get('a')).toBe('repaired')
    }
  })
})

describe('a run that came to its end', () => {
  test('makes no call and tells the same events and report', async () => {
    const whole = await ran(planOf(step('a'), step('b', ['a'])), new Answers())
    const performer = new Answers()
    const again = await resumed(whole.bytes, performer, { options: { journal: undefined } })
    expect(performer.tickets).toEqual([])
    expect(again.result.report).toEqual(whole.result.report)
    const told = ({ events }: Ran) => events.filter(({ type }) => type !== 'finish').map(({ type }) => type)
    expect([...told(again)].sort()).toEqual([...told(whole)].sort())
  })

  test('by a cancellation goes on from before it', async () => {
    const interruption = new AbortController()
    const performer = new Answers(({ step: { id } }) => {
      if (id === 'b') interruption.abort()
      return `answer of ${id}`
    })
    const stopped = await ran(planOf(step('a'), step('b', ['a']), step('c', ['b'])), performer, {
      signal: interruption.signal,
    })
    expect(stopped.result.outcome).toBe('cancelled')
    const again = new Answers()
    const { result } = await resumed(stopped.bytes, again)
    expect(result.outcome).toBe('ok')
    expect(again.ids).not.toContain('a')
    expect([...result.outputs.keys()]).toEqual(['a', 'b', 'c'])
  })
})

describe('what is told', () => {
  /** A journal that keeps nothing until it is let. */
  class SlowJournal extends MemoryJournal {
    readonly waiting: (() => void)[] = []
    override flush(): Promise<void> {
      return new Promise((resolve) => this.waiting.push(resolve))
    }
  }

  test('no output is told or delivered before its record is durable, nor the end', async () => {
    const writer = new SlowJournal()
    const order: string[] = []
    const running = ran(planOf(step('a')), new Answers(), {
      journal: { writer, start: 0 },
      onEvent: ({ type }) => void order.push(type),
      deliver: () => void order.push('written'),
    })
    const later = async (kept: number): Promise<void> => {
      writer.waiting[kept]?.()
      for (let turn = 0; turn < 20; ++turn) await new Promise((resolve) => setImmediate(resolve))
    }
    await later(-1)
    // The plan first: what is called belongs to a run that can be resumed.
    expect(order).toEqual(['steps'])
    await later(0)
    expect(order).toEqual(['steps', 'call', 'answer', 'callEnd'])
    await later(1)
    expect(order).toEqual(['steps', 'call', 'answer', 'callEnd', 'written', 'done'])
    await later(2)
    await running.catch(() => {})
    expect(order.at(-1)).toBe('finish')
  })

  test('a journal that cannot be written cancels the run, and its error is the run’s', async () => {
    class BrokenJournal extends MemoryJournal {
      override flush(): Promise<void> {
        return Promise.reject(new Error('full'))
      }
    }
    const delivered: string[] = []
    const { result, events } = await ran(planOf(step('a'), step('b', ['a'])), new Answers(), {
      journal: { writer: new BrokenJournal(), start: 0 },
      deliver: ({ id }) => void delivered.push(id),
    }).catch((error: unknown) => Promise.reject(error as Error))
    expect(result.hostError).toEqual(new Error('full'))
    expect(delivered).toEqual([])
    expect(events.filter(({ type }) => type === 'done')).toEqual([])
  })

  test('outputs of earlier steps are delivered again, marked so, and later ones once', async () => {
    const whole = await ran(planOf(step('a'), step('b', ['a'])), new Answers())
    const delivered: [string, boolean][] = []
    await resumed(whole.bytes, new Answers(), {
      most: upTo(whole, 'succeeded', 1) - 1,
      options: { deliver: ({ id }, _, again) => void delivered.push([id, again]) },
    })
    expect(delivered).toEqual([
      ['a', true],
      ['b', false],
    ])
  })
})

describe('steps that wait for a prompt cache when the process dies', () => {
  const plan = planOf(
    step('base', [], { estimated_tokens: 3000 }),
    ...['a', 'b', 'c', 'd'].map((id) => step(id, ['base'], { estimated_tokens: 1200 })),
  )
  const options = { identity, begin: { ...begin, available: ['groq'] } }
  class Reading extends Answers {
    override async perform(ticket: CallTicket, progress?: CallProgress) {
      const reply = await super.perform(ticket)
      progress?.firstToken()
      return reply
    }
  }
  const order = ({ events }: Ran): string[] =>
    events.flatMap((event) =>
      event.type === 'call' || event.type === 'firstToken'
        ? [`${event.type} ${event.step}`]
        : event.type === 'note' && event.reason === 'waiting_for_prefix'
          ? [`${event.step} behind ${event.leader}`]
          : [],
    )

  test.each([
    ['they began to wait', 'succeeded', 0],
    ['their leader’s first token', 'firstToken', 1],
  ])('follow the same leader, cut behind %s', async (_, kind, nth) => {
    const whole = await ran(plan, new Reading(), options)
    const usual = order(whole)
    expect(usual.slice(2)).toEqual([
      ...['call a', 'b behind a', 'c behind a', 'd behind a', 'firstToken a'],
      ...['call b', 'call c', 'call d', 'firstToken b', 'firstToken c', 'firstToken d'],
    ])
    const most = upTo(whole, kind, nth)
    expect(most).toBeGreaterThan(0)
    const again = new Reading()
    const second = await resumed(whole.bytes, again, { most, options })
    expect(again.ids).toEqual(['a', 'b', 'c', 'd'])
    const { events, result } = second
    expect(result.outcome).toBe('ok')
    expect(order(second).filter((word) => word.startsWith('call'))).toEqual(
      usual.filter((word) => word.startsWith('call')),
    )
    const at = (word: string): number => order(second).indexOf(word)
    for (const id of ['b', 'c', 'd']) expect(at(`call ${id}`)).toBeGreaterThan(at('firstToken a'))
    expect(events.filter(({ type }) => type === 'resumed')).toHaveLength(1)
  })

  test('a finished run tells the same events once more, without a call', async () => {
    const whole = await ran(plan, new Reading(), options)
    const again = new Reading()
    const second = await resumed(whole.bytes, again, { options })
    expect(again.ids).toEqual([])
    expect(order(second)).toEqual(order(whole))
    expect(second.result.report).toEqual(whole.result.report)
  })
})

test('recalled outputs need no call, stand in the journal, and serve the steps behind them', async () => {
  const recalled = new Map([['a', { text: 'known', files: 'f1' }]])
  const performer = new Answers()
  const plan = planOf(step('a'), step('b', ['a']))
  const first = await ran(plan, performer, { recalled })
  expect(performer.ids).toEqual(['b'])
  expect(performer.tickets[0]?.dependencies).toEqual([[0, 'known']])
  expect(first.events.find(({ type }) => type === 'done')).toMatchObject({ step: 'a', recalled: true })
  expect(first.journal.records.find(({ e }) => e === 'recalled')).toMatchObject({ v: [0], x: 'known', f: 'f1' })
  const again = new Answers()
  const { result } = await resumed(first.bytes, again, { most: upTo(first, 'recalled') })
  expect(again.ids).toEqual(['b'])
  expect(result.outputs.get('a')).toBe('known')
})

test('a performer is told when its call must stay, and what it does then is ignored', async () => {
  const prompts: boolean[] = []
  const performer: Performer = {
    async perform(_ticket: CallTicket, progress: CallProgress) {
      prompts.push(await progress.prompt(5000, 5000))
      await new Promise((resolve) => setImmediate(resolve))
      return { text: 'x', usage: { input: 5000, cached: 0, output: 1, reasoning: 0 }, finish: 'stop' as const }
    },
  }
  // Two prompts of 5,000 tokens do not fit a limit of 9,000 at once: the second stays until the first has left its window.
  const table = { limits: { deepseek: { tokensPerMinute: 9000 } }, providers: {} }
  const clock = fastClock()
  const options = { begin: { ...begin, available: ['deepseek'], table }, clock }
  const { result, journal } = await ran(planOf(step('a'), step('b')), performer, options)
  expect(result.outcome).toBe('ok')
  expect(prompts.filter((left) => !left).length).toBeGreaterThan(0)
  const calls = result.report.steps.flatMap(({ calls }) => calls.map(({ outcome }) => outcome))
  expect(calls.filter((outcome) => outcome === 'withheld')).toHaveLength(prompts.filter((left) => !left).length)
  expect(calls.filter((outcome) => outcome === 'ok')).toHaveLength(2)
  expect(journal.records.filter(({ e }) => e === 'succeeded')).toHaveLength(2)
})

/** Timers fire at once, and the time has come. */
function fastClock() {
  let at = 0
  return {
    now: () => at,
    after(ms: number, callback: () => void) {
      const timer = setImmediate(() => {
        at += ms
        callback()
      })
      return () => clearImmediate(timer)
    },
  }
}
