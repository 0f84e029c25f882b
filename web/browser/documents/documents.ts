/** The index of a page: a part by itself, loaded with the first index. */
import { AetherflowError } from '../../../bindings/errors.js'
import { IndexCore, type IndexData } from '../../../bindings/index/core.js'
import { createIndex } from '../../../bindings/index/glue.js'
import { DocsBase } from '../../standard/documents/documents.js'
import type { DocumentSource } from '../../standard/documents/ports.js'
import type { PageDocsOptions } from './options.js'
import { FolderSource, ListSource } from './source.js'
import { DatabaseIndexStore } from './store.js'

async function fetched(address: string): Promise<Response> {
  try {
    const response = await fetch(address)
    if (!response.ok) throw new Error(`status ${response.status}`)
    return response
  } catch (error) {
    throw new AetherflowError('host.io_failed', address, error instanceof Error ? error.message : String(error))
  }
}

const sourceOf = ({ documents }: PageDocsOptions): DocumentSource =>
  'kind' in documents ? new FolderSource(documents) : new ListSource(documents)

export async function open(options: PageDocsOptions, at: { module: string; data: string }): Promise<DocsBase> {
  const { name, embedder, signal } = options
  const [wasm, data] = await Promise.all([
    fetched(at.module).then((response) => response.arrayBuffer()),
    fetched(at.data).then((response) => response.json() as Promise<IndexData>),
  ])
  const core = new IndexCore(await createIndex({ wasmBinary: wasm }), data, options.rank)
  const store = name === undefined ? undefined : new DatabaseIndexStore(name)
  if (embedder?.dimensions === 0) await embedder.preload()
  const docs = new DocsBase({ core, source: sourceOf(options), store, embedder, now: () => performance.now() }, options)
  try {
    await docs.load()
    await docs.update({ signal })
    return docs
  } catch (error) {
    await docs.close().catch(() => undefined)
    throw error
  }
}
