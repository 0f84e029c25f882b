import type { FromWorker } from './messages.js'

/** Longest wait of an event for others to join it, ms: a page shows nothing sooner than its next frame. */
const gatherMs = 16

/** Messages to the page in their order, those of one frame in one list. */
export class Outbox {
  #messages: FromWorker[] = []
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly post: (messages: readonly FromWorker[]) => void) {}

  /** May wait. */
  add(message: FromWorker): void {
    this.#messages.push(message)
    this.#timer ??= setTimeout(() => this.#flush(), gatherMs)
  }

  /** Pieces of one step that follow each other are joined. */
  addText(job: number, step: string, piece: string): void {
    const last = this.#messages.at(-1)
    if (last?.is === 'text' && last.job === job && last.step === step)
      this.#messages[this.#messages.length - 1] = { ...last, piece: last.piece + piece }
    else this.add({ is: 'text', job, step, piece })
  }

  /** Leaves now, after all that waits. */
  send(message: FromWorker): void {
    this.#messages.push(message)
    this.#flush()
  }

  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const messages = this.#messages
    this.#messages = []
    this.post(messages)
  }
}
