/** Drafts from end to end, on the virtual clock: what the feature promises, measured and not assumed. */
import { describe, expect, jest, test } from '@jest/globals'
import { draftDesk } from '../../web/standard/draft/desk.js'
import type { StepInfo } from '../../bindings/events.js'
import { predictionOf } from '../../web/standard/draft/prediction.js'
import { predictedGain } from '../../web/standard/draft/forecast.js'
import { reportMarkdown } from '../../web/standard/report/markdown.js'
import { DraftBook } from '../../web/standard/draft/book.js'
import { stepMs } from '../../web/standard/draft/summary.js'
import { simulatorProfiles, type SimulatorProfile } from '../../web/standard/simulator/index.js'
import { playRun } from '../../node/bench/played-run.js'
import { loadLimits } from '../../node/loader.js'

const slow = { firstTokenMs: 800, tokensPerSecond: 60, jitter: 0 }
const fast = { firstTokenMs: 3100, tokensPerSecond: 250, jitter: 0 }

function profile(errorShare: number, verifier: object = slow): SimulatorProfile {
  const base = simulatorProfiles.default
  const strong = { ...slow, ...verifier }
  return {
    ...base,
    providers: {
      ...base.providers,
      groq: { firstTokenMs: 250, tokensPerSecond: 500, jitter: 0, errorShare },
      deepseek: strong,
      gemini: slow,
    },
  }
}

const plan = (steps: number, more: object = {}): string =>
  JSON.stringify({
    task_id: 'd',
    description: 'A manual',
    steps: Array.from({ length: steps }, (_, index) => ({
      id: `s${index}`,
      type: 'documentation',
      description: `Describe part ${index}`,
      estimated_tokens: 600,
      ...more,
    })),
  })

const providers = ['groq', 'deepseek', 'gemini']

// Long answers, token by token: the clock is virtual, the work is not.
jest.setTimeout(60_000)

test('with four drafts of five accepted, 1.8 × over all requests and more than 70 % accepted', async () => {
  const run = {
    plan: plan(25),
    profile: profile(0.2),
    seed: 1,
    providers,
    concurrency: { groq: 40, deepseek: 60, gemini: 40 },
  }
  const [without, drafted] = [await playRun(run), await playRun({ ...run, draft: 'always' })]
  const ms = ({ report }: typeof without): number => report.steps.reduce((sum, step) => sum + stepMs(step), 0)
  const summary = drafted.report.drafts!
  expect(summary.eligible).toBe(25)
  expect(summary.accepted + summary.rejected + summary.patched + summary.failed).toBe(25)
  expect(summary.acceptedShare).toBeGreaterThan(0.7)
  expect(ms(without) / ms(drafted)).toBeGreaterThanOrEqual(1.8)
  expect(summary.regret.audited).toBeGreaterThanOrEqual(Math.floor(summary.accepted / 10))
  // A verifier that sees every planted error lets none through.
  expect([...drafted.outputs.values()].filter((text) => text.includes('simulated error'))).toEqual([])
})

test('a fast verifier: auto drafts nothing, and says why', async () => {
  const { report, events } = await playRun({
    plan: plan(3),
    profile: profile(0.2, fast),
    seed: 1,
    providers,
    draft: 'auto',
    config: {
      providers: {
        deepseek: {
          models: { 'deepseek-flash': { firstTokenMs: fast.firstTokenMs, tokensPerSecond: fast.tokensPerSecond } },
        },
      },
    },
  })
  expect(report.steps.map(({ draft }) => draft)).toEqual(['draft_slow', 'draft_slow', 'draft_slow'])
  expect(events.some((event) => event.type === 'note' && event.reason === 'draft_slow')).toBe(true)
})

describe('the forecast', () => {
  const lane = (provider: string, firstMs: number, perSecond: number, places: number) => ({
    ...{ provider, places },
    answerMs: firstMs + (600 / perSecond) * 1000,
    verdictMs: firstMs + (20 / perSecond) * 1000,
  })
  const gain = (width: number, [firstMs, perSecond]: readonly [number, number], places = 8) => {
    const [groq, deepseek] = [lane('groq', 250, 500, places), lane('deepseek', firstMs, perSecond, places)]
    const forecast = { width, full: [deepseek, groq], drafters: [groq], verifiers: [deepseek] }
    return predictedGain({ ...forecast, accepted: 0.8, audited: 0 })
  }

  test.each([
    [800, 60, 2.32],
    [2000, 60, 1.97],
    [3400, 108, 1.32],
    [3100, 250, 0.96],
  ])('without waits: a verifier of %i ms and %i tokens/s gains %d', (firstMs, perSecond, expected) => {
    expect(Math.abs(gain(1, [firstMs, perSecond]) / expected - 1)).toBeLessThan(0.05)
  })

  test('where places are short, and others would take the work, nothing is gained', () => {
    expect(gain(8, [800, 60])).toBeGreaterThan(2)
    expect(gain(60, [800, 60])).toBeLessThan(1)
    expect(gain(60, [800, 60], 120)).toBeGreaterThan(2)
  })
})

test('auto drafts nothing when more steps are ready at once than there are places, and drafts the same steps in turn', async () => {
  const run = { profile: profile(0.1), seed: 1, providers, draft: 'auto' as const }
  const crowded = await playRun({ ...run, plan: plan(30) })
  expect(new Set(crowded.report.steps.map(({ draft }) => draft))).toEqual(new Set(['draft_slow']))
  const inTurn = JSON.parse(plan(6)) as { steps: { id: string; dependencies?: string[] }[] }
  inTurn.steps.forEach((step, index) => (step.dependencies = index === 0 ? [] : [`s${index - 1}`]))
  const { report } = await playRun({ ...run, plan: JSON.stringify(inTurn) })
  expect(report.drafts?.refused).toBe(0)
  expect(reportMarkdown(report, {})).toContain('speed-up over all')
})

test('a pair is switched off by itself, and stays off in the next run', async () => {
  const book = new DraftBook(await loadLimits())
  const run = {
    profile: profile(1),
    providers,
    draft: 'always' as const,
    config: { drafts: { use: ['groq'] } },
    pairs: book,
    concurrency: { groq: 1, deepseek: 20 },
  }
  const first = await playRun({ ...run, plan: plan(14), seed: 1 })
  const summary = first.report.drafts!
  expect(summary.rejected).toBeGreaterThanOrEqual(7)
  expect(summary.refused).toBeGreaterThan(0)
  const [pair] = book.toJSON().pairs
  expect(pair).toMatchObject({ type: 'documentation', off: 1, switched: 1, accepted: 0 })
  const again = await playRun({ ...run, plan: plan(3), seed: 2 })
  expect(again.report.steps.map(({ draft }) => draft)).toEqual(['draft_off', 'draft_off', 'draft_off'])
  const kept = new DraftBook(await loadLimits(), JSON.parse(JSON.stringify(book.toJSON())))
  expect(kept.toJSON()).toEqual(book.toJSON())
})

test('the draft is provisional until it is confirmed', async () => {
  const { events } = await playRun({ plan: plan(1, { draft: 'always' }), profile: profile(0), seed: 1, providers })
  const told = events
    .map(({ type }) => type)
    .filter((type) => ['provisional', 'confirmed', 'restart', 'done'].includes(type))
  expect(told).toEqual(['provisional', 'confirmed', 'done'])
})

test('a plan may not draft where the run says off', async () => {
  const { report } = await playRun({
    plan: plan(1, { draft: 'always' }),
    profile: profile(0),
    seed: 1,
    providers,
    draft: 'off',
  })
  expect(report.steps[0]?.calls.map(({ purpose }) => purpose)).toEqual(['main'])
})

test.each(['sometimes', { testing: 'maybe' }, 7, null])(
  'draft: %j is refused before anything is called',
  async (draft) => {
    const run = playRun({ plan: plan(1), profile: profile(0), seed: 1, providers, draft: draft as never })
    await expect(run).rejects.toMatchObject({ code: 'host.usage', where: 'draft' })
  },
)

test('a step that writes a file anew tells what most of it will be', () => {
  const step = { outputFile: 'app.ts', type: 'refactoring', draft: 'auto' } as StepInfo
  const files = [
    ['src/app.ts', 'old'],
    ['src/other.ts', 'other'],
  ] as const
  expect(predictionOf(step, 'main', files, undefined)).toBe('old')
  expect(predictionOf(step, 'draft', files, undefined)).toBeUndefined()
  expect(predictionOf(step, 'main', files, { '*': 'off' })).toBeUndefined()
  expect(predictionOf(step, 'main', [...files, ['lib/app.ts', 'another']], undefined)).toBeUndefined()
  expect(predictionOf({ ...step, draft: undefined } as never, 'main', files, undefined)).toBeUndefined()
})

describe('verdicts', () => {
  const desk = draftDesk({ config: {}, available: [] })
  const draft = 'one\ntwo\nthree\nfour\nfive'
  test.each([
    ['accept', '{"verdict":"accept"}', { verdict: 'pass', text: draft, kept: 1000 }],
    ['in prose', 'Sure: {"verdict":"accept"} .', { verdict: 'pass' }],
    [
      'replaced',
      '{"verdict":"patch","edits":[{"from":2,"to":2,"text":"2"}]}',
      { verdict: 'patch', text: 'one\n2\nthree\nfour\nfive', kept: 800 },
    ],
    [
      'inserted',
      '{"verdict":"patch","edits":[{"from":2,"to":1,"text":"new"}]}',
      { verdict: 'patch', text: 'one\nnew\ntwo\nthree\nfour\nfive' },
    ],
    [
      'deleted',
      '{"verdict":"patch","edits":[{"from":5,"to":5,"text":""}]}',
      { verdict: 'patch', text: 'one\ntwo\nthree\nfour' },
    ],
    ['no small patch', '{"verdict":"patch","edits":[{"from":1,"to":4,"text":"x"}]}', { verdict: 'reject', kept: 0 }],
    ['beyond the end', '{"verdict":"patch","edits":[{"from":6,"to":6,"text":"x"}]}', { verdict: 'unclear' }],
    [
      'overlapping',
      '{"verdict":"patch","edits":[{"from":1,"to":2,"text":"x"},{"from":2,"to":2,"text":"y"}]}',
      { verdict: 'unclear' },
    ],
    ['no edits', '{"verdict":"patch","edits":[]}', { verdict: 'unclear' }],
    ['reject', '{"verdict":"reject","good_lines":2}', { verdict: 'reject', text: 'one\ntwo\n' }],
    ['reject without a number', '{"verdict":"reject"}', { verdict: 'reject', text: '', kept: 0 }],
    ['an audit', '{"verdict":"pass","issues":[]}', { verdict: 'unclear' }],
    ['no JSON', 'fine by me', { verdict: 'unclear' }],
  ])('%s', (_, answer, expected) => {
    expect(desk.readVerdict(answer, draft)).toMatchObject(expected)
  })

  test('a comparison does not say which answer is whose, and is read in both orders', () => {
    expect(desk.compare('d', 'f', true).answer).toBe('A1| d\nB1| f')
    expect(desk.compare('d', 'f', false).answer).toBe('A1| f\nB1| d')
    expect(desk.readComparison('{"better":"B"}', true)).toBe('issues')
    expect(desk.readComparison('{"better":"B"}', false)).toBe('pass')
    expect(desk.readComparison('{"better":"same"}', false)).toBe('pass')
    expect(desk.readComparison('{"better":"C"}', false)).toBe('unclear')
  })
})
