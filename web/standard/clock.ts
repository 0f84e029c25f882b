import type { Clock } from '../../bindings/ports.js'

/** The platform's monotonic clock and timers. Timers longer than about 24 days fire at once, so nobody sets any. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms)
    return () => clearTimeout(timer)
  },
}

/**
 * A clock on which time passes faster or slower: one of its ms is `scale` ms of `clock`. A simulated run has the clock of its profile,
 * so that everything it tells is in the profile's own time, however fast it is played.
 */
export function scaledClock(clock: Clock, scale: number): Clock {
  if (scale === 1) return clock
  return {
    now: () => clock.now() / scale,
    after: (ms, callback) => clock.after(ms * scale, callback),
  }
}
