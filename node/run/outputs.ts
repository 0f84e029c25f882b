/**
 * The folder of a run's results: `step_outputs/<id>.<ext>` as each step ends, then `run.json` and the report.
 * Every file appears whole or not at all: it is written under another name, flushed, and renamed.
 */
import { createHash } from 'node:crypto'
import { lstat, open, readdir, readFile, rename, rmdir, unlink } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { AetherflowError } from '../../bindings/errors.js'
import type { StepInfo } from '../../bindings/events.js'
import { errorCode } from '../error-code.js'
import { makeFolder } from '../make-folder.js'
import { patiently, Places } from '../patience.js'

/** Longest name of an output without its extension, bytes. */
const mostNameBytes = 120

/** Names that Windows takes for devices, with any extension. */
const deviceName = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(?=\.|$)/i

/**
 * A step's id as a file name: `[A-Za-z0-9._-]` stay, every other byte of its UTF-8 becomes %XX, as do a leading dot and the
 * first letter of a device name; longer than 120 bytes it is cut and ends in a hash. Never a path: it holds no separator.
 */
export function outputName(id: string): string {
  const hex = (byte: number): string => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  let name = ''
  for (const byte of Buffer.from(id, 'utf8')) {
    const character = String.fromCharCode(byte)
    name += /[A-Za-z0-9._-]/.test(character) ? character : hex(byte)
  }
  if (name.startsWith('.') || deviceName.test(name)) name = hex(name.charCodeAt(0)) + name.slice(1)
  // A cut may fall into a %XX: the hash keeps the name unique, and nobody decodes a cut name.
  return name.length <= mostNameBytes ? name : `${name.slice(0, mostNameBytes - 17)}-${hashOf(id).slice(0, 16)}`
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/**
 * What a step's output is by its constraint and type: JSON for `json` and schemas; code takes the extension that all its context
 * files share, else .txt; text and free answers are Markdown where models write Markdown, else .txt.
 */
export function outputExtension(step: Pick<StepInfo, 'type' | 'output' | 'files'>): string {
  const { output, type } = step
  if (output === 'json' || output === 'schema') return '.json'
  const prose = type === 'documentation' || type === 'analysis' || type === 'brainstorming'
  if (output === 'text') return prose ? '.md' : '.txt'
  if (output === 'any') return '.md'
  const extensions = new Set(step.files.map((file) => extname(file)))
  const [only] = extensions
  return extensions.size === 1 && only !== undefined && /^\.[A-Za-z0-9]{1,10}$/.test(only) ? only : '.txt'
}

/** A step's file name in two parts: the plan's own, else made of id and kind. */
function nameParts(step: StepInfo): { base: string; extension: string } {
  const { id, outputFile } = step
  if (outputFile === undefined) return { base: outputName(id), extension: outputExtension(step) }
  const extension = extname(outputFile)
  return { base: outputName(outputFile.slice(0, outputFile.length - extension.length)), extension }
}

const stepsFolder = 'step_outputs'

/** Outputs written at once. Thousands may end together, and each takes a file handle that calls need too. */
const mostWrites = 8

/** Answers are private: what runs leave is for their owner alone. */
const fileMode = 0o600
const folderMode = 0o700

/** Takes away what processes that were killed left half written in the folder of a run. Only for who owns the run. */
export async function sweepParts(folder: string): Promise<void> {
  for (const place of [folder, join(folder, stepsFolder)]) {
    const names = await readdir(place).catch((): string[] => [])
    for (const name of names)
      if (/^\.(journal-)?\d+(-\d+)?\.part$/.test(name)) await unlink(join(place, name)).catch(() => {})
  }
}

export class OutputFolder {
  readonly folder: string
  readonly #names = new Map<string, string>()
  /** Lower-case names that are taken: file systems may not tell A from a. */
  readonly #taken = new Set<string>()
  #created: string | undefined
  #temporary = 0
  #written = 0
  readonly #places = new Places(mostWrites)

  constructor(folder: string) {
    this.folder = folder
  }

  /** Where the outputs of steps lie. */
  get steps(): string {
    return join(this.folder, stepsFolder)
  }
  /** Nothing was written into it. */
  get empty(): boolean {
    return this.#temporary === 0
  }
  /** Outputs written so far. */
  get written(): number {
    return this.#written
  }

  /** Makes the folders, so that an impossible one costs nothing. Fails: host.io_failed. */
  async prepare(): Promise<void> {
    try {
      this.#created = await makeFolder(this.steps, folderMode)
      if (!(await lstat(this.steps)).isSymbolicLink()) return
    } catch (error) {
      throw ioError(this.steps, error)
    }
    throw new AetherflowError(
      'host.io_failed',
      this.steps,
      'a link, which would lead the outputs out of the folder of the run',
    )
  }

  /** Gives names in the order of the plan: which of two colliding ids gets the plain name must not depend on who ends first. */
  adopt(steps: readonly StepInfo[]): void {
    for (const step of steps) this.nameOf(step)
  }

  /** File name of a step's output; the same for the same step each time. */
  nameOf(step: StepInfo): string {
    const known = this.#names.get(step.id)
    if (known !== undefined) return known
    const { base, extension } = nameParts(step)
    const hash = hashOf(step.id)
    let name = base + extension
    for (let size = 12; this.#taken.has(name.toLowerCase()); size += 12) {
      const suffix = size <= hash.length ? hash.slice(0, size) : `${hash}-${size}`
      name = `${base.slice(0, mostNameBytes)}-${suffix}${extension}`
    }
    this.#taken.add(name.toLowerCase())
    this.#names.set(step.id, name)
    return name
  }

  /** Where the outputs of these steps lie, seen from the working folder. */
  *files(ids: Iterable<string>): Iterable<readonly [id: string, path: string]> {
    for (const id of ids) {
      const name = this.#names.get(id)
      if (name !== undefined) yield [id, join(this.steps, name)]
    }
  }

  /** Path of each written or expected output below the folder, by step id. */
  paths(ids: Iterable<string>): Record<string, string> {
    const entries = [...ids].map((id) => [id, this.#names.get(id)] as const)
    // A null prototype: `__proto__` is a lawful id.
    const paths = Object.create(null) as Record<string, string>
    for (const [id, name] of entries) if (name !== undefined) paths[id] = `step_outputs/${name}`
    return paths
  }

  /**
   * Makes one output durable, and gives its path. `again`: it may be there already, and is written only when it is not, or not so.
   * Fails: host.io_failed with the path.
   */
  async write(step: StepInfo, text: string, again = false): Promise<string> {
    const name = this.nameOf(step)
    if (!again || !(await holds(join(this.steps, name), text))) await this.#replace(this.steps, name, text)
    this.#written += 1
    return join(this.steps, name)
  }

  /** Keeps an answer that was paid for and refused, beside the outputs: `a.rejected.txt`, `a.rejected-2.txt`. Fails: host.io_failed. */
  async reject(step: StepInfo, text: string, why: string): Promise<string> {
    const name = this.nameOf(step)
    const base = name.slice(0, name.length - nameParts(step).extension.length)
    for (let n = 1; ; ++n) {
      const plain = `${base}.rejected${n === 1 ? '' : `-${n}`}.txt`
      const free = this.#taken.has(plain.toLowerCase())
        ? `${base}.rejected-${n}-${hashOf(step.id).slice(0, 12)}.txt`
        : plain
      const found = await patiently(() => lstat(join(this.steps, free))).catch(() => undefined)
      if (found !== undefined) continue
      await this.#replace(this.steps, free, `rejected: ${why}\n\n${text}`)
      return join(this.steps, free)
    }
  }

  /** Writes a file of the run beside the outputs. Fails: host.io_failed with the path. */
  async keep(name: string, text: string): Promise<void> {
    await this.#replace(this.folder, name, text)
    await syncFolder(this.folder)
  }

  /** Writes `run.json`, and the files of the report by their names. Fails: host.io_failed with the path. */
  async finish(run: unknown, report: Readonly<Record<string, string>>): Promise<void> {
    await this.#replace(this.folder, 'run.json', `${JSON.stringify(run, null, 2)}\n`)
    for (const [name, text] of Object.entries(report)) await this.#replace(this.folder, name, text)
    await syncFolder(this.steps)
    await syncFolder(this.folder)
  }

  /** Takes back the folders that `prepare` made, when nothing was written into them. */
  async discard(): Promise<void> {
    if (this.#created === undefined || this.#written > 0) return
    // Only empty folders go; parents above the run's own stay.
    await rmdir(this.steps).catch(() => {})
    if (this.#created !== this.steps) await rmdir(this.folder).catch(() => {})
  }

  async #replace(folder: string, name: string, text: string): Promise<void> {
    return this.#places.run(() => this.#replaceNow(folder, name, text))
  }

  async #replaceNow(folder: string, name: string, text: string): Promise<void> {
    const path = join(folder, name)
    // Two runs into one folder must not share a temporary name.
    const temporary = join(folder, `.${process.pid}-${this.#temporary++}.part`)
    try {
      const file = await patiently(() => open(temporary, 'wx', fileMode))
      try {
        await file.writeFile(text, 'utf8')
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(temporary, path)
    } catch (error) {
      await unlink(temporary).catch(() => {})
      throw ioError(path, error)
    }
  }
}

/** Whether the file, and no link to another, has exactly this text. */
async function holds(path: string, text: string): Promise<boolean> {
  try {
    return (await lstat(path)).isFile() && (await patiently(() => readFile(path))).equals(Buffer.from(text, 'utf8'))
  } catch {
    return false
  }
}

/** Whole or not at all, and still there after a loss of power. Rejects with the system's error. */
export async function writeWhole(folder: string, name: string, text: string): Promise<void> {
  const path = join(folder, name)
  const part = `${path}.part`
  const file = await open(part, 'w', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(part, path)
  await syncFolder(folder)
}

/** A rename is durable once its folder is; platforms that cannot flush folders lose nothing but that. */
export async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await patiently(() => open(folder, 'r'))
    await handle.sync().finally(() => handle.close())
  } catch {
    // Windows refuses to open folders.
  }
}

const words: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the disk quota is used up',
  EACCES: 'not permitted',
  EPERM: 'not permitted',
  EROFS: 'the file system is read-only',
  ENOTDIR: 'a part of the path is not a folder',
  EEXIST: 'a file stands where a folder is needed',
  EISDIR: 'a folder stands where the file belongs',
  ENOENT: 'the file or its folder is not there',
  EMFILE: 'too many open files: raise the limit (ulimit -n), or lower the calls at once (concurrency)',
  ENFILE: 'the system has too many open files',
}

/** The system's error as the path and words for it. */
export function ioError(path: string, error: unknown): AetherflowError {
  const code = errorCode(error)
  return new AetherflowError('host.io_failed', path, words[code] ?? (code === '' ? String(error) : code))
}

/** A plan's file name for reports: never the folders, which tell about the machine. */
export function planName(path: string): string {
  return path === '-' ? 'standard input' : basename(path)
}
