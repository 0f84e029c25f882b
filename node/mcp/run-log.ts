/** What a run has told so far: the lines of `run --json` in its folder, read on from where they were read last. */
import { open, type FileHandle } from 'node:fs/promises'
import type { RunEvent } from '../../bindings/events.js'
import { errorCode } from '../error-code.js'

export type StepState = 'waiting' | 'calling' | 'done' | 'failed' | 'skipped' | 'cancelled'

export interface LoggedStep {
  readonly state: StepState
  /** Of its output. */
  readonly bytes?: number
  /** Of its output, below the folder of the run. */
  readonly path?: string
  /** Why it failed or was left out. */
  readonly words?: string
}

export interface LoggedError {
  readonly code: string
  readonly where: string
  readonly detail: string
  readonly others?: readonly { readonly code: string; readonly where: string; readonly detail: string }[]
}

/** What a runner adds when a run is at work no more; of one that said no last word there was no end in order. */
export const endedLine = '{"type":"ended"}\n'

/** What the lines of a run come to. */
export class RunLog {
  readonly #file: string
  #offset = 0
  #rest = Buffer.alloc(0)
  #cost = 0
  #reading: Promise<void> = Promise.resolve()
  readonly steps = new Map<string, LoggedStep>()
  /** Of the run that came to its end. */
  outcome: string | undefined
  /** Of the run that came to none. */
  error: LoggedError | undefined
  /** Its last line has been written: nothing more will come. */
  over = false
  /** Nobody is at work on it any more, whether it has said a last word or not. */
  ended = false
  ms = 0
  /** A call was made whose price had to be assumed. */
  priceAssumed = false

  constructor(file: string) {
    this.#file = file
  }

  /** Micro-USD. */
  get cost(): number {
    return this.#cost
  }

  /** Reads what has come since. A file that is not there yet has nothing. Rejects with the system's error. */
  read(): Promise<void> {
    // One after the other: each goes on where the one before stopped.
    this.#reading = this.#reading.catch(() => undefined).then(() => this.#readNews())
    return this.#reading
  }

  async #readNews(): Promise<void> {
    const handle = await open(this.#file, 'r').catch((error: unknown) => {
      if (errorCode(error) === 'ENOENT') return undefined
      throw error
    })
    if (handle === undefined) return
    try {
      await this.#readOn(handle)
    } finally {
      await handle.close()
    }
  }

  async #readOn(handle: FileHandle): Promise<void> {
    const chunk = Buffer.alloc(256 * 1024)
    for (;;) {
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, this.#offset)
      if (bytesRead === 0) return
      this.#offset += bytesRead
      let text = Buffer.concat([this.#rest, chunk.subarray(0, bytesRead)])
      for (let end = text.indexOf(10); end >= 0; end = text.indexOf(10)) {
        this.#line(text.toString('utf8', 0, end))
        text = text.subarray(end + 1)
      }
      this.#rest = Buffer.from(text)
    }
  }

  #line(line: string): void {
    // Most lines, and none that is needed here.
    if (/^\{"type":"(progress|prompt|firstToken|answer|note|warning)"/.test(line)) return
    let record: unknown
    try {
      record = JSON.parse(line)
    } catch {
      return
    }
    if (typeof record !== 'object' || record === null) return
    const { type } = record as { type?: string }
    if (type === 'ended') this.ended = true
    else if (type === 'result' || type === 'error') {
      this.over = true
      if (type === 'error') this.error = record as LoggedError
      else this.outcome = (record as { outcome: string }).outcome
    } else if (typeof (record as RunEvent).at === 'number') this.#event(record as RunEvent)
  }

  #event(event: RunEvent): void {
    this.ms = Math.max(this.ms, event.at)
    const put = (id: string, step: LoggedStep): void => void this.steps.set(id, step)
    switch (event.type) {
      case 'steps':
        for (const { id } of event.steps) put(id, { state: 'waiting' })
        break
      case 'call':
        // A second call of a step that has its answer: an audit.
        if (this.steps.get(event.step)?.state === 'waiting') put(event.step, { state: 'calling' })
        break
      case 'callEnd':
        this.#cost += event.costMicroUsd
        if (event.priceAssumed === true) this.priceAssumed = true
        break
      case 'done':
        put(event.step, { state: 'done', bytes: event.bytes, ...(event.path !== undefined && { path: event.path }) })
        break
      case 'failed':
        put(event.step, { state: 'failed', words: `${event.failure}: ${event.message}` })
        break
      case 'skipped':
        put(event.step, {
          state: 'skipped',
          words: event.cause === undefined ? event.reason : `${event.reason} ${event.cause}`,
        })
        break
      case 'cancelled':
        put(event.step, { state: 'cancelled' })
        break
      case 'finish':
        this.#cost = event.costMicroUsd
        break
    }
  }
}
