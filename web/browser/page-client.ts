/** A provider's client over the page's fetch: only the headers that may go, failures explained, connections told. */
import type { CallObserver, Fetch, ModelClient } from '../../bindings/ports.js'
import { CallFailure } from '../standard/failure.js'
import { clientFor } from '../standard/providers/clients.js'
import { allowedHeaders, unansweredWords, type CorsRule } from '../standard/providers/cors.js'
import type { ClientConfig } from '../standard/providers/exchange.js'

export interface PageWays {
  readonly fetch: Fetch
  readonly rule: CorsRule
}

export function pageClient(dialect: string, config: Omit<ClientConfig, 'fetch'>, ways: PageWays): ModelClient {
  return {
    generate: async (request, signal, observer: CallObserver = {}) => {
      const fetch = explained(ways)
      // An object of a few functions: made for each call, so that what is seen of a connection is that call's.
      const client = clientFor(dialect, { ...config, fetch })
      if (client === undefined) throw new CallFailure('auth', `no client for the wire format ${dialect}`)
      return client.generate(request, signal, observer)
    },
  }
}

function explained({ fetch, rule }: PageWays): Fetch {
  return async (input, init = {}) => {
    const headers = allowedHeaders(rule, init.headers as Readonly<Record<string, string>>)
    try {
      return await fetch(input, { ...init, headers, referrerPolicy: 'no-referrer' })
    } catch (error) {
      // The platform's message may quote the address; and says nothing besides.
      if (error instanceof TypeError && init.signal?.aborted !== true)
        throw new CallFailure('unreachable', `no reply: ${unansweredWords(rule)}`)
      throw error
    }
  }
}
