/** What a plan says beyond steps that are carried out: conditions, steps that spread into others, rules that end steps. Types only. */
import type { CarryingHost } from './carrying-host.js'
import type { RunEvent, StepInfo } from './events.js'

/** Obeys them. Loaded when a plan has some. */
export interface PlanRules {
  /** Steps that were ended here: what of them was about to leave does not. */
  readonly unneeded: ReadonlySet<number>
  /** Every event of the run passes here. */
  see(event: RunEvent): void
  /** The step's output stands, whether it is told already or not. */
  delivered(step: number): void
  /** Carries out the command of that name. */
  expand(step: number): void
}

export interface RulesHost extends CarryingHost {
  readonly cancelled: boolean
  /** Throws what makes the step impossible here. */
  accept(step: StepInfo): void
  /** More of the plan, a text of its own. False: the core has refused it, and the run ends for that. */
  more(plan: Uint8Array): boolean
  /** What cannot be repaired: the run ends with it. */
  hostFailed(error: unknown): void
}

/** Throws plan.* for what a step says that cannot be meant. */
export type OpenRules = (host: RulesHost) => PlanRules
