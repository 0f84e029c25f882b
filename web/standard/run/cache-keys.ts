/** Names for requests whose prompts begin alike, by which providers keep them together: `prompt_cache_key`. */

/** A provider sends what comes faster than this, a minute and key, to another machine, which has read nothing yet. */
const mostPerMinute = 15
const minuteMs = 60_000

/** The name of a request's beginning, and the number of its bucket: from 0, another for every 15 requests of a minute. */
export interface CacheKey {
  readonly key: string
  readonly bucket: number
  /** Names the tenant to a provider that keeps caches apart by user; absent without one. */
  readonly partition?: string
}

/** Of one run. Keys depend on texts alone: another run of the same plan meets the same cache. */
export class CacheKeys {
  readonly #digest: (parts: readonly string[]) => string
  readonly #tenant: string
  readonly #partition: { readonly partition?: string }
  /** By key, when its last requests left: those of the last minute. */
  readonly #sent = new Map<string, number[]>()

  /** `tenant`: its requests never share a name with another's. */
  constructor(digest: (parts: readonly string[]) => string, tenant = '') {
    this.#digest = digest
    this.#tenant = tenant
    this.#partition = tenant === '' ? {} : { partition: `af-${digest(['tenant', tenant]).slice(0, 32)}` }
  }

  /** For a request that leaves now. `beginning`: what it shares with others, see `AssembledPrompt.keyed`. */
  next(model: string, system: string, beginning: string, nowMs: number): CacheKey {
    const key = `af-${this.#digest(['prompt', this.#tenant, model, system, beginning]).slice(0, 32)}`
    const sent = (this.#sent.get(key) ?? []).filter((at) => nowMs - at < minuteMs)
    this.#sent.set(key, [...sent, nowMs])
    return { key, bucket: Math.floor(sent.length / mostPerMinute), ...this.#partition }
  }
}
