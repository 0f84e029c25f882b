/** Timers after a pause of the process: a laptop that slept, SIGSTOP, an event loop that was blocked. */
import type { Clock } from './ports.js'

/**
 * A timer that fires this much too late, ms, says that the process stood still. What came meanwhile lies in the sockets, so one
 * turn of I/O passes before the timer decides anything.
 */
export const lateMs = 1000

/** Node's; pages have none. */
interface Turns {
  readonly setImmediate?: (callback: () => void) => unknown
  readonly clearImmediate?: (turn: unknown) => void
}

/**
 * Calls back after every socket that has something was read once. A timer of 0 ms does not wait for that in Node: it fires among the
 * timers that it was set by, when these take a millisecond. The result cancels it.
 */
export function afterTurn(callback: () => void): () => void {
  const { setImmediate, clearImmediate } = globalThis as Turns
  if (setImmediate !== undefined && clearImmediate !== undefined) {
    const turn = setImmediate(callback)
    return () => clearImmediate(turn)
  }
  const timer = setTimeout(callback, 0)
  return () => clearTimeout(timer)
}

/** As `clock.after`, but far too late it lets that turn pass first. The result cancels either. */
export function afterIo(clock: Clock, ms: number, callback: () => void): () => void {
  const dueAt = clock.now() + ms
  let cancel = clock.after(ms, () => {
    if (clock.now() - dueAt <= lateMs) return callback()
    cancel = afterTurn(callback)
  })
  return () => cancel()
}
