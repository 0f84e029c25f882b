/** What drafts came to, in words: for reports and screens. */
import type { DraftsReport, RunReport } from '../../../bindings/events.js'
import { draftTargets } from '../draft/targets.js'
import { formatCount, formatDuration, formatShare, formatUsdExact } from '../format.js'
import { facts, heading, paragraph, type Block } from './blocks.js'

const metWords = (met: boolean | null): string => (met === null ? 'not measured' : met ? 'met' : 'missed')
const duration = (ms: number | null): string => (ms === null ? '–' : formatDuration(ms))

/** `14 of 20 drafts accepted, 2 patched, 4 rejected`. */
export function draftWords({ accepted, patched, rejected, failed, late }: DraftsReport): string {
  const drafted = accepted + patched + rejected + failed + late
  const rest = [
    [patched, 'patched'],
    [rejected, 'rejected'],
    [failed, 'came to nothing'],
    [late, 'later than the full answer'],
  ] as const
  const more = rest.filter(([count]) => count > 0).map(([count, word]) => `, ${formatCount(count)} ${word}`)
  return `${formatCount(accepted)} of ${formatCount(drafted)} drafts accepted${more.join('')}`
}

/** The part of a report; nothing for a run in which no step could have been drafted. */
export function draftsSection({ drafts }: RunReport): Block[] {
  if (drafts === undefined) return []
  const { accepted, acceptedShare, eligible, patchedKept, refused, regret, speedup, met, costMicroUsd: cost } = drafts
  const legs = Object.entries(cost).filter(([, microUsd]) => microUsd > 0)
  const rows: [string, string][] = [
    ['verdicts', draftWords(drafts)],
    ...(patchedKept === null ? [] : ([['kept of patched ones', formatShare(patchedKept)]] as [string, string][])),
    ['not drafted', `${formatCount(refused)} of ${formatCount(eligible)} steps; each says why`],
    [
      'accepted share',
      `${formatShare(acceptedShare)}; target > ${formatShare(draftTargets.accepted)}: ${metWords(met.accepted)}`,
    ],
    [
      'speed-up over all',
      `${speedup === null ? '–' : `${speedup.toFixed(2)} ×`}; target ≥ ${draftTargets.speedup} ×: ${metWords(met.speedup)}`,
    ],
    ['draft’s first token', `${duration(drafts.ttftProvisionalMs)} (provisional)`],
    ['confirmed answer', duration(drafts.timeToConfirmedMs)],
    [
      'regretted',
      regret.audited === 0
        ? `none of the ${formatCount(accepted)} accepted ones was compared with a full answer`
        : `${formatCount(regret.regrets)} of ${formatCount(regret.audited)} compared; 95 %: ${formatShare(regret.low)} to ${formatShare(regret.high)}`,
    ],
    [
      'cost',
      `${formatUsdExact(legs.reduce((sum, [, microUsd]) => sum + microUsd, 0))} (${legs.map(([leg, microUsd]) => `${leg} ${formatUsdExact(microUsd)}`).join(', ')})`,
    ],
  ]
  return [
    heading('Drafts'),
    paragraph(
      'Over all steps that could have been drafted, from when they were ready. What a full answer would have taken is reckoned from the speeds that the run measured; patched and rejected drafts are never counted as accepted.',
    ),
    facts(rows),
  ]
}
