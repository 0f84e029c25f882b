/** Streamable HTTP on the loopback interface, for those who have the token and come by a name of this machine. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { AetherflowError } from '../../bindings/errors.js'
import { errorCode } from '../error-code.js'
import { userStateFolder, type Environment } from '../folders.js'
import { answerWith, type Handle } from '../http-bridge.js'
import { makeFolder } from '../make-folder.js'
import { ioError } from '../run/outputs.js'

export interface HttpServing {
  /** `http://127.0.0.1:8791/mcp`. */
  readonly url: string
  close(): Promise<void>
}

const maxBodyBytes = 10 << 20

/** Names of this machine, with any port: what a page of another site makes of its own name leads here too, and is refused. */
const local = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i

/** Why a request is refused before anything of it is read: status and words; undefined: it is not. */
export function refusedRequest(
  { headers }: Pick<IncomingMessage, 'headers'>,
  token: string | undefined,
): readonly [status: number, words: string] | undefined {
  const { host, origin, authorization = '' } = headers
  if (!local.test(host ?? '')) return [403, 'unknown host']
  if (origin !== undefined && !local.test(origin.replace(/^https?:\/\//i, ''))) return [403, 'unknown origin']
  if (token === undefined || sameText(authorization, `Bearer ${token}`)) return undefined
  return [401, 'a token is needed']
}

/** In the same time for every wrong one. */
export function sameText(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(one), digest(other))
}

/** `port` 0: any that is free. `token` undefined: nobody is asked for one. Fails: host.io_failed when the port is taken. */
export async function serveHttp(handle: Handle, port: number, token: string | undefined): Promise<HttpServing> {
  const server = createServer((incoming, outgoing) => {
    const refused = refusedRequest(incoming, token)
    if (refused === undefined && incoming.url?.split('?')[0] === '/mcp')
      return void answerWith(handle, incoming, outgoing, maxBodyBytes)
    const [status, words] = refused ?? [404, 'not found']
    const challenge = status === 401 ? { 'www-authenticate': 'Bearer' } : {}
    outgoing.writeHead(status, { 'content-type': 'application/json', connection: 'close', ...challenge })
    outgoing.end(JSON.stringify({ jsonrpc: '2.0', error: { code: -32000, message: words }, id: null }))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      const taken = errorCode(error) === 'EADDRINUSE'
      reject(taken ? new AetherflowError('host.io_failed', `127.0.0.1:${port}`, 'the port is taken') : error)
    })
    server.listen(port, '127.0.0.1', resolve)
  })
  const address = server.address()
  const bound = typeof address === 'object' && address !== null ? address.port : port
  return {
    url: `http://127.0.0.1:${bound}/mcp`,
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

/** The user's token for servers on this machine, made when there is none; and its file. Fails: host.io_failed. */
export async function userToken(env: Environment): Promise<{ token: string; file: string }> {
  const folder = userStateFolder(env)
  const file = join(folder, 'mcp-token')
  try {
    await makeFolder(folder, 0o700)
    await writeFile(file, `${randomBytes(32).toString('base64url')}\n`, { flag: 'wx', mode: 0o600 }).catch(
      (error: unknown) => {
        if (errorCode(error) !== 'EEXIST') throw error
      },
    )
    const token = (await readFile(file, 'utf8')).trim()
    if (token.length >= 32) return { token, file }
  } catch (error) {
    throw ioError(file, error)
  }
  throw new AetherflowError('host.io_failed', file, 'holds no token: remove it')
}
