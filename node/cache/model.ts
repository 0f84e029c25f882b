/** The embedder that a cache is opened with. */
import type { Embedder } from '../../bindings/cache/ports.js'
import type { Pool } from '../../web/standard/embed/pool.js'
import { openEmbedder } from '../embed/index.js'

/**
 * `model`: what openEmbedder takes, or an embedder; undefined and `lexical`: the built-in one, which is no object. Fails: cache.model,
 * cache.runtime, cache.download_failed. The model itself is loaded with the first text.
 */
export async function openModel(model: string | Embedder | undefined, pool: Pool): Promise<Embedder | undefined> {
  if (model === undefined || model === 'lexical') return undefined
  return typeof model === 'string' ? await openEmbedder(model, { pool }) : model
}
