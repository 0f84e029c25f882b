/** What the checks of answers found, and the score of their quality with its parts. */
import type { CheckTotals, RunReport } from '../../../bindings/events.js'
import { checkWords, formatCount, formatShare, plural } from '../format.js'
import { heading, longTable, paragraph, table, type Block } from './blocks.js'

const mostRows = 500

const score = (value: number | null | undefined): string =>
  value === null || value === undefined ? '' : value.toFixed(2)

/** `2 of 3 steps right at first try (67 %), quality 0.91, box: unshare`. */
export function checksWords(checks: NonNullable<RunReport['checks']>): string {
  const { functional, firstTry, firstTryShare, unchecked, failed, quality, partialQuality, boxes } = checks
  const words: string[] = []
  if (firstTryShare !== null)
    words.push(
      `${formatCount(firstTry)} of ${plural(functional, 'step')} right at first try (${formatShare(firstTryShare)})`,
    )
  if (failed > 0) words.push(`${plural(failed, 'step')} did not pass`)
  if (unchecked > 0) words.push(`${plural(unchecked, 'step')} without a check that runs`)
  if (quality !== null) words.push(`quality ${score(quality)}`)
  if (partialQuality !== null) words.push(`quality without tests ${score(partialQuality)} (partial)`)
  if (boxes.length > 0) words.push(`box: ${boxes.join(', ')}`)
  return words.join(', ')
}

const groupRow = ({
  name,
  functional,
  firstTry,
  firstTryShare,
  unchecked,
  ...rest
}: CheckTotals & { name: string }) => [
  name,
  firstTryShare === null ? '' : `${firstTry} of ${functional} (${formatShare(firstTryShare)})`,
  formatCount(unchecked),
  score(rest.quality),
  score(rest.partialQuality),
]

export function checksSection({ checks, steps }: RunReport): Block[] {
  if (checks === undefined) return []
  const checked = steps.flatMap(({ id, check }) => (check === undefined ? [] : [{ id, ...check }]))
  const rows = checked.slice(0, mostRows).map(({ id, pass, parts, firstTry, quality, box }) => {
    const first = firstTry === null ? 'no check' : firstTry ? 'yes' : 'no'
    const scored = quality === undefined ? '' : `${score(quality.score)}${quality.partial ? ' (partial)' : ''}`
    const share = (value: number | undefined): string => (value === undefined ? '' : value.toFixed(2))
    return [
      ...[id, `${pass ? '' : 'failed: '}${checkWords(parts)}`, first, scored],
      ...[share(quality?.tests), share(quality?.lint), share(quality?.shape), box ?? ''],
    ]
  })
  const heads = ['step', 'checked', 'right at first try', 'quality', 'tests × 0.7', 'lint × 0.2', 'shape × 0.1', 'box']
  const groups = ['', 'right at first try', 'no check that runs', 'quality', 'quality without tests']
  return [
    heading('Checks'),
    paragraph(`${checksWords(checks)}.`),
    ...longTable(heads, rows, checked.length, 'steps'),
    table(groups, [...checks.byProvider.map(groupRow), ...checks.byType.map(groupRow)]),
  ]
}
