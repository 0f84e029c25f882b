/** The platform's fetch as a transport: pages, workers, tests, a simulator. */
import type { Fetch, Transport, TransportBody, TransportReply, TransportRequest } from '../../../bindings/ports.js'

/**
 * Exchanges over `fetch`. It cannot say when a connection stood, so `onSent` comes at once and knows nothing. A `fetch` that
 * ignores its signal is left behind, and its reply thrown away when it comes.
 */
export function fetchTransport(fetch: Fetch): Transport {
  return {
    async send(request) {
      const controller = new AbortController()
      request.signal.onStop(() => controller.abort())
      const pending = fetch(request.url, {
        method: request.method,
        headers: request.headers,
        ...(request.body !== undefined && { body: request.body }),
        signal: controller.signal,
        // Followed by hand it would carry the key to another host; there is nothing to follow on an API.
        redirect: 'manual',
        credentials: 'omit',
      })
      request.onSent?.({})
      return replyOf(await pending, request)
    },
  }
}

function replyOf(response: Response, { signal }: TransportRequest): TransportReply {
  const body = new FetchBody(response.body)
  // Instead of the controller's abort, which a stream made by hand may not know.
  if (signal.stopped) body.cancel()
  else signal.onStop(() => body.cancel())
  return {
    status: response.type === 'opaqueredirect' ? 0 : response.status,
    header: (name) => response.headers.get(name),
    body,
  }
}

class FetchBody implements TransportBody {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined

  constructor(body: ReadableStream<Uint8Array> | null) {
    this.#reader = body?.getReader()
  }

  async read(): Promise<Uint8Array | undefined> {
    for (;;) {
      const part = await this.#reader?.read()
      if (part === undefined || part.done) return undefined
      if (part.value.length > 0) return part.value
    }
  }

  cancel(): void {
    void this.#reader?.cancel().catch(() => undefined)
  }
}
