/** Hands out the files of one folder on the loopback interface, with a strict policy: the playground needs no more of a server. */
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import path from 'node:path'
import { AetherflowError } from '../bindings/errors.js'
import { errorCode } from './error-code.js'

export interface PageServer {
  /** `http://127.0.0.1:4747`. */
  readonly url: string
  close(): Promise<void>
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.ts': 'text/plain; charset=utf-8',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
}

/**
 * Serves `folder` on 127.0.0.1. `port` 0: any that is free. The Content-Security-Policy is the one that index.html names, as a
 * header for everything. Rejects with host.io_failed when the folder has no page, or the port is taken.
 */
export async function servePage(folder: string, port: number): Promise<PageServer> {
  const policy = await policyOf(folder)
  const server = createServer((request, response) => {
    // A page of another site must not read from here by a name that it points at this machine.
    const known = /^(127\.0\.0\.1|localhost)(:\d+)?$/.test(request.headers.host ?? '')
    void reply(known ? folder : undefined, policy, request, response)
  })
  await listen(server, port)
  const address = server.address()
  const bound = typeof address === 'object' && address !== null ? address.port : port
  return { url: `http://127.0.0.1:${bound}/`, close: () => close(server) }
}

async function policyOf(folder: string): Promise<string> {
  const page = await readFile(path.join(folder, 'index.html'), 'utf8').catch((error: unknown) => {
    throw new AetherflowError('host.io_failed', folder, `there is no page: ${errorCode(error) ?? String(error)}`)
  })
  return /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)?.[1] ?? "default-src 'self'"
}

/** The files of `folder` for another server, which has looked at the names that it is called by. Rejects as `servePage`. */
export async function openPage(
  folder: string,
): Promise<(request: IncomingMessage, response: ServerResponse) => Promise<void>> {
  const policy = await policyOf(folder)
  return (request, response) => reply(folder, policy, request, response)
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new AetherflowError(
          'host.io_failed',
          `127.0.0.1:${port}`,
          error.code === 'EADDRINUSE' ? 'the port is taken' : error.message,
        ),
      ),
    )
    server.listen(port, '127.0.0.1', () => resolve())
  })
}

function close(server: Server): Promise<void> {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(() => resolve()))
}

/** Without a folder everything is refused. */
async function reply(
  folder: string | undefined,
  policy: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const headers = {
    'content-security-policy': `${policy}; frame-ancestors 'none'`,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-cache',
  }
  const send = (status: number, type: string, body: string | Uint8Array): void => {
    response.writeHead(status, { ...headers, 'content-type': type })
    response.end(request.method === 'HEAD' ? undefined : body)
  }
  const plain = 'text/plain; charset=utf-8'
  if (request.method !== 'GET' && request.method !== 'HEAD') return send(405, plain, 'only GET')
  if (folder === undefined) return send(403, plain, 'unknown host')
  const file = fileOf(folder, request.url ?? '/')
  if (file === undefined) return send(404, plain, 'not found')
  try {
    send(200, types[path.extname(file)] ?? 'application/octet-stream', await readFile(file))
  } catch {
    send(404, plain, 'not found')
  }
}

/** Undefined for anything that would lie outside the folder. */
function fileOf(folder: string, url: string): string | undefined {
  let name: string
  try {
    name = decodeURIComponent(new URL(url, 'http://127.0.0.1').pathname)
  } catch {
    return undefined
  }
  if (name.includes('\0')) return undefined
  const file = path.join(folder, name.endsWith('/') ? `${name}index.html` : name)
  return file.startsWith(path.join(folder, path.sep)) ? file : undefined
}
