/** Journal lines on their way to where they last: they gather while a group is being kept, and the next group takes them all. */
import type { AetherflowError } from '../../../bindings/errors.js'

/** Lines that nobody waits for are written this much later, ms. */
const lazyMs = 50

/** Where lines are kept. */
export interface JournalSink {
  /** One turn before the first group: the ends of several calls often come together, and then share it. */
  turn(): Promise<void>
  /** Holds back a group that somebody waits for, so that more lines share it. */
  pace?(): Promise<void>
  /**
   * Keeps lines, perhaps none. True: they and all before them are kept for certain. False: written, no more; only while `awaited`
   * says that nobody waits. A rejection ends the journal.
   */
  keep(lines: string, awaited: () => boolean): Promise<boolean>
  failure(cause: unknown): AetherflowError
}

interface Waiter {
  readonly upTo: number
  resolve(): void
  reject(error: unknown): void
}

export class JournalQueue {
  readonly #sink: JournalSink
  #pending: string[] = []
  #waiters: Waiter[] = []
  /** Appends so far, and how many of them are kept. */
  #appended = 0
  #kept = 0
  #running: Promise<void> | undefined
  #lazy: ReturnType<typeof setTimeout> | undefined
  #failure: { readonly error: AetherflowError } | undefined
  readonly #listeners: ((error: unknown) => void)[] = []

  constructor(sink: JournalSink) {
    this.#sink = sink
  }

  append(lines: string): void {
    if (this.#failure !== undefined) return
    this.#pending.push(lines)
    this.#appended += 1
    this.#lazy ??= setTimeout(() => this.#run(), lazyMs)
  }

  flush(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error)
    if (this.#kept === this.#appended) return Promise.resolve()
    const kept = new Promise<void>((resolve, reject) => {
      this.#waiters.push({ upTo: this.#appended, resolve, reject })
    })
    this.#run()
    return kept
  }

  onFailure(listener: (error: unknown) => void): void {
    if (this.#failure !== undefined) listener(this.#failure.error)
    else this.#listeners.push(listener)
  }

  /** Keeps what is there; never rejects. */
  async close(): Promise<void> {
    await this.flush().catch(() => {})
    await this.#running
    clearTimeout(this.#lazy)
  }

  #run(): void {
    if (this.#failure !== undefined) return
    this.#running ??= this.#work().finally(() => {
      this.#running = undefined
      // What came between the last look and now.
      if (this.#waiters.length > 0) this.#run()
    })
  }

  async #work(): Promise<void> {
    try {
      await this.#sink.turn()
      do await this.#group()
      while (this.#waiters.length > 0)
    } catch (error) {
      this.#fail(this.#sink.failure(error))
    }
  }

  async #group(): Promise<void> {
    if (this.#waiters.length > 0) await this.#sink.pace?.()
    clearTimeout(this.#lazy)
    this.#lazy = undefined
    const lines = this.#pending.join('')
    this.#pending = []
    const upTo = this.#appended
    if (!(await this.#sink.keep(lines, () => this.#waiters.length > 0))) return
    this.#kept = upTo
    const done = this.#waiters.filter((waiter) => waiter.upTo <= upTo)
    this.#waiters = this.#waiters.filter((waiter) => waiter.upTo > upTo)
    for (const { resolve } of done) resolve()
  }

  /** For good: after a failed write nobody knows what is there, and trying again would hide that. */
  #fail(error: AetherflowError): void {
    this.#failure = { error }
    this.#pending = []
    clearTimeout(this.#lazy)
    const waiters = this.#waiters
    this.#waiters = []
    for (const { reject } of waiters) reject(error)
    for (const listener of this.#listeners) listener(error)
  }
}
