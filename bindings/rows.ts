/** Rows of numbers that the core tells, see core/base/row.def. */
import type { StripReport } from './core-types.js'
import { callRow, promptRow, stepRow, stripRules, type StripRule } from './generated/wire.js'

export const callRowLength = Object.keys(callRow).length
export const stepRowLength = Object.keys(stepRow).length
export const promptRowLength = promptRow.removals + 3 * stripRules.length
export const longestRow = Math.max(callRowLength, stepRowLength, promptRowLength)

/** What stripping did to an assembled prompt. */
export function strippedOf(row: Float64Array): StripReport {
  const removals: { rule: StripRule; count: number; bytes: number; tokens: number }[] = []
  for (let at: number = promptRow.removals, i = 0; i < stripRules.length; at += 3, i++) {
    const count = row[at]!
    if (count > 0) removals.push({ rule: stripRules[i]!, count, bytes: row[at + 1]!, tokens: row[at + 2]! })
  }
  return { tokensBefore: row[promptRow.tokensBefore]!, tokensAfter: row[promptRow.tokensAfter]!, removals }
}
