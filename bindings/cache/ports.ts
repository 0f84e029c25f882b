/**
 * The interfaces of the semantic cache: what it asks of a store and of an embedder, and what it is to a run. Types only.
 */

/** Everything besides the prompt that an answer depends on. Requests that differ in any of it never share an answer. */
export interface CacheScope {
  readonly tenant?: string | undefined
  readonly provider?: string | undefined
  readonly model?: string | undefined
  /** Generation parameters: temperature, top_p, most tokens, seed, … Compared as JSON, as are the next ones. */
  readonly parameters?: unknown
  readonly system?: string | undefined
  readonly tools?: unknown
  readonly constraint?: unknown
  /** Earlier messages of the conversation. */
  readonly history?: unknown
}

/** What an answer cost when it was made, and so what a hit saves. */
export interface CacheWorth {
  readonly tokens: number
  readonly microUsd: number
  readonly ms: number
}

/** Off: neither read nor written; exact: the same request; semantic: also one that asks the same in other words. */
export type CacheMode = 'off' | 'exact' | 'semantic'

/** A stored answer without its two long texts. Times are ms since 1970 on the wall clock. */
export interface CacheEntryHead {
  /** 32 hexadecimal digits: the request, scope included. */
  readonly key: string
  /** 32 hexadecimal digits: the scope alone. */
  readonly scope: string
  /** For lists: `tenant · provider/model`, whatever of it is known. Never used to compare. */
  readonly label: string
  readonly createdAt: number
  readonly expiresAt: number
  /** Bytes of prompt and answer as UTF-8. */
  readonly bytes: number
  /** 32 hexadecimal digits: where it is found by its meaning (the scope, and the embedder of its vector); '' for nowhere. */
  readonly space: string
  /** 32 hexadecimal digits: the embedding of its prompt; '' without `space`. */
  readonly vector: string
  readonly worth: CacheWorth
  /** What labels have taught of this entry: mean and variance, see core/cache/decision.hpp. */
  readonly belief?: readonly [mean: number, variance: number]
  /** Requests that a judge said it does not serve: the first 16 digits of their keys, the last one last; at most 32 are kept. */
  readonly refused?: readonly string[]
}

export interface CacheEntry extends CacheEntryHead {
  readonly prompt: string
  readonly answer: string
}

/** Counters of all processes and sessions that used a store; each a whole number that only grows. */
export type CacheTally = Readonly<Record<string, number>>

/** What became of a store since the last look, by whomever. */
export interface StoreChanges {
  /** New or replaced, oldest use first. */
  readonly put: readonly CacheEntryHead[]
  readonly removed: readonly string[]
  /** Something was unreadable and has been left out; for people. */
  readonly damage?: string
}

/**
 * Keeps entries and embeddings. Many processes (tabs) may have the same store open. Entries are values: a `put` of a key that is
 * there replaces it. Every method rejects with an AetherflowError alone (cache.store_failed, cache.full, host.io_failed).
 */
export interface CacheStore {
  /** Before everything else. `secret`: 32 hexadecimal digits that the first to open has chosen, the same for all. */
  open(): Promise<{ readonly secret: string }>
  /** The first call gives everything that is there; later ones what changed since, cheaply (well below 1 ms when nothing did). */
  changes(): Promise<StoreChanges>
  /** The whole entry; `undefined` when it is gone or damaged. */
  read(key: string): Promise<CacheEntry | undefined>
  /** Resolves when the entry would survive the process. Not listed by this instance's own `changes`. */
  put(entry: CacheEntry): Promise<void>
  remove(keys: readonly string[]): Promise<void>
  /** These were served; best effort, may be kept for a while before it is written. Orders what `changes` lists at the next opening. */
  used(keys: readonly string[], at: number): void
  /** The embedding of a text by one embedder, by a key of both (32 hexadecimal digits). */
  embedding(key: string): Promise<Float32Array | undefined>
  /** Best effort: what cannot be written is embedded again one day. */
  keepEmbedding(key: string, vector: Float32Array): void
  /** Adds to the counters, best effort. */
  count(more: CacheTally): void
  tally(): Promise<CacheTally>
  /**
   * Of a scope (32 hexadecimal digits), where the store counts them: a number that only grows, and does with every entry that anybody puts
   * there or removes. The same number as before: nothing has changed. It may grow without a change, above all for a scope that was long at rest.
   */
  version?(scope: string): Promise<number>
  /** Bytes that the store occupies. */
  size(): Promise<number>
  /** Rewrites what has grown by replacing and removing; nothing is lost for others that have it open. Harmless at any time. */
  compact(): Promise<void>
  /** Writes what is still held back. The instance is over. */
  close(): Promise<void>
}

/** Where a text's vector came from, and what it took. */
export interface Embedding {
  /** Unit length. */
  readonly vector: Float32Array
  /** Word pieces, special ones included. */
  readonly pieces: number
  readonly tokenizeMs: number
  readonly embedMs: number
}

/** Turns texts into vectors. Loads its model with the first text, or when told to. */
export interface Embedder {
  /** Of the model, e.g. `all-MiniLM-L6-v2`. */
  readonly name: string
  readonly dimensions: number
  /** What carries it out: `onnxruntime-node`, `onnxruntime-web (wasm)`, … For people; known after `preload`. */
  readonly runtime: string
  /** Loads what is needed; embedding does it by itself. Rejects with AetherflowError: cache.model, host.io_failed. */
  preload(): Promise<void>
  /** SHA-256 of the model's file, in hex: vectors of different files never meet. Loads at most the file. */
  checksum(): Promise<string>
  /** `undefined`: the text is longer than the model reads, so nothing is known of its end. */
  embed(text: string): Promise<Embedding | undefined>
  close(): Promise<void>
}

export interface CacheQuestion {
  readonly prompt: string
  readonly scope?: CacheScope | undefined
  /** Default: the cache's own. */
  readonly mode?: CacheMode | undefined
  /** It was just asked of another model, and missed: a further miss does not count in the statistics. Default false. */
  readonly again?: boolean | undefined
}

export interface CacheFound {
  readonly kind: 'exact' | 'semantic' | 'miss'
  /** Of the request asked for, whatever was found: equal requests have equal keys. */
  readonly key: string
  /** Names this look-up for `feedback`; '' for a miss. */
  readonly id: string
  /** Of a hit. */
  readonly answer?: string
  /** Cosine of the hit, or of the best candidate; 1 for an exact hit, 0 without any. */
  readonly score: number
  /** That the answer serves: of the hit, or of the best candidate. */
  readonly probability: number
  /** The verdict in words: `exact`, `clear`, `veto.polarity: enable/disable`, `exact.fresh: today`, `below.floor`, `empty`, … */
  readonly why: string
  /** Of a hit: what its answer had cost. */
  readonly worth?: CacheWorth
}

export interface CachePut extends CacheQuestion {
  readonly answer: string
  /** From now on; default: the cache's own; negative: not stored. */
  readonly ttlMs?: number | undefined
  readonly worth?: Partial<CacheWorth> | undefined
  /** The model did not stop by itself: cut off, filtered. Such answers are refused. Default false. */
  readonly truncated?: boolean | undefined
  /** It is the text of an error. Refused. Default false. */
  readonly failed?: boolean | undefined
  /** It breaks the output constraint. Refused. Default false. */
  readonly violates?: boolean | undefined
}

/** What a run needs of a cache: SemanticCache, or whatever does the same. */
export interface AnswerCache {
  /** Rejects only with AetherflowError; a run then goes on without, and says so. */
  get(question: CacheQuestion): Promise<CacheFound>
  /** Resolves to `stored`, or why not: `failed`, `cut_off`, `constraint`, `empty`, `too_large`, `refused`. */
  put(put: CachePut): Promise<{ readonly admission: string; readonly key: string }>
}
