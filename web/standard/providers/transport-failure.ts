import { CallFailure } from '../failure.js'

/** Codes of Node's fetch that say more than "failed". Browsers give none. */
const kindByCode: ReadonlyMap<string, CallFailure['kind']> = new Map([
  ['UND_ERR_CONNECT_TIMEOUT', 'timeout_connect'],
  ['ETIMEDOUT', 'timeout_connect'],
  ['UND_ERR_HEADERS_TIMEOUT', 'timeout_connect'],
  ['UND_ERR_BODY_TIMEOUT', 'timeout_idle'],
])

/** Browsers say no more when a reply lacks the header that lets a page read it, as OpenAI's 401 does. */
const opaque = 'a network error, or in a page a refused key, which the browser does not show'

/**
 * What `fetch` or a body rejected with, as a failure: `before` the headers nothing was received, `during` the body something
 * was. Only the code is told: the platform's own message may quote address and header.
 */
export function transportFailure(error: unknown, phase: 'before' | 'during'): CallFailure {
  const code = errorCode(error)
  const kind = kindByCode.get(code) ?? (phase === 'before' ? 'unreachable' : 'truncated')
  const words = phase === 'before' ? 'no reply' : 'the connection broke'
  if (code !== '') return new CallFailure(kind, `${words} (${code})`)
  return new CallFailure(kind, phase === 'before' ? `${words}: ${opaque}` : words)
}

/** The code sits on the error or on its cause, depending on the layer that failed. */
function errorCode(error: unknown): string {
  for (let at = error, depth = 0; typeof at === 'object' && at !== null && depth < 4; depth++) {
    const { code, cause } = at as { code?: unknown; cause?: unknown }
    if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,40}$/.test(code)) return code
    at = cause
  }
  return ''
}
