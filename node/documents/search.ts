/** Searches of other engines in batches, with the choice of n-grams of the index's module. */
import { performance } from 'node:perf_hooks'
import { IndexCore, type GramChoice, type GramStrategy } from '../../bindings/index/core.js'
import { SearchBatches } from '../../web/standard/search/batches.js'
import type { SearchPort } from '../../web/standard/search/port.js'
import { loadIndex } from '../loader.js'

async function core(): Promise<IndexCore> {
  const { module, data } = await loadIndex()
  return new IndexCore(module, data)
}

/**
 * Which n-grams of a question are to be searched for. `seed`: all of three words, those of two that bring a word, long words and digits;
 * `cover` (default): one is left out only when a kept one finds all that it finds. `max`: default 20.
 */
export async function optimizeQueries(
  ngrams: readonly string[],
  { strategy = 'cover', max = 20 }: { strategy?: GramStrategy; max?: number } = {},
): Promise<GramChoice> {
  const index = await core()
  try {
    return index.grams(ngrams, strategy, max)
  } finally {
    index.dispose()
  }
}

/** For as many searches as are wanted; frees its memory when it is collected. */
export async function openSearch(port: SearchPort): Promise<SearchBatches> {
  const index = await core()
  return new SearchBatches(
    port,
    (...of) => index.grams(...of),
    () => performance.now(),
  )
}
