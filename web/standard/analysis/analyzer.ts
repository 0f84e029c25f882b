/**
 * Structured analysis of conversations: JSON by a schema from a quick model, at once the second time.
 *
 *   request ─▶ key ─▶ kept? ── hit ─▶ valid? ─▶ answer
 *                      └ miss ─▶ one run for all who ask the same ─▶ valid ─▶ kept ─▶ answer
 *
 * The run is an ordinary one: retries, fallbacks, limits and the check of the answer by the schema are the core's.
 */
import type { CachePut, CacheFound, CacheQuestion } from '../../../bindings/cache/ports.js'
import { AetherflowError } from '../../../bindings/errors.js'
import type { Usage } from '../../../bindings/ports.js'
import type { RunReport } from '../../../bindings/report.js'
import { askedOf, stepId, type AnalyzeRequest, type Asked, type AskedWith, type SeenHistory } from './request.js'
import { AnalysisCounters, type AnalysisEvent, type AnalysisStatistics } from './statistics.js'

export interface Analysis<Value = unknown> {
  /** Obeys the schema. */
  readonly value: Value
  /** Kept; asked for now; or asked for by another caller at the same time. */
  readonly from: 'cache' | 'model' | 'joined'
  /** Equal for equal questions. */
  readonly key: string
  /** The model that gave the answer, whenever that was. */
  readonly provider: string
  readonly model: string
  /** ms since 1970 at which the answer came from the model. */
  readonly answeredAt: number
  /** From the request to its answer, ms. */
  readonly ms: number
  /** What the model's answer cost, failed calls before it included; 0 for one from the cache. */
  readonly costMicroUsd: number
  readonly usage: Usage
  /** What of the conversation the model saw: its rule is told at `cutHistory`. */
  readonly history: SeenHistory
}

/** What keeps answers: SemanticCache, over any store. */
export interface AnalysisCache {
  get(question: CacheQuestion): Promise<CacheFound>
  put(put: CachePut): Promise<unknown>
  close(): Promise<void>
}

/** What a run came to, as far as it matters here. */
export interface AnalysisRun {
  readonly outputs: ReadonlyMap<string, string>
  readonly report: RunReport
  /** Why the step failed, for people. */
  readonly message: string | undefined
}

export interface AnalyzerHost extends AskedWith {
  /** Runs a plan on the route. Rejects with AetherflowError: route.*, options.invalid, host.*. */
  run(plan: object, options: { readonly tenant: string; readonly signal: AbortSignal }): Promise<AnalysisRun>
  readonly cache: AnalysisCache
  /** Whether a kept answer obeys the schema; absent: it was checked when it came, and the store is this host's own. */
  valid?(schema: object, text: string): boolean | Promise<boolean>
  /** Monotonic, ms. */
  now(): number
  /** ms since 1970. */
  wallClock(): number
  /** Told of what is gone without: a store that fails. For people. */
  onProblem?: ((problem: string) => void) | undefined
  /** Told of every request that has ended. */
  onAnalysis?: ((event: AnalysisEvent) => void) | undefined
}

/** What is kept of an answer. */
interface Kept {
  readonly value: unknown
  readonly provider: string
  readonly model: string
  readonly answeredAt: number
  readonly usage: Usage
  readonly history: SeenHistory
}
interface Answered extends Kept {
  readonly from: 'cache' | 'model'
  readonly costMicroUsd: number
}

/** A question on its way, and how many wait for it. */
interface Flight {
  readonly answer: Promise<Answered>
  readonly abort: AbortController
  waiting: number
}

const unused: Usage = { input: 0, cached: 0, output: 0, reasoning: 0 }

export class Analyzer {
  readonly #host: AnalyzerHost
  readonly #flights = new Map<string, Flight>()
  readonly #counters = new AnalysisCounters()
  #closed = false

  constructor(host: AnalyzerHost) {
    this.#host = host
  }

  /**
   * Rejects with AetherflowError: analysis.failed when no model gave a valid answer, host.usage for a request that lacks something,
   * route.*, options.invalid, host.disposed; with the signal's reason when that was aborted.
   */
  async analyze<Value = unknown>(request: AnalyzeRequest): Promise<Analysis<Value>> {
    if (this.#closed) throw new AetherflowError('host.disposed', '', 'the analyzer is closed')
    const { now } = this.#host
    const since = now()
    const { signal } = request
    signal?.throwIfAborted()
    const asked = askedOf(request, this.#host)
    // What keeps and what does not, what takes a kept answer and what does not, are different questions.
    const flightKey = `${asked.key}${request.force === true ? ' force' : ''}${request.persist === false ? ' once' : ''}`
    const known = this.#flights.get(flightKey)
    const flight = known ?? this.#depart(flightKey, asked, request)
    flight.waiting += 1
    try {
      const { from, costMicroUsd, value, ...rest } = await unlessAborted(flight.answer, signal)
      const ms = now() - since
      const joined = known !== undefined && from === 'model'
      this.#tell({ result: joined ? 'joined' : from === 'cache' ? 'hit' : 'miss', ms })
      return {
        value: structuredClone(value) as Value,
        from: joined ? 'joined' : from,
        ...{ key: asked.key, ms, ...rest },
        costMicroUsd: joined ? 0 : costMicroUsd,
      }
    } catch (error) {
      this.#tell({ result: 'failed', ms: now() - since })
      throw error
    } finally {
      flight.waiting -= 1
      if (flight.waiting === 0 && this.#flights.get(flightKey) === flight) {
        // Anyone who asks from now on does not join what is given up.
        this.#flights.delete(flightKey)
        flight.abort.abort()
      }
    }
  }

  stats(): AnalysisStatistics {
    return this.#counters.statistics()
  }

  /** Idempotent. Ends what is on its way, writes what is held back. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    const flights = [...this.#flights.values()]
    for (const { abort } of flights) abort.abort()
    await Promise.allSettled(flights.map(({ answer }) => answer))
    await this.#host.cache.close()
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #tell(event: AnalysisEvent): void {
    this.#counters.take(event)
    this.#host.onAnalysis?.(event)
  }

  #depart(flightKey: string, asked: Asked, { force, persist }: AnalyzeRequest): Flight {
    const abort = new AbortController()
    const answer = this.#answer(asked, { force: force === true, persist: persist !== false, signal: abort.signal })
    const flight: Flight = { answer, abort, waiting: 0 }
    this.#flights.set(flightKey, flight)
    const landed = (): void => {
      if (this.#flights.get(flightKey) === flight) this.#flights.delete(flightKey)
    }
    answer.then(landed, landed)
    return flight
  }

  async #answer(asked: Asked, how: { force: boolean; persist: boolean; signal: AbortSignal }): Promise<Answered> {
    const kept = how.force ? undefined : await this.#kept(asked)
    if (kept !== undefined) return { ...kept, from: 'cache', costMicroUsd: 0 }
    const answered = await this.#asked(asked, how.signal)
    if (how.persist) await this.#keep(asked, answered)
    return answered
  }

  /** The cache's question: the key alone, so that no conversation lies in a store. */
  #question({ key, tenant }: Asked): CacheQuestion {
    return { prompt: key, mode: 'exact', scope: { tenant, parameters: 'analysis' } }
  }

  async #kept(asked: Asked): Promise<Kept | undefined> {
    const found = await this.#host.cache.get(this.#question(asked)).catch((error: unknown) => this.#without(error))
    if (found?.answer === undefined) return undefined
    const kept = keptOf(found.answer)
    const valid =
      kept !== undefined &&
      (await (this.#host.valid?.(asked.schema, JSON.stringify(kept.value)) ?? isObject(kept.value)))
    if (valid) return kept
    this.#counters.invalid += 1
    return undefined
  }

  async #asked(asked: Asked, signal: AbortSignal): Promise<Answered> {
    const { plan, seen } = asked.plan()
    const { outputs, report, message } = await this.#host.run(plan, { tenant: asked.tenant, signal })
    const text = outputs.get(stepId)
    const { costMicroUsd } = report.totals
    this.#counters.costMicroUsd += costMicroUsd
    if (text === undefined) throw new AetherflowError('analysis.failed', 'analysis-fast', message ?? 'no answer came')
    const call = report.steps[0]?.calls.filter(({ outcome }) => outcome === 'ok').at(-1)
    const { provider = '', model = '' } = call ?? {}
    const { input, cached, output, reasoning } = call?.tokens ?? unused
    return {
      value: JSON.parse(text) as unknown,
      ...{ provider, model, costMicroUsd, from: 'model', answeredAt: Math.round(this.#host.wallClock()) },
      usage: { input, cached, output, reasoning },
      history: seen,
    }
  }

  async #keep(asked: Asked, { from: _from, costMicroUsd, ...kept }: Answered): Promise<void> {
    const { usage } = kept
    const worth = { tokens: usage.input + usage.output, microUsd: costMicroUsd }
    const put = { ...this.#question(asked), answer: JSON.stringify(kept), worth }
    await this.#host.cache.put(put).catch((error: unknown) => this.#without(error))
  }

  /** A store that fails costs time and money, not the answer. */
  #without(error: unknown): undefined {
    if (!(error instanceof AetherflowError) || error.code === 'host.disposed') throw error
    this.#host.onProblem?.(error.message)
    return undefined
  }
}

/** Undefined: somebody else wrote it. */
function keptOf(text: string): Kept | undefined {
  try {
    const kept = JSON.parse(text) as Partial<Kept> | null
    const { value, provider, model, answeredAt, usage, history } = kept ?? {}
    if (typeof provider !== 'string' || typeof model !== 'string' || typeof answeredAt !== 'number') return undefined
    if (!isObject(usage) || !isObject(history)) return undefined
    return { value, provider, model, answeredAt, usage: usage as Usage, history: history as SeenHistory }
  } catch {
    return undefined
  }
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value)

function unlessAborted<Result>(work: Promise<Result>, signal: AbortSignal | undefined): Promise<Result> {
  if (signal === undefined) return work
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
