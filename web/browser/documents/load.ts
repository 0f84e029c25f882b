/** `openDocs` in a page: a small part that brings the large one, which is loaded with the first index. */
import { AetherflowError } from '../../../bindings/errors.js'
import type { DocsBase } from '../../standard/documents/documents.js'
import type { DocsAssets, PageDocsOptions } from './options.js'

function addresses({ documents, indexModule, indexData }: DocsAssets = {}) {
  // Bundlers look for exactly these expressions.
  return {
    documents: documents ?? new URL('./documents.js', import.meta.url),
    module: indexModule ?? new URL('../core/aetherflow_index.wasm', import.meta.url),
    data: indexData ?? new URL('../core/aetherflow_index.json', import.meta.url),
  }
}

/** Fails: host.io_failed for the package's files and the documents. Without a place to keep it the index is made anew each time. */
export async function openDocs(options: PageDocsOptions): Promise<DocsBase> {
  const found = addresses(options.assets)
  const { href } = new URL(found.documents, globalThis.location?.href)
  let part: typeof import('./documents.js')
  try {
    part = (await import(/* @vite-ignore */ /* webpackIgnore: true */ href)) as typeof import('./documents.js')
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    throw new AetherflowError('host.io_failed', href, `the index cannot be loaded: ${detail}`)
  }
  const absolute = (address: string | URL): string => new URL(address, globalThis.location?.href).href
  return part.open(options, { module: absolute(found.module), data: absolute(found.data) })
}
