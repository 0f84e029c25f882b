/** A stream of server-sent events to one client: headers with the first of them, comments that keep it open, a bound on what waits. */
import type { ServerResponse } from 'node:http'

/** Most bytes that wait for a reader who does not read; then the connection is closed. */
export const mostWaitingBytes = 4 * 1024 * 1024

export interface EventStreamOptions {
  readonly headers: Readonly<Record<string, string>>
  /** Calls back from time to time; the result ends that. */
  beat(write: () => void): () => void
}

export class EventStream {
  readonly #response: ServerResponse
  readonly #headers: Readonly<Record<string, string>>
  readonly #stopBeat: () => void

  constructor(response: ServerResponse, options: EventStreamOptions) {
    this.#response = response
    this.#headers = options.headers
    this.#stopBeat = options.beat(() => this.#write(': \n\n'))
    response.once('close', this.#stopBeat)
  }

  /** Anything was sent, so that a status cannot be told any more. */
  get begun(): boolean {
    return this.#response.headersSent
  }

  get over(): boolean {
    return this.#response.destroyed || this.#response.writableEnded
  }

  /** What was written has not left: what can be left out is. */
  get slow(): boolean {
    return this.#response.writableNeedDrain
  }

  /** `event` and `id` only where the protocol has them: clients of chat completions take a named event for a chunk. */
  send(data: unknown, { event, id }: { event?: string; id?: string | number } = {}): void {
    const named = `${id === undefined ? '' : `id: ${id}\n`}${event === undefined ? '' : `event: ${event}\n`}`
    this.#write(`${named}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`)
  }

  raw(text: string): void {
    this.#write(text)
  }

  /** Ends the response too: some clients wait for that, not for the last event. */
  end(): void {
    this.#stopBeat()
    if (!this.over) this.#response.end()
  }

  #write(text: string): void {
    const response = this.#response
    if (this.over) return
    if (!response.headersSent) {
      response.writeHead(200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-cache',
        'x-accel-buffering': 'no',
        'x-content-type-options': 'nosniff',
        ...this.#headers,
      })
    }
    response.write(text)
    if (response.writableLength > mostWaitingBytes) response.destroy()
  }
}
