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
  /** Bytes arrived, comments and half events included. What idle timers listen to. */
  onActivity?(): void
  onComment?(comment: string): void
  /** Takes the function that ends a pending read from outside: the generator then returns as at the end of the body. */
  onReader?(stop: () => void): void
  /**
   * Takes over the reader when the consumer leaves before the end of the body. The default cancels it, which closes the
   * socket; reading on to the end instead lets a pooled connection be used again.
   */
  onLeave?(reader: ReadableStreamDefaultReader<Uint8Array>): void
}

export class SseTooLarge extends Error {
  override readonly name = 'SseTooLarge'
}

/**
 * Server-sent events of a body, by the WHATWG rules: LF, CR and CRLF, comments, several data lines, a BOM, code points cut
 * between reads. One deliberate difference: an event that the end of the body cuts off is handed over with `complete: false`,
 * since providers have been seen to omit the last blank line. Rejects with what the body rejects with, or `SseTooLarge`.
 */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  options: SseOptions = {},
): AsyncGenerator<SseEvent, void, void> {
  const maxLength = options.maxEventLength ?? 1024 * 1024
  const events: SseEvent[] = []
  let ended = false
  let tooLarge = false
  const parser = createParser({
    // The parser's own bound sees only what is left between chunks; a huge event inside one chunk is caught here.
    maxBufferSize: maxLength,
    onEvent(message: EventSourceMessage) {
      if (message.data.length > maxLength) tooLarge = true
      else events.push({ event: message.event ?? '', data: message.data, complete: !ended })
    },
    onError(error) {
      if (error.type === 'max-buffer-size-exceeded') tooLarge = true
    },
    ...(options.onComment && { onComment: options.onComment.bind(options) }),
  })
  const toLf = lineEndings()
  const decoder = new TextDecoder()
  const reader = body.getReader()
  options.onReader?.(() => void reader.cancel().catch(() => undefined))
  try {
    while (!ended) {
      const { done, value } = await reader.read()
      ended = done
      if (!done) options.onActivity?.()
      const text = toLf(done ? decoder.decode() : decoder.decode(value, { stream: true }))
      if (text !== '') parser.feed(text)
      if (done && !tooLarge) parser.feed('\n\n')
      if (tooLarge) throw new SseTooLarge(`an event is longer than ${maxLength} characters`)
      yield* events
      events.length = 0
    }
  } finally {
    if (ended) reader.releaseLock()
    else if (options.onLeave && !tooLarge) options.onLeave(reader)
    else void reader.cancel().catch(() => undefined)
  }
}

/**
 * CR and CRLF to LF, across chunks. The parser (3.1.1) knows all three but cannot know whether a CR at the end of a chunk
 * is half of a CRLF: it holds the line back, so an event ended by CR CR is delivered only with the next bytes, and the last
 * one of a stream never. Here a CR is an LF at once and an LF right after it is dropped.
 */
function lineEndings(): (text: string) => string {
  let afterCr = false
  return (text) => {
    if (text === '') return text
    const rest = afterCr && text.startsWith('\n') ? text.slice(1) : text
    afterCr = text.endsWith('\r')
    return rest.includes('\r') ? rest.replace(/\r\n?/g, '\n') : rest
  }
}
