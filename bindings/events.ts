/**
 * What a run tells its watchers. The same objects are the lines of `aetherflow run --json`; their JSON Schema is
 * published as `@aetherflow/aetherflow/events.schema.json`. Stable: types and members are added, never changed.
 */
import type { CheckVerdict, FailureKind, Outcome, Purpose, Reason } from './generated/wire.js'
import type { Usage } from './ports.js'
import type { AnswerQuality, CheckPart } from './check-port.js'
import type { StepDocumentsReport } from './report.js'

export type * from './check-port.js'
export type * from './report.js'

/** A step as the plan defines it. */
export interface StepInfo {
  /** Position in the plan, from 0. */
  readonly step: number
  readonly id: string
  readonly type: string
  readonly complexity: number
  readonly estimatedTokens: number
  readonly output: 'any' | 'text' | 'code' | 'json' | 'schema'
  readonly optional: boolean
  /** Of the plan: whether a fast model drafts its answer. */
  readonly draft?: 'off' | 'auto' | 'always'
  readonly priority: number
  /** Of the plan: an id of a provider, or `provider/model`. */
  readonly provider?: string
  /** Of the plan; absent: the provider's own. */
  readonly temperature?: number
  /** Most tokens of the answer, of the plan. */
  readonly maxTokens?: number
  /** Name of the output's file, of the plan: without folders. */
  readonly outputFile?: string
  readonly schema?: Record<string, unknown>
  /** `check`, `target` and `edit` as the plan has them; anyone who acts on them checks them first. */
  readonly placing?: { readonly check?: unknown; readonly target?: unknown; readonly edit?: unknown }
  readonly files: readonly string[]
  /** What is to be found for it in the documents: `paths` empty means all. */
  readonly documents?: { readonly query: string; readonly tokens: number; readonly paths: readonly string[] }
  /** Of a step with `when`, `for_each` or `pattern`: the step as the plan has it. What one that spreads says of files is its parts'. */
  readonly written?: Readonly<Record<string, unknown>>
  /** Position of the step that spread into it, which gets its output. */
  readonly partOf?: number
  /** Name and text in turn: what is set into its description for `{{item}}`. */
  readonly values?: readonly string[]
  /** Positions of the steps whose outputs it gets. */
  readonly dependencies: readonly number[]
}

/** The same request; one in other words; the same request of a step of this run. */
export type HitKind = 'exact' | 'semantic' | 'shared'

/** What has been paid. */
export interface Cost {
  readonly costMicroUsd: number
  /** A model's price is unknown: part of it is at the one that was assumed (`unknownPrice` of the configuration). */
  readonly priceAssumed?: true
}

/** Members of every event about a call. `call`: its number, unique in the run; of a resumed run too. */
interface OfCall {
  /** ms since the run began. */
  readonly at: number
  readonly step: string
  readonly call: number
  readonly purpose: Purpose
}

/** A call leaves. `estimateMs`: the planning estimate of its duration. */
export interface CallEvent extends OfCall {
  readonly type: 'call'
  readonly attempt: number
  readonly provider: string
  readonly model: string
  readonly estimateMs: number
  readonly reason: Reason
  /** For people: why it is made, and there. */
  readonly why: string
}

/**
 * A call is over. Every `call` has exactly one, unless the process dies before. Two never left: one that was `refused`, as the
 * limits that all runs share had no room, and one that was `withheld`, as its prompt outgrew what was reserved. Tokens and money
 * are those of the report; `tokensEstimated`: the provider sent no counts.
 */
export interface CallEndEvent extends OfCall, Cost {
  readonly type: 'callEnd'
  readonly attempt: number
  readonly provider: string
  readonly model: string
  readonly outcome: 'ok' | 'failed' | 'cancelled' | 'withheld' | 'refused'
  /** Of a failed call. `message` is for people, and carries no prompt, answer or key. */
  readonly failure?: FailureKind
  readonly message?: string
  readonly tokens: Usage
  readonly tokensEstimated: boolean
  /** ms from its start; null: nothing came. */
  readonly firstTokenMs: number | null
  readonly responseMs: number | null
}

/** The output of a step is final, and durable where the host makes it so. */
export interface DoneEvent extends Cost {
  readonly type: 'done'
  readonly at: number
  readonly step: string
  /** Of the output in UTF-8. */
  readonly bytes: number
  /** From the start of its first call to its answer, as in the report: `at` is later by what writing takes. Absent: no call. */
  readonly tookMs?: number
  /** Where the host has put the output: what its `deliver` resolved to. Absent: nowhere. */
  readonly path?: string
  readonly repaired: boolean
  /** Taken from an earlier run: no call was made for it. */
  readonly recalled?: true
  /** Answered from the cache, or by an identical step: no call was made for it. */
  readonly cached?: HitKind
}

/** When the answer of a step was there that began at `startedAt`: the end of its work, before anything was written. */
export const answeredAt = ({ at, tookMs }: DoneEvent, startedAt: number | undefined): number =>
  startedAt === undefined || tookMs === undefined ? at : startedAt + tookMs

/** Documents were looked for. A step that has `failure` fails with it; one that `abstained` goes on without. */
export interface RetrievedEvent extends StepDocumentsReport {
  readonly type: 'retrieved'
  readonly at: number
  readonly step: string
}

/**
 * The answer of a call was checked. `parts`: cheap ones first; those after a failure were not done. `functional`: something was run,
 * and not only read. `issues`: of a failure, with the last lines of output.
 */
export interface CheckedEvent extends OfCall {
  readonly type: 'checked'
  readonly pass: boolean
  readonly parts: readonly CheckPart[]
  readonly functional: boolean
  readonly quality?: AnswerQuality
  /** The box in which programs ran. */
  readonly box?: string
  readonly issues?: string
}

/** `at`: ms since the run began. `step`: the step's id. Money in micro-USD (1 USD = 1,000,000). */
export type RunEvent =
  | { readonly type: 'steps'; readonly at: number; readonly steps: readonly StepInfo[] }
  | {
      readonly type: 'warning'
      readonly at: number
      readonly code: string
      readonly where: string
      readonly detail: string
    }
  | CallEvent
  /** The prompt of a call is assembled. Sizes are estimates, in tokens. */
  | (OfCall & { readonly type: 'prompt'; readonly tokensBefore: number; readonly tokensAfter: number })
  | (OfCall & { readonly type: 'firstToken' })
  /** The answer streams. `outputTokens`: so far, estimated. */
  | (OfCall & { readonly type: 'progress'; readonly outputTokens: number })
  /** The answer of a call came whole; `check`: whether it holds the step's output constraint. */
  | (OfCall & {
      readonly type: 'answer'
      readonly check: CheckVerdict
      readonly tokens: Usage
      /** True when the provider sent no counts. */
      readonly tokensEstimated: boolean
    })
  | CallEndEvent
  | CheckedEvent
  | {
      readonly type: 'note'
      readonly at: number
      readonly step?: string
      /** The call that it is about. */
      readonly call?: number
      readonly reason: Reason
      readonly words: string
      readonly detail?: string
      /** The provider that it is about: of waits, retries, fallbacks, breakers. */
      readonly provider?: string
      /** Id of the step that it waits for, or not: whose call fills the prompt cache, or whom the free place is kept for. */
      readonly leader?: string
    }
  | DoneEvent
  | RetrievedEvent
  /** The step is answered without a call, and comes to its `done`. */
  | {
      readonly type: 'hit'
      readonly at: number
      readonly step: string
      readonly kind: HitKind
      /** Cosine of what was asked then and now; 1: the same request. */
      readonly score: number
      /** What the answer had cost. */
      readonly savedTokens: number
      readonly savedMicroUsd: number
      readonly savedMs: number
      /** shared: the step that has the answer. */
      readonly of?: string
    }
  /** The cache was asked for the step and has no answer of its preferred model. */
  | { readonly type: 'miss'; readonly at: number; readonly step: string }
  /** The answer of the step starts over: discard what was streamed of it. `call`: the call whose text that was, when known. */
  | { readonly type: 'restart'; readonly at: number; readonly step: string; readonly call?: number }
  /** What is shown of the step from here on is a draft, until it is `confirmed`, or a `restart` takes it back. */
  | { readonly type: 'provisional'; readonly at: number; readonly step: string; readonly call: number }
  /**
   * The draft of the step is its output. `patched`: the verifier changed a small part; a `restart` came before, and the changed
   * text streams after it. `call`: that of the verdict.
   */
  | {
      readonly type: 'confirmed'
      readonly at: number
      readonly step: string
      readonly call: number
      readonly patched: boolean
    }
  /** What came before was read from a journal; from here on the run goes on. `calls`: in flight then, and made again. */
  | { readonly type: 'resumed'; readonly at: number; readonly records: number; readonly calls: number }
  | (Cost & {
      readonly type: 'failed'
      readonly at: number
      readonly step: string
      readonly failure: FailureKind
      readonly message: string
    })
  | {
      readonly type: 'skipped'
      readonly at: number
      readonly step: string
      readonly reason: Reason
      /** The dependency that failed it. */
      readonly cause?: string
    }
  | { readonly type: 'cancelled'; readonly at: number; readonly step: string; readonly reason: Reason }
  | (Cost & { readonly type: 'finish'; readonly at: number; readonly outcome: Outcome })

/** The events of one type: `RunEventOf<'done'>`. */
export type RunEventOf<Type extends RunEvent['type']> = Extract<RunEvent, { readonly type: Type }>

/** A handler for every type of event: the compiler refuses a map that misses one, and no two can be of the same type. */
export type EventHandlers<Result = void, Context extends readonly unknown[] = []> = {
  readonly [Type in RunEvent['type']]: (event: RunEvent & { readonly type: Type }, ...context: Context) => Result
}

export function handleEvent<Result, Context extends readonly unknown[]>(
  handlers: EventHandlers<Result, Context>,
  event: RunEvent,
  ...context: Context
): Result {
  // Each handler takes events of its own type, under which it is found.
  return (handlers[event.type] as (event: RunEvent, ...context: Context) => Result)(event, ...context)
}
