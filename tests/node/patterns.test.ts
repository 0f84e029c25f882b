/** Several answers to one question, as plans: who speaks when, what is not needed any more, what a failure costs, what it all costs. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import type { CallTicket, Performer } from '../../bindings/performer.js'
import { CoreRun } from '../../bindings/core.js'
import { readJournal } from '../../bindings/journal/reader.js'
import { answerKey, tallyOf, type EndedStep } from '../../bindings/until.js'
import {
  bestOf,
  checkPlan,
  consensus,
  debate,
  explainPlan,
  leastPlan,
  revise,
  runPattern,
  runPlan,
  transcriptMarkdown,
  vote,
  type DebateSettings,
  type PatternPlan,
  type RunEvent,
  type RunPlanOptions,
} from '../../node/index.js'
import { playRun } from '../../node/bench/played-run.js'
import { loadCore } from '../../node/loader.js'
import { CallFailure } from '../../web/standard/failure/failure.js'
import { Speaking } from '../../web/standard/patterns/index.js'
import { replayJournal } from '../../web/standard/run/replay.js'
import { seeded } from '../../web/standard/simulator/random.js'
import { simulatorProfiles } from '../../web/standard/simulator/index.js'

const usage = { input: 100, cached: 0, output: 20, reasoning: 0 }
type Script = Readonly<Record<string, string | undefined>>

/** Says by step what the script has; undefined: the call fails for good. */
function scripted(script: Script, other = 'an answer') {
  const asked: string[] = []
  const performer: Performer = {
    async perform({ step: { id } }: CallTicket) {
      asked.push(id)
      await Promise.resolve()
      const text = id in script ? script[id] : id === 'judge' ? 'the verdict' : `${other} of ${id}`
      if (text === undefined) throw new CallFailure('auth', 'refused')
      return { text, usage, finish: 'stop' }
    },
  }
  return { asked, performer }
}

async function played(plan: PatternPlan, script: Script = {}, options: RunPlanOptions = {}) {
  const { asked, performer } = scripted(script)
  const result = await runPattern(plan, { performer, config: {}, ...options })
  return { ...result, asked }
}
const topic = 'Is the earth round?'
const turnsOf = (rounds: number, roles = 2): string[] =>
  Array.from({ length: rounds }, (_, at) => Array.from({ length: roles }, (_, by) => `r${at + 1}.${by + 1}`)).flat()

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
    expect(run.report.steps.find(({ id }) => id === 'r4.2')).toMatchObject({ state: 'cancelled', reason: 'settled' })
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

describe('a run of a pattern that is killed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'aetherflow-debate-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test('goes on without repeating a turn, wherever it was cut, and settles what the rest settles', async () => {
    const plan = debate({ topic, rounds: 4 })
    const script = { 'r1.2': undefined, 'r2.2': undefined, 'r3.2': 'never said' }
    const whole = join(folder, 'whole')
    const { asked, turns } = await played(plan, script, { journal: whole })
    expect(asked).toEqual(['r1.1', 'r1.2', 'r2.1', 'r2.2', 'r3.1', 'r4.1'])
    const lines = readFileSync(join(whole, 'journal.jsonl'), 'utf8').trimEnd().split('\n')
    const ends = (until: number): number =>
      lines.slice(0, until).filter((line) => /"e":"(succeeded|failed)"/.test(line)).length
    const begun = lines.findIndex((line) => line.includes('"e":"planEnd"')) + 1
    for (let cut = begun; cut < lines.length; cut += 1) {
      const dir = join(folder, `cut-${cut}`)
      mkdirSync(dir)
      writeFileSync(join(dir, 'journal.jsonl'), `${lines.slice(0, cut).join('\n')}\n`)
      const resumed = await played(plan, script, { journal: dir, resume: true })
      expect([cut, resumed.asked]).toEqual([cut, asked.slice(ends(cut))])
      expect(resumed.turns.map(({ state, reason }) => [state, reason])).toEqual(
        turns.map(({ state, reason }) => [state, reason]),
      )
    }
  })

  test('is replayed from its journal with the same decisions', async () => {
    const dir = join(folder, 'replayed')
    await played(consensus({ topic }), { 'r1.1': 'Yes.', 'r1.2': '"yes"' }, { journal: dir })
    const journal = readJournal(readFileSync(join(dir, 'journal.jsonl')))
    const core = new CoreRun(await loadCore())
    // Throws where a command differs from the one that was written.
    const { steps } = replayJournal(core, journal).state
    core.dispose()
    expect(steps.filter(({ state }) => state === 'cancelled').map(({ id }) => id)).toEqual([
      ...['agree', 'r2.1', 'r2.2', 'judge'],
    ])
  })
})

describe('a consensus', () => {
  const plan = consensus({ topic, models: ['gemini', 'groq'] })

  test('of equal answers takes two calls', async () => {
    const { asked, answer, why, settled, run, changed } = await played(plan, { 'r1.1': '**Yes.**', 'r1.2': 'yes' })
    expect(asked).toEqual(['r1.1', 'r1.2'])
    expect([answer, why, settled, run.outcome, changed]).toEqual([
      '**Yes.**',
      'the first answers are equal',
      4,
      'ok',
      false,
    ])
  })

  test('of answers that say the same takes one more, which is counted', async () => {
    const said = { 'r1.1': 'Yes, it is.', 'r1.2': 'It is round.', agree: '{"same":true}' }
    const { asked, answer, why, cost } = await played(plan, said)
    expect(asked).toEqual(['r1.1', 'r1.2', 'agree'])
    expect([answer, why, cost.calls]).toEqual(['Yes, it is.', 'the first answers say the same', 3])
  })

  test('that there is none of becomes a debate', async () => {
    const { asked, answer } = await played(plan, { 'r1.1': 'Yes', 'r1.2': 'No', agree: '{"same":false}' })
    expect(asked).toEqual(['r1.1', 'r1.2', 'agree', 'r2.1', 'r2.2', 'judge'])
    expect(answer).toBe('the verdict')
  })

  test('with one side silent is no consensus', async () => {
    const { asked, answer } = await played(plan, { 'r1.1': 'Yes', 'r1.2': undefined, agree: '{"same":false}' })
    expect([asked.includes('judge'), answer]).toEqual([true, 'the verdict'])
  })
})

describe('a vote', () => {
  test('ends when the majority is fixed', async () => {
    const { asked, answer, votes, why, run } = await gated(vote({ topic, samples: 5 }), [
      'Yes',
      'no',
      'yes.',
      '"yes"',
      'no',
    ])
    expect(answer).toBe('Yes')
    expect([why, run.outcome]).toEqual(['most votes', 'ok'])
    expect(votes).toEqual([
      { votes: 3, answer: 'Yes' },
      { votes: 1, answer: 'no' },
    ])
    // All five were under way; the last one was not waited for.
    expect(asked).toEqual(['s1', 's2', 's3', 's4', 's5'])
    expect(run.report.steps.find(({ id }) => id === 's5')).toMatchObject({ state: 'cancelled', reason: 'settled' })
  })

  test('tells a tie, which a judge breaks', async () => {
    const said = { s1: 'yes', s2: 'no', s3: 'maybe', judge: 'maybe' }
    const { answer, tied, why, asked } = await played(vote({ topic }), said)
    expect([answer, tied, asked.at(-1)]).toEqual(['maybe', true, 'judge'])
    expect(why).toMatch(/tie/)
  })

  test('goes on without samples that fail, and has no answer without any', async () => {
    const some = await played(vote({ topic }), { s1: undefined, s2: 'no', s3: 'no' })
    expect([some.answer, some.asked.includes('judge')]).toEqual(['no', false])
    const none = await played(vote({ topic }), { s1: undefined, s2: undefined, s3: undefined })
    expect([none.answer, none.run.outcome, none.asked.includes('judge')]).toEqual([undefined, 'steps_failed', false])
  })

  test('that stops early never comes to another answer than the whole of it', () => {
    const random = seeded(11)
    let early = 0
    for (let round = 0; round < 500; round += 1) {
      const of = Array.from({ length: 3 + Math.floor(random() * 9) }, (_, at) => `s${at}`)
      const texts = of.map(() =>
        random() < 0.1 ? undefined : ['yes', 'no', 'maybe'][Math.floor(random() * 3 * random())],
      )
      const order = of.map((_, at) => at).sort(() => random() - 0.5)
      const ended = new Map<string, EndedStep>()
      let stopped: string | undefined
      for (const at of order) {
        ended.set(of[at]!, { text: texts[at] })
        const tally = tallyOf(of, ended)
        if (stopped === undefined && tally.fixed) {
          stopped = tally.answers[0]?.key
          early += ended.size < of.length ? 1 : 0
        }
      }
      const [most, second] = tallyOf(of, ended).answers
      expect(stopped).toBe(most !== undefined && most.votes > (second?.votes ?? 0) ? most.key : undefined)
    }
    expect(early).toBeGreaterThan(100)
  })
})

describe('the best of several', () => {
  const best = (number: number): string => JSON.stringify({ why: 'it is right', best: number })

  test('is the judge’s choice by its number', async () => {
    const { answer, why, changed } = await played(bestOf({ topic }), { s2: 'the second', judge: best(2) })
    expect([answer, why, changed]).toEqual(['the second', 'candidate 2: it is right', true])
  })

  test('leaves out what breaks its constraint, and asks nobody about one that is left alone', async () => {
    const output = { type: 'object', properties: { x: { type: 'number' } }, required: ['x'] }
    const said = { s1: '{"x":"one"}', s2: '{"x":1}', s3: 'no JSON' }
    const { answer, asked, why } = await played(bestOf({ topic, output }), said)
    expect([answer, asked.includes('judge')]).toEqual(['{"x":1}', false])
    expect(why).toBe('the only candidate that held its constraint')
  })

  test('a choice that is not there falls back to one that is', async () => {
    const { answer, why } = await played(bestOf({ topic }), { s2: undefined, s3: 'three', judge: best(2) })
    expect(answer).toBe('an answer of s1')
    expect(why).toMatch(/candidate 2, which gave no answer/)
  })
})

describe('a revision', () => {
  test('is made once, after the critique', async () => {
    const said = { critique: '{"issues":["wrong"]}', revision: 'better' }
    const { answer, asked, changed } = await played(revise({ topic }), said)
    expect([answer, asked, changed]).toEqual(['better', ['draft', 'critique', 'revision'], true])
  })

  test.each([
    ['nothing was found', '{"issues":[]}'],
    ['the critique fails', undefined],
  ])('is not made when %s', async (_what, critique) => {
    const { answer, asked, changed, run } = await played(revise({ topic }), { draft: 'good', critique })
    expect([answer, asked, changed, run.outcome]).toEqual(['good', ['draft', 'critique'], false, 'ok'])
  })
})

describe('what a pattern takes', () => {
  test.each([
    ['debate', debate({ topic }), 7, 7],
    ['consensus', consensus({ topic }), 6, 2],
    ['vote', vote({ topic }), 4, 3],
    ['best-of', bestOf({ topic }), 4, 3],
    ['revise', revise({ topic }), 3, 2],
  ])('%s is known before, at most and at least', async (_kind, plan, most, least) => {
    const [all, few] = await Promise.all([
      explainPlan(plan, { config: {} }),
      explainPlan(leastPlan(plan), { config: {} }),
    ])
    expect([all.report.steps.length, few.report.steps.length]).toEqual([most, least])
    const { low, expected, high } = all.costMicroUsd
    expect(low).toBeLessThanOrEqual(expected)
    expect(expected).toBeLessThanOrEqual(high)
    expect(few.costMicroUsd.expected).toBeLessThanOrEqual(expected)
  })
})

describe('rules of a plan', () => {
  test('that are none are told, and the run goes on without them', async () => {
    const { performer } = scripted({})
    const plan = {
      ...debate({ topic, rounds: 1 }),
      metadata: { until: [{ until: 'never' }, { until: 'agree', of: [] }, 7] },
    }
    const warned: string[] = []
    const onEvent = (event: RunEvent): void => void (event.type === 'warning' && warned.push(event.where))
    const { outcome } = await runPlan(plan, { performer, config: {}, onEvent })
    expect([outcome, warned]).toEqual(['ok', [0, 1, 2].map((at) => `/metadata/until/${at}`)])
  })

  test.each([
    ['Yes.', 'yes'],
    ['**Yes**', '"yes"'],
    ['{"b":1,"a":[2]}', '```json\n{ "a": [2], "b": 1 }\n```'],
    ['４２', '42'],
    ['two\n  words', 'Two words!'],
  ])('take %j and %j for one answer', (one, other) => expect(answerKey(one)).toBe(answerKey(other)))

  test.each([
    ['yes', 'no'],
    ['1.5', '15'],
    ['{"a":1}', '{"a":"1"}'],
    ['not true', 'true'],
  ])('take %j and %j for two', (one, other) => expect(answerKey(one)).not.toBe(answerKey(other)))
})

test('speakers who talk at once are told one after the other', () => {
  const told: string[] = []
  const turns = ['a', 'b', 'c'].map((step) => ({ step, speaker: step, round: 1 }))
  const speaking = new Speaking(turns, {
    begin: ({ step }) => told.push(`${step}:`),
    piece: (text) => told.push(text),
    anew: () => told.push('anew'),
    end: (_turn, silent) => told.push(silent ?? '.'),
  })
  const end = (type: string, step: string, more: object = {}) => speaking.event({ type, at: 0, step, ...more } as never)
  speaking.text('b', 'b1')
  speaking.text('a', 'a1')
  end('restart', 'a')
  speaking.text('a', 'a2')
  end('failed', 'c', { failure: 'auth' })
  speaking.text('b', 'b2')
  end('done', 'a')
  end('done', 'b')
  expect(told).toEqual(['a:', 'a1', 'anew', 'a2', '.', 'b:', 'b1b2', '.', 'c:', 'auth'])
})

/** Answers come one after the other, in the order of the steps, however many were asked at once. */
async function gated(plan: PatternPlan, texts: readonly string[]) {
  const asked: string[] = []
  const waiting: ((text: string) => void)[] = []
  const performer: Performer = {
    async perform({ step: { id }, signal }) {
      asked.push(id)
      const text = await new Promise<string>((resolve, reject) => {
        waiting.push(resolve)
        signal.addEventListener('abort', () => reject(signal.reason as Error))
        if (waiting.length === texts.length) void release()
      })
      return { text, usage, finish: 'stop' }
    },
  }
  const release = async (): Promise<void> => {
    for (const [at, resolve] of waiting.entries()) {
      resolve(texts[at] ?? '')
      await new Promise((next) => setImmediate(next))
    }
  }
  return { ...(await runPattern(plan, { performer, config: {} })), asked }
}
