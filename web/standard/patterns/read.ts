/** What a pattern came to: its answer, who said what, and what it cost beside a single answer. */
import type { CallReport, RunReport, StepReport } from '../../../bindings/report.js'
import { answerKey, tallyOf, type EndedStep } from '../../../bindings/until.js'
import type { PatternKind, PatternShape, Turn } from './types.js'

export interface SaidTurn extends Turn {
  /** Undefined: no answer. */
  readonly text: string | undefined
  /** done, failed, skipped, cancelled. */
  readonly state: string
  /** Why it is not there: settled, budget_stopped, … */
  readonly reason: string | undefined
  readonly provider: string
  readonly model: string
}

export interface PatternCost {
  readonly calls: number
  /** Prompts and answers. */
  readonly tokens: number
  readonly costMicroUsd: number
  readonly ms: number
}

export interface PatternResult {
  readonly kind: PatternKind
  readonly topic: string
  /** Undefined: there is none; `why` says so. */
  readonly answer: string | undefined
  /** How the answer was found, for people. */
  readonly why: string
  readonly turns: readonly SaidTurn[]
  /** The judge's own words, where it was asked. */
  readonly verdict: string | undefined
  /** Of a vote: how many gave which answer, most first. */
  readonly votes: readonly { readonly votes: number; readonly answer: string }[]
  /** Most votes went to several answers. */
  readonly tied: boolean
  /** Whether the answer is another than the first speaker's alone would have been; undefined: they cannot be compared. */
  readonly changed: boolean | undefined
  /** Steps that were not needed. */
  readonly settled: number
  readonly cost: PatternCost
  /** Of the first speaker's first answer: what a single call would have come to. */
  readonly single: PatternCost
}

/** What a run gives. */
export interface PatternRun {
  readonly outputs: ReadonlyMap<string, string>
  readonly report: RunReport
}

export function readPattern(shape: PatternShape, { outputs, report }: PatternRun): PatternResult {
  const steps = new Map(report.steps.map((step) => [step.id, step]))
  const turns = shape.turns.map((turn) => said(turn, outputs.get(turn.step), steps.get(turn.step)))
  const { answers, most, tied } = mostSaid(shape, turns)
  const { answer, why } = decided(shape, outputs, turns, { most, tied, budget: budgetWords(report) })
  const first = turns[0]
  return {
    kind: shape.kind,
    topic: shape.topic,
    ...{ answer, why, turns, tied },
    verdict: outputs.get(shape.judge),
    votes:
      shape.kind === 'vote' ? answers.map(({ votes, first: by }) => ({ votes, answer: outputs.get(by) ?? '' })) : [],
    changed: changedOf(shape.kind, answer, first?.text),
    settled: report.steps.filter(({ reason }) => reason === 'settled').length,
    cost: { ...costOf(report.steps), ms: report.makespanMs },
    single: singleOf(steps.get(first?.step ?? '')),
  }
}

/** The answer alone, of what its steps came to; undefined if there is none. */
export function answerOf(shape: PatternShape, outputs: ReadonlyMap<string, string>): string | undefined {
  const turns = shape.turns.map((turn) => said(turn, outputs.get(turn.step), undefined))
  return decided(shape, outputs, turns, { ...mostSaid(shape, turns), budget: '' }).answer
}

function mostSaid({ kind }: PatternShape, turns: readonly SaidTurn[]) {
  const ended = new Map<string, EndedStep>(turns.map(({ step, text }) => [step, { text }]))
  const { answers } = tallyOf(
    turns.map(({ step }) => step),
    ended,
  )
  const [most, second] = answers
  return { answers, most: most?.first, tied: kind === 'vote' && most !== undefined && most.votes === second?.votes }
}

function said(turn: Turn, text: string | undefined, report: StepReport | undefined): SaidTurn {
  const call = report?.calls.filter(({ outcome }) => outcome === 'ok').at(-1) ?? report?.calls.at(-1)
  return {
    ...turn,
    text,
    state: report?.state ?? 'waiting',
    reason: report?.reason ?? report?.failure,
    provider: call?.provider ?? '',
    model: call?.model ?? '',
  }
}

interface Decided {
  readonly answer: string | undefined
  readonly why: string
}
interface Known {
  /** The step whose answer most gave. */
  readonly most: string | undefined
  readonly tied: boolean
  readonly budget: string
}

function decided(
  { kind, judge, agree }: PatternShape,
  outputs: ReadonlyMap<string, string>,
  turns: readonly SaidTurn[],
  { most, tied, budget }: Known,
): Decided {
  const verdict = outputs.get(judge)
  const none = { answer: undefined, why: `there is no verdict${budget}` }
  switch (kind) {
    case 'vote':
      if (!tied && most !== undefined) return { answer: outputs.get(most), why: `most votes${budget}` }
      return verdict === undefined
        ? none
        : { answer: verdict, why: 'a tie, which a judge broke by what the answers say' }
    case 'best-of':
      return bestAnswer(verdict, turns, none)
    case 'revise':
      return revised(verdict, outputs.get(turns[0]?.step ?? ''), none, budget)
    default: {
      if (verdict !== undefined) return { answer: verdict, why: `the judge’s verdict${budget}` }
      const first = turns.filter(({ round, text }) => round === 1 && text !== undefined)
      const whole = first.length === turns.filter(({ round }) => round === 1).length
      const same = new Set(first.map(({ text = '' }) => answerKey(text))).size === 1
      if (kind === 'consensus' && whole && (same || saysSame(outputs.get(agree ?? ''))))
        return { answer: first[0]?.text, why: same ? 'the first answers are equal' : 'the first answers say the same' }
      return { ...none, why: missingSide(turns) ?? none.why }
    }
  }
}

const saysSame = (text: string | undefined): boolean => text !== undefined && answerKey(text) === '{"same":true}'

function missingSide(turns: readonly SaidTurn[]): string | undefined {
  const speakers = [...new Set(turns.map(({ speaker }) => speaker))]
  const silent = speakers.filter((name) => turns.every(({ speaker, text }) => speaker !== name || text === undefined))
  return silent.length === 0 ? undefined : `no verdict without a side: ${silent.join(', ')} gave no answer`
}

function bestAnswer(verdict: string | undefined, turns: readonly SaidTurn[], none: Decided): Decided {
  const there = turns.filter(({ text }) => text !== undefined)
  if (verdict === undefined)
    return there.length === 1 ? { answer: there[0]?.text, why: 'the only candidate that held its constraint' } : none
  const { best, why } = JSON.parse(verdict) as { best: number; why: string }
  const chosen = turns[best - 1]?.text
  // A judge may name one that is not there.
  return chosen === undefined
    ? { answer: there[0]?.text, why: `the judge chose candidate ${best}, which gave no answer: the first that did` }
    : { answer: chosen, why: `candidate ${best}: ${why}` }
}

function revised(verdict: string | undefined, draft: string | undefined, none: Decided, budget: string): Decided {
  if (verdict !== undefined) return { answer: verdict, why: 'revised after the critique' }
  return draft === undefined ? none : { answer: draft, why: `the first answer stands${budget}` }
}

function budgetWords({ steps }: RunReport): string {
  const ended = steps.filter(
    ({ reason, failure }) => reason?.startsWith('budget') === true || failure === 'budget_exceeded',
  )
  return ended.length === 0 ? '' : `; the budget ended it early: ${ended.map(({ id }) => id).join(', ')} not asked`
}

function changedOf(kind: PatternKind, answer: string | undefined, first: string | undefined): boolean | undefined {
  // A verdict is another kind of text than a speech.
  if (answer === undefined || first === undefined || kind === 'debate') return undefined
  return answerKey(answer) !== answerKey(first)
}

function costOf(steps: readonly StepReport[]): Omit<PatternCost, 'ms'> {
  // What was ended before anything of it left is no call.
  const calls = steps.flatMap((step) => step.calls).filter(left)
  return {
    calls: calls.length,
    tokens: calls.reduce((sum, { tokens }) => sum + tokens.input + tokens.output, 0),
    costMicroUsd: steps.reduce((sum, { costMicroUsd }) => sum + costMicroUsd, 0),
  }
}

const left = ({ outcome, tokens }: CallReport): boolean => outcome !== 'cancelled' || tokens.input + tokens.output > 0

function singleOf(step: StepReport | undefined): PatternCost {
  if (step === undefined) return { calls: 0, tokens: 0, costMicroUsd: 0, ms: 0 }
  const { startedAt, settledAt } = step
  return { ...costOf([step]), ms: startedAt === null || settledAt === null ? 0 : settledAt - startedAt }
}
