/** The index of a page: a part by itself, loaded with the first index. */
import { DocsBase } from '../../standard/documents/documents.js'
import { Grammars, type GrammarFiles } from '../../standard/documents/grammars.js'
import type { DocumentSource } from '../../standard/documents/ports.js'
import { fetched, indexCore, type IndexFiles } from './module.js'
import type { PageDocsOptions } from './options.js'
import { FolderSource, ListSource } from './source.js'
import { DatabaseIndexStore } from './store.js'

export { openSearch, optimizeQueries } from './search.js'

/** By the address of their folder. */
const grammars = new Map<string, Grammars>()

function grammarsAt(folder: string): Grammars {
  const known = grammars.get(folder) ?? new Grammars(grammarFiles(folder))
  grammars.set(folder, known)
  return known
}

const grammarFiles = (folder: string): GrammarFiles => ({
  runtime: async () =>
    (await import(/* @vite-ignore */ /* webpackIgnore: true */ `${folder}web-tree-sitter.js`)) as unknown,
  bytes: async (name) => new Uint8Array(await (await fetched(`${folder}${name}`)).arrayBuffer()),
})

const sourceOf = ({ documents }: PageDocsOptions): DocumentSource =>
  'kind' in documents ? new FolderSource(documents) : new ListSource(documents)

/** `grammars`: address of their folder with a slash at its end; undefined: outlines are guessed. */
export async function open(
  options: PageDocsOptions,
  at: IndexFiles & { grammars: string | undefined },
): Promise<DocsBase> {
  const { name, embedder, signal } = options
  const core = await indexCore(at, options.rank)
  const store = name === undefined ? undefined : new DatabaseIndexStore(name)
  const outline = at.grammars === undefined ? undefined : grammarsAt(at.grammars).outline
  if (embedder?.dimensions === 0) await embedder.preload()
  const docs = new DocsBase(
    { core, source: sourceOf(options), store, embedder, outline, now: () => performance.now() },
    options,
  )
  try {
    await docs.load()
    await docs.update({ signal })
    return docs
  } catch (error) {
    await docs.close().catch(() => undefined)
    throw error
  }
}
