/** Speakers who talk at once, told one after the other: one is heard as it speaks, the others wait for their turn. */
import type { RunEvent } from '../../../bindings/events.js'
import type { Turn } from './types.js'

export interface Listener {
  /** A turn begins to be told. */
  begin(turn: Turn): void
  piece(text: string): void
  /** What was told of the turn counts no more. */
  anew(turn: Turn): void
  /** `silent`: it gave no answer, for this reason. */
  end(turn: Turn, silent: string | undefined): void
}

export class Speaking {
  readonly #turns: readonly Turn[]
  readonly #listener: Listener
  readonly #said = new Map<string, string>()
  readonly #ended = new Map<string, string | undefined>()
  #at = 0
  #begun = false
  #told = 0

  constructor(turns: readonly Turn[], listener: Listener) {
    this.#turns = turns
    this.#listener = listener
  }

  text(step: string, piece: string): void {
    this.#said.set(step, (this.#said.get(step) ?? '') + piece)
    this.#tell()
  }

  event(event: RunEvent): void {
    if (event.type === 'restart') return this.#restart(event.step)
    if (event.type === 'done') this.#ended.set(event.step, undefined)
    else if (event.type === 'failed') this.#ended.set(event.step, event.failure)
    else if (event.type === 'skipped' || event.type === 'cancelled') this.#ended.set(event.step, event.reason)
    else return
    this.#tell()
  }

  #restart(step: string): void {
    this.#said.delete(step)
    const turn = this.#turns[this.#at]
    if (turn?.step !== step || this.#told === 0) return
    this.#told = 0
    this.#listener.anew(turn)
  }

  #tell(): void {
    for (let turn = this.#turns[this.#at]; turn !== undefined; turn = this.#turns[this.#at]) {
      const said = this.#said.get(turn.step) ?? ''
      if (!this.#begun && (said !== '' || this.#ended.has(turn.step))) {
        this.#begun = true
        this.#listener.begin(turn)
      }
      if (said.length > this.#told) {
        this.#listener.piece(said.slice(this.#told))
        this.#told = said.length
      }
      if (!this.#ended.has(turn.step)) return
      this.#listener.end(turn, this.#ended.get(turn.step))
      this.#at += 1
      this.#begun = false
      this.#told = 0
    }
  }
}
