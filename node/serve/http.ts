/** The plain of HTTP: bodies read with bounds, answers written, hosts and origins looked at. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isObject, type Body } from './chat-body.js'
import { badRequest, HttpError } from './http-error.js'

/** Largest body of a request, bytes. */
export const mostBodyBytes = 10 * 1024 * 1024
/** Deepest nesting of its JSON. */
const mostDepth = 64

/** Throws a HttpError: 408, 413, 415, 400. */
export async function readJson(request: IncomingMessage): Promise<Body> {
  const type = request.headers['content-type'] ?? ''
  if (!/^application\/json\s*(;|$)/i.test(type))
    throw new HttpError(415, 'unsupported_media_type', 'send application/json')
  const text = await readText(request)
  mustBeFlat(text)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The parser's message quotes the body.
    throw badRequest('the body is not well-formed JSON')
  }
  if (!isObject(value)) throw badRequest('the body must be a JSON object')
  return value
}

async function readText(request: IncomingMessage): Promise<string> {
  const declared = Number(request.headers['content-length'] ?? 0)
  if (declared > mostBodyBytes) throw tooLarge()
  const parts: Buffer[] = []
  let bytes = 0
  try {
    for await (const part of request as AsyncIterable<Buffer>) {
      if ((bytes += part.length) > mostBodyBytes) throw tooLarge()
      parts.push(part)
    }
  } catch (error) {
    if (error instanceof HttpError) throw error
    throw new HttpError(408, 'request_timeout', 'the body did not come')
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(parts))
  } catch {
    throw badRequest('the body is not UTF-8')
  }
}

/** The rest of the body is not read, so the connection cannot serve another request. */
const tooLarge = (): HttpError =>
  new HttpError(413, 'body_too_large', `a body may have ${mostBodyBytes} bytes`, { headers: { connection: 'close' } })

/** Counts brackets outside texts, so that deep nesting is refused before anything recurses into it. */
function mustBeFlat(text: string): void {
  let depth = 0
  let inText = false
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (inText) {
      if (code === 0x5c) at += 1
      else if (code === 0x22) inText = false
    } else if (code === 0x22) inText = true
    else if (code === 0x7b || code === 0x5b) {
      if ((depth += 1) > mostDepth) throw badRequest(`the body is nested deeper than ${mostDepth}`)
    } else if (code === 0x7d || code === 0x5d) depth -= 1
  }
}

export function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.headersSent || response.destroyed) return
  const text = JSON.stringify(value)
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...headers,
  })
  response.end(text)
}

export function sendError(
  response: ServerResponse,
  error: HttpError,
  headers: Readonly<Record<string, string>> = {},
): void {
  const challenge = error.status === 401 ? { 'www-authenticate': 'Bearer' } : {}
  sendJson(response, error.status === 499 ? 503 : error.status, error.body, {
    ...headers,
    ...error.headers,
    ...challenge,
  })
}

/** The name in a Host header without its port; undefined: none, or nothing that is one. */
export function hostName(header: string | undefined): string | undefined {
  return /^(\[[0-9a-f:.]+\]|[\w.-]+)(?::\d{1,5})?$/i.exec(header ?? '')?.[1]?.toLowerCase()
}
