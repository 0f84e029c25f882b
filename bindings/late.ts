/** Timers after a pause of the process: a laptop that slept, SIGSTOP, an event loop that was blocked. */
import type { Clock } from './ports.js'

/**
 * A timer that fires this much too late, ms, says that the process stood still. What came meanwhile lies in the sockets, so one
 * turn of I/O passes before the timer decides anything.
 */
export const lateMs = 1000

/** As `clock.after`, but far too late it lets that turn pass first. The result cancels either. */
export function afterIo(clock: Clock, ms: number, callback: () => void): () => void {
  const dueAt = clock.now() + ms
  let cancel = clock.after(ms, () => {
    if (clock.now() - dueAt <= lateMs) return callback()
    // Sockets are read between two rounds of timers.
    cancel = clock.after(0, callback)
  })
  return () => cancel()
}
