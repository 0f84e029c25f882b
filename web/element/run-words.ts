/** How a run ended, in one line. */
import { formatCost, formatCount, formatDuration, plural, simulatedLabel } from '../standard/format.js'
import type { RunModel } from './run-model.js'
import type { StepRow } from './run-rows.js'
import { middle } from './shorten.js'

/** `16 of 23 steps done, 3 failed (csv: rate limited; …), 4 skipped, 3.8 s, $0.0253 (simulated: default)`. */
export function endWords(
  { counts, rows, at, costMicroUsd, priceAssumed, reused }: RunModel,
  simulated: string | undefined,
): string {
  const lost = (['failed', 'skipped', 'cancelled'] as const).filter((state) => counts[state] > 0)
  // What is skipped for a failure needs no reason of its own; a budget that is used up does.
  const told = lost.find((state) => state !== 'cancelled')
  const hits = reused.exact + reused.semantic + reused.shared
  const words = [
    `${formatCount(counts.done)} of ${plural(rows.length, 'step')} done`,
    ...lost.map((state) => `${formatCount(counts[state])} ${state}${state === told ? whyWords(rows, state) : ''}`),
    ...(hits > 0 ? [`${formatCount(hits)} reused`] : []),
    formatDuration(at),
    formatCost({ costMicroUsd, priceAssumed }),
  ]
  return words.join(', ') + simulatedLabel(simulated)
}

/** Why the first of them came to that: what follows from it says less. */
function whyWords(rows: readonly StepRow[], state: StepRow['state']): string {
  const lost = rows.filter((row) => row.state === state)
  const first = lost.reduce((one, row) => ((row.endedAt ?? 0) < (one.endedAt ?? 0) ? row : one), lost[0]!)
  const why = first.note === '' ? '' : `: ${middle(first.note, 120)}`
  return ` (${middle(first.info.id, 32)}${why}${lost.length > 1 ? '; …' : ''})`
}
