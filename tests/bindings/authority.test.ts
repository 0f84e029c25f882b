import { expect, test } from '@jest/globals'
import { Authority } from '../../bindings/authority.js'
import type { LimitsModule } from '../../bindings/module.js'
import type { Clock, GroupLimits } from '../../bindings/ports.js'
import { CoreRun } from '../../bindings/core.js'
import { loadCore, loadLimits } from '../../node/loader.js'

/** A clock that stands until it is moved; timers fire when it passes them. */
class HandClock implements Clock {
  #now = 0
  readonly #timers = new Set<{ readonly at: number; readonly callback: () => void }>()
  now(): number {
    return this.#now
  }
  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, callback }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }
  move(ms: number): void {
    this.#now += ms
    for (const timer of [...this.#timers]) {
      if (timer.at > this.#now) continue
      this.#timers.delete(timer)
      timer.callback()
    }
  }
}

const turn = (): Promise<void> => Promise.resolve()
const groq: GroupLimits = {
  group: 'groq',
  places: 1,
  limits: { tokens_per_minute: 5000 },
  breakerFailures: 5,
  openMs: 10_000,
  maxOpenMs: 60_000,
  models: [0],
}
const question = { call: 0, group: 0, tokens: 100, priority: 0 }

async function authority(): Promise<{ shared: Authority; clock: HandClock }> {
  const clock = new HandClock()
  const module: LimitsModule = await loadLimits()
  return { shared: new Authority(module, clock), clock }
}

test('three runs with one place make one call at once, and the next is told', async () => {
  const { shared } = await authority()
  const freed: string[] = []
  const [a, b, c] = ['a', 'b', 'c'].map((name) => shared.join([groq], (group) => freed.push(`${name}${group}`)))
  expect(a?.ask(question)).toBeUndefined()
  expect(b?.ask(question)).toEqual({ why: 'places' })
  expect(c?.ask(question)).toEqual({ why: 'places' })
  a?.settle(0, { tokens: 30, sent: true })
  expect(freed).toEqual([])
  await turn()
  expect(freed).toEqual(['b0'])
  expect(b?.ask(question)).toBeUndefined()
  b?.leave()
  b?.leave()
  await turn()
  expect(freed).toEqual(['b0', 'c0'])
  shared.dispose()
})

test('a full window says until when, and wakes who waits', async () => {
  const { shared, clock } = await authority()
  const freed: number[] = []
  const member = shared.join([{ ...groq, places: 0 }], (group) => freed.push(group))
  expect(member.ask({ ...question, tokens: 4000 })).toBeUndefined()
  member.settle(0, { tokens: 4000, sent: true })
  const refused = await member.ask({ ...question, call: 1, tokens: 2000 })
  expect(refused).toMatchObject({ why: 'window', window: 'tokens_per_minute' })
  expect(refused?.waitMs).toBeGreaterThanOrEqual(60_000)
  expect(await member.ask({ ...question, call: 2, tokens: 5001 })).toEqual({ why: 'too_large' })
  // The large one is gone, and with it the member's ticket: it asks again.
  await member.ask({ ...question, call: 1, tokens: 2000 })
  await turn()
  clock.move(refused?.waitMs ?? 0)
  await turn()
  expect(freed).toEqual([0])
  expect(member.ask({ ...question, call: 1, tokens: 2000 })).toBeUndefined()
  shared.dispose()
})

test('where two runs state different limits the smaller holds, and both can say so', async () => {
  const { shared } = await authority()
  expect(shared.join([{ ...groq, places: 4 }], () => {}).narrowed).toEqual([])
  const tight = shared.join([groq], () => {})
  expect(tight.narrowed).toEqual(['groq'])
  expect(tight.ask(question)).toBeUndefined()
  expect(tight.ask({ ...question, call: 1 })).toEqual({ why: 'places' })
  shared.dispose()
})

test('a run states its groups, and what its calls may use at most', async () => {
  using run = new CoreRun(await loadCore())
  run.begin({ available: ['groq'], concurrency: { groq: 3 } }, 0)
  const groups = run.document<GroupLimits[]>('limits')
  const mine = groups.find(({ group }) => group === 'groq')
  expect(mine).toMatchObject({ places: 3 })
  expect(mine?.models.length).toBeGreaterThan(0)
  expect(run.mostTokens(0)).toBe(0)
})
