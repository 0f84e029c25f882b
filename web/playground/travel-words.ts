/** What the page asks of the travel worker, and what it answers. */
import type { RunEvent, StepReport } from '../../bindings/events.js'
import type { Purpose } from '../../bindings/generated/wire.js'
import type { ReplayState } from '../standard/run/replay.js'
import type { StripReport } from '../../bindings/core.js'

export type TravelQuestion =
  /** The journal as far as it is written; every later question is about it. */
  | { readonly asks: 'open'; readonly journal: string }
  | { readonly asks: 'moment'; readonly record: number }
  | {
      readonly asks: 'step'
      readonly step: number
      readonly record: number
      readonly files: readonly (readonly [string, string])[]
    }

/** The run right after one of its records. */
export interface Moment {
  readonly state: ReplayState
  readonly events: readonly RunEvent[]
}

export interface PromptSeen {
  readonly purpose: Purpose
  readonly attempt: number
  readonly provider: string
  readonly model: string
  /** `shared`: characters of the user text that prompts of other steps begin with too. */
  readonly sent: { readonly system: string; readonly user: string; readonly shared: number }
  readonly unstripped: { readonly system: string; readonly user: string }
  readonly stripped: StripReport
}

/** A step as the core knows it then. */
export interface StepSeen {
  readonly report: StepReport | undefined
  readonly prompts: readonly PromptSeen[]
  /** Its output; undefined: it has none yet. */
  readonly output: string | undefined
}

export interface TravelAnswers {
  readonly open: { readonly records: number }
  readonly moment: Moment
  readonly step: StepSeen
}
