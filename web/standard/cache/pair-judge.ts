/**
 * What a cache does with a pair: `a` put alone into an empty one, then `b` asked. Straight on the core; the tests hold it to what
 * SemanticCache does.
 */
import { lexicalEmbedder, type CacheCore } from '../../../bindings/cache/core.js'
import { utf8Length } from './words.js'

/** `undefined`: the embedder has none for the text. */
export interface PairVectors {
  readonly a: Float32Array | undefined
  readonly b: Float32Array | undefined
}

export interface JudgedPair {
  readonly kind: 'exact' | 'semantic' | 'miss'
  /** As a look-up says it; for a miss because `a` may be found by its text alone, the reason for that. */
  readonly why: string
  /** Cosine; NaN where one of them has no vector. */
  readonly score: number
  /** On the scale of the model; NaN where nothing was judged. */
  readonly eta: number
  /** A guard refuses it, whatever the probability. */
  readonly closed: boolean
}

/** Of the answer that stands for all: what it says does not matter. */
const answerBytes = 1
const ttlMs = 3600_000

export class PairJudge {
  readonly #core: CacheCore
  readonly #lexical: boolean
  readonly #scope: string
  readonly #space: string

  /** `embedder`: of the vectors that come; absent: the built-in one. */
  constructor(core: CacheCore, embedder?: { readonly name: string; readonly checksum: string }) {
    this.#core = core
    this.#lexical = embedder === undefined
    this.#scope = core.scopeKey({})
    this.#space = core.spaceKey(this.#scope, embedder?.name ?? lexicalEmbedder.name, embedder?.checksum ?? '')
  }

  /** One verdict for each share of served answers that may be wrong. */
  judge(a: string, b: string, vectors: PairVectors, shares: readonly number[]): JudgedPair[] {
    const core = this.#core
    const key = core.requestKey(this.#scope, a)
    const answer = { bytes: utf8Length(a) + answerBytes, ttlMs, whole: true, failed: false, holds: true, empty: false }
    const { admission, id } = core.put(key, this.#scope, answer, 0)
    const stored = admission === 'stored'
    try {
      const score = this.#score(id, stored, vectors)
      if (stored && core.requestKey(this.#scope, b) === key)
        return shares.map(() => ({ kind: 'exact', why: 'exact', score: 1, eta: NaN, closed: false }))
      const miss = (why: string): JudgedPair[] =>
        shares.map(() => ({ kind: 'miss', why, score, eta: NaN, closed: true }))
      const unable = stored ? this.#exactOnly(b, vectors.b) || this.#exactOnly(a, vectors.a) : admission
      if (unable !== '') return miss(unable)
      return shares.map((share) => this.#decide(a, b, id, score, share))
    } finally {
      if (stored) core.erase(id)
    }
  }

  #score(id: number, stored: boolean, { a, b }: PairVectors): number {
    if (!stored || a === undefined || b === undefined) return NaN
    this.#core.insert(this.#space, id, a)
    return this.#core.nearest(this.#space, b, 1, -1)[0]?.score ?? NaN
  }

  #exactOnly(text: string, vector: Float32Array | undefined): string {
    const { exactOnly } = this.#core.decide(text, [], options(0))
    if (exactOnly !== '') return exactOnly
    return vector === undefined ? (this.#lexical ? 'exact.words' : 'exact.window') : ''
  }

  #decide(a: string, b: string, id: number, score: number, share: number): JudgedPair {
    const { judged } = this.#core.decide(b, [{ id, score, prompt: a }], options(share))
    const last = judged.at(-1)
    const { hit = false, why = 'empty', eta = NaN, closed = true, probability = 0 } = last ?? {}
    return { kind: hit ? 'semantic' : 'miss', why, score, eta: probability > 0 ? eta : NaN, closed }
  }
}

const options = (maxWrongShare: number) => ({ mode: 'semantic' as const, maxWrongShare, floor: 0, insideWindow: true })
