import { once } from 'node:events'
import { createServer as createHttpServer, type ServerResponse } from 'node:http'
import { createServer as createHttp2Server, type Http2ServerResponse } from 'node:http2'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { answerWith, type Incoming, type Outgoing } from './http-bridge.js'
import type { Simulator } from '../web/standard/simulator/index.js'

export interface SimulatorServer {
  /** e.g. `http://127.0.0.1:40123`; a provider's base URL is `${url}/{provider}/v1`. */
  readonly url: string
  /** Ends every connection at once. */
  close(): Promise<void>
  /** Sockets accepted so far: fewer than requests means that connections were used again. */
  connections(): number
}

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
    void answerWith((request) => simulator.handle(request), incoming, outgoing as Outgoing, maxBodyBytes)
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
