/** The typed face of the cache's module; with core.ts the only file that touches a heap. Views are made again for every access. */
import type { CacheData, CacheModule, CacheSession } from './module.js'
import type { CacheMode, CacheScope } from './ports.js'
import { AetherflowError } from '../errors.js'
import { cacheAdmissions, cacheUses, errorCodes, type CacheAdmission } from '../generated/wire.js'
import { OwnedSession } from '../owned-session.js'

export type { CacheData, CacheModule } from './module.js'

/** 0: no limit is not offered; a cache without one is a leak. */
export interface CacheLimits {
  /** Of all prompts and answers as UTF-8. Default 256 MB. */
  readonly bytes: number
  readonly entries: number
  /** Of one prompt and answer. */
  readonly entryBytes: number
  readonly ttlMs: number
}
export const defaultLimits: CacheLimits = {
  bytes: 256 * 2 ** 20,
  entries: 100_000,
  entryBytes: 2 ** 20,
  ttlMs: 7 * 24 * 3600 * 1000,
}

export type { CacheAdmission } from '../generated/wire.js'

/** A candidate as the decision saw it; see Judged in core/cache/decision.hpp. */
export interface JudgedCandidate {
  readonly id: number
  readonly score: number
  readonly eta: number
  readonly probability: number
  /** What may be relied on, and what it must reach. */
  readonly bound: number
  readonly needed: number
  readonly hit: boolean
  /** No probability may serve it here; another tier might. */
  readonly closed: boolean
  readonly why: string
}

export interface CandidatePrompt {
  readonly id: number
  readonly score: number
  readonly prompt: string
  readonly belief?: readonly [number, number] | undefined
}

export const lexicalEmbedder = { name: 'lexical-1', dimensions: 256 }
/** Least cosine of a hit, with a model and with the built-in embedder: core/cache/decision.hpp holds to it. */
export const leastScore = { model: 0.7, lexical: 0.6 }
const unitFields = ['tenant', 'provider', 'model', 'parameters', 'system', 'tools', 'constraint', 'history'] as const

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export class CacheCore {
  readonly #module: CacheModule
  readonly #owned: OwnedSession<CacheSession>

  /** `dimensions` of the embedder; `checksum` of its file, absent for the built-in one. */
  constructor(
    module: CacheModule,
    data: CacheData,
    options: { dimensions: number; checksum?: string | undefined; limits: CacheLimits; secret: string },
  ) {
    this.#module = module
    const session = new module.CacheSession()
    this.#owned = new OwnedSession(session, this)
    const { dimensions, checksum, limits, secret } = options
    this.#write(session, [secret])
    this.#numbers(session, [limits.bytes, limits.entries, limits.entryBytes, limits.ttlMs])
    this.#call((s) => s.open(dimensions, checksum === undefined))
    for (const [number, words] of [data.words.en, data.words.fr].entries()) {
      this.#call((s) => s.words(number, this.#write(s, [words])[0] ?? 0))
    }
    const fit = checksum === undefined ? data.lexical : (data.models[checksum] ?? data.unknown)
    if (!this.#call((s) => s.model(this.#write(s, [fit])[0] ?? 0)))
      throw new AetherflowError('host.core_trap', '', "the cache's fit cannot be read")
  }

  dispose(): void {
    this.#owned.dispose()
  }
  [Symbol.dispose](): void {
    this.dispose()
  }

  scopeKey(scope: CacheScope): string {
    return this.#call((s) => {
      const sizes = this.#write(
        s,
        unitFields.map((field) => fieldText(scope[field])),
      )
      this.#numbers(s, sizes)
      s.scopeKey()
      return this.#read(s, 0, 32)
    })
  }
  spaceKey(scope: string, embedder: string, checksum: string): string {
    return this.#call((s) => {
      const [, name = 0, sum = 0] = this.#write(s, [scope, embedder, checksum])
      s.spaceKey(name, sum)
      return this.#read(s, 0, 32)
    })
  }
  requestKey(scope: string, prompt: string): string {
    return this.#call((s) => {
      s.requestKey(this.#write(s, [scope, prompt])[1] ?? 0)
      return this.#read(s, 0, 32)
    })
  }

  /** `gone`: entries that went for want of room. */
  put(
    key: string,
    scope: string,
    answer: { bytes: number; ttlMs: number; whole: boolean; failed: boolean; holds: boolean; empty: boolean },
    now: number,
  ): { admission: CacheAdmission; id: number; gone: number[] } {
    return this.#call((s) => {
      this.#write(s, [key, scope])
      const { bytes, ttlMs, whole, failed, holds, empty } = answer
      this.#numbers(s, [bytes, ttlMs, Number(whole), Number(failed), Number(holds), Number(empty)])
      const admission = cacheAdmissions[s.put(now)] ?? 'refused'
      return { admission, id: this.#number(s, 0), gone: this.#gone(s) }
    })
  }
  /** −1: there is none. An entry past its time is in `gone`. */
  find(key: string, now: number): { id: number; gone: number[] } {
    return this.#call((s) => {
      this.#write(s, [key])
      return { id: s.find(now), gone: this.#gone(s) }
    })
  }
  alive(id: number, now: number): boolean {
    return this.#call((s) => s.alive(id, now))
  }
  touch(id: number): void {
    this.#call((s) => s.touch(id))
  }
  erase(id: number): boolean {
    return this.#call((s) => s.erase(id))
  }
  /** Of one scope, or everything: what went. */
  clear(scope?: string): number[] {
    return this.#call((s) => {
      if (scope !== undefined) this.#write(s, [scope])
      s.clear(scope !== undefined)
      return this.#gone(s)
    })
  }
  expire(now: number): number[] {
    return this.#call((s) => {
      s.expire(now)
      return this.#gone(s)
    })
  }

  /** Throws cache.bad_vector for one that is not of unit length. */
  insert(space: string, id: number, vector: Float32Array): void {
    const code = this.#call((s) => {
      this.#write(s, [space])
      this.#floats(s, vector)
      return s.insert(id)
    })
    if (code < 0) throw new AetherflowError(errorCodes[-code - 1] ?? 'cache.bad_vector')
  }
  nearest(space: string, vector: Float32Array, count: number, floor: number): { id: number; score: number }[] {
    return this.#call((s) => {
      this.#write(s, [space])
      this.#floats(s, vector)
      const found = s.nearest(count, floor)
      return Array.from({ length: found }, (_, i) => ({
        id: this.#number(s, 2 * i),
        score: this.#number(s, 2 * i + 1),
      }))
    })
  }
  vectorBytes(): number {
    return this.#call((s) => s.vectorBytes())
  }
  /** The built-in embedder; `undefined` for a text without a word. */
  lexical(text: string): Float32Array | undefined {
    return this.#call((s) => {
      if (!s.lexical(this.#write(s, [text])[0] ?? 0)) return undefined
      return this.#vector(s, lexicalEmbedder.dimensions)
    })
  }
  /** Mean over the rows of `states`, unit length; `undefined` where there is none. */
  pool(states: Float32Array, pieces: number, dimensions: number): Float32Array | undefined {
    return this.#call((s) => {
      this.#floats(s, states)
      return s.pool(pieces, dimensions) ? this.#vector(s, dimensions) : undefined
    })
  }

  /** Judges candidates, best first, up to the first hit. `exactOnly`: '' or why no answer may be found by its meaning. */
  decide(
    prompt: string,
    candidates: readonly CandidatePrompt[],
    options: { mode: CacheMode; maxWrongShare: number; floor: number; insideWindow: boolean },
  ): { judged: JudgedCandidate[]; exactOnly: string } {
    return this.#call((s) => {
      s.ask(this.#write(s, [prompt])[0] ?? 0)
      for (const { id, score, prompt: stored, belief } of candidates) {
        const [bytes = 0] = this.#write(s, [stored])
        this.#numbers(s, belief ?? [0, 0])
        s.candidate(id, score, bytes)
      }
      this.#numbers(s, [options.maxWrongShare, options.floor])
      s.decide(cacheUses.indexOf(options.mode), options.insideWindow)
      const bytes = s.section(0)
      const judged = JSON.parse(this.#read(s, 0, bytes)) as JudgedCandidate[]
      return { judged, exactOnly: this.#read(s, bytes, s.section(1)) }
    })
  }
  /** A label for an entry that was judged with `eta`: its new belief, and the pool's. */
  feedback(
    belief: readonly [number, number],
    eta: number,
    right: boolean,
  ): { entry: [number, number]; pool: [number, number] } {
    return this.#call((s) => {
      this.#numbers(s, [...belief, eta])
      s.feedback(right)
      const [a, b, c, d] = [0, 1, 2, 3].map((i) => this.#number(s, i)) as [number, number, number, number]
      return { entry: [a, b], pool: [c, d] }
    })
  }
  restorePool(belief: readonly [number, number]): void {
    this.#call((s) => {
      this.#numbers(s, belief)
      s.restorePool()
    })
  }

  #call<T>(action: (session: CacheSession) => T): T {
    return this.#owned.call(action)
  }

  /** Texts one behind the other; their bytes. */
  #write(session: CacheSession, texts: readonly string[]): number[] {
    const room = texts.reduce((sum, text) => sum + text.length * 3, 0)
    const at = session.input(room)
    const heap = this.#module.HEAPU8.subarray(at, at + room)
    let from = 0
    return texts.map((text) => {
      const { written } = encoder.encodeInto(text, heap.subarray(from))
      from += written
      return written
    })
  }
  #read(session: CacheSession, from: number, bytes: number): string {
    const at = session.output() + from
    return decoder.decode(this.#module.HEAPU8.subarray(at, at + bytes))
  }
  #numbers(session: CacheSession, numbers: readonly number[]): void {
    this.#module.HEAPF64.set(numbers, session.values() / 8)
  }
  #number(session: CacheSession, index: number): number {
    return this.#module.HEAPF64[session.values() / 8 + index] ?? NaN
  }
  #floats(session: CacheSession, floats: Float32Array): void {
    const at = session.floats(floats.length) / 4
    this.#module.HEAPF32.set(floats, at)
  }
  #vector(session: CacheSession, length: number): Float32Array {
    const at = session.floats(length) / 4
    return this.#module.HEAPF32.slice(at, at + length)
  }
  #gone(session: CacheSession): number[] {
    const count = session.gone()
    if (count === 0) return []
    const at = session.output()
    return [...new Uint32Array(this.#module.HEAPU8.slice(at, at + 4 * count).buffer)]
  }
}

/** A scope's member as the core compares it: texts as they are, everything else as JSON. */
function fieldText(value: unknown): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}
