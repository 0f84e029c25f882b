/** Meilisearch over fetch: one POST /multi-search for queries of all indexes. */
import type { MeilisearchOptions } from './meilisearch-request.js'
import type { SearchPort } from './port.js'

export type { MeilisearchOptions } from './meilisearch-request.js'

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
