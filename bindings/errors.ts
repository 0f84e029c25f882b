import { errorAdvice, type ErrorCode } from './generated/wire.js'

const mark = Symbol.for('aetherflow.error')

/** One of several things that are wrong at once. */
export interface Fault {
  readonly code: ErrorCode
  readonly where: string
  readonly detail: string
}

/**
 * Every failure that a caller can act on. `code` is stable; the message is for people.
 * Carries no prompt, answer or key.
 */
export class AetherflowError extends Error {
  override readonly name = 'AetherflowError'
  get [mark](): true {
    return true
  }

  /** Errors of another copy of this file count too: a page loads parts of the package that have their own. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && mark in value
  }

  constructor(
    readonly code: ErrorCode,
    /** JSON Pointer into the plan or options, a path, or empty. */
    readonly where: string = '',
    readonly detail: string = '',
    /** Of a plan: what else is wrong with it, in the order of the text; at most 19. */
    readonly others: readonly Fault[] = [],
  ) {
    super(`${code}${where === '' ? '' : ` at ${where}`}${detail === '' ? '' : `: ${detail}`} (${errorAdvice[code]})`)
  }

  /** What to do about it. */
  get advice(): string {
    return errorAdvice[this.code]
  }
}
