/** `openDocs` and searches in a page: a small part that brings the large one, which is loaded with the first index. */
import { AetherflowError } from '../../../bindings/errors.js'
import type { GramChoice, GramStrategy } from '../../../bindings/index/core.js'
import type { DocsBase } from '../../standard/documents/documents.js'
import type { SearchBatches } from '../../standard/search/batches.js'
import type { SearchPort } from '../../standard/search/port.js'
import type { DocsAssets, PageDocsOptions } from './options.js'

function addresses({ documents, indexModule, indexData }: DocsAssets = {}) {
  // Bundlers look for exactly these expressions.
  return {
    documents: documents ?? new URL('./documents.js', import.meta.url),
    module: indexModule ?? new URL('../core/aetherflow_index.wasm', import.meta.url),
    data: indexData ?? new URL('../core/aetherflow_index.json', import.meta.url),
  }
}

const absolute = (address: string | URL): string => new URL(address, globalThis.location?.href).href

async function loaded(assets: DocsAssets | undefined) {
  const found = addresses(assets)
  const href = absolute(found.documents)
  const at = { module: absolute(found.module), data: absolute(found.data) }
  try {
    const part = (await import(/* @vite-ignore */ /* webpackIgnore: true */ href)) as typeof import('./documents.js')
    return { part, at }
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    throw new AetherflowError('host.io_failed', href, `the index cannot be loaded: ${detail}`)
  }
}

/** Fails: host.io_failed for the package's files and the documents. Without a place to keep it the index is made again each time. */
export async function openDocs(options: PageDocsOptions): Promise<DocsBase> {
  const { part, at } = await loaded(options.assets)
  const folder = options.assets?.grammars
  const grammars = folder === undefined ? undefined : `${absolute(folder).replace(/\/+$/, '')}/`
  return part.open(options, { ...at, grammars })
}

/**
 * Which n-grams of a question are to be searched for. `seed`: all of three words, those of two that bring a word, long words and digits;
 * `cover` (default): one is left out only when a kept one finds all that it finds. `max`: default 20.
 */
export async function optimizeQueries(
  ngrams: readonly string[],
  options: { strategy?: GramStrategy; max?: number; assets?: DocsAssets } = {},
): Promise<GramChoice> {
  const { part, at } = await loaded(options.assets)
  return part.optimizeQueries(ngrams, options, at)
}

/** Searches of another engine in batches, for as many as are wanted. Fails: host.io_failed for the package's files. */
export async function openSearch(port: SearchPort, { assets }: { assets?: DocsAssets } = {}): Promise<SearchBatches> {
  const { part, at } = await loaded(assets)
  return part.openSearch(port, at)
}
