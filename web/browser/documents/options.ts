/** How a page opens an index of documents. */
import type { Embedder } from '../../../bindings/cache/ports.js'
import type { DocsOptions } from '../../standard/documents/options.js'

export interface PageDocument {
  /** With `/`, as references name it. */
  readonly path: string
  readonly text: string | Uint8Array
}

/** A folder that a person has chosen: `showDirectoryPicker()`, or one of the origin's own file system. */
export type PageFolder = FileSystemDirectoryHandle

export interface PageDocsOptions extends DocsOptions {
  /** The documents, asked for at every `update`; or a folder. */
  readonly documents: PageFolder | readonly PageDocument[] | (() => Promise<readonly PageDocument[]>)
  /** Keeps the index in the browser under that name. Absent: nothing is kept. */
  readonly name?: string | undefined
  /** Compares by meaning too; closed with the index. */
  readonly embedder?: Embedder | undefined
  readonly signal?: AbortSignal | undefined
  /** Addresses of the package's files, where they do not lie beside each other. */
  readonly assets?: DocsAssets | undefined
}

export interface DocsAssets {
  /** dist/browser/documents.js, dist/core/aetherflow_index.wasm and .json. */
  readonly documents?: string | URL
  readonly indexModule?: string | URL
  readonly indexData?: string | URL
  /** The folder dist/grammars, for outlines of programs by tree-sitter (1 to 3 MB, loaded by language). Absent: they are guessed. */
  readonly grammars?: string | URL
}
