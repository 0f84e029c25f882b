/** Searches of other engines in batches, with the choice of n-grams of the index's module. */
import type { GramChoice, GramStrategy } from '../../../bindings/index/core.js'
import { SearchBatches } from '../../standard/search/batches.js'
import type { SearchPort } from '../../standard/search/port.js'
import { indexCore, type IndexFiles } from './module.js'

export async function optimizeQueries(
  ngrams: readonly string[],
  { strategy = 'cover', max = 20 }: { strategy?: GramStrategy | undefined; max?: number | undefined },
  at: IndexFiles,
): Promise<GramChoice> {
  const index = await indexCore(at)
  try {
    return index.grams(ngrams, strategy, max)
  } finally {
    index.dispose()
  }
}

/** For as many searches as are wanted; frees its memory when it is collected. */
export async function openSearch(port: SearchPort, at: IndexFiles): Promise<SearchBatches> {
  const index = await indexCore(at)
  return new SearchBatches(
    port,
    (...of) => index.grams(...of),
    () => performance.now(),
  )
}
