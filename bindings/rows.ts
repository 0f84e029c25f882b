/** Rows of numbers that the core tells, see core/base/row.def. */
import * as promptRow from './generated/prompt-row.js'
import * as stepRow from './generated/step-row.js'
import * as callRow from './generated/call-row.js'
import type { StripReport } from './core-types.js'
import { at, failureKinds, stripRules, type FailureKind, type StripRule } from './generated/wire.js'

export const callRowLength = callRow.length
export const stepRowLength = stepRow.length
export const promptRowLength = promptRow.removals + 3 * stripRules.length
export const longestRow = Math.max(callRowLength, stepRowLength, promptRowLength)

/** What stripping did to an assembled prompt. */
export function strippedOf(row: Float64Array): StripReport {
  const removals: { rule: StripRule; count: number; bytes: number; tokens: number }[] = []
  for (const [i, rule] of stripRules.entries()) {
    const from = promptRow.removals + 3 * i
    const count = at(row, from)
    if (count > 0) removals.push({ rule, count, bytes: at(row, from + 1), tokens: at(row, from + 2) })
  }
  return { tokensBefore: at(row, promptRow.tokensBefore), tokensAfter: at(row, promptRow.tokensAfter), removals }
}

/** −1 stands for what is not known. */
export const known = (value: number): number | null => (value < 0 ? null : value)

/** What became of a call, by its number. */
export function outcomeOf(number: number): 'ok' | 'running' | FailureKind {
  return number === -1 ? 'ok' : number === -2 ? 'running' : (failureKinds[number] ?? 'server_error')
}
