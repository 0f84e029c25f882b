/** MiniSearch in this process, as an engine. The package is the host's own: handed over, not imported. */
import type { SearchAnswer, SearchPort } from './port.js'

/** What is used of a MiniSearch. */
export interface MiniSearchLike {
  search(query: string, options: { combineWith: 'AND' }): readonly { readonly id: unknown; readonly score: number }[]
}

/** `indexes`: by name. A document is found when it holds every word. */
export function minisearch(indexes: Readonly<Record<string, MiniSearchLike>>): SearchPort {
  return {
    maxBatch: 1000,
    maxInFlight: 1,
    search(batch) {
      const answers = batch.map(({ index, text, limit }): SearchAnswer => {
        const engine = indexes[index]
        if (engine === undefined) return { hits: [], error: `there is no index '${index}'` }
        const found = engine.search(text, { combineWith: 'AND' }).slice(0, limit)
        return { hits: found.map(({ id, score }) => ({ id: String(id), score })) }
      })
      return Promise.resolve(answers)
    },
  }
}
