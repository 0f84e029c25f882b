/** Who checks the answers of a run: types only. */
import type { CheckFound } from './check-port.js'
import type { StepInfo } from './events.js'

export type * from './check-port.js'

/** An answer to be checked. */
export interface CheckJob {
  readonly step: StepInfo
  readonly text: string
  /** Steps before it, nearest last, with their outputs: what they change is in the files before this answer does. */
  readonly earlier: readonly (readonly [step: StepInfo, text: string])[]
  readonly signal: AbortSignal
}

/** Checks answers. Rejections end the run: what fails of an answer is its finding. */
export interface AnswerChecker {
  /** Throws AetherflowError `check.invalid` at `/steps/N/…` for what a step says of its check, target or edit that nobody can follow. */
  accept(step: StepInfo): void
  /** `issues`: what failed, with the last lines of output, for the repair and for people; of a pass what it showed, for an audit. */
  check(job: CheckJob): Promise<CheckFound & { readonly issues: string }>
  /**
   * What of a step's check belongs to its request, for the cache and for identical steps: an answer that another check passed, or that
   * nothing was run for, does not stand for one that passes this. Undefined, or absent: nothing.
   */
  scope?(step: StepInfo): Promise<string | undefined>
}
