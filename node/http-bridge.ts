/** Requests of Node's servers, HTTP/1.1 and HTTP/2, answered by handlers that take a Request and give a Response. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'

export type Incoming = IncomingMessage | Http2ServerRequest
/** Both have what is used here under the same names; a union of them cannot be called. */
export type Outgoing = ServerResponse & { readonly stream?: Http2ServerResponse['stream'] }

export type Handle = (request: Request) => Promise<Response>

/**
 * Answers one request. A body of more than `maxBodyBytes` is answered with 413; a handler that throws breaks the answer off. The
 * request's signal is aborted when the client leaves before the end of the answer.
 */
export async function answerWith(
  handle: Handle,
  incoming: Incoming,
  outgoing: Outgoing,
  maxBodyBytes: number,
): Promise<void> {
  const abort = new AbortController()
  outgoing.on('close', () => {
    // A stream of HTTP/2 that the client leaves counts as finished, but nobody has ended it.
    if (outgoing.stream ? !outgoing.writableEnded : !outgoing.writableFinished) abort.abort()
  })
  try {
    const request = await toRequest(incoming, abort.signal, maxBodyBytes)
    if (request) await send(await handle(request), outgoing)
    else outgoing.writeHead(413, outgoing.stream ? {} : { connection: 'close' }).end()
  } catch {
    // An injected broken connection, or a client that has gone: either way there is nobody to tell.
    breakOff(outgoing)
  }
}

/** Without an end: HTTP/2 breaks the stream, HTTP/1.1 the connection. */
function breakOff(outgoing: Outgoing): void {
  if (outgoing.stream) outgoing.stream.destroy(new Error('broken off'))
  else outgoing.destroy()
}

async function toRequest(incoming: Incoming, signal: AbortSignal, maxBodyBytes: number): Promise<Request | undefined> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of incoming as AsyncIterable<Buffer>) {
    if ((bytes += part.length) > maxBodyBytes) return undefined
    parts.push(part)
  }
  const headers = new Headers()
  for (const [name, value] of Object.entries(incoming.headers))
    // HTTP/2 puts method and path among the headers.
    if (value !== undefined && !name.startsWith(':')) headers.set(name, String(value))
  const method = incoming.method ?? 'GET'
  const body = method === 'GET' || method === 'HEAD' ? null : Buffer.concat(parts)
  return new Request(`http://127.0.0.1${incoming.url ?? '/'}`, { method, headers, signal, body })
}

async function send(response: Response, outgoing: Outgoing): Promise<void> {
  outgoing.writeHead(response.status, Object.fromEntries(response.headers))
  // A stream's headers leave before its first token: the client sees that it is connected.
  outgoing.flushHeaders()
  const reader = response.body?.getReader()
  for (let part = await reader?.read(); part && !part.done; part = await reader!.read()) {
    if (!outgoing.write(part.value)) await drained(outgoing)
    if (outgoing.destroyed) return void (await reader!.cancel())
  }
  outgoing.end()
}

/** Room again, or nobody left to write to. */
function drained(outgoing: Outgoing): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      outgoing.off('drain', go).off('close', go)
      resolve()
    }
    outgoing.on('drain', go).on('close', go)
    if (outgoing.destroyed) go()
  })
}
