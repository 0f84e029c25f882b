/** The files of a folder that are worth an index: without what is ignored, and never outside of it. */
import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { isAbsolute, join, relative, sep } from 'node:path'
import { AetherflowError } from '../../bindings/errors.js'
import { IgnoreRules, isIgnored } from '../../web/standard/documents/ignore.js'
import type { DocumentSource, SkippedFile, SourceFile } from '../../web/standard/documents/ports.js'
import { errorCode } from '../error-code.js'

export interface FolderSourceOptions {
  /** Ends of names that are read. Default: texts and programs, see `usualEnds`. */
  readonly ends?: readonly string[] | undefined
  /** Larger files are skipped, and said. Default 16 MiB. */
  readonly mostBytes?: number | undefined
}

export const usualEnds = [
  ...['md', 'markdown', 'mdx', 'mdown', 'txt', 'rst', 'adoc', 'json'],
  ...[
    'js',
    'mjs',
    'cjs',
    'jsx',
    'ts',
    'mts',
    'cts',
    'tsx',
    'py',
    'pyi',
    'go',
    'rs',
    'java',
    'kt',
    'c',
    'h',
    'cc',
    'cpp',
    'hpp',
  ],
  ...['cs', 'rb', 'php', 'swift', 'scala', 'lua', 'sh'],
]
const usualBytes = 16 << 20
const ignoreFiles = ['.gitignore', '.aetherflowignore']
/** Never of use, and large; the last: what earlier runs answered would stand for what the project says. */
const neverInto = new Set(['.git', 'node_modules', '.aetherflow', 'aetherflow-out'])

/** Of a run that was kept elsewhere: the same holds for it. */
const isRunFolder = (names: readonly string[]): boolean =>
  names.includes('step_outputs') && (names.includes('journal.jsonl') || names.includes('run.json'))

type Skip = (file: SkippedFile) => void

/** What a walk gathers. */
interface Walk {
  readonly files: SourceFile[]
  readonly folders: string[]
  readonly skip: Skip
  readonly signal: AbortSignal | undefined
  /** Folders that are being walked, by where they really are: a link back to one has no end. */
  readonly into: Set<string>
}

/** Fails: host.io_failed when the folder cannot be read; what cannot be read inside it is skipped. */
export class FolderSource implements DocumentSource {
  readonly #root: string
  readonly #ends: ReadonlySet<string>
  readonly #mostBytes: number
  #real: Promise<string> | undefined

  constructor(root: string, { ends = usualEnds, mostBytes = usualBytes }: FolderSourceOptions = {}) {
    this.#root = root
    this.#ends = new Set(ends)
    this.#mostBytes = mostBytes
  }

  async list(skip: Skip, signal?: AbortSignal): Promise<SourceFile[]> {
    const files: SourceFile[] = []
    await this.#walk('', [], { files, folders: [], skip, signal, into: new Set([await this.#base()]) })
    return files.sort((a, b) => (a.path < b.path ? -1 : 1))
  }

  /** The folders that `list` looks into, as the system knows them. Fails as `list`. */
  async folders(signal?: AbortSignal): Promise<string[]> {
    const folders: string[] = []
    await this.#walk('', [], { files: [], folders, skip: () => {}, signal, into: new Set([await this.#base()]) })
    return folders
  }

  async read(path: string): Promise<Uint8Array | undefined> {
    try {
      const real = await this.#inside(path)
      if (real === undefined) return undefined
      const info = await stat(real)
      if (!info.isFile() || info.size > this.#mostBytes) return undefined
      return new Uint8Array(await readFile(real))
    } catch {
      return undefined
    }
  }

  #base(): Promise<string> {
    this.#real ??= realpath(this.#root).catch((error: unknown) => {
      this.#real = undefined
      throw new AetherflowError('host.io_failed', this.#root, errorCode(error) || String(error))
    })
    return this.#real
  }

  /** Where the path really leads; undefined: out of the root. */
  async #inside(path: string): Promise<string | undefined> {
    const base = await this.#base()
    const real = await realpath(join(base, path))
    const way = relative(base, real)
    return way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way) ? undefined : real
  }

  async #walk(folder: string, above: readonly IgnoreRules[], to: Walk): Promise<void> {
    to.signal?.throwIfAborted()
    const place = join(await this.#base(), folder)
    const entries = await readdir(place, { withFileTypes: true }).catch((error: unknown) => {
      if (folder === '') throw new AetherflowError('host.io_failed', this.#root, errorCode(error) || String(error))
      to.skip({ path: folder, reason: 'unreadable' })
      return []
    })
    to.folders.push(place)
    if (isRunFolder(entries.map(({ name }) => name))) return
    const rules = [...above]
    for (const name of ignoreFiles) {
      if (!entries.some((entry) => entry.name === name && entry.isFile())) continue
      const text = await readFile(join(place, name), 'utf8').catch(() => '')
      rules.push(new IgnoreRules(text, folder))
    }
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (/[\u0000-\u001f\u007f]/.test(entry.name)) continue
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      await this.#visit(path, rules, to)
    }
  }

  async #visit(path: string, rules: readonly IgnoreRules[], to: Walk): Promise<void> {
    const name = path.slice(path.lastIndexOf('/') + 1)
    const real = await this.#inside(path).catch(() => null)
    const info = real === undefined || real === null ? undefined : await stat(real).catch(() => undefined)
    if (real === undefined) to.skip({ path, reason: 'outside' })
    if (info === undefined || typeof real !== 'string') return
    if (isIgnored(rules, path, info.isDirectory())) return
    if (info.isDirectory()) {
      if (neverInto.has(name) || to.into.has(real)) return
      to.into.add(real)
      await this.#walk(path, rules, to)
      to.into.delete(real)
      return
    }
    if (!info.isFile() || !this.#ends.has(name.slice(name.lastIndexOf('.') + 1).toLowerCase())) return
    if (info.size > this.#mostBytes) to.skip({ path, reason: 'too_large' })
    else to.files.push({ path, bytes: info.size, stamp: `${info.size}-${info.mtimeMs}-${info.ino}` })
  }
}
