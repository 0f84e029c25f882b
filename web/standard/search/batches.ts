/** Many searches as few requests: n-grams are chosen, queries put together, batches kept in flight, a bad query found by halves. */
import type { GramChoice, GramStrategy } from '../../../bindings/index/core.js'
import { isQueryFault } from './query-fault.js'
import type { SearchAnswer, SearchHit, SearchPort, SearchQuery } from './port.js'

export interface NgramSearch {
  readonly ngrams: readonly string[]
  readonly indexes: readonly string[]
  /** Most hits of one query; default 10. */
  readonly limit?: number | undefined
  /** `seed`, `cover`, or undefined: all n-grams are asked for. */
  readonly strategy?: GramStrategy | undefined
  /** Most n-grams; default 20. */
  readonly max?: number | undefined
  readonly signal?: AbortSignal | undefined
}

export interface SearchReport {
  /** Searches that all n-grams would have been, and those that were sent. */
  readonly asked: number
  readonly sent: number
  readonly requests: number
  readonly ms: number
  /** Queries that failed, with the engine's words. */
  readonly failed: readonly { readonly query: SearchQuery; readonly error: string }[]
  /**
   * Nothing can have been lost by leaving n-grams out: each is covered by one whose lists were not full. Where the engine finds what
   * holds all words of a query; else measure with `recallOf`.
   */
  readonly complete: boolean
}
export interface NgramResult {
  /** By index: every hit once, by its best place and score. */
  readonly hits: Readonly<Record<string, readonly SearchHit[]>>
  readonly report: SearchReport
}

/** What chooses n-grams: IndexCore.grams. */
export type ChooseGrams = (grams: readonly string[], strategy: GramStrategy, most: number) => GramChoice

export class SearchBatches {
  readonly #port: SearchPort
  readonly #choose: ChooseGrams
  readonly #now: () => number

  constructor(port: SearchPort, choose: ChooseGrams, now: () => number) {
    this.#port = port
    this.#choose = choose
    this.#now = now
  }

  /** Rejects with what the engine rejects when even single queries fail alike, and with the signal's reason. */
  async searchNgrams(search: NgramSearch): Promise<NgramResult> {
    const begun = this.#now()
    const { ngrams, indexes, limit = 10, strategy, max = 20, signal } = search
    const choice = strategy === undefined ? { kept: [...ngrams], dropped: [] } : this.#choose(ngrams, strategy, max)
    const queries = choice.kept.flatMap((text) => indexes.map((index) => ({ index, text, limit })))
    const { answers, requests } = await this.#sendAll(queries, signal)
    const failed = queries.flatMap((query, at) => {
      const error = answers[at]?.error
      return error === undefined ? [] : [{ query, error }]
    })
    const full = new Set(
      queries
        .filter((_, at) => answers[at]?.error !== undefined || (answers[at]?.hits.length ?? 0) >= limit)
        .map(({ text }) => text),
    )
    const complete = choice.dropped.every(({ by }) => by !== undefined && !full.has(by))
    const report = {
      ...{ asked: ngrams.length * indexes.length, sent: queries.length, requests, ms: this.#now() - begun, failed },
      complete: complete && failed.length === 0,
    }
    return { hits: unite(indexes, queries, answers), report }
  }

  async #sendAll(
    queries: readonly SearchQuery[],
    signal?: AbortSignal,
  ): Promise<{ answers: SearchAnswer[]; requests: number }> {
    const { maxBatch, maxInFlight } = this.#port
    const batches: SearchQuery[][] = []
    for (let at = 0; at < queries.length; at += maxBatch) batches.push(queries.slice(at, at + maxBatch))
    const answers: SearchAnswer[][] = []
    const tally = { requests: 0 }
    let next = 0
    const lane = async (): Promise<void> => {
      for (let at = next++; at < batches.length; at = next++) {
        answers[at] = await this.#send(batches[at] ?? [], tally, signal)
      }
    }
    await Promise.all(Array.from({ length: Math.min(maxInFlight, batches.length) }, lane))
    return { answers: answers.flat(), requests: tally.requests }
  }

  /** A batch that fails is halved until the query stands alone: its error is an answer, the others have theirs. */
  async #send(
    batch: readonly SearchQuery[],
    tally: { requests: number },
    signal?: AbortSignal,
  ): Promise<SearchAnswer[]> {
    signal?.throwIfAborted()
    tally.requests += 1
    try {
      const answers = await this.#port.search(batch, signal)
      return batch.map((_, at) => answers[at] ?? { hits: [], error: 'the engine gave no answer to it' })
    } catch (error) {
      signal?.throwIfAborted()
      if (!isQueryFault(error)) throw error
      if (batch.length === 1) return [{ hits: [], error: error.message }]
      const half = batch.length >> 1
      return [
        ...(await this.#send(batch.slice(0, half), tally, signal)),
        ...(await this.#send(batch.slice(half), tally, signal)),
      ]
    }
  }
}

function unite(
  indexes: readonly string[],
  queries: readonly SearchQuery[],
  answers: readonly SearchAnswer[],
): Record<string, SearchHit[]> {
  const found = new Map(indexes.map((index) => [index, new Map<string, { hit: SearchHit; place: number }>()]))
  queries.forEach(({ index }, at) => {
    const known = found.get(index)
    answers[at]?.hits.forEach((hit, place) => {
      const before = known?.get(hit.id)
      const better =
        before === undefined ||
        (hit.score ?? 0) > (before.hit.score ?? 0) ||
        (hit.score === before.hit.score && place < before.place)
      if (better) known?.set(hit.id, { hit, place })
    })
  })
  const order = (hits: Map<string, { hit: SearchHit; place: number }>): SearchHit[] =>
    [...hits.values()]
      .sort((a, b) => (b.hit.score ?? 0) - (a.hit.score ?? 0) || a.place - b.place || (a.hit.id < b.hit.id ? -1 : 1))
      .map(({ hit }) => hit)
  return Object.fromEntries([...found].map(([index, hits]) => [index, order(hits)]))
}

/** Share of what all n-grams find that the chosen ones find too; 1 when there is nothing to find. */
export function recallOf(all: NgramResult, chosen: NgramResult): number {
  let there = 0
  let kept = 0
  for (const [index, hits] of Object.entries(all.hits)) {
    const ids = new Set(chosen.hits[index]?.map(({ id }) => id))
    there += hits.length
    kept += hits.filter(({ id }) => ids.has(id)).length
  }
  return there === 0 ? 1 : kept / there
}
