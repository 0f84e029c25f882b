/** A call under way: its signals, as the core and the watchers are told of them. */
import type { Command } from './commands.js'
import type { CoreRun } from './core.js'
import type { RunEvent, StepInfo } from './events.js'
import type { CallProgress } from './performer.js'

/** What a live call needs of its driver. */
export interface LiveCallHost {
  readonly core: CoreRun
  readonly now: number
  emit(event: RunEvent): void
  /** Tells the core something; too late is no fault. */
  signal(tell: () => void): void
  text(step: string, piece: string): void
}

/** At most one progress event of a step in this many ms: screens need no more, and each crosses the boundary. */
const progressEveryMs = 250

export class LiveCall implements CallProgress {
  readonly controller = new AbortController()
  /** Answer text has reached the user. */
  shown = false
  readonly #host: LiveCallHost
  readonly #command: Command
  readonly #step: StepInfo
  /** Answer text since the last progress event, and the tokens estimated before it. */
  #pieces: string[] = []
  #tokens = 0
  #nextProgressAt = 0

  constructor(host: LiveCallHost, command: Command, step: StepInfo) {
    this.#host = host
    this.#command = command
    this.#step = step
  }

  /** Estimated tokens of the text so far. */
  streamedTokens(): number {
    if (this.#pieces.length > 0) this.#tokens += this.#host.core.estimateTokens(this.#pieces.join(''))
    this.#pieces = []
    return this.#tokens
  }

  started({ reused, setupMs }: { readonly reused?: boolean; readonly setupMs?: number }): void {
    const { core, now } = this.#host
    this.#host.signal(() => core.started(this.#command.call, reused, setupMs, now))
  }

  prompt(tokensBefore: number, tokensAfter: number): void {
    const { purpose } = this.#command
    this.#host.emit({ type: 'prompt', at: this.#host.now, step: this.#step.id, purpose, tokensBefore, tokensAfter })
  }

  firstToken(): void {
    const { core, now } = this.#host
    const { call, purpose } = this.#command
    this.#host.emit({ type: 'first_token', at: now, step: this.#step.id, purpose })
    this.#host.signal(() => core.firstToken(call, now))
  }

  text(piece: string): void {
    const { core, now } = this.#host
    const { call, purpose } = this.#command
    this.#pieces.push(piece)
    if (purpose === 'main') {
      this.shown = true
      this.#host.text(this.#step.id, piece)
    }
    if (now < this.#nextProgressAt) return
    this.#nextProgressAt = now + progressEveryMs
    const tokens = this.streamedTokens()
    if (purpose === 'main') this.#host.emit({ type: 'progress', at: now, step: this.#step.id, tokens })
    this.#host.signal(() => core.progress(call, tokens, now))
  }
}
