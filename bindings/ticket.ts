/** A call as its performer gets it. */
import type { LiveCall } from './live-call.js'
import type { CallTicket } from './performer.js'

/** What makes the keys that repeated work shares. */
export interface RunIdentity {
  /** Of this run alone, the same when it is resumed. */
  readonly run: string
  /** A cryptographic hash over the parts, in hex, at least 32 digits; parts must not run into each other. */
  digest(parts: readonly string[]): string
}

/** What a call works on. */
export type TicketTexts = Pick<CallTicket, 'dependencies' | 'documents'> &
  Partial<Pick<CallTicket, 'answer' | 'issues'>>

/** Its key and its signal are made when a performer asks for them, or copies the ticket: not every one does, and both take time. */
export function ticketOf(
  live: LiveCall,
  { provider, model }: { readonly provider: string; readonly model: string },
  { dependencies, documents, answer, issues }: TicketTexts,
  identity: RunIdentity | undefined,
): CallTicket {
  const { step, prefix } = live
  const { call, purpose, attempt, maxTokens, timeoutMs } = live.command
  return {
    call,
    step,
    purpose,
    attempt,
    provider,
    model,
    maxTokens,
    timeoutMs,
    dependencies,
    documents,
    answer,
    issues,
    prefix,
    get idempotencyKey(): string | undefined {
      if (identity === undefined) return undefined
      const work = purpose === 'hedge' ? 'main' : purpose
      const inputs = dependencies.flatMap(([from, text]) => [String(from), text])
      const parts = [identity.run, step.id, work, answer ?? '', issues ?? '', prefix ?? '', ...inputs]
      return identity.digest(documents === undefined ? parts : [...parts, documents]).slice(0, 32)
    },
    get signal(): AbortSignal {
      return live.abortSignal
    },
  }
}
