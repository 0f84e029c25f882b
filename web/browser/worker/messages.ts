/** The words between a page and its worker, and errors on the way. */
import type { RunEvent } from '../../../bindings/events.js'
import { AetherflowError, type Fault } from '../../../bindings/errors.js'
import type { ErrorCode } from '../../../bindings/generated/wire.js'
import type { JobKind, JobSettings } from '../run/job.js'

export type ToWorker =
  | {
      readonly does: 'start'
      readonly job: number
      readonly kind: JobKind
      readonly settings: JobSettings
      /** `chunks`: they are asked for one by one. */
      readonly plan: Uint8Array | 'chunks'
    }
  /** Is it alive? */
  | { readonly does: 'ping'; readonly job: 0 }
  | { readonly does: 'cancel'; readonly job: number; readonly step: string | undefined }
  | { readonly does: 'answer'; readonly job: number; readonly ask: number; readonly value: unknown }
  | { readonly does: 'refuse'; readonly job: number; readonly ask: number; readonly error: PlainError }

/** Sent in lists: hundreds of events in a burst are one message. */
export type FromWorker =
  | { readonly is: 'ready' }
  | { readonly is: 'pong' }
  | { readonly is: 'event'; readonly job: number; readonly event: RunEvent }
  | { readonly is: 'text'; readonly job: number; readonly step: string; readonly piece: string }
  | { readonly is: 'journal'; readonly job: number; readonly lines: string }
  | {
      readonly is: 'ask'
      readonly job: number
      readonly ask: number
      readonly what: Asked
      readonly of: readonly unknown[]
    }
  | { readonly is: 'owned'; readonly job: number }
  | { readonly is: 'done'; readonly job: number; readonly value: unknown }
  | { readonly is: 'failed'; readonly job: number; readonly error: PlainError }
  | { readonly is: 'crashed'; readonly message: string }

export type Asked = 'key' | 'file' | 'list' | 'deliver' | 'rejected' | 'chunk' | 'find' | 'look' | 'keep'

/** An error that can be cloned. `ask`: the page's own, from its answer to that question. */
export interface PlainError {
  readonly message: string
  readonly name: string
  readonly code?: ErrorCode
  readonly where?: string
  readonly detail?: string
  readonly others?: readonly Fault[]
  readonly ask?: number
}

/** Errors that a page answered with, by the question: the page gets its own object back. */
const questions = new WeakMap<object, number>()

export function plainError(error: unknown): PlainError {
  const ask = typeof error === 'object' && error !== null ? questions.get(error) : undefined
  const from = ask === undefined ? {} : { ask }
  if (error instanceof AetherflowError) {
    const { name, message, code, where, detail, others } = error
    return { name, message, code, where, detail, others, ...from }
  }
  if (error instanceof Error) return { name: error.name, message: error.message, ...from }
  return { name: 'Error', message: String(error), ...from }
}

export function errorOf(plain: PlainError, ask?: number): Error {
  const { name, message, code, where, detail, others } = plain
  const error =
    code === undefined ? Object.assign(new Error(message), { name }) : new AetherflowError(code, where, detail, others)
  if (ask !== undefined) questions.set(error, ask)
  return error
}
