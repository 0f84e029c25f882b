/**
 * What was applied of a run, in its folder, so that it can be taken back and a crash in between leaves no doubt: what is about to be
 * done stands there, durable, before it is done, with the bytes that it replaces. Whether it was done, the file itself tells.
 *
 *   applied.jsonl    {"n":1,"step":"a","target":"src/parser","answer":"07…","before":"5f…","after":"9c…","mode":420,"folders":["src"]}
 *                    {"n":1,"undone":true}
 *   applied/1        the bytes before
 */
import { join } from 'node:path'
import { ioError } from '../run/outputs.js'
import { errorCode } from '../error-code.js'
import type { Disk, FileState } from './disk.js'

export interface Applied {
  readonly n: number
  readonly step: string
  readonly target: string
  /** Digest of what was applied. */
  readonly answer: string
  /** Digests of the file, or `absent`. */
  readonly before: string
  readonly after: string
  /** Permission bits of the file before; of a new one those that it got. */
  readonly mode: number
  /** Folders that were made for it. */
  readonly folders: readonly string[]
}

export const ledgerName = 'applied.jsonl'

function isApplied(value: unknown): value is Applied {
  if (typeof value !== 'object' || value === null) return false
  const { n, step, target, answer, before, after, mode, folders } = value as Record<string, unknown>
  const texts = [step, target, answer, before, after].every((text) => typeof text === 'string')
  return (
    texts &&
    Number.isInteger(n) &&
    Number.isInteger(mode) &&
    Array.isArray(folders) &&
    folders.every((one) => typeof one === 'string')
  )
}

export class Ledger {
  readonly #folder: string
  readonly #disk: Disk
  readonly #entries = new Map<number, Applied>()
  #last = 0
  /** The file ends in the middle of a line: what is added begins a new one. */
  #torn = false

  private constructor(folder: string, disk: Disk) {
    this.#folder = folder
    this.#disk = disk
  }

  /** `folder`: of the run. What cannot be read of it is passed over: it was never done. */
  static async open(folder: string, disk: Disk): Promise<Ledger> {
    const ledger = new Ledger(folder, disk)
    const file = await disk.read(join(folder, ledgerName))
    const text = file === undefined ? '' : new TextDecoder().decode(file.bytes)
    ledger.#torn = text !== '' && !text.endsWith('\n')
    for (const line of text.split('\n')) ledger.#take(line)
    return ledger
  }

  #take(line: string): void {
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch {
      return
    }
    const { n, undone } = (value ?? {}) as { n?: unknown; undone?: unknown }
    if (typeof n !== 'number') return
    this.#last = Math.max(this.#last, n)
    if (undone === true) this.#entries.delete(n)
    else if (isApplied(value)) this.#entries.set(n, value)
  }

  /** What was to be done and is not taken back, in order. */
  get entries(): readonly Applied[] {
    return [...this.#entries.values()].sort((a, b) => a.n - b.n)
  }

  /** Before it is done. Fails: host.io_failed. */
  async add(entry: Omit<Applied, 'n'>, before: FileState | undefined): Promise<Applied> {
    const added = { n: this.#last + 1, ...entry }
    try {
      if (before !== undefined) {
        await this.#disk.mkdir(join(this.#folder, 'applied')).catch((error: unknown) => {
          if (errorCode(error) !== 'EEXIST') throw error
        })
        // Left by a process that ended before its line stood.
        await this.#disk.unlink(this.#backup(added.n)).catch(() => {})
        await this.#disk.writeNew(this.#backup(added.n), before.bytes, 0o600)
        await this.#disk.sync(join(this.#folder, 'applied'))
      }
      await this.#append(added)
    } catch (error) {
      throw ioError(join(this.#folder, ledgerName), error)
    }
    this.#last = added.n
    this.#entries.set(added.n, added)
    return added
  }

  /** The bytes that it replaced; undefined: there was no file, or they are gone. */
  async before({ n, mode }: Applied): Promise<FileState | undefined> {
    const file = await this.#disk.read(this.#backup(n))
    return file && { bytes: file.bytes, mode }
  }

  /** It is taken back, or was never done. */
  async undone({ n }: Applied): Promise<void> {
    try {
      await this.#append({ n, undone: true })
    } catch (error) {
      throw ioError(join(this.#folder, ledgerName), error)
    }
    this.#entries.delete(n)
  }

  async #append(value: object): Promise<void> {
    await this.#disk.append(join(this.#folder, ledgerName), `${this.#torn ? '\n' : ''}${JSON.stringify(value)}\n`)
    this.#torn = false
  }

  #backup(n: number): string {
    return join(this.#folder, 'applied', String(n))
  }
}
