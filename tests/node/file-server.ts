/** A server of files on a loopback socket, with the faults that downloads meet. */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

export interface Served {
  readonly path: string
  readonly range: string | undefined
  readonly ifRange: string | undefined
  readonly authorization: string | undefined
  readonly status: number
}

/** What happens to one request, in its turn; `undefined`: what a good server does. */
export type Fault =
  | { readonly cutAfter: number }
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  | { readonly ignoreRange: true }
  /** Goes on although the file is another by now. */
  | { readonly ignoreIfRange: true }
  | { readonly redirect: string }
  | { readonly holdAfter: number }

export class FileServer {
  readonly files = new Map<string, Uint8Array>()
  readonly served: Served[] = []
  /** Of each path, what happens to its next requests. */
  readonly faults = new Map<string, (Fault | undefined)[]>()
  etags: 'strong' | 'weak' | 'none' = 'strong'
  readonly #server = createServer((request, response) => this.#answer(request, response))
  readonly #sockets = new Set<Socket>()
  readonly #waiting = new Set<() => void>()
  url = ''

  static async start(): Promise<FileServer> {
    const server = new FileServer()
    server.#server.on('connection', (socket) => {
      server.#sockets.add(socket)
      socket.on('close', () => server.#sockets.delete(socket))
    })
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve))
    server.url = `http://127.0.0.1:${(server.#server.address() as AddressInfo).port}`
    return server
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  /** Requests of one path, in their order. */
  of(path: string): Served[] {
    return this.served.filter((each) => each.path === path)
  }

  /** Resolves when somebody waits for the rest of a reply. */
  held(): Promise<void> {
    return new Promise((resolve) => void this.#waiting.add(resolve))
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = new URL(request.url ?? '/', this.url).pathname
    const fault = this.faults.get(path)?.shift()
    const bytes = this.files.get(path)
    const { range, 'if-range': ifRange, authorization } = request.headers
    const reply = (status: number, headers: Record<string, string>, body: Uint8Array = new Uint8Array()): void => {
      this.served.push({ path, range, ifRange: ifRange as string | undefined, authorization, status })
      response.writeHead(status, { 'content-length': String(body.byteLength), ...headers })
      this.#write(response, body, fault)
    }
    if (fault && 'status' in fault) return reply(fault.status, { ...fault.headers })
    if (fault && 'redirect' in fault) return reply(302, { location: fault.redirect })
    if (!bytes) return reply(404, {}, Buffer.from('not here'))
    const etag = `"${createHash('sha256').update(bytes).digest('hex').slice(0, 12)}"`
    const marks: Record<string, string> =
      this.etags === 'none' ? {} : { etag: this.etags === 'weak' ? `W/${etag}` : etag }
    const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? NaN)
    const same = ifRange === undefined || ifRange === etag || (fault !== undefined && 'ignoreIfRange' in fault)
    if (Number.isNaN(from) || !same || (fault && 'ignoreRange' in fault)) return reply(200, marks, bytes)
    const total = bytes.byteLength
    if (from >= total) return reply(416, { 'content-range': `bytes */${total}` })
    reply(206, { ...marks, 'content-range': `bytes ${from}-${total - 1}/${total}` }, bytes.subarray(from))
  }

  #write(response: ServerResponse, body: Uint8Array, fault: Fault | undefined): void {
    if (fault && 'cutAfter' in fault) {
      response.write(body.subarray(0, fault.cutAfter), () => response.destroy())
    } else if (fault && 'holdAfter' in fault) {
      response.write(body.subarray(0, fault.holdAfter), () => {
        for (const told of this.#waiting) told()
      })
    } else response.end(body)
  }
}
