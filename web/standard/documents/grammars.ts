/**
 * Outlines of programs by the grammars of tree-sitter, each loaded with the first program of its language. Where one cannot be
 * loaded, or a file is too large for it, there is none: the index then guesses.
 */
import type { OutlineReader } from './ports.js'
import { outlineLines, type OutlineTree } from './program-outline.js'

/** The files of the package's folder `grammars`, however a host gets at them. Rejects as it likes. */
export interface GrammarFiles {
  /** The module `web-tree-sitter.js`. */
  runtime(): Promise<unknown>
  bytes(name: string): Promise<Uint8Array>
}

/** What is read of a node besides its outline. */
export interface SyntaxNode extends OutlineTree {
  readonly hasError: boolean
  readonly isError: boolean
  readonly isMissing: boolean
  /** In UTF-16 units of the text. */
  readonly startIndex: number
  readonly endIndex: number
  readonly startPosition: { readonly row: number; readonly column: number }
  readonly children: readonly (SyntaxNode | null)[]
}

interface Parser {
  setLanguage(language: unknown): void
  parse(text: string): { readonly rootNode: SyntaxNode; delete(): void } | null
}
/** What is used of web-tree-sitter. */
interface TreeSitter {
  readonly Parser: { init(options: { wasmBinary: Uint8Array }): Promise<void>; new (): Parser }
  readonly Language: { load(bytes: Uint8Array): Promise<unknown> }
}

const grammarOf: Readonly<Record<string, string>> = {
  ...{ js: 'javascript', mjs: 'javascript', cjs: 'javascript', jsx: 'javascript' },
  ...{ ts: 'typescript', mts: 'typescript', cts: 'typescript', tsx: 'tsx', py: 'python', pyi: 'python' },
}
/** A parse of so much takes a second; beyond, a guess has to do. */
const mostBytes = 4 << 20

/** One for a process or page: runtime and parsers are loaded once. */
export class Grammars {
  readonly #files: GrammarFiles
  #runtime: Promise<TreeSitter | undefined> | undefined
  readonly #parsers = new Map<string, Promise<Parser | undefined>>()

  constructor(files: GrammarFiles) {
    this.#files = files
  }

  // A program without any declaration has an outline too: none. The first line stands for it.
  readonly outline: OutlineReader = (path, bytes) => this.read(path, bytes, outlineLines)

  /** What `use` makes of the syntax tree; undefined where there is none. The tree is gone after that. */
  async read<T>(
    path: string,
    bytes: Uint8Array,
    use: (root: SyntaxNode, grammar: string) => T,
  ): Promise<T | undefined> {
    const grammar = grammarOf[path.slice(path.lastIndexOf('.') + 1).toLowerCase()]
    if (grammar === undefined || bytes.length > mostBytes) return undefined
    let parser = this.#parsers.get(grammar)
    if (parser === undefined) this.#parsers.set(grammar, (parser = this.#loadParser(grammar)))
    const tree = (await parser)?.parse(new TextDecoder().decode(bytes))
    if (tree === undefined || tree === null) return undefined
    try {
      return use(tree.rootNode, grammar)
    } finally {
      tree.delete()
    }
  }

  async #loadRuntime(): Promise<TreeSitter | undefined> {
    try {
      const found = (await this.#files.runtime()) as TreeSitter
      await found.Parser.init({ wasmBinary: await this.#files.bytes('web-tree-sitter.wasm') })
      return found
    } catch {
      return undefined
    }
  }

  async #loadParser(grammar: string): Promise<Parser | undefined> {
    this.#runtime ??= this.#loadRuntime()
    const loaded = await this.#runtime
    if (loaded === undefined) return undefined
    try {
      const parser = new loaded.Parser()
      parser.setLanguage(await loaded.Language.load(await this.#files.bytes(`tree-sitter-${grammar}.wasm`)))
      return parser
    } catch {
      return undefined
    }
  }
}
