/** GET for downloads: redirects, proxies, and where a token may go. */
import { EnvHttpProxyAgent, request, type Dispatcher } from 'undici'
import { AetherflowError } from '../../bindings/errors.js'

/** From a hub to its store of files is one; more than this is a circle. */
const mostRedirects = 5
/** Nothing heard for so long is a broken connection. */
const silenceMs = 30_000

export interface HttpReply {
  readonly status: number
  readonly body: Dispatcher.ResponseData['body']
  header(name: string): string | null
}

/** A token for one origin. */
export interface HttpToken {
  readonly origin: string
  readonly token: string
}

/** Of the platform's proxies: HTTP_PROXY, HTTPS_PROXY, NO_PROXY. */
export class HttpClient {
  readonly #token: HttpToken | undefined
  readonly #agent = new EnvHttpProxyAgent({
    headersTimeout: silenceMs,
    bodyTimeout: silenceMs,
    connect: { timeout: silenceMs },
  })

  constructor(token?: HttpToken) {
    this.#token = token
  }

  /** Follows redirects. Rejects as undici does, with cache.download_failed for redirects that are refused. */
  async get(address: string, headers: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<HttpReply> {
    let url = new URL(address)
    for (let hops = 0; hops <= mostRedirects; hops++) {
      const {
        statusCode,
        headers: got,
        body,
      } = await request(url, {
        dispatcher: this.#agent,
        // The file's own bytes are counted, resumed and summed.
        headers: { ...headers, 'accept-encoding': 'identity', ...this.#authorisation(url) },
        ...(signal ? { signal } : {}),
      })
      // A body that is left unread ends in an error that is nobody's business.
      body.on('error', () => {})
      const header = (name: string): string | null => {
        const value = got[name]
        return value === undefined ? null : String(value)
      }
      if (![301, 302, 303, 307, 308].includes(statusCode)) return { status: statusCode, body, header }
      await body.dump()
      url = redirected(url, header('location'))
    }
    throw new AetherflowError('cache.download_failed', address, `more than ${mostRedirects} redirects`)
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  /** The store that a hub redirects to must not see it: its addresses carry their own signature. */
  #authorisation(url: URL): Record<string, string> {
    return this.#token?.origin === url.origin ? { authorization: `Bearer ${this.#token.token}` } : {}
  }
}

/** Where a reply sends us; never from https to http. Fails: cache.download_failed. */
export function redirected(from: URL, location: string | null): URL {
  const to = location !== null && URL.canParse(location, from.href) ? new URL(location, from) : undefined
  if (to === undefined || !/^https?:$/.test(to.protocol))
    throw new AetherflowError('cache.download_failed', from.href, `a redirect to nowhere: ${location ?? 'no location'}`)
  if (from.protocol === 'https:' && to.protocol === 'http:')
    throw new AetherflowError('cache.download_failed', from.href, `a redirect from https to http: ${to.origin}`)
  return to
}
