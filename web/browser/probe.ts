/** Can this page call a provider? Generates nothing, costs nothing. */
import type { Fetch } from '../../bindings/ports.js'
import type { ProviderEntry } from '../standard/config.js'
import { corsRule, unansweredWords } from '../standard/providers/cors.js'
import { bearer } from '../standard/providers/exchange.js'
import { geminiKey } from '../standard/providers/gemini.js'

export interface CorsProbe {
  /** Something answered, if only to refuse; false: nothing did, as far as a page can see. */
  readonly reachable: boolean
  /** `open`: this page can read its replies; `blocked`: it cannot, and a relay would help; `unknown`: see `why`. */
  readonly cors: 'open' | 'blocked' | 'unknown'
  /** For people. Never holds the key. */
  readonly why: string
  /** HTTP status of what could be read. */
  readonly status?: number
}

/** How long a provider may take to answer, ms. */
const patienceMs = 8000

/** `baseUrl`: where it is called, a relay's included. `key`: '' when there is none, which is told apart as far as possible. */
export async function probe(entry: ProviderEntry, baseUrl: string, key: string, fetch: Fetch): Promise<CorsProbe> {
  const url = `${baseUrl.replace(/\/+$/, '')}/models`
  const authorisation = entry.dialect === 'gemini' ? geminiKey : bearer
  const forbidden = watchPolicy(url)
  try {
    // A header that needs leave, as every call has one: without it another question would be answered.
    const reply = await ask(fetch, url, { headers: authorisation(key === '' ? 'none' : key) })
    return read(reply, key)
  } catch {
    if (await forbidden.seen())
      return unreached('the policy of this page (connect-src) does not let it connect to this host')
    if (mixed(url)) return unreached('a page of https may not call a host of http')
    return answers(fetch, url).then((reachable) => explain(entry, key, reachable))
  } finally {
    forbidden.stop()
  }
}

function ask(fetch: Fetch, url: string, init: RequestInit): Promise<Response> {
  return fetch(url, {
    cache: 'no-store',
    credentials: 'omit',
    referrerPolicy: 'no-referrer',
    redirect: 'manual',
    ...init,
    signal: AbortSignal.timeout(patienceMs),
  })
}

function read({ status, type, body }: Response, key: string): CorsProbe {
  void body?.cancel().catch(() => undefined)
  if (type === 'opaqueredirect')
    return { reachable: true, cors: 'unknown', why: 'the address answers with a redirect, which no call follows' }
  const refused = status === 401 || status === 403
  const why = refused
    ? `the host answers this page, and refuses ${key === '' ? 'a call without a key' : 'the key'}`
    : `the host answers this page with ${status}`
  return { reachable: true, cors: 'open', why, status }
}

/** Whether anything answers at all: a reply that the page may not read still arrives. */
async function answers(fetch: Fetch, url: string): Promise<boolean> {
  try {
    // Unread replies must be let go on by themselves: no other way to follow them is allowed.
    await ask(fetch, url, { mode: 'no-cors', redirect: 'follow' })
    return true
  } catch {
    return false
  }
}

function explain({ dialect }: ProviderEntry, key: string, reachable: boolean): CorsProbe {
  if (!reachable) return unreached('nothing answers: no network, no such host, or something in between refuses')
  const rule = corsRule(dialect)
  if (!rule.hidesRefusedKeys)
    return { reachable, cors: 'blocked', why: 'the host answers, but does not let this page read it: use a relay' }
  const why = key === '' ? `${unansweredWords(rule)}; ask again with a key that works` : unansweredWords(rule)
  return { reachable, cors: 'unknown', why }
}

const unreached = (why: string): CorsProbe => ({ reachable: false, cors: 'unknown', why })

/** Requests to the own machine are let through. */
function mixed(url: string): boolean {
  const { protocol, hostname } = new URL(url)
  const own = hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.')
  return globalThis.location?.protocol === 'https:' && protocol === 'http:' && !own
}

/** A browser tells of a request that its policy stopped in an event alone, which may come after the failure. */
function watchPolicy(url: string): { seen(): Promise<boolean>; stop(): void } {
  const { origin } = new URL(url)
  let seen = false
  const listen = (event: Event): void => {
    const { blockedURI = '' } = event as Event & { readonly blockedURI?: string }
    seen ||= blockedURI.startsWith(origin)
  }
  // In a page it is the document's, in a worker the worker's own.
  const target = (globalThis as { document?: EventTarget }).document ?? (globalThis as unknown as EventTarget)
  target.addEventListener?.('securitypolicyviolation', listen)
  return {
    seen: () => new Promise((resolve) => setTimeout(() => resolve(seen), 20)),
    stop: () => target.removeEventListener?.('securitypolicyviolation', listen),
  }
}
