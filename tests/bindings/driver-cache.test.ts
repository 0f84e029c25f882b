/** What the driver does with a cache: asks and fills it, lives without it, calls identical requests once, goes on after a death. */
import { describe, expect, test } from '@jest/globals'
import type { AnswerCache } from '../../bindings/cache/ports.js'
import { AetherflowError } from '../../bindings/errors.js'
import type { RunEvent } from '../../bindings/events.js'
import type { Performer } from '../../bindings/performer.js'
import { MapCache } from './map-cache.js'
import { Answers, begin, planOf, ran, resumed, step, type Ran } from './journalled.js'

const cacheOf = (modes: object): Record<string, unknown> => ({ ...begin, cache: modes })
const exact = cacheOf({ '*': 'exact' })
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const hitsOf = ({ events }: Pick<Ran, 'events'>) => events.filter((event) => event.type === 'hit')
const upTo = ({ journal }: Ran, kind: string, nth = 0): number =>
  journal.records.flatMap((record, index) => (record.e === kind ? [index + 1] : []))[nth] ?? -1

describe('a second run', () => {
  test('has the answers of the first without a call, and reports what that saved', async () => {
    const cache = new MapCache()
    const plan = planOf(step('a'), step('b', ['a']))
    const first = await ran(plan, new Answers(), { begin: exact, cache })
    expect(first.result.report.cache).toMatchObject({ looked: 2, exact: 0, misses: 2, stored: 2, hitRate: 0 })
    expect(cache.puts.map(({ answer }) => answer)).toEqual([...first.result.outputs.values()])
    const again = new Answers()
    const second = await ran(plan, again, { begin: exact, cache })
    expect(again.tickets).toEqual([])
    expect(second.result.outputs).toEqual(first.result.outputs)
    const { report } = second.result
    const { totals } = first.result.report
    expect(report.cache).toMatchObject({
      looked: 2,
      exact: 2,
      semantic: 0,
      shared: 0,
      misses: 0,
      stored: 0,
      hitRate: 1,
    })
    expect(report.cache?.savedMicroUsd).toBe(totals.costMicroUsd)
    expect(report.cache?.savedTokens).toBe(totals.tokens.input + totals.tokens.output)
    expect([report.totals.calls, report.totals.costMicroUsd]).toEqual([0, 0])
    expect(report.steps.map(({ reason }) => reason)).toEqual(['cache_exact', 'cache_exact'])
    expect(hitsOf(second)).toMatchObject([
      { step: 'a', kind: 'exact', score: 1, savedTokens: 120 },
      { step: 'b', kind: 'exact', score: 1, savedTokens: 120 },
    ])
    expect(second.events.filter(({ type }) => type === 'done')).toMatchObject([
      { cached: 'exact' },
      { cached: 'exact' },
    ])
  })

  test('asks by prompt and by everything else that the answer depends on', async () => {
    const cache = new MapCache()
    const schema = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] }
    const more = { provider: 'openai', estimated_tokens: 700, output: schema }
    await ran(planOf(step('a', [], more)), new Answers(() => '{"n":1}'), { begin: exact, cache, tenant: 'acme' })
    expect(cache.puts).toHaveLength(1)
    expect(cache.asked[0]).toMatchObject({
      prompt: expect.stringContaining('do a'),
      mode: 'exact',
      scope: {
        tenant: 'acme',
        provider: 'openai',
        model: expect.stringMatching(/./),
        system: expect.stringMatching(/./),
        constraint: { kind: 'schema', schema },
        parameters: { estimatedTokens: 700 },
      },
    })
    expect(MapCache.key(cache.puts[0]!)).toBe(MapCache.key(cache.asked[0]!))
    const other = new Answers(() => '{"n":2}')
    await ran(planOf(step('a', [], more)), other, { begin: exact, cache, tenant: 'other' })
    expect(other.ids).toEqual(['a'])
  })

  test('that audits takes no answer that nobody audited', async () => {
    const cache = new MapCache()
    const answer = new Answers(({ purpose }) => (purpose === 'audit' ? '{"verdict":"pass","issues":[]}' : 'x'))
    await ran(planOf(step('a')), answer, { begin: exact, cache })
    const audited = { ...exact, mode: 'double-check' }
    const first = await ran(planOf(step('a')), answer, { begin: audited, cache })
    expect(hitsOf(first)).toEqual([])
    const second = await ran(planOf(step('a')), answer, { begin: audited, cache })
    expect(hitsOf(second)).toMatchObject([{ kind: 'exact' }])
  })

  test('in other words is a hit where the type allows it, and a plan may forbid it', async () => {
    const cache = new MapCache(() => true)
    const modes = cacheOf({ '*': 'exact', analysis: 'semantic' })
    const analysis = { type: 'analysis' }
    await ran(planOf(step('a', [], analysis)), new Answers(), { begin: modes, cache })
    const performer = new Answers()
    const plan = planOf(
      step('b', [], analysis),
      step('c', [], { ...analysis, cache: 'exact' }),
      step('d', [], { ...analysis, cache: 'off' }),
    )
    const second = await ran(plan, performer, { begin: modes, cache })
    expect(hitsOf(second)).toMatchObject([{ step: 'b', kind: 'semantic', score: 0.93 }])
    expect([...performer.ids].sort()).toEqual(['c', 'd'])
    expect(second.result.report.cache).toMatchObject({ looked: 2, semantic: 1, misses: 1, stored: 1 })
  })

  test('finds what breaks the step’s constraint to be no answer', async () => {
    const cache = new MapCache()
    await ran(planOf(step('a', [], { output: 'json' })), new Answers(() => '{"n":1}'), { begin: exact, cache })
    for (const [key, put] of cache.answers) cache.answers.set(key, { ...put, answer: 'no JSON' })
    const performer = new Answers(() => '{"n":2}')
    const { result } = await ran(planOf(step('a', [], { output: 'json' })), performer, { begin: exact, cache })
    expect(result.outputs.get('a')).toBe('{"n":2}')
  })
})

test('identical requests under way are made once, and all their steps have the answer', async () => {
  const cache = new MapCache()
  const same = { description: 'the same' }
  const performer = new Answers()
  const plan = planOf(step('a', [], same), step('b', [], same), step('c', [], same), step('d', ['c'], {}))
  const run = await ran(plan, performer, { begin: exact, cache })
  expect(performer.ids).toEqual(['a', 'd'])
  expect([...run.result.outputs.values()].slice(0, 3)).toEqual(Array(3).fill('answer of a – ä漢'))
  expect(performer.tickets[1]?.dependencies).toEqual([[2, 'answer of a – ä漢']])
  expect(hitsOf(run)).toMatchObject([
    { step: 'b', kind: 'shared', of: 'a' },
    { step: 'c', kind: 'shared', of: 'a' },
  ])
  expect(run.result.report.steps[1]).toMatchObject({ reason: 'shared', cause: 'a', calls: [] })
  expect(run.result.report.cache).toMatchObject({ shared: 2, misses: 2, stored: 2, hitRate: 0.5 })
})

test('a large plan asks the cache a bounded number of times at once, and every step comes to its end', async () => {
  const cache = new MapCache()
  let now = 0
  let most = 0
  const get = cache.get.bind(cache)
  cache.get = async (question) => {
    most = Math.max(most, ++now)
    return get(question).finally(() => --now)
  }
  const steps = Array.from({ length: 300 }, (_, index) => step(`s${index}`))
  const { result } = await ran(planOf(...steps), new Answers(), { begin: exact, cache })
  expect(result.report.counts.done).toBe(300)
  expect(most).toBe(64)
  const second = await ran(planOf(...steps), new Answers(), { begin: exact, cache })
  expect(second.result.report.cache).toMatchObject({ exact: 300, misses: 0 })
})

describe('what is not kept', () => {
  test.each([
    ['an answer that was cut', 'length'],
    ['one that was filtered', 'content_filter'],
    ['one that ended nobody knows why', 'other'],
  ] as const)('%s', async (_, finish) => {
    const cache = new MapCache()
    const performer: Performer = {
      perform: async () => {
        await turn()
        return { text: 'half', usage: undefined, finish }
      },
    }
    await ran(planOf(step('a', [], { provider: 'openai' })), performer, {
      begin: { ...exact, table: { retry: { attempts: 1 } } },
      cache,
    })
    expect(cache.asked.length).toBeGreaterThan(0)
    expect(cache.puts).toEqual([])
  })

  test('steps with files that no fingerprint is known of', async () => {
    const cache = new MapCache()
    await ran(planOf(step('a', [], { context: { files: ['f'] } })), new Answers(), { begin: exact, cache })
    expect([cache.asked, cache.puts]).toEqual([[], []])
  })

  test('an answer about files that have changed since', async () => {
    const cache = new MapCache()
    let content = 'one'
    const reading = (): Performer => {
      const answers = new Answers()
      return {
        files: async () => ({ files: [['f', content] as const], fingerprint: `print of ${content}` }),
        async perform(ticket, progress) {
          progress.files(`print of ${content}`)
          const reply = await answers.perform(ticket)
          if (ticket.step.id === 'b') content = 'two'
          return reply
        },
      }
    }
    const files = { context: { files: ['f'] } }
    const plan = planOf(step('a', [], files), step('b', ['a'], files))
    await ran(plan, reading(), { begin: exact, cache })
    expect(cache.puts.map(({ prompt }) => prompt.includes('do a'))).toEqual([true])
    content = 'one'
    expect(hitsOf(await ran(plan, reading(), { begin: exact, cache }))).toMatchObject([{ step: 'a' }])
  })
})

describe('a cache that fails', () => {
  test('fails no step, and is told of once with its code', async () => {
    const cache = new MapCache()
    cache.fails = new AetherflowError('cache.store_failed', '/the/store', 'is gone')
    const { result, events } = await ran(planOf(step('a'), step('b')), new Answers(), { begin: exact, cache })
    expect(result.outcome).toBe('ok')
    expect(cache.asked).toHaveLength(2)
    const warnings = events.filter(({ type }) => type === 'warning')
    expect(warnings).toMatchObject([{ code: 'cache.store_failed', where: '/the/store', detail: 'is gone' }])
    const notes = events.filter((event) => event.type === 'note' && event.reason === 'cache_unavailable')
    expect(notes).toHaveLength(1)
    expect(result.report.cache).toMatchObject({ looked: 2, misses: 2, stored: 0, hitRate: 0 })
  })

  test('without one, a run that asks for it is refused; a run that does not ask never does', async () => {
    const refused = ran(planOf(step('a')), new Answers(), { begin: exact })
    await expect(refused).rejects.toMatchObject({ code: 'host.usage' })
    const cache = new MapCache()
    const { result } = await ran(planOf(step('a')), new Answers(), { cache })
    expect(cache.asked).toEqual([])
    expect(result.report).not.toHaveProperty('cache')
  })

  test('or that never answers does not keep a run that is cancelled', async () => {
    const interruption = new AbortController()
    const cache: AnswerCache = {
      get: () => {
        interruption.abort()
        return new Promise(() => {})
      },
      put: () => Promise.reject(new Error('never')),
    }
    const options = { begin: exact, cache, signal: interruption.signal }
    const { result } = await ran(planOf(step('a')), new Answers(), options)
    expect(result.outcome).toBe('cancelled')
  })
})

describe('resumed', () => {
  test('a run asks the cache for nothing that its journal holds, and keeps the hit', async () => {
    const cache = new MapCache()
    const plan = planOf(step('a'), step('b', ['a']))
    await ran(plan, new Answers(), { begin: exact, cache })
    const whole = await ran(plan, new Answers(), { begin: exact, cache })
    expect(whole.journal.records.find(({ e }) => e === 'looked')).toMatchObject({ x: 'answer of a – ä漢' })
    const empty = new MapCache()
    const performer = new Answers()
    const cut = upTo(whole, 'looked')
    const second = await resumed(whole.bytes, performer, { most: cut, options: { cache: empty } })
    expect(second.result.outputs.get('a')).toBe('answer of a – ä漢')
    expect(performer.ids).toEqual(['b'])
    expect(empty.asked.every(({ prompt }) => prompt.includes('do b'))).toBe(true)
    expect(hitsOf(second)).toMatchObject([{ step: 'a', kind: 'exact' }])
  })

  test('it asks again what was being asked, and keeps again what was being kept', async () => {
    const cache = new MapCache()
    const plan = planOf(step('a'), step('b', ['a']))
    const whole = await ran(plan, new Answers(), { begin: exact, cache })
    for (const [cut, kept] of [
      [upTo(whole, 'planEnd'), 2],
      [upTo(whole, 'stored') - 1, 2],
      [upTo(whole, 'stored'), 1],
    ] as const) {
      const again = new MapCache()
      const { result, events } = await resumed(whole.bytes, new Answers(), { most: cut, options: { cache: again } })
      expect(result.outputs).toEqual(whole.result.outputs)
      expect(again.puts).toHaveLength(kept)
      expect(again.puts.at(-1)?.answer).toBe('answer of b – ä漢')
      expect(result.report.cache).toMatchObject({ stored: 2 })
      expect(events.filter(({ type }) => type === 'done')).toHaveLength(2)
    }
  })

  test('a run whose steps waited for an identical one goes on with that', async () => {
    const same = { description: 'the same' }
    const plan = planOf(step('a', [], same), step('b', [], same), step('c', ['b'], same))
    const whole = await ran(plan, new Answers(), { begin: exact, cache: new MapCache() })
    const lines = whole.journal.records.length
    expect(lines).toBeGreaterThan(10)
    for (let most = upTo(whole, 'planEnd'); most < lines; ++most) {
      const performer = new Answers()
      const second = await resumed(whole.bytes, performer, { most, options: { cache: new MapCache() } })
      expect(second.result.outputs).toEqual(whole.result.outputs)
      expect(performer.ids.filter((id) => id === 'b')).toEqual([])
      expect(hitsOf(second).filter(({ kind }) => kind === 'shared')).toMatchObject([{ step: 'b', of: 'a' }])
    }
  })

  test('at its end it needs no cache', async () => {
    const whole = await ran(planOf(step('a')), new Answers(), { begin: exact, cache: new MapCache() })
    const { result } = await resumed(whole.bytes, new Answers(), { options: { journal: undefined } })
    expect(result.report).toEqual(whole.result.report)
  })
})

test('an answer is kept for others only once the run itself has it', async () => {
  const cache = new MapCache()
  const order: string[] = []
  const put = cache.put.bind(cache)
  cache.put = (one) => {
    order.push('kept')
    return put(one)
  }
  const options = {
    begin: exact,
    cache,
    deliver: async () => {
      await turn()
      order.push('delivered')
    },
    onEvent: ({ type }: RunEvent) => void (type === 'finish' && order.push('finish')),
  }
  await ran(planOf(step('a')), new Answers(), options)
  expect(order).toEqual(['delivered', 'kept', 'finish'])
})
