import { createParser, type EventSourceMessage } from 'eventsource-parser'

/** One event. `event` is '' when the stream named none. */
export interface SseEvent {
  readonly event: string
  readonly data: string
  /** False when the body ended before the blank line that ends an event: its data may be cut. */
  readonly complete: boolean
}

export interface SseOptions {
  /** Most characters of one event, default 1 Mi; more throws `SseTooLarge`. */
  readonly maxEventLength?: number
  onComment?(comment: string): void
}

export class SseTooLarge extends Error {
  override readonly name = 'SseTooLarge'
}

/**
 * Server-sent events out of bytes, by the WHATWG rules: LF, CR and CRLF, comments, several data lines, a BOM, code points cut
 * between pieces. One deliberate difference: an event that the end of the body cuts off is handed over with `complete: false`,
 * since providers have been seen to omit the last blank line.
 *
 *     push(bytes) ─▶ events that these bytes completed          end() ─▶ the one that was cut off
 *
 * It is pushed, not pulled, because a stream has more events than reads: a promise for each of them costs more than parsing it.
 */
export class SseReader {
  readonly #maxLength: number
  readonly #decoder = new TextDecoder()
  readonly #parser
  #events: SseEvent[] = []
  #ended = false
  #tooLarge = false
  #afterCr = false

  constructor(options: SseOptions = {}) {
    const maxLength = (this.#maxLength = options.maxEventLength ?? 1024 * 1024)
    this.#parser = createParser({
      // The parser's own bound sees only what is left between pieces; a huge event inside one piece is caught here.
      maxBufferSize: maxLength,
      onEvent: ({ event, data }: EventSourceMessage) => {
        if (data.length > maxLength) this.#tooLarge = true
        else this.#events.push({ event: event ?? '', data, complete: !this.#ended })
      },
      onError: (error) => {
        if (error.type === 'max-buffer-size-exceeded') this.#tooLarge = true
      },
      ...(options.onComment && { onComment: options.onComment.bind(options) }),
    })
  }

  /** The events that these bytes complete. Throws `SseTooLarge`; then the reader is of no more use. */
  push(bytes: Uint8Array): readonly SseEvent[] {
    return this.#feed(this.#decoder.decode(bytes, { stream: true }))
  }

  /** The body has ended: the event that it cut off, if there is one. */
  end(): readonly SseEvent[] {
    const rest = this.#feed(this.#decoder.decode())
    this.#ended = true
    return [...rest, ...this.#feed('\n\n')]
  }

  #feed(text: string): readonly SseEvent[] {
    const lines = this.#toLf(text)
    if (lines !== '') this.#parser.feed(lines)
    if (this.#tooLarge) throw new SseTooLarge(`an event is longer than ${this.#maxLength} characters`)
    const events = this.#events
    if (events.length > 0) this.#events = []
    return events
  }

  /**
   * CR and CRLF to LF, across pieces. The parser (3.1.1) knows all three but cannot know whether a CR at the end of a piece
   * is half of a CRLF: it holds the line back, so an event ended by CR CR is delivered only with the next bytes, and the last
   * one of a stream never. Here a CR is an LF at once and an LF right after it is dropped.
   */
  #toLf(text: string): string {
    if (text === '') return text
    const rest = this.#afterCr && text.startsWith('\n') ? text.slice(1) : text
    this.#afterCr = text.endsWith('\r')
    return rest.includes('\r') ? rest.replace(/\r\n?/g, '\n') : rest
  }
}
