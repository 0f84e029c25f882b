import type { Clock } from '../../bindings/ports.js'

/** The platform's monotonic clock and timers. Timers longer than about 24 days fire at once, so nobody sets any. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms)
    return () => clearTimeout(timer)
  },
}
