/** One request to a Meilisearch server, with the queries of a batch. */
import { AetherflowError } from '../../../bindings/errors.js'
import type { Fetch } from '../../../bindings/ports.js'
import type { SearchAnswer, SearchQuery } from './port.js'
import { QueryFault } from './query-fault.js'

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

interface Found {
  readonly results?: readonly { readonly hits?: readonly Record<string, unknown>[] }[]
  readonly message?: string
  readonly code?: string
}

export async function askMeilisearch(
  { url, key, idField = 'id', matching = 'all', fetch: send = fetch }: MeilisearchOptions,
  batch: readonly SearchQuery[],
  signal: AbortSignal | undefined,
): Promise<SearchAnswer[]> {
  const queries = batch.map(({ index, text, limit }) => ({
    ...{ indexUid: index, q: text, limit, matchingStrategy: matching },
    ...{ attributesToRetrieve: [idField], showRankingScore: true },
  }))
  const { status, found } = await ask(send, `${url.replace(/\/+$/, '')}/multi-search`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) },
    body: JSON.stringify({ queries }),
    signal: signal ?? null,
  })
  const told = `${found?.code ?? status}: ${(found?.message ?? '').slice(0, 300)}`
  if (status === 401 || status === 403) throw new AetherflowError('host.config', url, told)
  if (status === 400 || status === 404) throw new QueryFault(told)
  if (status !== 200 || found?.results === undefined) throw new AetherflowError('host.io_failed', url, told)
  return found.results.map(({ hits = [] }) => ({
    hits: hits.map((hit) => {
      const score = hit['_rankingScore']
      return { id: String(hit[idField]), score: typeof score === 'number' ? score : undefined }
    }),
  }))
}

async function ask(
  send: Fetch,
  route: string,
  init: RequestInit,
): Promise<{ status: number; found: Found | undefined }> {
  try {
    const response = await send(route, init)
    const text = await response.text()
    let found: Found | undefined
    try {
      found = JSON.parse(text) as Found
    } catch {
      found = undefined
    }
    return { status: response.status, found }
  } catch (error) {
    init.signal?.throwIfAborted()
    throw new AetherflowError('host.io_failed', route, error instanceof Error ? error.message : String(error))
  }
}
