/** Where a page's documents come from: a list, or a folder that a person has chosen. */
import { AetherflowError } from '../../../bindings/errors.js'
import { IgnoreRules, isIgnored } from '../../standard/documents/ignore.js'
import type { DocumentSource, SkippedFile, SourceFile } from '../../standard/documents/ports.js'
import type { PageDocsOptions, PageDocument, PageFolder } from './options.js'

const mostBytes = 16 << 20
const ends =
  /\.(?:md|markdown|mdx|txt|rst|adoc|json|[mc]?[jt]sx?|pyi?|go|rs|java|kt|c|h|cc|[ch]pp|cs|rb|php|swift|sh)$/i
const ignoreFiles = ['.gitignore', '.aetherflowignore']

export class ListSource implements DocumentSource {
  readonly #given: Exclude<PageDocsOptions['documents'], PageFolder>
  #known = new Map<string, Uint8Array>()

  constructor(given: Exclude<PageDocsOptions['documents'], PageFolder>) {
    this.#given = given
  }

  async list(): Promise<SourceFile[]> {
    const all: readonly PageDocument[] = typeof this.#given === 'function' ? await this.#given() : this.#given
    const encoder = new TextEncoder()
    this.#known = new Map(
      all.map(({ path, text }) => [path, typeof text === 'string' ? encoder.encode(text) : text] as const),
    )
    return Promise.all(
      [...this.#known].map(async ([path, bytes]) => ({ path, bytes: bytes.length, stamp: await digestOf(bytes) })),
    )
  }
  read(path: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.#known.get(path))
  }
}

async function digestOf(bytes: Uint8Array): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', new Uint8Array(bytes))
  return [...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** The interfaces of the file system that TypeScript's library does not have yet. */
type Entries = AsyncIterable<[string, FileSystemDirectoryHandle | FileSystemFileHandle]>

export class FolderSource implements DocumentSource {
  readonly #root: PageFolder
  #handles = new Map<string, FileSystemFileHandle>()

  constructor(root: PageFolder) {
    this.#root = root
  }

  async list(skip: (file: SkippedFile) => void, signal?: AbortSignal): Promise<SourceFile[]> {
    const files: SourceFile[] = []
    this.#handles = new Map()
    try {
      await this.#walk(this.#root, '', [], { files, skip, signal })
    } catch (error) {
      signal?.throwIfAborted()
      throw new AetherflowError(
        'host.io_failed',
        this.#root.name,
        error instanceof Error ? error.message : String(error),
      )
    }
    return files.sort((a, b) => (a.path < b.path ? -1 : 1))
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    try {
      const file = await this.#handles.get(path)?.getFile()
      return file === undefined || file.size > mostBytes ? undefined : new Uint8Array(await file.arrayBuffer())
    } catch {
      return undefined
    }
  }

  async #walk(
    folder: FileSystemDirectoryHandle,
    path: string,
    above: readonly IgnoreRules[],
    to: { files: SourceFile[]; skip: (file: SkippedFile) => void; signal: AbortSignal | undefined },
  ): Promise<void> {
    to.signal?.throwIfAborted()
    const entries = new Map<string, FileSystemDirectoryHandle | FileSystemFileHandle>()
    for await (const [name, handle] of (folder as unknown as { entries(): Entries }).entries())
      entries.set(name, handle)
    const rules = [...above]
    for (const name of ignoreFiles) {
      const handle = entries.get(name)
      if (handle?.kind === 'file') rules.push(new IgnoreRules(await (await handle.getFile()).text(), path))
    }
    for (const [name, handle] of entries) {
      const own = path === '' ? name : `${path}/${name}`
      if (isIgnored(rules, own, handle.kind === 'directory')) continue
      if (handle.kind === 'directory') {
        if (name !== '.git' && name !== 'node_modules') await this.#walk(handle, own, rules, to)
      } else if (ends.test(name)) await this.#add(own, handle, to)
    }
  }

  async #add(
    path: string,
    handle: FileSystemFileHandle,
    { files, skip }: { files: SourceFile[]; skip: (file: SkippedFile) => void },
  ): Promise<void> {
    const file = await handle.getFile()
    if (file.size > mostBytes) return skip({ path, reason: 'too_large' })
    this.#handles.set(path, handle)
    files.push({ path, bytes: file.size, stamp: `${file.size}-${file.lastModified}` })
  }
}
