import type { FailureKind } from '../../../bindings/generated/wire.js'
import type { Clock } from '../../../bindings/ports.js'
import { CallFailure } from '../failure.js'

/** Time-outs of one call, ms; an absent one never falls due. */
export interface Timeouts {
  /**
   * Until the headers of a streamed reply: `fetch` does not tell a connection from its first byte. Not used for whole replies,
   * whose headers come with the finished answer.
   */
  readonly connectMs?: number
  /** Until the first piece of answer or reasoning of a streamed reply; keep-alive comments are not one. */
  readonly firstTokenMs?: number
  /** Longest silence of a streamed reply once it began; every byte counts, comments too. */
  readonly idleMs?: number
  /** The whole call, key and body included. */
  readonly totalMs?: number
}

type Timer = keyof Timeouts
const kindOfTimer: Readonly<Record<Timer, FailureKind>> = {
  connectMs: 'timeout_connect',
  firstTokenMs: 'timeout_first_token',
  idleMs: 'timeout_idle',
  totalMs: 'timeout_total',
}

/** Ends a call from outside: the caller's signal and the time-outs, whichever is first. One for each call. */
export class CallGuard {
  /** Why the call was ended, once it was. */
  failure: CallFailure | undefined
  private readonly controller = new AbortController()
  private readonly cancels = new Map<Timer, () => void>()
  private readonly onAbort = () => this.stop(new CallFailure('cancelled'))
  private stopRead: (() => void) | undefined
  private activeAt = 0

  constructor(
    private readonly clock: Clock,
    private readonly timeouts: Timeouts,
    private readonly outer: AbortSignal,
  ) {
    if (outer.aborted) this.onAbort()
    else outer.addEventListener('abort', this.onAbort, { once: true })
  }

  /** For `fetch`: its abort closes the connection. */
  get signal(): AbortSignal {
    return this.controller.signal
  }

  arm(timer: Timer): void {
    const ms = this.timeouts[timer]
    if (ms === undefined || this.failure) return
    this.activeAt = this.clock.now()
    this.wait(timer, ms, ms)
  }

  disarm(timer: Timer): void {
    this.cancels.get(timer)?.()
    this.cancels.delete(timer)
  }

  /** A byte arrived. Only notes the time: re-arming a timer per chunk costs more than reading the chunk. */
  touch(): void {
    this.activeAt = this.clock.now()
  }

  /** A second way to end a pending read, for a `fetch` that does not listen to its signal. */
  onStop(stopRead: () => void): void {
    this.stopRead = stopRead
    if (this.failure) stopRead()
  }

  /** The promise, or the reason the call was ended, whichever comes first. `late` disposes of a value that came after that. */
  race<T>(promise: Promise<T>, late?: (value: T) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      const stopped = () => reject(this.failure)
      if (this.failure) stopped()
      else this.signal.addEventListener('abort', stopped, { once: true })
      const arrived = (value: T) => {
        this.signal.removeEventListener('abort', stopped)
        if (this.failure) late?.(value)
        else resolve(value)
      }
      const failed = (error: unknown) => {
        this.signal.removeEventListener('abort', stopped)
        reject(error)
      }
      promise.then(arrived, failed)
    })
  }

  /** The call is over, one way or the other: no timer or listener stays behind. */
  release(): void {
    for (const timer of [...this.cancels.keys()]) this.disarm(timer)
    this.outer.removeEventListener('abort', this.onAbort)
    this.stopRead = undefined
  }

  private wait(timer: Timer, ms: number, limitMs: number): void {
    const due = () => {
      const restMs = timer === 'idleMs' ? this.activeAt + limitMs - this.clock.now() : 0
      if (restMs > 0) this.wait(timer, restMs, limitMs)
      else this.stop(new CallFailure(kindOfTimer[timer], `${timer.slice(0, -2)} time-out after ${limitMs} ms`))
    }
    this.cancels.set(timer, this.clock.after(ms, due))
  }

  private stop(failure: CallFailure): void {
    if (this.failure) return
    this.failure = failure
    const stopRead = this.stopRead
    this.release()
    this.controller.abort()
    stopRead?.()
  }
}
