import { errorAdvice, type ErrorCode } from './generated/wire.js'

/**
 * Every failure that a caller can act on. `code` is stable; the message is for people.
 * Carries no prompt, answer or key.
 */
export class AetherflowError extends Error {
  override readonly name = 'AetherflowError'

  constructor(
    readonly code: ErrorCode,
    /** JSON Pointer into the plan or options, a path, or empty. */
    readonly where: string = '',
    readonly detail: string = '',
  ) {
    super(`${code}${where === '' ? '' : ` at ${where}`}${detail === '' ? '' : `: ${detail}`} (${errorAdvice[code]})`)
  }

  /** What to do about it. */
  get advice(): string {
    return errorAdvice[this.code]
  }
}
