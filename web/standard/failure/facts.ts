import type { ErrorWords } from '../providers/failures/index.js'

/** What a provider's error says, whatever its envelope. Missing parts are ''. */
export interface ErrorFacts extends ErrorWords {
  /** The member of the request that it names. */
  readonly param: string
  /** Earliest retry, ms from now, when the body itself names one in a member of its own. */
  readonly retryAfterMs?: number
}
