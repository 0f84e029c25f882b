/** A call in flight: its signals, as the core and the watchers are told of them. */
import { callEndEvent, ofCall } from './call-events.js'
import type { CallCommand } from './commands.js'
import type { CoreRun } from './core.js'
import type { RunEvent, StepInfo } from './events.js'
import { afterTurn, lateMs } from './late.js'
import type { CallProgress } from './performer.js'
import type { LimitSeen } from './ports.js'
import { isProvisional, writesAnswer, type RunTexts } from './run-texts.js'
import type { SharedLimits } from './shared-limits.js'

/** What a live call needs of its driver. */
export interface LiveCallHost {
  readonly core: CoreRun
  readonly texts: RunTexts
  readonly now: number
  emit(event: RunEvent): void
  /** Tells the core something; too late is no fault, but false. */
  signal(tell: () => void): boolean
  text(step: string, piece: string): void
  /** The limits that all runs of the process share; undefined: the run has its own only. */
  readonly limits: SharedLimits | undefined
}

/** At most one progress event of a step in this many ms: screens need no more, and each crosses the boundary. */
const progressEveryMs = 250

export class LiveCall implements CallProgress {
  readonly command: CallCommand
  readonly step: StepInfo
  /** Text that the answer goes on from. */
  readonly prefix: string | undefined
  /** Answer text of this call has reached the user. */
  shown = false
  /** The call is over for the core, so nothing more is told of it: withheld, or its end was told. */
  over = false
  /** Fingerprint of the files in its prompt. */
  fingerprint: string | undefined
  readonly #host: LiveCallHost
  /** It was begun by a process that is gone. */
  readonly #again: boolean
  readonly #pieces: string[] = []
  /** Pieces that `#tokens` counts. */
  #counted = 0
  #tokens = 0
  #nextProgressAt = 0
  /** When the last piece came; before the first, when its turn began. */
  #pieceAt = 0
  /** A progress is still to be told. */
  #telling = false
  #aborted = false
  /** From when somebody asks for its signal: making one takes longer than all else here. */
  #controller: AbortController | undefined

  constructor(host: LiveCallHost, command: CallCommand, step: StepInfo, again: boolean) {
    this.#host = host
    this.#again = again
    this.command = command
    this.step = step
    this.prefix = command.reason === 'continued' ? host.texts.accepted.get(command.step) : undefined
  }

  /** Somebody wants the call to end. */
  get aborted(): boolean {
    return this.#aborted
  }
  get abortSignal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#aborted) this.#controller.abort()
    }
    return this.#controller.signal
  }
  abort(): void {
    this.#aborted = true
    this.#controller?.abort()
  }

  /** Estimated tokens of the text so far. */
  streamedTokens(): number {
    if (this.#counted < this.#pieces.length) {
      const fresh = this.#pieces.slice(this.#counted).join('')
      this.#counted = this.#pieces.length
      this.#tokens += this.#host.core.estimateTokens(fresh)
    }
    return this.#tokens
  }

  /** What the user has seen of the step's answer. */
  shownText(): string | undefined {
    if (!this.shown) return this.prefix
    return (this.prefix ?? '') + this.#pieces.join('')
  }

  limits(seen: readonly LimitSeen[]): void {
    const { core, now } = this.#host
    for (const limit of seen) {
      this.#host.limits?.seen(this.command, limit)
      this.#host.signal(() => core.limitsSeen(this.command.call, limit, now))
    }
  }

  started({ reused, setupMs }: { readonly reused?: boolean; readonly setupMs?: number }): void {
    const { core, now } = this.#host
    if (!this.over) this.#host.signal(() => core.started(this.command.call, reused, setupMs, now))
  }

  prompt(tokensBefore: number, tokensAfter: number): boolean | Promise<boolean> {
    if (this.over) return false
    const { core, now, texts } = this.#host
    const { call } = this.command
    this.#host.emit({ type: 'prompt', ...ofCall(texts, this.command, now), tokensBefore, tokensAfter })
    this.#host.signal(() => {
      this.over = !core.prompted(call, tokensAfter, Math.max(0, tokensBefore - tokensAfter), now)
    })
    if (this.over) {
      this.#host.emit(callEndEvent(core, texts, this.command, now))
      return false
    }
    const goes = this.#host.limits?.ask(this.command, tokensAfter, this.step.priority, this.#again) ?? true
    return typeof goes === 'boolean' ? this.#asked(goes) : this.#unlessCancelled(goes)
  }

  /** A call that is cancelled does not wait for an answer that may be long in coming; the answer is heard all the same. */
  #unlessCancelled(answer: Promise<boolean>): Promise<boolean> {
    const signal = this.abortSignal
    return new Promise((resolve, reject) => {
      const cancelled = (): void => resolve(false)
      signal.addEventListener('abort', cancelled, { once: true })
      answer
        .then((goes) => resolve(this.#asked(goes)), reject)
        .finally(() => signal.removeEventListener('abort', cancelled))
    })
  }

  /** The shared limits have answered: the call leaves, or is over for the core already. */
  #asked(goes: boolean): boolean {
    if (this.over || this.#aborted) {
      // Cancelled while the question was on its way: a place that was granted is given back. The canceller reports its end.
      if (goes) this.#host.limits?.withdraw(this.command)
      return false
    }
    if (goes) return true
    this.over = true
    const { core, now, texts } = this.#host
    this.#host.emit(callEndEvent(core, texts, this.command, now))
    return false
  }

  files(fingerprint: string): void {
    this.fingerprint = fingerprint
  }

  firstToken(): void {
    if (this.over) return
    this.#host.limits?.arrived(this.command)
    const { core, now, texts } = this.#host
    const { call } = this.command
    this.#pieceAt = now
    if (writesAnswer(this.command)) texts.leads(this.command)
    this.#host.emit({ type: 'firstToken', ...ofCall(texts, this.command, now) })
    if (isProvisional(this.command)) this.#host.emit({ type: 'provisional', at: now, step: this.step.id, call })
    this.#host.signal(() => core.firstToken(call, now))
  }

  text(piece: string): void {
    if (this.over) return
    const { now, texts } = this.#host
    this.#pieces.push(piece)
    const shows = writesAnswer(this.command) && texts.leads(this.command)
    if (shows) {
      this.shown = true
      this.#host.text(this.step.id, piece)
    }
    const silentMs = now - this.#pieceAt
    this.#pieceAt = now
    if (now < this.#nextProgressAt || this.#telling) return
    if (silentMs <= lateMs) return this.#progress(shows)
    // It may have been this process that stood still: the speed is judged when all that came meanwhile was read.
    this.#telling = true
    afterTurn(() => {
      this.#telling = false
      if (!this.over) this.#progress(shows)
    })
  }

  #progress(shows: boolean): void {
    const { core, now, texts } = this.#host
    this.#nextProgressAt = now + progressEveryMs
    const tokens = this.streamedTokens()
    if (shows) this.#host.emit({ type: 'progress', ...ofCall(texts, this.command, now), outputTokens: tokens })
    this.#host.signal(() => core.progress(this.command.call, tokens, now))
  }
}
