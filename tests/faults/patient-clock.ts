import type { Clock } from '../../bindings/ports.js'

/** What has to stand still before the clock may move. */
export interface Quiet {
  /** Changes whenever something happens. */
  mark(): string
  /** False while work is under way that no timer will bring on. */
  still(): boolean
}

/** Turns of about a millisecond without any news that count as quiet. */
const quietTurns = 4
/** Turns without news after which it moves although something seems to be under way: a call that was given up, say. */
const mostTurns = 400

/**
 * Virtual time over real sockets: it stands still while anything happens, then jumps to the next timer. A minute of waiting
 * costs a few milliseconds. Should it jump too early on a busy machine, then a reply merely took longer in virtual time.
 */
export class PatientClock implements Clock {
  #at = 0
  #order = 0
  readonly #timers = new Map<number, { readonly due: number; readonly run: () => void }>()

  now(): number {
    return this.#at
  }

  after(ms: number, callback: () => void): () => void {
    const id = this.#order++
    this.#timers.set(id, { due: this.#at + ms, run: callback })
    return () => void this.#timers.delete(id)
  }

  /** Moves on until `promise` settles; throws when virtual time passes `mostMs`. */
  async drive<T>(promise: PromiseLike<T>, quiet: Quiet, mostMs = 3_600_000): Promise<T> {
    let over = false
    const ended = (): void => void (over = true)
    promise.then(ended, ended)
    while (!over) {
      await this.#settled(quiet, () => over)
      if (over) break
      const [id, timer] = [...this.#timers].reduce<[number, { due: number; run: () => void }] | []>(
        (first, next) => (first[1] === undefined || next[1].due < first[1].due ? next : first),
        [],
      )
      if (id === undefined || timer === undefined) continue
      if (timer.due > mostMs) throw new Error(`nothing more happens before ${timer.due} ms`)
      this.#timers.delete(id)
      this.#at = Math.max(this.#at, timer.due)
      timer.run()
    }
    return promise
  }

  async #settled(quiet: Quiet, over: () => boolean): Promise<void> {
    let before = ''
    for (let turn = 0, same = 0; same < quietTurns && turn < mostTurns && !over(); turn++) {
      await new Promise((resolve) => setTimeout(resolve, 1))
      const now = `${quiet.mark()} ${this.#order}`
      same = now === before && quiet.still() ? same + 1 : 0
      if (now !== before) turn = 0
      before = now
    }
  }
}
