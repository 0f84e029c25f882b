/**
 * Outlines of programs by the grammars of tree-sitter, which lie beside this package's code and are loaded with the first program of
 * their language. Where one cannot be loaded, or a file is too large for it, there is none: the index then guesses.
 */
import { readFile } from 'node:fs/promises'
import type { OutlineReader } from '../../web/standard/documents/ports.js'
import { outlineLines, type OutlineTree } from '../../web/standard/documents/program-outline.js'

interface Parser {
  setLanguage(language: unknown): void
  parse(text: string): { readonly rootNode: OutlineTree; delete(): void } | null
}
/** What is used of web-tree-sitter. */
interface TreeSitter {
  readonly Parser: { init(options: { wasmBinary: Uint8Array }): Promise<void>; new (): Parser }
  readonly Language: { load(bytes: Uint8Array): Promise<unknown> }
}

/** Not known of a bundle: then nothing is found there. Asked for inside what may fail. */
const place = (name: string): URL => new URL(`../../grammars/${name}`, import.meta.url)
const grammarOf: Readonly<Record<string, string>> = {
  ...{ js: 'javascript', mjs: 'javascript', cjs: 'javascript', jsx: 'javascript' },
  ...{ ts: 'typescript', mts: 'typescript', cts: 'typescript', tsx: 'tsx', py: 'python', pyi: 'python' },
}
/** A parse of so much takes a second; beyond, a guess has to do. */
const mostBytes = 4 << 20

let runtime: Promise<TreeSitter | undefined> | undefined
const parsers = new Map<string, Promise<Parser | undefined>>()

async function loadRuntime(): Promise<TreeSitter | undefined> {
  try {
    const found = (await import(place('web-tree-sitter.js').href)) as TreeSitter
    await found.Parser.init({ wasmBinary: await readFile(place('web-tree-sitter.wasm')) })
    return found
  } catch {
    return undefined
  }
}

async function loadParser(grammar: string): Promise<Parser | undefined> {
  runtime ??= loadRuntime()
  const loaded = await runtime
  if (loaded === undefined) return undefined
  try {
    const parser = new loaded.Parser()
    parser.setLanguage(await loaded.Language.load(await readFile(place(`tree-sitter-${grammar}.wasm`))))
    return parser
  } catch {
    return undefined
  }
}

export function grammarOutlines(): OutlineReader {
  return async (path, bytes) => {
    const grammar = grammarOf[path.slice(path.lastIndexOf('.') + 1).toLowerCase()]
    if (grammar === undefined || bytes.length > mostBytes) return undefined
    let parser = parsers.get(grammar)
    if (parser === undefined) parsers.set(grammar, (parser = loadParser(grammar)))
    const tree = (await parser)?.parse(new TextDecoder().decode(bytes))
    if (tree === undefined || tree === null) return undefined
    try {
      // A program without any declaration has an outline too: none. The first line stands for it.
      return outlineLines(tree.rootNode, grammar)
    } finally {
      tree.delete()
    }
  }
}
