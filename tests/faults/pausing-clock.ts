import type { Clock } from '../../bindings/ports.js'

/** Time, with pauses: anyone who calls `pause` finds that a while has passed without a turn of the event loop. */
export class PausingClock implements Clock {
  #skew = 0
  #order = 0
  readonly #timers = new Map<number, { readonly due: number; readonly run: () => void; real: NodeJS.Timeout }>()

  now(): number {
    return performance.now() + this.#skew
  }

  after(ms: number, callback: () => void): () => void {
    const id = this.#order++
    const run = (): void => {
      if (this.#timers.delete(id)) callback()
    }
    this.#timers.set(id, { due: this.now() + ms, run, real: setTimeout(run, ms) })
    return () => {
      clearTimeout(this.#timers.get(id)?.real)
      this.#timers.delete(id)
    }
  }

  /** `timersFirst`: what fell due fires before any socket is read; else a few turns later. */
  pause(ms: number, timersFirst: boolean): void {
    // The process stands still for a moment indeed, so that what was written has reached the other end.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50)
    this.#skew += ms
    const due = [...this.#timers.values()].filter((timer) => timer.due <= this.now()).sort((a, b) => a.due - b.due)
    for (const timer of due) {
      clearTimeout(timer.real)
      if (timersFirst) timer.run()
      else timer.real = setTimeout(timer.run, 5)
    }
  }
}
