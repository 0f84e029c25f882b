/**
 * What a run has told, as lines of a file in its folder, numbered from 1: the ids of its event stream. A line is told to watchers only
 * once the system has it, so that no process which comes later numbers another event the same. That a step or the run has come to
 * its end is told only once the disk has it: after a loss of power a reader may see the notes between two ends again under other
 * numbers, never an end that was told before taken back.
 */
import { open, readFile, type FileHandle } from 'node:fs/promises'
import type { RunEvent } from '../../bindings/events.js'
import { errorCode } from '../error-code.js'
import { ioError } from '../run/outputs.js'

export interface KeptEvent {
  readonly id: number
  readonly event: RunEvent
}

/** Of the moment alone: nobody who comes later misses them. */
const passing: ReadonlySet<RunEvent['type']> = new Set(['progress', 'prompt'])

/** What somebody may act on. */
const ends: ReadonlySet<RunEvent['type']> = new Set(['done', 'failed', 'skipped', 'cancelled', 'finish'])

export class KeptEvents {
  readonly #path: string
  readonly #told: (kept: KeptEvent) => void
  readonly #events: RunEvent[]
  #file: FileHandle | undefined
  #pending: RunEvent[] = []
  #writing: Promise<void> | undefined
  #fault: unknown
  /** How often each was kept that a journal may tell again. */
  readonly #known = new Map<string, number>()

  private constructor(path: string, events: RunEvent[], told: (kept: KeptEvent) => void) {
    this.#path = path
    this.#events = events
    this.#told = told
    for (const event of events) this.#known.set(keyOf(event), (this.#known.get(keyOf(event)) ?? 0) + 1)
  }

  /** Fails: host.io_failed. A last line that a crash cut off is written over. */
  static async open(path: string, told: (kept: KeptEvent) => void): Promise<KeptEvents> {
    const { events, bytes } = await readLines(path)
    const kept = new KeptEvents(path, events, told)
    try {
      kept.#file = await open(path, 'a', 0o600)
      if ((await kept.#file.stat()).size > bytes) await kept.#file.truncate(bytes)
    } catch (error) {
      throw ioError(path, error)
    }
    return kept
  }

  /** All so far, that of id 1 first. */
  get all(): readonly RunEvent[] {
    return this.#events
  }

  /** `again`: told by the journal of an earlier process, which may have told it already. Whether it is news, and kept. */
  add(event: RunEvent, again = false): boolean {
    if (passing.has(event.type)) return false
    if (again) {
      const key = keyOf(event)
      const count = this.#known.get(key) ?? 0
      this.#known.set(key, count - 1)
      if (count > 0) return false
    }
    this.#pending.push(event)
    this.#writing ??= this.#write()
    return true
  }

  /** Resolves once all is kept. Fails: host.io_failed, when something could not be. */
  async settled(): Promise<void> {
    await this.#writing
    if (this.#fault !== undefined) throw this.#fault
  }

  async close(): Promise<void> {
    await this.#writing
    await this.#file?.close().catch(() => undefined)
    this.#file = undefined
  }

  /** Never rejects: what a full disk does not take is told all the same, and is missing after a restart. */
  async #write(): Promise<void> {
    while (this.#pending.length > 0) {
      const batch = this.#pending
      this.#pending = []
      try {
        await this.#file?.writeFile(batch.map((event) => `${JSON.stringify(event)}\n`).join(''))
        if (batch.some(({ type }) => ends.has(type))) await this.#file?.datasync()
      } catch (error) {
        this.#fault ??= ioError(this.#path, error)
      }
      for (const event of batch) this.#told({ id: this.#events.push(event), event })
    }
    this.#writing = undefined
  }
}

/** The events of a run that is over. Fails: host.io_failed. */
export const readEvents = async (path: string): Promise<RunEvent[]> => (await readLines(path)).events

/** Up to the first line that is none, and how many bytes that is. */
async function readLines(path: string): Promise<{ readonly events: RunEvent[]; readonly bytes: number }> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return ''
    throw ioError(path, error)
  })
  const events: RunEvent[] = []
  let bytes = 0
  for (const line of text.slice(0, text.lastIndexOf('\n') + 1).split('\n')) {
    if (line === '') break
    try {
      events.push(JSON.parse(line) as RunEvent)
    } catch {
      break
    }
    bytes += Buffer.byteLength(line) + 1
  }
  return { events, bytes }
}

/** Two events of one key mean the same, in whatever process. */
function keyOf(event: RunEvent): string {
  const { type } = event
  const { step = '', call = '', reason = '', code = '' } = event as Partial<Record<string, unknown>>
  return [type, step, call, reason, code].map(String).join('\0')
}
