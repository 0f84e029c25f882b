import { CallFailure } from '../failure/failure.js'

/** Codes of Node's transports that say more than "failed". Browsers give none. */
const kindByCode: ReadonlyMap<string, CallFailure['kind']> = new Map([
  ['UND_ERR_CONNECT_TIMEOUT', 'timeout_connect'],
  ['ETIMEDOUT', 'timeout_connect'],
  // The connection stood: what did not come is the answer.
  ['UND_ERR_HEADERS_TIMEOUT', 'timeout_first_token'],
  ['UND_ERR_BODY_TIMEOUT', 'timeout_idle'],
  ['UND_ERR_HEADERS_OVERFLOW', 'malformed'],
  ['ERR_CONTENT_DECODING', 'malformed'],
  ['ERR_UNPROCESSED', 'unprocessed'],
  ['ENOTFOUND', 'unresolved'],
  ['EAI_AGAIN', 'unresolved'],
  ['EAI_NONAME', 'unresolved'],
  // The transport was closed under the call, which only its owner does.
  ['UND_ERR_DESTROYED', 'cancelled'],
  ['UND_ERR_CLOSED', 'cancelled'],
])

/** Browsers say no more when a reply lacks the header that lets a page read it, as OpenAI's 401 does. */
const opaque = 'a network error, or in a page a refused key, which the browser does not show'

/**
 * What a transport or a body rejected with, as a failure: `before` the headers nothing was received, `during` the body
 * something was. Only the code is told: the platform's own message may quote address and header.
 */
export function transportFailure(error: unknown, phase: 'before' | 'during'): CallFailure {
  const code = errorCode(error)
  const fallback = phase === 'before' ? unanswered(error) : 'truncated'
  const kind = kindByCode.get(code) ?? (certificateCodes.test(code) ? 'certificate' : fallback)
  const words = phase === 'before' ? (proxyWords(error) ?? wordsOf(kind)) : 'the connection broke'
  const never = phase === 'before' ? unspoken.get(code) : undefined
  if (never !== undefined) return new CallFailure(kind, `${never} (${code})`, { shouldRetry: false })
  if (code !== '') return new CallFailure(kind, `${words} (${code})`)
  return new CallFailure(kind, phase === 'before' ? `${words}: ${opaque}` : words)
}

/** What no further attempt changes: both sides speak, and not the same. */
const unspoken: ReadonlyMap<string, string> = new Map([
  [
    'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
    'the host speaks HTTP/2 only: set "transport": {"http2": true} in the configuration',
  ],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'the host speaks no TLS at that port: does its address begin with http://?'],
])

/** Node's and OpenSSL's names of what is wrong with a certificate. */
const certificateCodes =
  /^(?:(?:DEPTH_ZERO_)?SELF_SIGNED_CERT(?:_IN_CHAIN)?|UNABLE_TO_(?:GET|VERIFY|DECRYPT|DECODE)_\w+|CERT_\w+|CRL_\w+|INVALID_CA|HOSTNAME_MISMATCH|ERR_TLS_CERT_\w+|UND_ERR_PRX_TLS)$/

function wordsOf(kind: CallFailure['kind']): string {
  if (kind === 'certificate') return 'the certificate of the host is not trusted'
  if (kind === 'unresolved') return 'the name of the host does not resolve'
  return kind === 'unprocessed' ? 'the connection had been closed' : 'no reply'
}

/** A proxy that does not let the connection through says so by its status; undici has it in its message alone. */
function proxyWords(error: unknown): string | undefined {
  const message = error instanceof Error ? error.message : ''
  const [, status] = /^Proxy response \(?(\d{3})/.exec(message) ?? []
  return status === undefined ? undefined : `the proxy refused the connection with ${status}`
}

/** undici's parser says by its name only that what came was no HTTP. */
function unanswered(error: unknown): CallFailure['kind'] {
  return error instanceof Error && error.name === 'HTTPParserError' ? 'malformed' : 'unreachable'
}

/**
 * The code sits on the error, on its cause, or on one of several: a host with two addresses fails with one error for each,
 * and the first says enough.
 */
function errorCode(error: unknown): string {
  for (let at = error, depth = 0; typeof at === 'object' && at !== null && depth < 4; depth++) {
    const { code, cause, errors } = at as { code?: unknown; cause?: unknown; errors?: unknown }
    if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,60}$/.test(code)) return code
    at = cause ?? (Array.isArray(errors) ? (errors as unknown[])[0] : undefined)
  }
  return ''
}
