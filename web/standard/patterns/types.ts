/** Several answers to one question: what is asked for, and the plan that it becomes. */
import type { UntilRule } from '../../../bindings/until.js'
import type { Plan, Step } from '../../../bindings/plan.js'

export const patternKinds = ['debate', 'consensus', 'vote', 'best-of', 'revise'] as const
export type PatternKind = (typeof patternKinds)[number]

/** What all patterns are told. */
export interface PatternSettings {
  /** The question. */
  readonly topic: string
  /** Providers, models or `provider/model`, given to the speakers in turn; absent: the route of the type. */
  readonly models?: readonly string[] | undefined
  /** Who judges, compares or criticises; absent: the route of the type. */
  readonly judge?: string | undefined
  /** Type of the steps, which decides their route; default analysis. */
  readonly type?: string | undefined
  /** Tokens expected in one answer; default 300. */
  readonly answerTokens?: number | undefined
  /** Constraint of the answers: a word or a JSON Schema, as of a step. Not of debates. */
  readonly output?: Step['output']
}

export interface Speaker {
  readonly name: string
  /** What it stands for: `argues for the proposal`. */
  readonly stance?: string | undefined
  /** Over `models`. */
  readonly model?: string | undefined
}

/** One answer of one speaker: a step of the plan. */
export interface Turn {
  readonly step: string
  readonly speaker: string
  /** From 1. */
  readonly round: number
}

/** How a plan is read as a pattern; part of its metadata. */
export interface PatternShape {
  readonly kind: PatternKind
  readonly topic: string
  readonly turns: readonly Turn[]
  /** The step that decides, when one has to. */
  readonly judge: string
  /** Compares the answers of `consensus` where their texts do not. */
  readonly agree?: string
  /** Criticises the draft of `revise`. */
  readonly critique?: string
}

/** An ordinary plan: it can be kept, explained, run, resumed and replayed as any other. */
export interface PatternPlan extends Plan {
  readonly metadata: { readonly pattern: PatternShape; readonly until: readonly UntilRule[] }
}
