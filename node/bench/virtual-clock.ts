/** Time that passes only when nothing else can: minutes of a run in milliseconds, the same ones every time. */
import type { Clock } from '../../bindings/ports.js'

interface Timer {
  readonly at: number
  readonly order: number
  callback: (() => void) | undefined
}

/** Turns of the event loop after which every promise that can settle without time passing has settled: streams hop through several. */
const turns = 3

/** Turns that work may take which the clock knows nothing of, such as a module that is loaded: 1 ms each at least. */
const patience = 5000

/** Timers at one moment fire in the order in which they were set. Work that waits for files or sockets goes through `outside`. */
export class VirtualClock implements Clock {
  #now = 0
  #order = 0
  readonly #timers: Timer[] = [] // a binary heap
  /** Work outside that is under way. */
  readonly #outside = new Set<Promise<unknown>>()

  now(): number {
    return this.#now
  }

  after(ms: number, callback: () => void): () => void {
    const timer: Timer = { at: this.#now + ms, order: this.#order++, callback }
    this.#push(timer)
    return () => (timer.callback = undefined)
  }

  /** Settles as `work` does, which takes no time: none passes before it has settled. */
  async outside<Result>(work: Promise<Result>): Promise<Result> {
    this.#outside.add(work)
    try {
      return await work
    } finally {
      this.#outside.delete(work)
    }
  }

  /** Settles as `work` does; lets time pass while it waits. Rejects when no timer is left before it settles. */
  async passUntil<Result>(work: Promise<Result>): Promise<Result> {
    let over = false
    const settled = (): void => {
      over = true
    }
    work.then(settled, settled)
    for (let idle = 0; ;) {
      for (let turn = 0; turn < turns && !over; turn++) await new Promise((resolve) => setImmediate(resolve))
      if (over) return work
      if (this.#outside.size > 0) {
        await Promise.allSettled(this.#outside)
        continue
      }
      const next = this.#timers[0]
      if (next === undefined) {
        if (++idle > patience) throw new Error(`stuck at ${this.#now} ms: nothing is due, and the work is not done`)
        await new Promise((resolve) => setTimeout(resolve, 1))
        continue
      }
      idle = 0
      this.#now = next.at
      while (this.#timers[0]?.at === this.#now) this.#pop().callback?.()
    }
  }

  #push(timer: Timer): void {
    const heap = this.#timers
    let at = heap.push(timer) - 1
    for (let up = (at - 1) >> 1; at > 0 && before(timer, heap[up]!); up = (at - 1) >> 1) {
      heap[at] = heap[up]!
      at = up
    }
    heap[at] = timer
  }

  #pop(): Timer {
    const heap = this.#timers
    const top = heap[0]!
    const last = heap.pop()!
    if (heap.length === 0) return top
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
      if (!before(heap[child]!, last)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
    return top
  }
}

const before = (a: Timer, b: Timer): boolean => (a.at !== b.at ? a.at < b.at : a.order < b.order)
