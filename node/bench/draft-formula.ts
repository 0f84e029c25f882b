/** What drafts should gain by the formula, so that a measured gain can be judged by it. */

export interface ModelPace {
  readonly firstTokenMs: number
  readonly tokensPerSecond: number
}

export interface DraftFormula {
  readonly drafter: ModelPace
  readonly verifier: ModelPace
  /** Tokens of an answer, and of a verdict. */
  readonly answerTokens: number
  readonly verdictTokens: number
  /** Share of drafts that were delivered as they were or with a patch, 0–1. */
  readonly accepted: number
  /** Of drafts that were not, the share of their tokens that the full answer went on from, 0–1: their provider takes a beginning. */
  readonly kept: number
  /** Share of steps that were drafted at all. */
  readonly drafted: number
  /** The full answer is asked for at the same time. */
  readonly hedged: boolean
}

const answerMs = ({ firstTokenMs, tokensPerSecond }: ModelPace, tokens: number): number =>
  firstTokenMs + (tokens * 1000) / tokensPerSecond

/**
 * Time of all steps in full over their time with drafts, places for all of them. One after the other T / (draft + verdict + (1 − a) · rest),
 * where the rest is the full answer without what was kept of the draft; beside a full answer T / (a · (draft + verdict) + (1 − a) · T).
 */
export function formulaGain(of: DraftFormula): number {
  const { verifier, answerTokens, accepted, kept, drafted } = of
  const full = answerMs(verifier, answerTokens)
  const judged = answerMs(of.drafter, answerTokens) + answerMs(verifier, of.verdictTokens)
  const rest = answerMs(verifier, (1 - kept) * answerTokens)
  const mean = of.hedged ? accepted * Math.min(judged, full) + (1 - accepted) * full : judged + (1 - accepted) * rest
  return full / (drafted * mean + (1 - drafted) * full)
}
