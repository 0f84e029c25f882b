/** `evaluatePairs`: what a cache would have done on somebody's own pairs, before it is trusted with anything. */
import { readFile } from 'node:fs/promises'
import { setImmediate } from 'node:timers/promises'
import { CacheCore, defaultLimits, lexicalEmbedder } from '../../bindings/cache/core.js'
import type { CacheStore, Embedder } from '../../bindings/cache/ports.js'
import { AetherflowError } from '../../bindings/errors.js'
import { Evaluation, type Evaluated } from '../../web/standard/cache/evaluation.js'
import { checkedWrongShare } from '../../web/standard/cache/options.js'
import { PairJudge, type JudgedPair } from '../../web/standard/cache/pair-judge.js'
import { readPairs, spread, type Pair } from '../../web/standard/cache/pairs.js'
import { openModel } from './model.js'
import { errorCode } from '../error-code.js'
import { loadCache } from '../loader.js'
import { FileStore } from '../stores/file.js'

export interface EvaluateOptions {
  /** As of SemanticCache. */
  readonly model?: string | Embedder | undefined
  /** Of the answers served by meaning, the share that may be wrong; default 0.01. */
  readonly maxWrongShare?: number | undefined
  /** Most pairs, evenly spread. */
  readonly limit?: number | undefined
  /** Folder that keeps embeddings between evaluations; absent: none are kept. */
  readonly keep?: string | undefined
  readonly signal?: AbortSignal | undefined
  /** Told after every pair. */
  readonly onPair?: ((pair: Pair, judged: JudgedPair) => void) | undefined
  /** Told now and then. */
  readonly onProgress?: ((progress: EvaluationProgress) => void) | undefined
}

/** Distinct texts: looked at so far, embedded among them, all. */
export interface EvaluationProgress {
  readonly texts: number
  readonly embedded: number
  readonly of: number
}

export interface EvaluationResult extends Evaluated {
  readonly model: string
  /** SHA-256 of the model's file; null: built in. */
  readonly checksum: string | null
  readonly runtime: string
  readonly maxWrongShare: number
  readonly pairs: number
}

/** Vectors in memory; beyond, the folder has them, or they are embedded again. */
const mostInMemory = 100_000
const yieldEvery = 64
/** Told beside the share that was asked for, so that one run says what another bar would have done. */
const shownShares = [0.002, 0.005, 0.01, 0.02, 0.05]

/** Pairs of a file; see readPairs. Fails: cache.pairs, host.usage when it cannot be read. */
export async function readPairsFile(path: string): Promise<Pair[]> {
  let bytes: Uint8Array
  try {
    bytes = await readFile(path)
  } catch (error) {
    throw new AetherflowError('host.usage', path, `the pairs cannot be read: ${errorCode(error)}`)
  }
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new AetherflowError('cache.pairs', path, 'not UTF-8')
  }
  return readPairs(text, path)
}

/**
 * Each `a` alone in an empty cache, then `b` asked. Rejects: host.usage for a share out of its range, cache.model, cache.runtime, and with the signal's reason when it is
 * aborted; what was embedded by then is kept.
 */
export async function evaluatePairs(all: readonly Pair[], options: EvaluateOptions = {}): Promise<EvaluationResult> {
  const { limit = Infinity, onPair } = options
  const maxWrongShare = checkedWrongShare(options.maxWrongShare)
  const evaluation = new Evaluation(shownShares)
  const about = await judgePairs(spread(all, limit), [maxWrongShare, ...shownShares], options, (pair, judgements) => {
    const [judged, ...others] = judgements
    if (judged === undefined) return
    evaluation.add(pair, judged, others)
    onPair?.(pair, judged)
  })
  return { ...about, maxWrongShare, pairs: evaluation.pairs, ...evaluation.result() }
}

/** The same for several shares at once; `judged` has one verdict for each. */
export async function judgePairs(
  pairs: readonly Pair[],
  shares: readonly number[],
  options: EvaluateOptions,
  tell: (pair: Pair, judged: readonly JudgedPair[]) => void,
): Promise<Pick<EvaluationResult, 'model' | 'checksum' | 'runtime'>> {
  const { module, data } = await loadCache()
  let core: CacheCore | undefined
  const pool = (states: Float32Array, pieces: number, dimensions: number): Float32Array =>
    core?.pool(states, pieces, dimensions) ?? new Float32Array(dimensions).fill(NaN)
  const embedder = await openModel(options.model, pool)
  let store: CacheStore | undefined
  try {
    const checksum = await embedder?.checksum()
    await embedder?.preload()
    const dimensions = embedder?.dimensions ?? lexicalEmbedder.dimensions
    if (embedder !== undefined && options.keep !== undefined)
      store = new FileStore(options.keep, { embeddings: Number.MAX_SAFE_INTEGER })
    const secret = (await store?.open())?.secret ?? '0'.repeat(32)
    core = new CacheCore(module, data, { dimensions, checksum, limits: defaultLimits, secret })
    const judge = new PairJudge(core, embedder && { name: embedder.name, checksum: checksum ?? '' })
    const texts = new Texts({ core, store, embedder, checksum: checksum ?? '', options }, pairs)
    for (const [at, pair] of pairs.entries()) {
      if (at % yieldEvery === 0) await setImmediate()
      options.signal?.throwIfAborted()
      const vectors = { a: await texts.vector(pair.a), b: await texts.vector(pair.b) }
      tell(pair, judge.judge(pair.a, pair.b, vectors, shares))
    }
    const { name = lexicalEmbedder.name, runtime = 'built in' } = embedder ?? {}
    return { model: name, checksum: checksum ?? null, runtime }
  } finally {
    await store?.close().catch(() => {})
    core?.dispose()
    await embedder?.close()
  }
}

interface TextsParts {
  readonly core: CacheCore
  readonly store: CacheStore | undefined
  readonly embedder: Embedder | undefined
  readonly checksum: string
  readonly options: EvaluateOptions
}

/** Vectors of texts, each embedded once. */
class Texts {
  readonly #parts: TextsParts
  readonly #space: string
  readonly #known = new Map<string, Float32Array | undefined>()
  readonly #of: number
  #seen = 0
  #embedded = 0

  constructor(parts: TextsParts, pairs: readonly Pair[]) {
    this.#parts = parts
    this.#space = parts.core.spaceKey('', parts.embedder?.name ?? lexicalEmbedder.name, parts.checksum)
    this.#of = new Set(pairs.flatMap(({ a, b }) => [a, b])).size
  }

  async vector(text: string): Promise<Float32Array | undefined> {
    if (this.#known.has(text)) return this.#known.get(text)
    const vector = await this.#find(text)
    const oldest = this.#known.keys().next()
    if (this.#known.size >= mostInMemory && oldest.done !== true) this.#known.delete(oldest.value)
    this.#known.set(text, vector)
    this.#seen += 1
    this.#parts.options.onProgress?.({ texts: this.#seen, embedded: this.#embedded, of: this.#of })
    return vector
  }

  async #find(text: string): Promise<Float32Array | undefined> {
    const { core, store, embedder } = this.#parts
    if (embedder === undefined) return core.lexical(text)
    const key = core.requestKey(this.#space, text)
    const kept = await store?.embedding(key)
    if (kept?.length === embedder.dimensions) return kept
    const vector = (await embedder.embed(text))?.vector
    this.#embedded += 1
    if (vector !== undefined) store?.keepEmbedding(key, vector)
    return vector
  }
}
