/** Meilisearch over fetch: one POST /multi-search for queries of all indexes. */
import type { Fetch } from '../../../bindings/ports.js'
import type { SearchPort } from './port.js'

export interface MeilisearchOptions {
  /** Address of the server, without the path of the route. */
  readonly url: string
  readonly key?: string | undefined
  /** Field that names a document; default `id`. */
  readonly idField?: string | undefined
  /** Default 50 and 50: the server takes any number of queries in one request, and one permit for each request. */
  readonly maxBatch?: number | undefined
  readonly maxInFlight?: number | undefined
  /** `all` (default): a document holds every word, which the choice of n-grams relies on; `last`: the server drops words from the end. */
  readonly matching?: 'all' | 'last' | 'frequency' | undefined
  readonly fetch?: Fetch | undefined
}

/**
 * Rejects: QueryFault when the server refuses a query of the batch; host.config when the key is refused; host.io_failed. What asks the
 * server is loaded with the first search: every page loads this.
 */
export function meilisearch(options: MeilisearchOptions): SearchPort {
  const { maxBatch = 50, maxInFlight = 50 } = options
  return {
    maxBatch,
    maxInFlight: Math.min(50, maxInFlight),
    search: async (batch, signal) => (await import('./meilisearch-request.js')).askMeilisearch(options, batch, signal),
  }
}
