/** Debates: who speaks when, what a failure costs, how long it takes. */
import { describe, expect, test } from '@jest/globals'
import type { Performer } from '../../bindings/performer.js'
import {
  checkPlan,
  debate,
  explainPlan,
  runPattern,
  transcriptMarkdown,
  type DebateSettings,
} from '../../node/index.js'
import { playRun } from '../../node/bench/played-run.js'
import { CallFailure } from '../../web/standard/failure/failure.js'
import { simulatorProfiles } from '../../web/standard/simulator/index.js'
import { played, topic, turnsOf, usage } from './patterns-play.js'

describe('a debate', () => {
  test('is a plan like any other: round 1 at once, later turns one after the other, each sees all before it', async () => {
    const plan = debate({ topic, roles: ['A', 'B', { name: 'C', stance: 'doubts it' }], rounds: 2, models: ['x', 'y'] })
    const { steps, warnings } = await checkPlan(JSON.stringify(plan))
    expect(warnings).toEqual([])
    const needs = Object.fromEntries(
      steps.map(({ id, dependencies }) => [id, dependencies.map((at) => steps[at]?.id ?? '')]),
    )
    const all = turnsOf(2, 3)
    expect(needs).toEqual({
      ...Object.fromEntries(all.map((id, at) => [id, at < 3 ? [] : all.slice(0, at)])),
      judge: all,
    })
    expect(steps.map(({ provider }) => provider)).toEqual(['x', 'y', 'x', 'x', 'y', 'x', undefined])
  })

  test('gives the verdict, who said what, and what it cost beside one answer', async () => {
    const heard: string[] = []
    const result = await runPattern(debate({ topic }), {
      simulate: 'instant',
      config: {},
      onSpeech: ({ speaker, round }, piece) => void (piece === '' || heard.push(`${speaker} ${round}`)),
    })
    expect(new Set(heard)).toEqual(new Set([1, 2, 3].flatMap((n) => [`Advocate ${n}`, `Challenger ${n}`])))
    expect(result).toMatchObject({ kind: 'debate', why: 'the judge’s verdict', settled: 0, changed: undefined })
    expect(result.cost.calls).toBe(7)
    expect(result.single.calls).toBe(1)
    expect(result.cost.costMicroUsd).toBe(result.run.report.totals.costMicroUsd)
    expect(result.cost.tokens).toBeGreaterThan(7 * result.single.tokens)
    const markdown = transcriptMarkdown(result, 'instant')
    expect(markdown.match(/^### (Advocate|Challenger) · /gm)).toHaveLength(6)
    expect(markdown).toMatch(/^## Round 3$/m)
    expect(markdown).toMatch(/together: 7 calls, .* × the tokens \(simulated: instant\)/)
  })

  test.each([1, 2, 3])('goes on when a speaker fails in round %i, and says (no answer)', async (round) => {
    const result = await played(debate({ topic }), { [`r${round}.1`]: undefined })
    expect(result.run.outcome).toBe('ok')
    expect(result.answer).toBe('the verdict')
    expect(result.asked).toEqual([...turnsOf(3), 'judge'])
    expect(transcriptMarkdown(result)).toContain('> (no answer: auth)')
  })

  test('later speakers and the judge see that there was no answer', async () => {
    const prompts = new Map<string, string>()
    const performer: Performer = {
      perform: (ticket, _progress, core) => {
        const { step, call, dependencies } = ticket
        prompts.set(step.id, core.prompt(call, { dependencies }).user)
        return step.id === 'r1.2'
          ? Promise.reject(new CallFailure('auth', 'refused'))
          : Promise.resolve({ text: `said by ${step.id}`, usage, finish: 'stop' })
      },
    }
    await runPattern(debate({ topic: 'What of {{this}}?', rounds: 2 }), { performer, config: {} })
    for (const id of ['r2.1', 'judge']) {
      expect(prompts.get(id)).toContain('said by r1.1')
      expect(prompts.get(id)).toContain('(this step gave no output)')
      expect(prompts.get(id)).toContain('What of {{this}}?')
    }
    // What was said before only grows: the beginning of a prompt is that of the one before it.
    expect(prompts.get('r2.2')?.indexOf('said by r2.1')).toBeGreaterThan(
      prompts.get('r2.2')?.indexOf('said by r1.1') ?? 0,
    )
  })

  test('two failures in a row end a speaker’s part, a failure, an answer and a failure do not', async () => {
    const ended = await played(debate({ topic, rounds: 4 }), { 'r1.2': undefined, 'r2.2': undefined })
    expect(ended.asked).toEqual(['r1.1', 'r1.2', 'r2.1', 'r2.2', 'r3.1', 'r4.1'])
    // The other side was never heard: there is no verdict without it.
    expect([ended.answer, ended.run.outcome]).toEqual([undefined, 'steps_failed'])
  })

  test('a part that has ended is settled, and its earlier answer still counts as a side', async () => {
    const { asked, answer, settled, run } = await played(debate({ topic, rounds: 4 }), {
      'r2.2': undefined,
      'r3.2': undefined,
    })
    expect(asked).not.toContain('r4.2')
    expect([answer, settled, run.outcome]).toEqual(['the verdict', 1, 'ok'])
    expect(run.report.steps.find(({ id }) => id === 'r4.2')).toMatchObject({ state: 'skipped', reason: 'settled' })
    const broken = await played(debate({ topic, rounds: 4 }), { 'r1.2': undefined, 'r3.2': undefined })
    expect(broken.asked).toContain('r4.2')
  })

  test('no verdict without a side', async () => {
    const script = { 'r1.2': undefined, 'r2.2': undefined }
    const { asked, answer, why, run } = await played(debate({ topic, rounds: 2 }), script)
    expect(asked).not.toContain('judge')
    expect([answer, run.outcome]).toEqual([undefined, 'steps_failed'])
    expect(why).toBe('no verdict without a side: Challenger gave no answer')
  })

  test('a budget that ends it early says so, and keeps the money for the verdict', async () => {
    const plan = debate({ topic, rounds: 3 })
    const whole = await explainPlan(plan, { config: {} })
    // Two fifths of what the estimates expect, and no cheaper models to go to.
    const usd = (0.4 * whole.costMicroUsd.expected) / 1e6
    const policy = { budget: { run: { usd }, ladder: ['skip_optional', 'stop'] as const } }
    const result = await runPattern(plan, { simulate: 'instant', config: {}, policy })
    expect(result.answer).toBeDefined()
    expect(result.why).toMatch(/the budget ended it early: r\d/)
    expect(result.run.report.totals.costMicroUsd).toBeLessThanOrEqual(usd * 1e6)
  })

  test.each<[string, object]>([
    ['topic', { topic: ' ' }],
    ['rounds', { rounds: 0 }],
    ['rounds', { rounds: 6 }],
    ['roles', { roles: ['one'] }],
    ['roles', { roles: ['same', 'same'] }],
    ['roles', { roles: ['a', 'b\n'] }],
    ['laterTokens', { laterTokens: 0.5 }],
  ])('refuses a wrong %s: %j', (where, change) => {
    expect(() => debate({ topic, ...change })).toThrow(
      expect.objectContaining({ code: 'host.usage', where }) as unknown as Error,
    )
  })
})

describe('the seeds’ durations, on the virtual clock', () => {
  // Of an answer of 300 tokens the simulator writes 290: one speaker takes 3 s for them, the other 2 s.
  const speed = { firstTokenMs: 0, tokensPerSecond: 290 / 3, jitter: 0 }
  const profile = {
    ...simulatorProfiles.instant,
    answerTokens: undefined,
    answerShare: 0.25,
    providers: {
      ...simulatorProfiles.instant.providers,
      deepseek: speed,
      mistral: { ...speed, tokensPerSecond: 290 / 2 },
    },
  }
  const models = ['deepseek/deepseek-flash', 'mistral/codestral-2508']
  const times = async (plan: object) => {
    const { profile: _none, ...rest } = { profile, plan: JSON.stringify(plan), seed: 1 }
    const { report } = await playRun({ ...rest, profile: profile as never })
    const turns = report.steps.filter(({ id }) => id.startsWith('r'))
    const end = (ids: RegExp): number =>
      Math.max(...turns.filter(({ id }) => ids.test(id)).map((s) => s.settledAt ?? 0))
    const took = turns.map(({ startedAt, settledAt }) => (settledAt ?? 0) - (startedAt ?? 0))
    return { first: end(/^r1/), all: end(/^r/), took }
  }
  /** As before the seeds' change: everybody speaks in turn from the beginning. */
  const inTurn = (settings: DebateSettings): object => {
    const { metadata: _metadata, ...plan } = debate(settings)
    const steps = plan.steps.map((step) => (step.id === 'r1.2' ? { ...step, dependencies: ['r1.1'] } : step))
    return { ...plan, steps }
  }
  const sum = (all: readonly number[]): number => all.reduce((total, each) => total + each, 0)
  const near = (ms: number): number => Math.round(ms / 1000)

  test('round 1 takes as long as its slowest speaker, 3 s instead of 5', async () => {
    const [before, now] = [await times(inTurn({ topic, models })), await times(debate({ topic, models }))]
    expect(before.first).toBe(sum(before.took.slice(0, 2)))
    expect(now.first).toBe(Math.max(...now.took.slice(0, 2)))
    expect([near(before.first), near(now.first)]).toEqual([5, 3])
  })

  test('three rounds take 13 s instead of 15, and 11 s when the later ones are shorter', async () => {
    const before = await times(inTurn({ topic, models }))
    const now = await times(debate({ topic, models }))
    const shorter = await times(debate({ topic, models, laterTokens: 240 }))
    expect(before.all).toBe(sum(before.took))
    for (const each of [now, shorter]) expect(each.all).toBe(each.first + sum(each.took.slice(2)))
    expect([before.all, now.all, shorter.all].map(near)).toEqual([15, 13, 11])
  })
})
