/** How far a result is to be trusted. */
import type { SectionHit } from '../../../bindings/index/core.js'

/** A first place that is ahead by this share of its score is right nearly always; see tests/bench/index.mjs. */
const clearMargin = 0.35

/**
 * Of the best hit: the share of the question's words that stand in it, weighed by rarity, times how far it is ahead of the second. With
 * vectors, agreement of both rankings on the first place counts for the lead. 0 without a hit.
 */
export function confidenceOf(hits: readonly SectionHit[]): number {
  const [best, second] = hits
  if (best === undefined) return 0
  const margin = best.score > 0 ? (best.score - (second?.score ?? 0)) / best.score : 0
  const dense = hits.some((hit) => hit.dense !== 0)
  const agree = dense && hits.every((hit) => hit.lexical <= best.lexical && hit.dense <= best.dense)
  const lead = agree ? 1 : Math.min(1, margin / clearMargin)
  // A meaning may be met without the words: a cosine above a half covers what words do not.
  const covered = Math.max(best.covered, dense ? Math.max(0, Math.min(1, (best.dense - 0.2) / 0.4)) : 0)
  return round(covered * (0.65 + 0.3 * lead))
}

/** Of each hit: the best one's, by their scores. */
export function confidences(hits: readonly SectionHit[]): number[] {
  const first = confidenceOf(hits)
  const top = hits[0]?.score ?? 0
  return hits.map(({ score }) => (top > 0 ? round((first * score) / top) : 0))
}

const round = (value: number): number => Math.round(value * 1000) / 1000
