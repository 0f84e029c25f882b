/**
 * What a run has told, numbered from 1: the ids of its event stream. An event is told to watchers only once the place where it is kept
 * has it, so that no process which comes later numbers another event the same.
 *
 * In a folder they are lines of a file. That a step or the run has come to its end is told only once the disk has it: after a loss of
 * power a reader may see the notes between two ends again under other numbers, never an end that was told before taken back.
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

/** Most events that are kept in one go. */
const mostAtOnce = 500

/** Where the events of one run are kept. */
export interface EventPlace {
  /** Those of before. */
  readonly events: RunEvent[]
  /** Keeps further ones, of which the first has the number `at` + 1. */
  append(events: readonly RunEvent[], at: number): Promise<void>
  /** Why nothing can be kept any more ends the run: readers of other machines would miss what is told all the same. */
  readonly strict: boolean
  close(): Promise<void>
}

export class KeptEvents {
  readonly #place: EventPlace
  readonly #told: (kept: KeptEvent) => void
  readonly #events: RunEvent[]
  #pending: RunEvent[] = []
  #writing: Promise<void> | undefined
  #fault: unknown
  /** How often each was kept that a journal may tell again. */
  readonly #known = new Map<string, number>()

  constructor(place: EventPlace, told: (kept: KeptEvent) => void) {
    this.#place = place
    this.#told = told
    this.#events = place.events
    for (const event of this.#events) this.#known.set(keyOf(event), (this.#known.get(keyOf(event)) ?? 0) + 1)
  }

  /** In a file. Fails: host.io_failed. A last line that a crash cut off is written over. */
  static async open(path: string, told: (kept: KeptEvent) => void): Promise<KeptEvents> {
    return new KeptEvents(await EventFile.open(path), told)
  }

  /** All so far, that of id 1 first. */
  get all(): readonly RunEvent[] {
    return this.#events
  }

  /** `again`: told by the journal of an earlier process, which may have told it already. Whether it is news, and kept. */
  add(event: RunEvent, again = false): boolean {
    if (passing.has(event.type) || (this.#fault !== undefined && this.#place.strict)) return false
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

  /** Resolves once all is kept. Fails: host.io_failed, when something could not be; host.run_locked, when the run is another's. */
  async settled(): Promise<void> {
    await this.#writing
    if (this.#fault !== undefined) throw this.#fault
  }

  async close(): Promise<void> {
    await this.#writing
    await this.#place.close()
  }

  /** Never rejects: what a full disk does not take is told all the same, and is missing after a restart. */
  async #write(): Promise<void> {
    while (this.#pending.length > 0) {
      const batch = this.#pending.splice(0, mostAtOnce)
      try {
        await this.#place.append(batch, this.#events.length)
      } catch (error) {
        this.#fault ??= error
        if (this.#place.strict) {
          this.#pending = []
          break
        }
      }
      for (const event of batch) this.#told({ id: this.#events.push(event), event })
    }
    this.#writing = undefined
  }
}

class EventFile implements EventPlace {
  readonly strict = false
  readonly events: RunEvent[]
  readonly #path: string
  readonly #file: FileHandle

  private constructor(path: string, events: RunEvent[], file: FileHandle) {
    this.#path = path
    this.events = events
    this.#file = file
  }

  static async open(path: string): Promise<EventFile> {
    const { events, bytes } = await readLines(path)
    try {
      const file = await open(path, 'a', 0o600)
      if ((await file.stat()).size > bytes) await file.truncate(bytes)
      return new EventFile(path, events, file)
    } catch (error) {
      throw ioError(path, error)
    }
  }

  async append(events: readonly RunEvent[]): Promise<void> {
    try {
      await this.#file.writeFile(events.map((event) => `${JSON.stringify(event)}\n`).join(''))
      if (events.some(({ type }) => ends.has(type))) await this.#file.datasync()
    } catch (error) {
      throw ioError(this.#path, error)
    }
  }

  async close(): Promise<void> {
    await this.#file.close().catch(() => undefined)
  }
}

/** The events of a run that is over. Fails: host.io_failed. */
export const readEvents = async (path: string): Promise<RunEvent[]> => (await readLines(path)).events

/** Up to the first malformed line, and how many bytes that is. */
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
