/** Patterns that end early, go on after a crash, and say what they take. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import type { Performer } from '../../bindings/performer.js'
import { CoreRun } from '../../bindings/core.js'
import { readJournal } from '../../bindings/journal/reader.js'
import { answerKey, tallyOf, type EndedStep } from '../../bindings/until.js'
import {
  bestOf,
  consensus,
  debate,
  explainPlan,
  revise,
  runPattern,
  runPlan,
  vote,
  type PatternPlan,
  type RunEvent,
} from '../../node/index.js'
import { loadCore } from '../../node/loader.js'
import { Speaking } from '../../web/standard/patterns/index.js'
import { replayJournal } from '../../web/standard/run/replay.js'
import { seeded } from '../../web/standard/simulator/random.js'
import { played, scripted, topic, usage } from './patterns-play.js'

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
    expect(steps.filter(({ state }) => state === 'skipped').map(({ id }) => id)).toEqual([
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
    expect(run.report.steps.find(({ id }) => id === 's5')).toMatchObject({ state: 'skipped', reason: 'settled' })
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
    const { range, costMicroUsd } = await explainPlan(plan, { config: {} })
    expect([range?.most.calls, range?.least.calls]).toEqual([most, least])
    const { low, expected, high } = costMicroUsd
    expect(low).toBeLessThanOrEqual(expected)
    expect(expected).toBeLessThanOrEqual(high)
    expect(range?.most.costMicroUsd).toBe(expected)
    expect(range?.least.costMicroUsd).toBeLessThanOrEqual(range?.expected.costMicroUsd ?? -1)
    expect(range?.expected.costMicroUsd).toBeLessThanOrEqual(expected)
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
