/** Pairs of models, as far as drafts are concerned. */

/** What became of a draft, of its comparison, or that there was none since the pair is switched off. */
export type DraftOutcome = 'accepted' | 'patched' | 'rejected' | 'agrees' | 'regrets' | 'refused'

/** A type of step, and two models as `provider/model`. */
export interface DraftPair {
  readonly type: string
  readonly draft: string
  readonly verifier: string
}

export interface DraftPairState extends DraftPair {
  /** 0: drafts are on; else so many are refused until one is tried again. */
  readonly probeIn: number
  readonly drafted: number
  readonly accepted: number
  readonly audited: number
}

/** What is known between runs. */
export interface DraftPairs {
  known(): readonly DraftPairState[]
  told(pair: DraftPair, outcome: DraftOutcome): DraftPairState
}

export const stepTypes = [
  'analysis',
  'refactoring',
  'code_generation',
  'prototyping',
  'brainstorming',
  'documentation',
  'testing',
  'other',
] as const
