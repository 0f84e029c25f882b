/** The server's way from a socket to a route: hosts, origins, keys, then the table of routes. */
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Account } from './accounts.js'
import { chatCompletions } from './chat-route.js'
import type { Call, Context } from './context.js'
import { embeddings } from './embeddings-route.js'
import { httpErrorOf, HttpError } from './http-error.js'
import { hostName, sendError, sendJson } from './http.js'
import { listModels, oneModel } from './models-route.js'
import { responses } from './responses-route.js'
import type { SignIn } from './sign-in.js'

export interface Gate {
  readonly signIn: SignIn
  /** Names of this server besides those of the loopback interface, in lower case. */
  readonly hosts: ReadonlySet<string>
  /** Origins whose pages may call. */
  readonly origins: ReadonlySet<string>
  /** Answers what is no route of the API: the page. */
  readonly page?: ((request: IncomingMessage, response: ServerResponse) => Promise<void>) | undefined
  /** Prometheus text. */
  metrics(): Promise<string>
  /** An unforeseen failure; without texts of the request. */
  failed(error: unknown, id: string): void
  /** More routes: those of runs. */
  readonly routes: readonly Route[]
}

export interface Route {
  readonly method: string
  /** Matches the path; groups are handed to `answer`. */
  readonly path: RegExp
  answer(call: Call, context: Context, ...groups: string[]): Promise<void> | void
}

const own: readonly Route[] = [
  { method: 'POST', path: /^\/v1\/chat\/completions$/, answer: chatCompletions },
  { method: 'POST', path: /^\/v1\/responses$/, answer: responses },
  { method: 'POST', path: /^\/v1\/embeddings$/, answer: embeddings },
  { method: 'GET', path: /^\/v1\/models$/, answer: listModels },
  { method: 'GET', path: /^\/v1\/models\/(.+)$/, answer: oneModel },
]

const loopback: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Longest wait for a request's headers and for all of it, ms. */
const headersMs = 20_000
const requestMs = 120_000
/** How often it is looked for connections that have waited so long, ms. */
const lookMs = 5000

export function makeServer(gate: Gate, context: Context): Server {
  const server = createServer(
    {
      headersTimeout: headersMs,
      requestTimeout: requestMs,
      connectionsCheckingInterval: lookMs,
      keepAliveTimeout: 65_000,
      maxHeaderSize: 16 * 1024,
      // Answers are written piece by piece.
      noDelay: true,
    },
    (request, response) => void answer(request, response, gate, context),
  )
  server.maxHeadersCount = 100
  return server
}

/** 24 hex digits. Node draws the random part of many such at once. */
const requestId = (): string => randomUUID().replaceAll('-', '').slice(0, 24)

async function answer(request: IncomingMessage, response: ServerResponse, gate: Gate, context: Context): Promise<void> {
  const id = requestId()
  let cors: Record<string, string> = {}
  // A client that goes away while it is written to is no failure of ours.
  response.on('error', () => undefined)
  try {
    mustBeOurHost(request, gate)
    cors = corsOf(request, gate)
    for (const [name, value] of Object.entries(cors)) response.setHeader(name, value)
    const url = new URL(request.url ?? '/', 'http://localhost')
    if (request.method === 'OPTIONS') return preflight(request, response)
    if (url.pathname === '/health') return sendJson(response, 200, { status: 'ok' })
    if (url.pathname === '/sign-in') return signIn(url, response, gate)
    await route(request, response, { url, id }, gate, context)
  } catch (error) {
    const known = httpErrorOf(error)
    if (known.status >= 500 && !(error instanceof HttpError)) gate.failed(error, id)
    sendError(response, known, { 'x-request-id': id })
    if (!response.writableEnded) response.destroy()
    // What was not read of the body is not worth reading.
    if (!request.complete) request.resume()
  }
}

async function route(
  request: IncomingMessage,
  response: ServerResponse,
  { url, id }: { readonly url: URL; readonly id: string },
  gate: Gate,
  context: Context,
): Promise<void> {
  const path = url.pathname
  const metrics = path === '/metrics'
  if (!path.startsWith('/v1/') && !metrics) {
    if (gate.page !== undefined) return gate.page(request, response)
    throw new HttpError(404, 'not_found', 'there is nothing at this address')
  }
  const account = mustSignIn(request, gate)
  if (metrics) return sendText(response, await gate.metrics())
  const call: Call = { request, response, url, account, id }
  const found = [...own, ...gate.routes].filter((each) => each.path.test(path))
  const fits = found.find(({ method }) => method === request.method)
  if (fits !== undefined) {
    const groups = fits.path.exec(path)?.slice(1).map(decoded) ?? []
    return fits.answer(call, context, ...groups)
  }
  if (found.length === 0) throw new HttpError(404, 'not_found', 'there is nothing at this address')
  const allow = found.map(({ method }) => method).join(', ')
  throw new HttpError(405, 'method_not_allowed', `use ${allow}`, { headers: { allow } })
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new HttpError(400, 'invalid_request_error', 'the address is not well-formed')
  }
}

function mustSignIn(request: IncomingMessage, { signIn }: Gate): Account {
  const account = signIn.accountOf(request)
  if (account !== undefined) return account
  throw new HttpError(401, 'invalid_api_key', 'send one of the keys of this server as a bearer token')
}

/** A page of another site may call a name of its own that points at this machine: only our names are answered. */
function mustBeOurHost({ headers }: IncomingMessage, { hosts }: Gate): void {
  const name = hostName(headers.host)
  if (name === undefined || !(loopback.has(name) || hosts.has(name)))
    throw new HttpError(403, 'unknown_host', 'this server does not answer to that name (--allowed-host)')
}

function corsOf({ headers }: IncomingMessage, { origins }: Gate): Record<string, string> {
  const { origin, host } = headers
  if (origin === undefined || origin === `http://${host}` || origin === `https://${host}`) return {}
  if (!origins.has(origin))
    throw new HttpError(403, 'unknown_origin', 'pages of that origin may not call (--cors-origin)')
  const exposed = ['x-request-id', 'retry-after', 'retry-after-ms', 'x-should-retry', ...ownHeaders, ...limitHeaders]
  return {
    'access-control-allow-origin': origin,
    'access-control-expose-headers': exposed.join(', '),
    vary: 'Origin',
  }
}

const ownHeaders = ['run-id', 'route', 'attempts', 'cache', 'cost-usd', 'cost-assumed'].map(
  (name) => `x-aetherflow-${name}`,
)
const limitHeaders = ['limit', 'remaining', 'reset'].flatMap((what) =>
  ['requests', 'tokens'].map((of) => `x-ratelimit-${what}-${of}`),
)

/** Without a key, as browsers send none with it. */
function preflight({ headers }: IncomingMessage, response: ServerResponse): void {
  const asked = headers['access-control-request-headers'] ?? 'authorization, content-type'
  response.writeHead(204, {
    'access-control-allow-methods': 'GET, POST, DELETE',
    'access-control-allow-headers': asked.replaceAll(/[^\w, -]/g, ''),
    'access-control-max-age': '600',
  })
  response.end()
}

function signIn(url: URL, response: ServerResponse, { signIn: tickets }: Gate): void {
  const cookie = tickets.use(url.searchParams.get('code') ?? '')
  if (cookie === undefined)
    throw new HttpError(403, 'link_used', 'this link was used or is too old: ask the server for another')
  response.writeHead(303, {
    location: '/runs.html',
    'set-cookie': cookie,
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
  })
  response.end()
}

function sendText(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8', 'cache-control': 'no-store' })
  response.end(text)
}
