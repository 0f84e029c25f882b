/** Waits that end: what the browser never answers fails after its time, and nobody hangs for it. */

/** A timer of a machine that slept is due at once when it wakes, before what came meanwhile: a sleep uses up one part of a wait. */
const parts = 4

/** Calls `then` after `ms` awake; what it gives stops that. */
export function afterAwake(ms: number, then: () => void): () => void {
  let left = parts
  let timer: ReturnType<typeof setTimeout>
  const next = (): void => {
    timer = setTimeout(() => (--left > 0 ? next() : then()), ms / parts)
  }
  next()
  return () => clearTimeout(timer)
}

/** What `work` comes to; rejects with what `late` gives when that takes longer than `ms`. The work itself goes on, unheard. */
export function within<T>(ms: number, work: Promise<T>, late: () => unknown): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = afterAwake(ms, () => reject(late()))
    work.then(resolve, reject).finally(stop)
  })
}

/** `Web Locks did not answer within 5 s`. */
export const unanswered = (what: string, ms: number): DOMException =>
  new DOMException(`${what} did not answer within ${ms / 1000} s`, 'TimeoutError')
