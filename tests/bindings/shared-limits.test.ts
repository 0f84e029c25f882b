/** What a run and the limits that it shares owe each other: every call that was let go is settled, and every call ends once. */
import { expect, test } from '@jest/globals'
import { Authority } from '../../bindings/authority.js'
import type { Performer } from '../../bindings/performer.js'
import type { Clock, LimitAuthority, LimitEnd, LimitMember, LimitRefusal } from '../../bindings/ports.js'
import { runPlan, type Config, type RunEvent } from '../../node/index.js'
import { loadLimits } from '../../node/loader.js'
import { planOf, ran, resumed, step } from './journalled.js'

const usage = { input: 10, cached: 0, output: 5, reasoning: 0 }

/** Answers whatever is let go; `sent` is told of it. */
const asking = (sent: (id: string) => void = () => {}): Performer => ({
  async perform({ step: { id } }, progress) {
    if (!(await progress.prompt(10, 10))) throw Object.assign(new Error('withheld'), { kind: 'cancelled' })
    sent(id)
    return { text: 'done', usage, finish: 'stop' }
  },
})

/** An authority that answers when the test says so. */
class Slow implements LimitAuthority {
  readonly settled: [number, LimitEnd][] = []
  readonly questions: ((refusal?: LimitRefusal) => void)[] = []
  left = 0
  constructor(readonly asked: (question: number) => void) {}
  join(): LimitMember {
    return {
      narrowed: [],
      ask: () =>
        new Promise((resolve) => {
          this.questions.push((refusal) => resolve(refusal))
          this.asked(this.questions.length)
        }),
      arrived: () => {},
      settle: (call, end) => void this.settled.push([call, end]),
      seen: () => {},
      leave: () => void (this.left += 1),
    }
  }
}

type When = 'before its end is told' | 'after its end was told'

/** Two steps ask, and are cancelled while their questions are on their way; then these are answered with `refusal`. */
async function cancelledWhileAsking(when: When, refusal?: LimitRefusal) {
  const stop = new AbortController()
  const sent: string[] = []
  const answer = (): void => authority.questions.forEach((tell) => tell(refusal))
  const authority = new Slow((question) => {
    if (question < 2) return
    stop.abort()
    if (when === 'before its end is told') answer()
    else setImmediate(answer)
  })
  const run = await ran(
    planOf(step('a'), step('b')),
    asking((id) => sent.push(id)),
    {
      signal: stop.signal,
      limits: { authority, scope: () => '' },
    },
  )
  await new Promise((resolve) => setImmediate(resolve))
  const ends = run.events.filter((event) => event.type === 'callEnd').map(({ call }) => call)
  return { authority, sent, ends, outcome: run.result.outcome }
}

test.each<When>(['before its end is told', 'after its end was told'])(
  'a cancelled call that is let go %s gives its place back as one that never left',
  async (when) => {
    const { authority, sent, ends, outcome } = await cancelledWhileAsking(when)
    expect(outcome).toBe('cancelled')
    expect(sent).toEqual([])
    const end: LimitEnd = { tokens: 0, sent: false, failure: 'cancelled' }
    expect(authority.settled).toEqual([0, 1].map((call) => [call, end]))
    expect(ends).toEqual([0, 1])
    expect(authority.left).toBe(1)
  },
)

test('a call that is refused after it was cancelled ends once, and nothing of it is settled', async () => {
  const { authority, ends } = await cancelledWhileAsking('after its end was told', { why: 'places' })
  expect(authority.settled).toEqual([])
  expect(ends).toEqual([0, 1])
})

test('a run that died while it waited for room asks again when it goes on, whoever has the room then', async () => {
  const stop = new AbortController()
  const answers = (refusal?: LimitRefusal): LimitAuthority => ({
    join: () => ({
      narrowed: [],
      ask: () => refusal,
      arrived: () => {},
      settle: () => {},
      seen: () => {},
      leave: () => {},
    }),
  })
  const full = { authority: answers({ why: 'places' }), scope: () => '' }
  const { bytes, journal } = await ran(planOf(step('a'), step('b')), asking(), {
    ...{ limits: full, signal: stop.signal },
    onEvent: ({ type }) => void (type === 'callEnd' && setImmediate(() => stop.abort())),
  })
  // Up to there, and not its cancelling: as a process that was killed leaves it.
  const most = journal.records.map(({ e }) => e).lastIndexOf('refused') + 1
  expect(most).toBeGreaterThan(0)
  for (const limits of [{ authority: answers(), scope: () => '' }, undefined]) {
    const sent: string[] = []
    const { result } = await resumed(
      bytes,
      asking((id) => sent.push(id)),
      { most, options: limits === undefined ? {} : { limits } },
    )
    expect([result.outcome, sent.sort()]).toEqual(['ok', ['a', 'b']])
  }
})

test('an authority that never answers does not keep a cancelled run', async () => {
  const stop = new AbortController()
  const authority = new Slow(() => stop.abort())
  const limits = { authority, scope: () => '' }
  const { result } = await ran(planOf(step('a')), asking(), { limits, signal: stop.signal })
  expect(result.outcome).toBe('cancelled')
})

test('limits that cannot be joined end the run, and it listens to nobody any more', async () => {
  const stop = new AbortController()
  const throws: LimitAuthority = {
    join() {
      throw new Error('no authority')
    },
  }
  const events: RunEvent[] = []
  const limits = { authority: throws, scope: () => '' }
  const run = ran(planOf(step('a')), asking(), {
    ...{ limits, signal: stop.signal, onEvent: (event: RunEvent) => void events.push(event) },
  })
  await expect(run).rejects.toThrow('no authority')
  const told = events.length
  stop.abort()
  expect(events).toHaveLength(told)
})

/** Time leaps to the next timer whenever nothing else is left to do. */
class LeapingClock implements Clock {
  #now = 0
  #leaping = false
  readonly #timers = new Set<{ readonly at: number; readonly callback: () => void }>()
  now(): number {
    return this.#now
  }
  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, callback }
    this.#timers.add(timer)
    this.#leap()
    return () => this.#timers.delete(timer)
  }
  #leap(): void {
    if (this.#leaping) return
    this.#leaping = true
    setImmediate(() => {
      this.#leaping = false
      const [next] = [...this.#timers].sort((a, b) => a.at - b.at)
      if (next === undefined) return
      this.#timers.delete(next)
      this.#now = Math.max(this.#now, next.at)
      next.callback()
      this.#leap()
    })
  }
}

const plan = (task: string, steps: number) => ({
  task_id: task,
  description: 'd',
  steps: Array.from({ length: steps }, (_, i) => ({ id: `${task}${i}`, type: 'testing', description: `Do ${i}.` })),
})

test('two runs share a window of requests: it is never exceeded, and they take turns', async () => {
  const clock = new LeapingClock()
  const limits = new Authority(await loadLimits(), clock)
  const modes = { build: { rules: [{ name: 'all', use: ['groq'], why: 'one group for both' }] } }
  const config: Config = { modes, limits: { groq: { requestsPerMinute: 2 } }, retry: { patienceMs: 3_600_000 } }
  const sent: { readonly at: number; readonly run: string }[] = []
  const performer = asking((id) => sent.push({ at: clock.now(), run: id.slice(0, 1) }))
  const options = { config, performer, clock, limits }
  const results = await Promise.all(['x', 'y'].map((task) => runPlan(plan(task, 4), options)))
  limits.dispose()
  expect(results.map(({ outcome }) => outcome)).toEqual(['ok', 'ok'])
  expect(sent).toHaveLength(8)
  for (const { at } of sent)
    expect(sent.filter((other) => other.at >= at && other.at < at + 60_000).length).toBeLessThanOrEqual(2)
  // Nobody is more than one window ahead.
  for (let i = 2; i <= sent.length; i += 2) {
    const count = (run: string) => sent.slice(0, i).filter((call) => call.run === run).length
    expect(Math.abs(count('x') - count('y'))).toBeLessThanOrEqual(2)
  }
})
