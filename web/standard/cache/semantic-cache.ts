/**
 * Answers that are there already: for the same request, or for one that asks the same in other words. What may serve is decided in
 * the core (core/cache/decision.hpp); this is what carries it out over a store and an embedder.
 */
import {
  CacheCore,
  defaultLimits,
  leastScore,
  lexicalEmbedder,
  type CacheLimits,
} from '../../../bindings/cache/core.js'
import type {
  AnswerCache,
  CacheEntry,
  CacheEntryHead,
  CacheFound,
  CachePut,
  CacheQuestion,
  CacheScope,
  CacheStore,
  Embedder,
} from '../../../bindings/cache/ports.js'
import { AetherflowError } from '../../../bindings/errors.js'
import { Entries } from './entries.js'
import { explainLookUp } from './explain.js'
import { JudgeTier, type JudgeTierParts, type JudgeVerdictKept } from './judge.js'
import { checkedWrongShare, type CacheExplanation, type CacheOptions, type CacheParts } from './options.js'
import { Shadow } from './shadow.js'
import { Counters, type CacheStatistics } from './statistics.js'
import { Vectorizer } from './texts-to-vectors.js'
import { canonical, labelOf, utf8Length, whole } from './words.js'

/** How many candidates are looked at. */
const candidateCount = 8
/** Variance of the pool before any label: core/cache/decision.hpp. */
const poolPrecision = 100
const million = 1e6

export class SemanticCacheBase implements AnswerCache {
  readonly #core: CacheCore
  readonly #store: CacheStore
  readonly #embedder: Embedder | undefined
  readonly #options: CacheOptions
  readonly #maxWrongShare: number
  readonly #limits: CacheLimits
  readonly #vectors: Vectorizer
  readonly #counters: Counters
  readonly #entries: Entries
  readonly #judge: JudgeTier | undefined
  readonly #problems = new Set<string>()
  readonly #shadow: Shadow
  #closed = false

  protected constructor(parts: CacheParts, options: CacheOptions, secret: string, checksum: string | undefined) {
    const { module, data, store, embedder } = parts
    const limits = { ...defaultLimits, ...options.limits }
    const dimensions = embedder?.dimensions ?? lexicalEmbedder.dimensions
    this.#options = options
    this.#shadow = new Shadow(options.shadow)
    this.#maxWrongShare = checkedWrongShare(options.maxWrongShare)
    this.#limits = limits
    this.#store = store
    this.#embedder = embedder
    this.#core = new CacheCore(module, data, { dimensions, checksum, limits, secret })
    this.#counters = new Counters((more) => store.count(more))
    const hooks = { now: () => this.#now(), tell: (problem: string | AetherflowError) => this.#tell(problem) }
    const keep: JudgeTierParts['keep'] = (id, verdict) => this.#keepVerdict(id, verdict)
    this.#judge = options.judge && new JudgeTier({ judge: options.judge, counters: this.#counters, ...hooks, keep })
    this.#vectors = new Vectorizer(this.#core, store, this.#counters, embedder, checksum ?? '')
    this.#entries = new Entries({
      core: this.#core,
      store,
      vectors: this.#vectors,
      counters: this.#counters,
      ...hooks,
    })
  }

  /** Opens the store and takes in what it holds. */
  protected async begin(): Promise<void> {
    await this.#entries.refresh(true)
    this.#counters.restore(await this.#store.tally())
    const precision = poolPrecision + this.#counters.get('pool_precision') / million
    this.#core.restorePool([this.#counters.get('pool_shift') / million / precision, 1 / precision])
  }

  /**
   * Looks an answer up. Rejects: host.disposed after `close`, host.usage for a prompt that is no text, cache.store_failed. A model that
   * cannot be loaded is told to `onProblem`; exact answers are found all the same.
   */
  async get(question: CacheQuestion): Promise<CacheFound> {
    const { prompt, mode = this.#options.mode ?? 'semantic', scope } = this.#checked(question)
    const scopeKey = this.#core.scopeKey(scope ?? {})
    const key = this.#core.requestKey(scopeKey, prompt)
    if (mode === 'off') return miss(key, 'mode.off')
    const looked = await this.#entries.refresh(false)
    let exact = await this.#exact(key, prompt)
    if (exact === undefined && !looked) {
      await this.#entries.refresh(true)
      exact = await this.#exact(key, prompt)
    }
    if (exact !== undefined) return exact
    const found = mode === 'exact' ? miss(key, 'mode.exact') : await this.#semantic(key, scopeKey, prompt)
    if (found.why.startsWith('judge: ')) await this.#keepJudged(question, found)
    if (found.kind === 'miss' && question.again !== true) this.#counters.add({ misses: 1 })
    return found
  }

  async #exact(key: string, prompt: string): Promise<CacheFound | undefined> {
    const id = this.#entries.find(key)
    if (id < 0) return undefined
    const entry = await this.#entries.read(id)
    // Keys of 128 bits do not meet by chance; a store that someone has edited may say anything.
    if (entry === undefined || canonical(entry.prompt) !== canonical(prompt)) return undefined
    this.#served(id, entry, 'exact')
    const { answer, worth } = entry
    return { kind: 'exact', key, id: `${key}.exact`, answer, score: 1, probability: 1, why: 'exact', worth }
  }

  async #semantic(key: string, scopeKey: string, prompt: string): Promise<CacheFound> {
    const options = this.#decision(true)
    const { exactOnly } = this.#core.decide(prompt, [], options)
    if (exactOnly !== '') return miss(key, exactOnly)
    const vectorized = await this.#vectorize(prompt)
    if (vectorized.vector === undefined) return miss(key, vectorized.why)
    const space = this.#vectors.spaceOf(scopeKey)
    if (this.#entries.isEmpty(space)) return miss(key, 'empty')
    const candidates = await this.#entries.candidates(space, vectorized.vector, candidateCount, this.#floor())
    if (candidates.length === 0) return miss(key, 'below.floor')
    const { judged } = this.#core.decide(prompt, candidates, options)
    const last = judged.at(-1)
    const best = judged[0]
    const chosen = last?.hit === true ? last : this.#judge?.candidate(judged)
    const entry = candidates.find((candidate) => candidate.id === chosen?.id)?.entry
    const asked = chosen !== undefined && !chosen.hit
    const serves = entry !== undefined && (!asked || (await this.#judge?.serves(key, prompt, chosen, entry)) === true)
    if (chosen === undefined || entry === undefined || !serves)
      return { ...miss(key, best?.why ?? 'empty'), score: best?.score ?? 0, probability: best?.probability ?? 0 }
    const { id, score, probability, eta } = chosen
    if (this.#shadow.takes(key, entry.key, eta)) return { ...miss(key, 'shadow'), score, probability }
    this.#served(id, entry, 'semantic')
    const { answer, worth } = entry
    const why = asked ? `judge: ${chosen.why}` : chosen.why
    return { kind: 'semantic', key, id: `${entry.key}.${eta.toFixed(4)}`, answer, score, probability, why, worth }
  }

  /** A yes of the judge is kept as an answer of its own, for as long as the first one is good: it is not asked again. */
  async #keepJudged(question: CacheQuestion, { id, answer = '', worth }: CacheFound): Promise<void> {
    const head = this.#entries.head(this.#entries.find(id.slice(0, 32)))
    const ttlMs = (head?.expiresAt ?? 0) - this.#now()
    if (ttlMs > 0) await this.put({ ...question, answer, ttlMs, ...(worth === undefined ? {} : { worth }) })
  }

  /** What lies below is never served, and need not be looked for. */
  #floor(): number {
    return Math.max(this.#options.floor ?? 0, this.#embedder === undefined ? leastScore.lexical : leastScore.model)
  }

  #decision(insideWindow: boolean) {
    return {
      mode: 'semantic' as const,
      maxWrongShare: this.#maxWrongShare,
      floor: this.#options.floor ?? 0,
      insideWindow,
    }
  }

  /** A model that cannot be used is a reason to find less, not to fail. */
  async #vectorize(prompt: string) {
    try {
      return await this.#vectors.vectorize(prompt)
    } catch (error) {
      if (!(error instanceof AetherflowError) || error.code === 'host.disposed') throw error
      this.#tell(error)
      return { vector: undefined, why: `exact.${error.code}` }
    }
  }

  #served(id: number, entry: CacheEntry, kind: 'exact' | 'semantic'): void {
    const { tokens, microUsd, ms } = entry.worth
    this.#entries.used(id, entry.key)
    this.#counters.add({ [kind]: 1, saved_tokens: tokens, saved_micro_usd: microUsd, saved_ms: ms })
  }

  /**
   * Keeps an answer: whole, successful ones that hold their constraint; `admission` says which were refused. Resolves once it would
   * survive the process. Rejects: cache.full, cache.store_failed, host.usage, host.disposed.
   */
  async put(put: CachePut): Promise<{ admission: string; key: string }> {
    const { prompt, answer, scope, ttlMs, truncated, failed, violates } = this.#checked(put)
    if (typeof answer !== 'string') throw new AetherflowError('host.usage', 'answer', 'an answer is a text')
    const scopeKey = this.#core.scopeKey(scope ?? {})
    const key = this.#core.requestKey(scopeKey, prompt)
    const mode = put.mode ?? this.#options.mode ?? 'semantic'
    if (mode === 'off') return { admission: 'refused', key }
    const bytes = utf8Length(prompt) + utf8Length(answer)
    const fitness = {
      whole: truncated !== true,
      failed: failed === true,
      holds: violates !== true,
      ttlMs: whole(ttlMs ?? 0),
      defaultTtlMs: this.#limits.ttlMs,
    }
    await this.#compareShadow(key, answer, fitness.whole && !fitness.failed && fitness.holds)
    const admission = await this.#entries.put(
      key,
      scopeKey,
      fitness,
      { prompt, answer, bytes },
      async (createdAt, expiresAt) => {
        const vector = mode === 'semantic' ? await this.#placeFor(prompt) : ''
        return {
          key,
          scope: scopeKey,
          label: labelOf(scope ?? {}),
          createdAt,
          expiresAt,
          bytes,
          space: vector === '' ? '' : this.#vectors.spaceOf(scopeKey),
          vector,
          worth: {
            tokens: whole(put.worth?.tokens ?? 0),
            microUsd: whole(put.worth?.microUsd ?? 0),
            ms: whole(put.worth?.ms ?? 0),
          },
          prompt,
          answer,
        }
      },
    )
    return { admission, key }
  }

  /** Where the prompt's vector is kept; '' when the prompt may be found by its exact text only. */
  async #placeFor(prompt: string): Promise<string> {
    const { exactOnly } = this.#core.decide(prompt, [], this.#decision(true))
    if (exactOnly !== '') return ''
    const result = await this.#vectorize(prompt)
    return result.vector === undefined ? '' : result.key
  }

  /**
   * Tells whether the answer of a look-up was right. A wrong exact one is removed; labels of the others move the bar of their entry,
   * and a little that of all. False: the entry is gone, or `id` names no hit.
   */
  async feedback(id: string, { right }: { right: boolean }): Promise<boolean> {
    this.#open()
    const [key = '', label = ''] = id.split(/\.(.*)/s)
    if (!/^[0-9a-f]{32}$/.test(key)) return false
    await this.#entries.refresh(false)
    const at = this.#entries.find(key)
    if (at < 0) return false
    this.#counters.add(right ? { right: 1 } : { wrong: 1 })
    if (label === 'exact') {
      if (!right) await this.#entries.remove([key])
      return true
    }
    const eta = Number(label)
    return Number.isFinite(eta) && (await this.#label(at, eta, right))
  }

  /** Of the judge; whom an answer does not serve stands with it, so that no process asks again. */
  async #keepVerdict(id: number, { key, eta, right, refused }: JudgeVerdictKept): Promise<void> {
    const entry = await this.#entries.read(id)
    if (entry?.key !== key) return
    const marked = refused === undefined ? entry : { ...entry, refused: [...(entry.refused ?? []), refused] }
    if (eta !== undefined) await this.#learn(id, marked, eta, right)
    else if (refused !== undefined) await this.#entries.replace(id, marked)
  }

  async #label(id: number, eta: number, right: boolean): Promise<boolean> {
    const entry = await this.#entries.read(id)
    if (entry !== undefined) await this.#learn(id, entry, eta, right)
    return entry !== undefined
  }

  async #learn(id: number, entry: CacheEntry, eta: number, right: boolean): Promise<void> {
    const learnt = this.#core.feedback(this.#entries.head(id)?.belief ?? [0, 0], eta, right)
    // Precisions and shifts of several processes add up; beliefs would overwrite each other.
    const [mean, variance] = learnt.pool
    const precision = Math.round((1 / variance - poolPrecision) * million)
    const shift = Math.round((mean / variance) * million)
    this.#counters.add({
      pool_precision: precision - this.#counters.get('pool_precision'),
      pool_shift: shift - this.#counters.get('pool_shift'),
    })
    await this.#entries.replace(id, { ...entry, belief: learnt.entry })
  }

  async #compareShadow(key: string, answer: string, good: boolean): Promise<void> {
    const shadowed = good ? this.#shadow.take(key) : undefined
    if (shadowed === undefined) return
    const id = this.#entries.find(shadowed.key)
    const kept = id < 0 ? undefined : await this.#entries.read(id)
    const right = kept && (await this.#shadow.agree(kept.answer, answer))
    if (right === undefined) return
    this.#counters.add(right ? { right: 1 } : { wrong: 1 })
    await this.#label(id, shadowed.eta, right)
  }

  stats(): CacheStatistics {
    this.#open()
    return this.#counters.statistics(this.#entries.count, this.#entries.bytes)
  }

  /** Everything that is there, without the texts, in no order that means anything. */
  async list(): Promise<CacheEntryHead[]> {
    this.#open()
    await this.#entries.refresh(true)
    this.#entries.expire()
    return this.#entries.heads()
  }

  /** The entry with its texts. */
  async read(key: string): Promise<CacheEntry | undefined> {
    this.#open()
    const id = this.#entries.find(key)
    return id < 0 ? undefined : await this.#entries.read(id)
  }

  /** Removes the entries of one scope, or all; how many. */
  async clear({ scope }: { readonly scope?: CacheScope } = {}): Promise<number> {
    this.#open()
    return await this.#entries.clear(scope === undefined ? undefined : this.#core.scopeKey(scope))
  }

  /** Removes entries by their keys. */
  async remove(keys: readonly string[]): Promise<void> {
    this.#open()
    await this.#entries.remove(keys)
  }

  /** What a look-up would do and why: counts as no use, changes nothing. Without `scope`: in every scope. */
  async explain(prompt: string, { scope }: { readonly scope?: CacheScope } = {}): Promise<CacheExplanation> {
    this.#checked({ prompt })
    await this.#entries.refresh(true)
    return await explainLookUp(prompt, scope, {
      ...{ core: this.#core, entries: this.#entries, decision: this.#decision(true), candidates: candidateCount },
      vectorize: (text) => this.#vectorize(text),
      spaceOf: (one) => this.#vectors.spaceOf(one),
    })
  }

  /** Loads the model and the vectors now instead of with the first prompts. Rejects with cache.model or cache.runtime when it cannot be. */
  async preload(): Promise<void> {
    this.#open()
    await this.#embedder?.preload()
    await this.#entries.loadAll()
  }

  /** Bytes of the store and of the vectors in memory. */
  async size(): Promise<{ store: number; vectors: number }> {
    this.#open()
    return { store: await this.#store.size(), vectors: this.#core.vectorBytes() }
  }

  /** Idempotent. Writes what is held back. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    try {
      await this.#store.close()
    } finally {
      this.#core.dispose()
      await this.#embedder?.close()
    }
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** For embedders: the mean over word pieces, the same bits everywhere. Of what has no direction, nothing finite. */
  protected pool(states: Float32Array, pieces: number, dimensions: number): Float32Array {
    return this.#core.pool(states, pieces, dimensions) ?? new Float32Array(dimensions).fill(NaN)
  }

  #open(): void {
    if (this.#closed) throw new AetherflowError('host.disposed', '', 'the cache is closed')
  }

  #checked<Q extends CacheQuestion>(question: Q): Q {
    this.#open()
    if (typeof question.prompt !== 'string') throw new AetherflowError('host.usage', 'prompt', 'a prompt is a text')
    return question
  }

  #now(): number {
    return whole(this.#options.now?.() ?? Date.now())
  }

  /** Each problem once. */
  #tell(problem: string | AetherflowError): void {
    const text = typeof problem === 'string' ? problem : problem.message
    if (this.#problems.has(text)) return
    this.#problems.add(text)
    this.#options.onProblem?.(text)
  }
}

const miss = (key: string, why: string): CacheFound => ({ kind: 'miss', key, id: '', score: 0, probability: 0, why })
