import type { Driver } from '../bindings/driver.js'
import type { RunEvent } from '../bindings/events.js'
import type { RunResult } from './index.js'

/** A run under way: awaited it gives its result, iterated its events. Starts at once. */
export class PlanRun implements PromiseLike<RunResult>, AsyncIterable<RunEvent> {
  readonly #result: Promise<RunResult>
  readonly #events: RunEvent[] = []
  readonly #waiting: (() => void)[] = []
  #over = false
  #watched = false
  #driver: Driver | undefined
  #cancelled = false

  constructor(execute: (emit: (event: RunEvent) => void, own: (driver: Driver) => void) => Promise<RunResult>) {
    this.#result = execute(
      (event) => this.#emit(event),
      (driver) => this.#own(driver),
    ).finally(() => {
      this.#over = true
      this.#wake()
    })
    // Somebody who only iterates meets the rejection there; it must not end the process as unhandled.
    this.#result.catch(() => {})
  }

  /** The result as a real promise. */
  get result(): Promise<RunResult> {
    return this.#result
  }

  then<A = RunResult, B = never>(
    fulfilled?: ((result: RunResult) => A | PromiseLike<A>) | null,
    rejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#result.then(fulfilled, rejected)
  }

  /** Cancels one step by id, or the whole run. What is done is kept. */
  cancel(step?: string): void {
    if (step !== undefined) return this.#driver?.cancelStep(step)
    this.#cancelled = true
    this.#driver?.cancel()
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

  #own(driver: Driver): void {
    this.#driver = driver
    if (this.#cancelled) driver.cancel()
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
