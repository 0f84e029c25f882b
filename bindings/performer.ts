/** What carries out the calls of a run. */
import type { ConstraintLevel, CoreRun } from './core.js'
import { AetherflowError } from './errors.js'
import type { StepInfo } from './events.js'
import { failureKinds, failureKindWords, type FailureKind, type Purpose } from './generated/wire.js'
import type { CallFailureInfo, LimitSeen, ModelReply, OutputConstraint } from './ports.js'

/** One call, as a performer gets it. */
export interface CallTicket {
  readonly call: number
  readonly step: StepInfo
  readonly purpose: Purpose
  readonly attempt: number
  readonly provider: string
  readonly model: string
  readonly maxTokens: number
  readonly timeoutMs: number
  /** Outputs of the step's dependencies that have one. */
  readonly dependencies: readonly (readonly [step: number, text: string])[]
  /** What was found for the step in the documents, as one text; undefined: it asks for none. */
  readonly documents?: string | undefined
  /** The answer to audit or to repair. */
  readonly answer: string | undefined
  /** What was found wrong with it. */
  readonly issues: string | undefined
  /** Accepted text that the answer goes on from; undefined: from the start. */
  readonly prefix?: string | undefined
  /**
   * The same on every attempt of the same work: of this step in this run with these inputs, for this purpose. 32 hex digits;
   * undefined when the host has no run id. Files that the performer reads itself are not in it.
   */
  readonly idempotencyKey?: string | undefined
  readonly signal: AbortSignal
}
/** Signals of a running call. */
export interface CallProgress {
  /** What the reply's headers said of limits. */
  limits(seen: readonly LimitSeen[]): void
  started(info: { readonly reused?: boolean; readonly setupMs?: number }): void
  /** The prompt is assembled. False: the call must not leave and is over; whatever the performer then does is ignored. */
  prompt(tokensBefore: number, tokensAfter: number): boolean | Promise<boolean>
  /** Fingerprint of the files that go into the prompt: a step is recalled by a later run only when it has not changed. */
  files(fingerprint: string): void
  firstToken(): void
  text(piece: string): void
}
/** Context files by their paths. `fingerprint`: of paths, texts and documents; absent where none can be made. */
export interface ContextTexts {
  readonly files: readonly (readonly [path: string, text: string])[]
  readonly fingerprint: string | undefined
}

/** What the provider is asked to enforce of the step's own answer; the core has put the rest into the prompt. */
export function answerConstraint(level: ConstraintLevel, { output, schema }: StepInfo): OutputConstraint {
  if (level === 'instruct') return { kind: output === 'code' ? 'code' : 'text' }
  if (level === 'schema' && schema !== undefined) return { kind: 'schema', schema }
  return { kind: 'json' }
}

/** Carries out calls: prompts and provider clients in production, anything in tests and benches. Rejects with CallFailureInfo. */
export interface Performer {
  /**
   * The context files that go into the prompts of a step, as `perform` would read them; `documents`: what was found for it. Absent:
   * steps that name files or ask for documents neither look into a cache nor leave anything there. Rejects like `perform`.
   */
  files?(step: StepInfo, documents?: string): Promise<ContextTexts>
  perform(ticket: CallTicket, progress: CallProgress, core: CoreRun): Promise<ModelReply>
}

/** A rejection of a performer, in the words of the core. Anything that is no CallFailure is a fault of the host's own, and is not tried again. */
export function failureOf(error: unknown, aborted: boolean): CallFailureInfo {
  if (aborted) return { ...usageOf(error), kind: 'cancelled', message: failureKindWords.cancelled }
  if (typeof error === 'object' && error !== null && 'kind' in error && isFailureKind(error.kind)) {
    return error as unknown as CallFailureInfo
  }
  if (error instanceof AetherflowError) return { kind: 'input', message: error.message }
  return { kind: 'host', message: error instanceof Error ? error.message : String(error) }
}

/** What was counted of a call that was cut off is billed all the same. */
function usageOf(error: unknown): Pick<CallFailureInfo, 'usage'> {
  const { usage } = (error ?? {}) as Pick<CallFailureInfo, 'usage'>
  return usage === undefined ? {} : { usage }
}

function isFailureKind(kind: unknown): kind is FailureKind {
  return failureKinds.includes(kind as FailureKind)
}
