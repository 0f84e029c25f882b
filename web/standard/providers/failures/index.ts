import type { FailureKind } from '../../../../bindings/generated/wire.js'
import { common } from './common.js'
import { deepseekFailures } from './deepseek.js'
import { geminiFailures } from './gemini.js'
import { groqFailures } from './groq.js'
import { mistralFailures } from './mistral.js'
import { openaiFailures } from './openai.js'
import type { FailureTable } from './table.js'

export type { FailureTable } from './table.js'
export { deepseekFailures, geminiFailures, groqFailures, mistralFailures, openaiFailures }

/**
 * For a host that has no table of its own: gateways hand on the errors of whichever provider is behind them. No word or
 * wording of one table means another thing in a second one; a test holds that.
 */
export const everyTable: readonly FailureTable[] = [
  deepseekFailures,
  mistralFailures,
  groqFailures,
  openaiFailures,
  geminiFailures,
]

/** Statuses that a firewall gives as well as an API. From an API they speak of the key; from a firewall they do not. */
const refusedByPage: ReadonlySet<number> = new Set([403, 406])

/** What of an error the tables look at. Missing parts are ''. */
export interface ErrorWords {
  readonly code: string
  readonly type: string
  readonly message: string
  /** The body says that a limit of the account is used up which no short wait brings back. */
  readonly exhausted?: boolean
  /** The generation was cut off at its limit of tokens. */
  readonly limitReached?: boolean
  /** The reply is no API's but a page or a line of something in front of it, as a firewall answers. */
  readonly page?: boolean
}

/** The kind of a refusal. `status` 0: an error inside a stream that began with 200; its code may repeat a status. */
export function failureKindOf(status: number, facts: ErrorWords, table?: FailureTable): FailureKind {
  const tables = [...(table ? [table] : everyTable), common]
  const first = <T>(look: (one: FailureTable) => T | undefined): T | undefined => {
    for (const one of tables) {
      const found = look(one)
      if (found !== undefined) return found
    }
    return undefined
  }
  const numeric = status || Number(facts.code)
  const wording = ({ messages = [] }: FailureTable) => messages.find(([pattern]) => pattern.test(facts.message))?.[1]
  const known = (name: string) => first(({ words = {} }) => (Object.hasOwn(words, name) ? words[name] : undefined))
  return (
    first(({ decisive = {} }) => decisive[numeric]) ??
    (facts.exhausted ? 'quota_exhausted' : undefined) ??
    (facts.limitReached ? 'limit_reached' : undefined) ??
    (facts.page && refusedByPage.has(numeric) ? 'denied' : undefined) ??
    first(wording) ??
    known(facts.code) ??
    known(facts.type) ??
    first(({ statuses = {} }) => statuses[numeric]) ??
    (numeric >= 400 && numeric < 500 ? 'bad_request' : 'server_error')
  )
}
