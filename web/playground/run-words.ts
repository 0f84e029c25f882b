/** How a run ended, in one line. */
import { formatCount, formatDuration, formatUsd, plural } from '../standard/format.js'
import type { RunSession } from './run-session.js'

/** `22 of 23 steps done, 1 failed, 3.8 s, $0.0253 (simulated: default)`. */
export function endWords({ result, model }: RunSession): string {
  const { counts, costMicroUsd, at } = model
  const all = plural(model.rows.length, 'step')
  const lost = (['failed', 'skipped', 'cancelled'] as const).filter((state) => counts[state] > 0)
  const more = lost.map((state) => `, ${counts[state]} ${state}`).join('')
  const simulated = result?.simulated === undefined ? '' : ` (simulated: ${result.simulated})`
  return `${formatCount(counts.done)} of ${all} done${more}, ${formatDuration(at)}, ${formatUsd(costMicroUsd)}${simulated}`
}
