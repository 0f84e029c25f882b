import type { FailureKind } from '../../../bindings/generated/wire.js'
import { afterTurn, lateMs } from '../../../bindings/late.js'
import type { Clock, StopSignal } from '../../../bindings/ports.js'
import { CallFailure } from '../failure/failure.js'

/** Time-outs of one call, ms; an absent one never falls due. */
export interface Timeouts {
  /**
   * Until a connection carries the request. A transport that cannot tell a connection from its first byte, as `fetch`, spends
   * it on the headers of a streamed reply, and not at all on a whole one, whose headers come with the finished answer.
   */
  readonly connectMs?: number
  /** Longest silence of a streamed reply before its first piece of answer or reasoning. Comments and pings do not break it. */
  readonly firstTokenMs?: number
  /** Longest silence of a streamed reply after that; comments and pings do not break it either. */
  readonly idleMs?: number
  /** Longest silence of a reply that comes whole. Clients: four times `firstTokenMs`. */
  readonly wholeMs?: number
  /** The whole call, key and body included. */
  readonly totalMs?: number
}

type Timer = keyof Timeouts
const kindOfTimer: Readonly<Record<Timer, FailureKind>> = {
  connectMs: 'timeout_connect',
  firstTokenMs: 'timeout_first_token',
  idleMs: 'timeout_idle',
  wholeMs: 'timeout_first_token',
  totalMs: 'timeout_total',
}

/** Time-outs that measure silence: whatever moves the reply restarts them. */
const ofSilence: ReadonlySet<Timer> = new Set<Timer>(['firstTokenMs', 'idleMs', 'wholeMs'])

/** Ends a call from outside: the caller's signal and the time-outs, whichever is first. One for each call. */
export class CallGuard implements StopSignal {
  /** Why the call was ended, once it was. */
  failure: CallFailure | undefined
  readonly #clock: Clock
  readonly #timeouts: Timeouts
  readonly #outer: AbortSignal
  readonly #cancels = new Map<Timer, () => void>()
  readonly #onAbort = () => this.#stop(new CallFailure('cancelled'))
  /** The transport's way to end the exchange, and what waits for it: an AbortController for these two costs microseconds. */
  #endExchange: (() => void) | undefined
  #endRace: (() => void) | undefined
  #movedAt = 0
  #byteAt = -1
  #silent = false

  constructor(clock: Clock, timeouts: Timeouts, outer: AbortSignal) {
    this.#clock = clock
    this.#timeouts = timeouts
    this.#outer = outer
    if (outer.aborted) this.#onAbort()
    else outer.addEventListener('abort', this.#onAbort, { once: true })
  }

  get stopped(): boolean {
    return this.failure !== undefined
  }

  /** For the transport. */
  onStop(listener: () => void): void {
    this.#endExchange = listener
    if (this.failure) listener()
  }

  arm(timer: Timer): void {
    const ms = this.#timeouts[timer]
    if (ms === undefined || this.failure || this.#cancels.has(timer)) return
    this.#movedAt = this.#clock.now()
    this.#wait(timer, ms, ms)
  }

  /** Whether that time-out is set. */
  limits(timer: Timer): boolean {
    return this.#timeouts[timer] !== undefined
  }

  disarm(timer: Timer): void {
    this.#cancels.get(timer)?.()
    this.#cancels.delete(timer)
  }

  /** For the transport: the call timed out, and not a byte had come in all that time. */
  get silent(): boolean {
    return this.#silent
  }

  /** A byte arrived, if only of a comment: the connection is alive. */
  touch(): void {
    this.#byteAt = this.#clock.now()
  }

  /** The reply moved. Only notes the time: re-arming a timer per chunk costs more than reading the chunk. */
  moved(): void {
    this.#movedAt = this.#clock.now()
  }

  /**
   * The promise, or the reason the call was ended, whichever comes first: a transport may be deaf to its signal. `late`
   * disposes of a value that came after that. One race at a time.
   */
  race<T>(promise: Promise<T>, late?: (value: T) => void): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#endRace = () => reject(this.failure)
      if (this.failure) this.#endRace()
      const arrived = (value: T) => {
        if (this.failure) late?.(value)
        else resolve(value)
      }
      promise.then(arrived, reject)
    })
  }

  /** The call is over, one way or the other: no timer or listener stays behind. */
  release(): void {
    if (this.#cancels.size > 0) for (const timer of [...this.#cancels.keys()]) this.disarm(timer)
    this.#outer.removeEventListener('abort', this.#onAbort)
    this.#endExchange = undefined
    this.#endRace = undefined
  }

  #wait(timer: Timer, ms: number, limitMs: number): void {
    const dueAt = this.#clock.now() + ms
    /** `resumedAt`: when the timer fired too late, a turn of I/O ago. */
    const due = (resumedAt?: number): void => {
      const now = this.#clock.now()
      const restMs = ofSilence.has(timer) ? this.#movedAt + limitMs - now : 0
      if (restMs > 0) return this.#wait(timer, restMs, limitMs)
      if (resumedAt === undefined && now - dueAt > lateMs)
        return void this.#cancels.set(
          timer,
          afterTurn(() => due(now)),
        )
      // The pause was not the provider's: what moves after it may go on for as long as a silence may last.
      if (resumedAt !== undefined && this.#movedAt >= resumedAt)
        return this.#wait(timer, this.#timeouts.idleMs ?? limitMs, limitMs)
      this.#silent = this.#byteAt < now - limitMs
      this.#stop(new CallFailure(kindOfTimer[timer], `${timer.slice(0, -2)} time-out after ${limitMs} ms`))
    }
    this.#cancels.set(
      timer,
      this.#clock.after(ms, () => due()),
    )
  }

  #stop(failure: CallFailure): void {
    if (this.failure) return
    this.failure = failure
    const [endExchange, endRace] = [this.#endExchange, this.#endRace]
    this.release()
    endExchange?.()
    endRace?.()
  }
}
