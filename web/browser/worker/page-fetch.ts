/** The page's fetch as the providers' clients get it: only the headers that may go, and failures explained. */
import type { Fetch } from '../../../bindings/ports.js'
import { CallFailure } from '../../standard/failure/failure.js'
import { allowedHeaders, unansweredWords, type CorsRule } from '../../standard/providers/cors.js'

/** `sent`: told of each request's address as it leaves. The key is in a header, never there. */
export function pageFetch(fetch: Fetch, rule: CorsRule, sent: (url: string) => void): Fetch {
  return async (input, init = {}) => {
    const headers = allowedHeaders(rule, init.headers as Readonly<Record<string, string>>)
    sent(input)
    try {
      return await fetch(input, { ...init, headers, cache: 'no-store', referrerPolicy: 'no-referrer' })
    } catch (error) {
      // The platform's own message says no more, and may quote the address.
      if (error instanceof TypeError && init.signal?.aborted !== true)
        throw new CallFailure('unreachable', `no reply: ${unansweredWords(rule)}`)
      throw error
    }
  }
}
