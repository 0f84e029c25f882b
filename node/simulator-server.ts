import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
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

/** Serves a simulator on the loopback interface alone, on a free port. Rejects when the system gives none. */
export async function startSimulatorServer(simulator: Pick<Simulator, 'handle'>): Promise<SimulatorServer> {
  let accepted = 0
  const server = createServer((incoming, outgoing) => void serve(simulator, incoming, outgoing))
  // Longer than any pause between the steps of a run, so that connections are there to be used again.
  server.keepAliveTimeout = 60_000
  server.on('connection', () => accepted++)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    connections: () => accepted,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

async function serve(
  simulator: Pick<Simulator, 'handle'>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const abort = new AbortController()
  outgoing.on('close', () => {
    if (!outgoing.writableFinished) abort.abort()
  })
  try {
    const request = await toRequest(incoming, abort.signal)
    if (request) await send(await simulator.handle(request), outgoing)
    else outgoing.writeHead(413, { connection: 'close' }).end()
  } catch {
    // An injected broken connection, or a client that has gone: either way there is nobody to tell.
    outgoing.destroy()
  }
}

async function toRequest(incoming: IncomingMessage, signal: AbortSignal): Promise<Request | undefined> {
  const parts: Buffer[] = []
  let bytes = 0
  for await (const part of incoming as AsyncIterable<Buffer>) {
    if ((bytes += part.length) > maxBodyBytes) return undefined
    parts.push(part)
  }
  const headers = new Headers()
  for (const [name, value] of Object.entries(incoming.headers))
    if (value !== undefined) headers.set(name, String(value))
  const method = incoming.method ?? 'GET'
  const body = method === 'GET' || method === 'HEAD' ? null : Buffer.concat(parts)
  return new Request(`http://127.0.0.1${incoming.url ?? '/'}`, { method, headers, signal, body })
}

async function send(response: Response, outgoing: ServerResponse): Promise<void> {
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
function drained(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const go = () => {
      outgoing.off('drain', go).off('close', go)
      resolve()
    }
    outgoing.on('drain', go).on('close', go)
    if (outgoing.destroyed) go()
  })
}
