import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Received {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export interface ScriptedServer {
  readonly url: string
  readonly received: readonly Received[]
  connections(): number
  /** Resolves when a client has closed a connection whose reply was not finished. */
  clientLeft(): Promise<void>
  close(): Promise<void>
}

/** One reply over a real loopback socket, as wrong as wanted. */
export type Script = (reply: ServerResponse, request: Received) => void | Promise<void>

export async function startScriptedServer(script: Script): Promise<ScriptedServer> {
  const received: Received[] = []
  let accepted = 0
  let left: () => void
  const leaving = new Promise<void>((resolve) => (left = resolve))
  const server = createServer(async (incoming, reply) => {
    let body = ''
    for await (const part of incoming) body += String(part)
    const request = { path: incoming.url ?? '', headers: incoming.headers, body }
    received.push(request)
    reply.on('close', () => {
      if (!reply.writableFinished) left()
    })
    await script(reply, request)
  })
  server.on('connection', (socket) => {
    accepted++
    socket.setNoDelay(true)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    connections: () => accepted,
    clientLeft: () => leaving,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

export function openStream(reply: ServerResponse): void {
  reply.writeHead(200, { 'content-type': 'text/event-stream' })
  reply.flushHeaders()
}

/**
 * Writes the parts as separate packets. Node holds the first write back for a turn of the event loop, so one turn between
 * them would join the first two: three keep them apart.
 */
export async function writeParts(reply: ServerResponse, parts: readonly (string | Uint8Array)[]): Promise<void> {
  for (const part of parts) {
    if (part.length > 0) reply.write(part)
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
  }
}

export function json(
  reply: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  reply.writeHead(status, { 'content-type': 'application/json', ...headers })
  reply.end(typeof body === 'string' ? body : JSON.stringify(body))
}
