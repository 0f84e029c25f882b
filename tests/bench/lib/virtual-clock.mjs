// Time that passes only when nothing else can: hours of a run in milliseconds, the same ones every time.

/** A clock as the driver wants it. Timers at one moment fire in the order in which they were set. */
export class VirtualClock {
  #now = 0
  #order = 0
  /** Binary heap of [at, order, callback]. */
  #timers = []

  now() {
    return this.#now
  }

  after(ms, callback) {
    const timer = { at: this.#now + ms, order: this.#order++, callback }
    this.#push(timer)
    return () => (timer.callback = undefined)
  }

  /** Resolves as `work` does; lets time pass while it waits. Rejects when time runs out of timers before it settles. */
  async passUntil(work) {
    let over = false
    const settled = () => (over = true)
    work.then(settled, settled)
    for (;;) {
      // One turn of the event loop: every promise that can settle without time passing has settled.
      await new Promise((resolve) => setImmediate(resolve))
      if (over) return work
      if (this.#timers.length === 0)
        throw new Error(`stuck at ${this.#now} ms: nothing is due, and the work is not done`)
      this.#now = this.#timers[0].at
      while (this.#timers.length > 0 && this.#timers[0].at === this.#now) this.#pop().callback?.()
    }
  }

  #push(timer) {
    const heap = this.#timers
    let at = heap.push(timer) - 1
    while (at > 0 && before(timer, heap[(at - 1) >> 1])) {
      heap[at] = heap[(at - 1) >> 1]
      at = (at - 1) >> 1
    }
    heap[at] = timer
  }

  #pop() {
    const heap = this.#timers
    const top = heap[0]
    const last = heap.pop()
    if (heap.length === 0) return top
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1], heap[child])) child++
      if (!before(heap[child], last)) break
      heap[at] = heap[child]
      at = child
    }
    heap[at] = last
    return top
  }
}

const before = (a, b) => (a.at !== b.at ? a.at < b.at : a.order < b.order)
