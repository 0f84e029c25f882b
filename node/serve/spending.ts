/** What every key has spent today, in UTC: kept in a file of a line a request, so that a restart gives no budget back. */
import { open, readFile, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode } from '../error-code.js'
import { makeFolder } from '../make-folder.js'
import { ioError } from '../run/outputs.js'

interface Line {
  readonly key: string
  readonly microUsd: number
}

const dayMs = 86_400_000

export class Spending {
  readonly #folder: string | undefined
  readonly #wallClock: () => number
  #day = ''
  /** Since 1970. */
  #days = -1
  readonly #spent = new Map<string, number>()
  #lines: string[] = []
  #writing: Promise<void> | undefined
  /** Of the day that was written last. */
  #handle: { readonly path: string; readonly file: FileHandle } | undefined
  /** Why it could not be written; told once, by `settled`. */
  #fault: unknown

  private constructor(folder: string | undefined, wallClock: () => number) {
    this.#folder = folder
    this.#wallClock = wallClock
  }

  /** `folder` undefined: in memory alone. Fails: host.io_failed. */
  static async open(folder: string | undefined, wallClock: () => number = Date.now): Promise<Spending> {
    const spending = new Spending(folder, wallClock)
    spending.#turn()
    if (folder !== undefined) await spending.#read()
    return spending
  }

  /** Micro-USD. */
  today(key: string): number {
    this.#turn()
    return this.#spent.get(key) ?? 0
  }

  add(key: string, microUsd: number): void {
    if (!(microUsd > 0)) return
    this.#spent.set(key, this.today(key) + microUsd)
    if (this.#folder === undefined) return
    this.#lines.push(`${JSON.stringify({ key, microUsd } satisfies Line)}\n`)
    this.#writing ??= this.#write()
  }

  /** Resolves once all is written. Fails: host.io_failed, when something could not be. */
  async settled(): Promise<void> {
    await this.#writing
    if (this.#fault !== undefined) throw this.#fault
  }

  /** Once nothing is added any more. Fails as `settled`. */
  async close(): Promise<void> {
    await this.#writing
    await this.#handle?.file.close().catch(() => undefined)
    this.#handle = undefined
    await this.settled()
  }

  #turn(): void {
    const now = this.#wallClock()
    // Every request asks several times: a day's name is made once a day.
    const days = Math.floor(now / dayMs)
    if (days === this.#days) return
    this.#days = days
    this.#day = new Date(now).toISOString().slice(0, 10)
    this.#spent.clear()
  }

  #file(): string {
    return join(this.#folder ?? '', `spent-${this.#day}.jsonl`)
  }

  async #read(): Promise<void> {
    const text = await readFile(this.#file(), 'utf8').catch((error: unknown) => {
      if (errorCode(error) === 'ENOENT') return ''
      throw ioError(this.#file(), error)
    })
    for (const line of text.split('\n')) {
      const read = lineOf(line)
      if (read !== undefined) this.#spent.set(read.key, (this.#spent.get(read.key) ?? 0) + read.microUsd)
    }
  }

  /** One write at a time, of all lines that came meanwhile. */
  async #write(): Promise<void> {
    while (this.#lines.length > 0) {
      const text = this.#lines.join('')
      this.#lines = []
      try {
        const file = await this.#opened()
        await file.writeFile(text)
        // Money that is gone stays gone, whatever the machine does next; nobody waits for it.
        await file.datasync()
      } catch (error) {
        this.#fault ??= ioError(this.#file(), error)
      }
    }
    this.#writing = undefined
  }

  /** Opened once a day: a request is not worth three calls of the system. */
  async #opened(): Promise<FileHandle> {
    const path = this.#file()
    if (this.#handle?.path === path) return this.#handle.file
    await this.#handle?.file.close().catch(() => undefined)
    this.#handle = undefined
    await makeFolder(this.#folder ?? '.', 0o700)
    const file = await open(path, 'a', 0o600)
    this.#handle = { path, file }
    return file
  }
}

/** A line that was cut off by a crash counts nothing. */
function lineOf(text: string): Line | undefined {
  try {
    const { key, microUsd } = JSON.parse(text) as Partial<Line>
    return typeof key === 'string' && typeof microUsd === 'number' && microUsd > 0 ? { key, microUsd } : undefined
  } catch {
    return undefined
  }
}
