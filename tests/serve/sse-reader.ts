/** Reads a stream of server-sent events, one at a time. */
import { createParser, type EventSourceMessage } from 'eventsource-parser'

export interface Told {
  readonly event: string | undefined
  readonly id: number | undefined
  readonly data: Record<string, unknown>
}

export class SseReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  readonly #told: Told[] = []
  readonly #decoder = new TextDecoder()
  readonly #parser = createParser({ onEvent: (message) => void this.#told.push(toldOf(message)) })

  constructor(response: Response) {
    this.#reader = response.body?.getReader()
  }

  /** Undefined: the stream has ended. */
  async next(): Promise<Told | undefined> {
    while (this.#told.length === 0) {
      const part = await this.#reader?.read()
      if (part === undefined || part.done) return undefined
      this.#parser.feed(this.#decoder.decode(part.value, { stream: true }))
    }
    return this.#told.shift()
  }

  /** All up to the one that is meant; throws when the stream ends before. Those without an id are left out. */
  async until(meant: (told: Told) => boolean): Promise<Told[]> {
    const all: Told[] = []
    for (let told = await this.next(); told !== undefined; told = await this.next()) {
      if (told.id !== undefined && told.event !== 'snapshot') all.push(told)
      if (meant(told)) return all
    }
    throw new Error('the stream ended before')
  }

  async all(): Promise<Told[]> {
    const all: Told[] = []
    for (let told = await this.next(); told !== undefined; told = await this.next()) all.push(told)
    return all
  }

  leave(): void {
    void this.#reader?.cancel()
  }
}

const toldOf = ({ event, id, data }: EventSourceMessage): Told => ({
  event,
  id: id === undefined ? undefined : Number(id),
  data: JSON.parse(data) as Record<string, unknown>,
})
