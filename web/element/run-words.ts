/** How a run ended, in one line. */
import { formatCount, formatDuration, formatUsd, plural, simulatedLabel } from '../standard/format.js'
import type { RunModel } from './run-model.js'

/** `16 of 23 steps done, 3 failed, 4 skipped, 3.8 s, $0.0253 (simulated: default)`. */
export function endWords({ counts, rows, at, costMicroUsd, reused }: RunModel, simulated: string | undefined): string {
  const lost = (['failed', 'skipped', 'cancelled'] as const).filter((state) => counts[state] > 0)
  const hits = reused.exact + reused.semantic + reused.shared
  const words = [
    `${formatCount(counts.done)} of ${plural(rows.length, 'step')} done`,
    ...lost.map((state) => `${formatCount(counts[state])} ${state}`),
    ...(hits > 0 ? [`${formatCount(hits)} reused`] : []),
    formatDuration(at),
    formatUsd(costMicroUsd),
  ]
  return words.join(', ') + simulatedLabel(simulated)
}
