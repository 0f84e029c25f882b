/** Whether a worker that is waited for still works: it is asked now and then, and one whose thread hangs never answers. */

/** How often it is asked, ms, and how many times without a word from it before it is given up: 75 s. */
const askMs = 15_000
const mostSilent = 4

export class Pulse {
  readonly #ask: () => void
  readonly #dead: () => void
  #timer: ReturnType<typeof setTimeout> | undefined
  #silent = 0

  /** `dead`: it has said nothing for 75 s. A machine that slept counts as one question, not as silence. */
  constructor(ask: () => void, dead: (seconds: number) => void) {
    this.#ask = ask
    this.#dead = () => dead((askMs * (mostSilent + 1)) / 1000)
  }

  /** Something is waited for, or nothing. */
  watch(on: boolean): void {
    if (on === (this.#timer !== undefined)) return
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#silent = 0
    if (on) this.#next()
  }

  /** It said something. */
  heard(): void {
    this.#silent = 0
  }

  #next(): void {
    this.#timer = setTimeout(() => {
      if (this.#silent === mostSilent) return this.#dead()
      this.#silent += 1
      this.#next()
      this.#ask()
    }, askMs)
  }
}
