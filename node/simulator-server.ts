import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttp2Server, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import type { Simulator } from '../web/standard/simulator/index.js'

export interface SimulatorServer {
  /** e.g. `http://127.0.0.1:40123`; a provider's base URL is `${url}/{provider}/v1`. */
  readonly url: string
  /** Ends every connection at once. */
  close(): Promise<void>
  /** Sockets accepted so far: fewer than requests means that connections were used again. */
  connections(): number
}

type Incoming = IncomingMessage | Http2ServerRequest
/** Both have what is used here under the same names; a union of them cannot be called. */
type Outgoing = ServerResponse & { readonly stream?: Http2ServerResponse['stream'] }

/** Longest request body that is read, bytes; a longer one is answered with 413. */
const maxBodyBytes = 64 * 1024 * 1024

/**
 * Serves a simulator on the loopback interface alone, on a free port. Rejects when the system gives none. Speaks HTTP/1.1,
 * and HTTP/2 without TLS to clients that open with it, as the providers speak it over TLS.
 */
export async function startSimulatorServer(simulator: Pick<Simulator, 'handle'>): Promise<SimulatorServer> {
  let accepted = 0
  const sockets = new Set<Socket>()
  const listener = (incoming: Incoming, outgoing: ServerResponse | Http2ServerResponse) =>
    void serve(simulator, incoming, outgoing as Outgoing)
  const http1 = createHttpServer(listener)
  // Longer than any pause between the steps of a run, so that connections are there to be used again.
  http1.keepAliveTimeout = 60_000
  const http2 = createHttp2Server(listener)
  http2.on('sessionError', () => undefined)
  const server = createServer((socket) => {
    accepted++
    sockets.add(socket)
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
    // The first line of HTTP/2 is `PRI * HTTP/2.0`, which no request of HTTP/1.1 is.
    socket.once('readable', () => {
      const first = socket.read() as Buffer | null
      if (first === null) return
      socket.unshift(first)
      const chosen = first.toString('latin1', 0, 4) === 'PRI ' ? http2 : http1
      chosen.emit('connection', socket)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    connections: () => accepted,
    async close() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

async function serve(simulator: Pick<Simulator, 'handle'>, incoming: Incoming, outgoing: Outgoing): Promise<void> {
  const abort = new AbortController()
  outgoing.on('close', () => {
    // A stream of HTTP/2 that the client leaves counts as finished, but nobody has ended it.
    if (outgoing.stream ? !outgoing.writableEnded : !outgoing.writableFinished) abort.abort()
  })
  try {
    const request = await toRequest(incoming, abort.signal)
    if (request) await send(await simulator.handle(request), outgoing)
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

async function toRequest(incoming: Incoming, signal: AbortSignal): Promise<Request | undefined> {
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
