import type { Clock } from '../../bindings/ports.js'

/** A clock that stands still until it is moved. */
export class FakeClock implements Clock {
  private at = 0
  private order = 0
  private readonly timers = new Map<number, { readonly dueMs: number; readonly run: () => void }>()
  /** Timers that have fired. */
  fired = 0

  now(): number {
    return this.at
  }

  after(ms: number, callback: () => void): () => void {
    const id = this.order++
    this.timers.set(id, { dueMs: this.at + ms, run: callback })
    return () => void this.timers.delete(id)
  }

  get waiting(): number {
    return this.timers.size
  }

  /** Moves on, timer by timer, letting what each sets off run before the next. */
  async advance(ms: number): Promise<void> {
    const end = this.at + ms
    await settled()
    for (let next = this.next(end); next !== undefined; next = this.next(end)) {
      const timer = this.timers.get(next)!
      this.timers.delete(next)
      this.at = Math.max(this.at, timer.dueMs)
      this.fired++
      timer.run()
      await settled()
    }
    this.at = end
  }

  private next(upTo: number): number | undefined {
    const due = [...this.timers].filter(([, { dueMs }]) => dueMs <= upTo)
    return due.sort(([a, { dueMs: left }], [b, { dueMs: right }]) => left - right || a - b)[0]?.[0]
  }
}

/** Streams hop through several microtasks for each chunk; a turn of the event loop runs them all. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
}
