/** A call as its performer gets it. */
import type { StepInfo } from './events.js'
import type { Purpose } from './generated/wire.js'
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

/** A class, as its key and its signal are made when a performer asks for them: not every one does, and both take time. */
export class Ticket implements CallTicket {
  readonly call: number
  readonly step: StepInfo
  readonly purpose: Purpose
  readonly attempt: number
  readonly provider: string
  readonly model: string
  readonly maxTokens: number
  readonly timeoutMs: number
  readonly dependencies: CallTicket['dependencies']
  readonly documents: string | undefined
  readonly answer: string | undefined
  readonly issues: string | undefined
  readonly prefix: string | undefined
  readonly #live: LiveCall
  readonly #identity: RunIdentity | undefined

  constructor(
    live: LiveCall,
    { provider, model }: { readonly provider: string; readonly model: string },
    { dependencies, documents, answer, issues }: TicketTexts,
    identity: RunIdentity | undefined,
  ) {
    const { call, purpose, attempt, maxTokens, timeoutMs } = live.command
    this.call = call
    this.step = live.step
    this.purpose = purpose
    this.attempt = attempt
    this.provider = provider
    this.model = model
    this.maxTokens = maxTokens
    this.timeoutMs = timeoutMs
    this.dependencies = dependencies
    this.documents = documents
    this.answer = answer
    this.issues = issues
    this.prefix = live.prefix
    this.#live = live
    this.#identity = identity
  }

  get idempotencyKey(): string | undefined {
    const { step, purpose, answer, issues, prefix, documents } = this
    const identity = this.#identity
    if (identity === undefined) return undefined
    const work = purpose === 'hedge' ? 'main' : purpose
    const inputs = this.dependencies.flatMap(([from, text]) => [String(from), text])
    const parts = [identity.run, step.id, work, answer ?? '', issues ?? '', prefix ?? '', ...inputs]
    return identity.digest(documents === undefined ? parts : [...parts, documents]).slice(0, 32)
  }

  get signal(): AbortSignal {
    return this.#live.abortSignal
  }
}
