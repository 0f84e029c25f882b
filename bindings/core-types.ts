/** What goes into the core and comes out of it, beside numbers: types of core.ts. */
import type { CheckVerdict, ConstraintLevel, EventKind, StripRule } from './generated/wire.js'

/** What a prompt became. Sizes in tokens are estimates. */
export interface AssembledPrompt {
  readonly system: string
  readonly user: string
  readonly stripped: StripReport
  /** Characters of `user` that other steps' prompts begin with too; `keyed`: those that requests which share a cache agree in. */
  readonly shared: number
  readonly keyed: number
  /** How its provider can enforce the step's output. */
  readonly level: ConstraintLevel
}
/** A prompt that a cache is asked with: the step's own words, and what stands before and after them. */
export interface LookPrompt {
  readonly system: string
  readonly before: string
  readonly task: string
  readonly after: string
  readonly level: ConstraintLevel
}
/** The texts of a prompt that the core does not keep. */
export interface PromptTexts {
  readonly files?: readonly (readonly [path: string, text: string])[]
  /** What was found in the documents, as one text. */
  readonly documents?: string | undefined
  readonly dependencies?: readonly (readonly [step: number, text: string])[]
  readonly answer?: string
  readonly issues?: string
}
export interface StripReport {
  readonly tokensBefore: number
  readonly tokensAfter: number
  readonly removals: readonly { rule: StripRule; count: number; bytes: number; tokens: number }[]
}
export interface CheckedOutput {
  readonly verdict: CheckVerdict
  /** As it is to be delivered: code without its fences, JSON without prose around it. */
  readonly text: string
  readonly why: string
}
/** Everything that changes a run's machine, told before it does; refused events too, since they move the time. */
export interface CoreTap {
  begin(options: string, now: number): void
  planBytes(bytes: Uint8Array, now: number): void
  planEnd(now: number): void
  signal(kind: EventKind, values: readonly number[], now: number): void
  /** After each drain. A drain with no event since the last one gives nothing and changes nothing. */
  drained(records: Float64Array): void
}
