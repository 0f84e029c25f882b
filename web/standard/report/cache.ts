/** What the cache did for a run, in words: for reports and screens. */
import type { RunReport } from '../../../bindings/events.js'
import { formatCount, formatDuration, formatShare, formatUsdExact } from '../format.js'
import { facts, heading, type Block } from './blocks.js'

type CacheReport = NonNullable<RunReport['cache']>

/** `12 of 20 steps without a call (8 exact, 3 in other words, 1 shared)`. */
export function hitWords({ exact, semantic, shared, misses }: CacheReport): string {
  const hits = exact + semantic + shared
  const kinds = [
    [exact, 'exact'],
    [semantic, 'in other words'],
    [shared, 'shared'],
  ] as const
  const words = kinds.filter(([count]) => count > 0).map(([count, kind]) => `${formatCount(count)} ${kind}`)
  const of = `${formatCount(hits)} of ${formatCount(hits + misses)} steps without a call`
  return words.length === 0 ? of : `${of} (${words.join(', ')})`
}

/** `12,000 tokens, $0.02, 3.4 s of work`: what the answers that were served had cost. */
export function savedWords({ savedTokens, savedMicroUsd, savedMs }: CacheReport): string {
  return `${formatCount(savedTokens)} tokens, ${formatUsdExact(savedMicroUsd)}, ${formatDuration(savedMs)} of work`
}

/** The part of a report; nothing for a run without a cache. */
export function cacheSection({ cache }: RunReport): Block[] {
  if (cache === undefined) return []
  const rows: [string, string][] = [
    ['answered', hitWords(cache)],
    ['hit rate', formatShare(cache.hitRate)],
    ['saved', `${savedWords(cache)}: what the answers had cost when they were made`],
    ['kept for others', `${formatCount(cache.stored)} answers`],
  ]
  return [heading('Cache'), facts(rows)]
}
