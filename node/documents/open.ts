/** `openDocs`: an index of a folder's documents. */
import { resolve } from 'node:path'
import { performance } from 'node:perf_hooks'
import type { Embedder } from '../../bindings/cache/ports.js'
import { IndexCore } from '../../bindings/index/core.js'
import { DocsBase } from '../../web/standard/documents/documents.js'
import type { DocsOptions } from '../../web/standard/documents/options.js'
import type { DocumentSource, IndexStore } from '../../web/standard/documents/ports.js'
import { digest } from '../digest.js'
import { userCacheFolder } from '../folders.js'
import { openEmbedder } from '../embed/index.js'
import { loadIndex } from '../loader.js'
import { grammarOutlines } from './grammars.js'
import { FolderSource, type FolderSourceOptions } from './source.js'
import { FolderIndexStore } from './store.js'

export interface OpenDocsOptions extends DocsOptions, FolderSourceOptions {
  /** Folder of the documents; default: the working folder. */
  readonly dir?: string | undefined
  /** Folder that keeps the index; default: one of the user's cache folder, by the path of `dir`. False: nothing is kept. */
  readonly keep?: string | false | undefined
  /** As `openEmbedder`'s, or an embedder, which is then closed with the index. Absent, or `lexical`: words alone. */
  readonly model?: string | Embedder | undefined
  /** False: outlines of programs by indentation alone. Default true: by grammars, where there are. */
  readonly grammars?: boolean | undefined
  /** Instead of the folder. */
  readonly source?: DocumentSource | undefined
  /** Instead of `keep`. */
  readonly store?: IndexStore | undefined
  /** False: what is kept is used as it is, until `update`. Default true. */
  readonly update?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

/** Where the index of a folder is kept when nobody says so. */
export const indexFolder = (dir: string, env: Readonly<Record<string, string | undefined>> = process.env): string =>
  userCacheFolder(env, 'index', digest([resolve(dir)]).slice(0, 32))

/**
 *   await using docs = await openDocs({ dir: 'docs' })
 *   const { parts } = await docs.retrieve('How is the cache cleared?', { tokens: 1500 })
 *
 * Fails: host.io_failed for the folders; cache.model and cache.runtime for the model.
 */
export async function openDocs(options: OpenDocsOptions = {}): Promise<DocsBase> {
  const { dir = '.', keep, model, grammars = true } = options
  const { module, data } = await loadIndex()
  const embedder =
    model === undefined || model === 'lexical'
      ? undefined
      : typeof model === 'string'
        ? await openEmbedder(model)
        : model
  // Its files may not say how long its vectors are.
  if (embedder?.dimensions === 0) await embedder.preload()
  const core = new IndexCore(module, data, options.rank)
  const docs = new DocsBase(
    {
      core,
      embedder,
      source: options.source ?? new FolderSource(dir, options),
      store: options.store ?? (keep === false ? undefined : new FolderIndexStore(keep ?? indexFolder(dir))),
      outline: grammars ? grammarOutlines() : undefined,
      now: () => performance.now(),
    },
    options,
  )
  try {
    await docs.load()
    if (options.update !== false) await docs.update({ signal: options.signal })
    return docs
  } catch (error) {
    await docs.close().catch(() => {})
    throw error
  }
}
