/** What carries out the calls of a run. */
import type { Command } from './commands.js'
import type { CoreRun } from './core.js'
import { AetherflowError } from './errors.js'
import type { StepInfo } from './events.js'
import { failureKinds, failureKindWords, type FailureKind } from './generated/wire.js'
import type { CallFailureInfo, LimitSeen, ModelReply } from './ports.js'

/** One call, as a performer gets it. */
export interface CallTicket {
  readonly call: number
  readonly step: StepInfo
  readonly purpose: Command['purpose']
  readonly attempt: number
  readonly provider: string
  readonly model: string
  readonly maxTokens: number
  readonly timeoutMs: number
  /** Outputs of the step's dependencies that have one. */
  readonly dependencies: readonly (readonly [step: number, text: string])[]
  /** The answer to audit or to repair. */
  readonly answer: string | undefined
  /** What was found wrong with it. */
  readonly issues: string | undefined
  /** Accepted text that the answer goes on from; undefined: from the start. */
  readonly prefix?: string | undefined
  /** The same on every attempt of this step with the same inputs; undefined when the host has no run id. */
  readonly idempotencyKey?: string | undefined
  readonly signal: AbortSignal
}
/** Signals of a running call. */
export interface CallProgress {
  /** What the reply's headers said of limits. */
  limits?(seen: readonly LimitSeen[]): void
  started(info: { readonly reused?: boolean; readonly setupMs?: number }): void
  prompt(tokensBefore: number, tokensAfter: number): void
  firstToken(): void
  text(piece: string): void
}
/** Carries out calls: prompts and provider clients in production, anything in tests and benches. Rejects with CallFailureInfo. */
export interface Performer {
  perform(ticket: CallTicket, progress: CallProgress, core: CoreRun): Promise<ModelReply>
}

/** A rejection of a performer, in the words of the core. Anything that is no CallFailure is a fault of the host's own. */
export function failureOf(error: unknown, aborted: boolean): CallFailureInfo {
  if (aborted) return { kind: 'cancelled', message: failureKindWords.cancelled }
  if (typeof error === 'object' && error !== null && 'kind' in error && isFailureKind(error.kind)) {
    return error as unknown as CallFailureInfo
  }
  if (error instanceof AetherflowError) return { kind: 'input', message: error.message }
  return { kind: 'server_error', message: error instanceof Error ? error.message : String(error) }
}

function isFailureKind(kind: unknown): kind is FailureKind {
  return failureKinds.includes(kind as FailureKind)
}
