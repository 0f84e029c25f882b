import type { DriverResult } from '../../../bindings/driver-options.js'
import type { RunEvent } from '../../../bindings/events.js'
import type { JournalHeader } from '../../../bindings/journal/journal.js'

/** What a run came to. `outcome`: ok | steps_failed | cancelled. */
export interface RunResult extends DriverResult {
  /** Name of the simulated profile; undefined: real providers. */
  readonly simulated: string | undefined
  /** What the journal says of the run; undefined: it has none. */
  readonly run: JournalHeader | undefined
}

/** What a run in progress can be told; the driver, or its stand-in on this side of a worker. */
export interface RunControl {
  /** Cancels the whole run; what is done is kept. */
  cancel(): void
  /** Cancels one step. Throws run.unknown_step or run.illegal_event. */
  cancelStep(id: string): void
}

/** A run in progress: awaited it gives its result, iterated its events. Starts at once. */
export class PlanRun<Result extends RunResult = RunResult> implements PromiseLike<Result>, AsyncIterable<RunEvent> {
  readonly #result: Promise<Result>
  readonly #events: RunEvent[] = []
  readonly #waiting: (() => void)[] = []
  #over = false
  #watched = false
  #control: RunControl | undefined
  #cancelled = false

  constructor(execute: (emit: (event: RunEvent) => void, own: (control: RunControl) => void) => Promise<Result>) {
    this.#result = execute(
      (event) => this.#emit(event),
      (control) => this.#own(control),
    ).finally(() => {
      this.#over = true
      this.#wake()
    })
    // Somebody who only iterates meets the rejection there; it must not end the process as unhandled.
    this.#result.catch(() => {})
  }

  /** The result as a real promise. */
  get result(): Promise<Result> {
    return this.#result
  }

  then<A = Result, B = never>(
    fulfilled?: ((result: Result) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#result.then(fulfilled, rejected)
  }

  /** Cancels one step by id, or the whole run. What is done is kept. */
  cancel(step?: string): void {
    if (step !== undefined) return this.#control?.cancelStep(step)
    this.#cancelled = true
    this.#control?.cancel()
  }

  /** Every event since the start, one reader at a time. Ends with the run; throws what the run rejects with. */
  async *[Symbol.asyncIterator](): AsyncIterator<RunEvent> {
    this.#watched = true
    for (;;) {
      const event = this.#events.shift()
      if (event !== undefined) yield event
      else if (this.#over) break
      else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    await this.#result
  }

  #own(control: RunControl): void {
    this.#control = control
    if (this.#cancelled) control.cancel()
  }

  #emit(event: RunEvent): void {
    // Kept for a reader that comes late, but not for ever: one that has not come by then gets the latest only.
    if (!this.#watched && this.#events.length >= 10_000) this.#events.shift()
    this.#events.push(event)
    this.#wake()
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
