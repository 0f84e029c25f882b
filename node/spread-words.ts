/** Plans that spread, in words: for people and for models. */
import type { PlanRange } from '../bindings/events.js'
import { formatDuration, formatUsd, oneLine, plural } from '../web/standard/format.js'
import type { SpreadInfo } from '../web/standard/spread/explained.js'

/** Steps that are listed. */
const mostSpread = 20

/** Into how many parts steps spread, a line each. */
export function spreadLines(spread: readonly SpreadInfo[]): string[] {
  const lines = spread.slice(0, mostSpread).map(({ step, least, most }) => {
    const count = least === most ? plural(most, 'step') : `${least} to ${plural(most, 'step')}`
    return `${oneLine(step)}: spreads into ${count}`
  })
  return spread.length > mostSpread ? [...lines, `… and ${spread.length - mostSpread} more`] : lines
}

/** Id of the step that spread into this part, by the id of the part; undefined: it is not called like one. */
export const spreadStepOf = (id: string): string | undefined => /^(.+)\[\d+\]$/.exec(id)?.[1]

/** Rows of parts that one step has spread into stand as one where nothing but the id differs. */
export function foldedParts(rows: readonly (readonly string[])[]): (readonly string[])[] {
  const folded: (readonly string[])[] = []
  const stepOf = (id = ''): string => spreadStepOf(id) ?? id
  for (let at = 0; at < rows.length;) {
    const [id = '', ...rest] = rows[at] ?? []
    const like = ([other, ...more]: readonly string[]): boolean =>
      stepOf(other) === stepOf(id) && more.every((cell, index) => cell === rest[index])
    let end = at + 1
    while (stepOf(id) !== id && end < rows.length && like(rows[end] ?? [])) end += 1
    if (end - at > 3) folded.push([`${id} … ${rows[end - 1]?.[0] ?? ''}`, ...rest])
    else folded.push(...rows.slice(at, end))
    at = end
  }
  return folded
}

/** What a plan whose steps are not all known, or not all needed, comes to in each case: what it is called, and the words. */
export function rangeWords(range: PlanRange | undefined): (readonly [string, string])[] {
  if (range === undefined) return []
  const cases = [
    ['at least', range.least],
    ['expected', range.expected],
    ['at most', range.most],
  ] as const
  return cases.map(([name, { calls, costMicroUsd, makespanMs }]) => [
    name,
    `${plural(calls, 'call')}, ${formatUsd(costMicroUsd)}, ${formatDuration(makespanMs)}`,
  ])
}
