/**
 * Runs as OpenTelemetry spans and metrics, over the API that the caller hands in: this package depends on none. Made from run events,
 * which hold no prompt, answer or key; so neither do the spans.
 *
 *   invoke_workflow PLAN            the run
 *     aetherflow.step               a step, its id as an attribute
 *       chat MODEL                  what one model was asked for one purpose, repeats included
 *         aetherflow.attempt        one call
 *       aetherflow.cache.lookup     what the cache was asked: no inference, no tokens
 */
import type { CallEndEvent, CallEvent, RunEvent } from '../../../bindings/events.js'
import type { AnalysisEvent } from '../analysis/statistics.js'
import { nameVersions, providerNames, type Names, type NamesVersion } from './names.js'

type Attributes = Record<string, string | number | boolean>

/** What is used of the API, by its shape. */
export interface OtelSpan {
  setAttributes(attributes: Attributes): unknown
  setStatus(status: { code: number; message?: string }): unknown
  addEvent(name: string, attributes?: Attributes, time?: number): unknown
  end(time?: number): unknown
}
interface SpanSettings {
  kind?: number
  startTime?: number
  attributes?: Attributes
}
interface Instrument {
  add?(value: number, attributes?: Attributes): void
  record?(value: number, attributes?: Attributes): void
}
export interface OtelApi {
  readonly trace: {
    getTracer(
      name: string,
      version?: string,
    ): { startSpan(name: string, settings: SpanSettings, context: never): OtelSpan }
    setSpan(context: never, span: never): unknown
  }
  readonly metrics: {
    getMeter(
      name: string,
      version?: string,
    ): {
      createHistogram(name: string, options?: { unit?: string }): Instrument
      createCounter(name: string, options?: { unit?: string }): Instrument
    }
  }
  readonly context: { active(): unknown }
  readonly propagation: { extract(context: never, carrier: unknown): unknown }
}

export interface TelemetryOptions {
  /** The module `@opentelemetry/api`. */
  readonly api: OtelApi
  /** Default `0.1`. */
  readonly names?: NamesVersion | undefined
  /** Headers of anyone who asked for the run: its `traceparent` is continued. Default: the active context. */
  readonly carrier?: Readonly<Record<string, unknown>> | undefined
  /** Of the plan, for the name of the run's span. */
  readonly name?: string | undefined
}

const library = 'aetherflow'
/** Of the API: kinds of a span and its statuses. */
const internal = 0
const client = 2
const failed = 2

/** Takes the events of one run. */
export function telemetry(options: TelemetryOptions): (event: RunEvent) => void {
  const run = new Telemetry(options)
  return (event) => run.take(event)
}

/** Takes the requests of an analyzer that have ended: hits and misses of its cache, and what they took. */
export function analysisTelemetry({ api }: TelemetryOptions): (event: AnalysisEvent) => void {
  const meter = api.metrics.getMeter(library)
  const hits = meter.createCounter('memory_analysis_cache_hits_total')
  const misses = meter.createCounter('memory_analysis_cache_misses_total')
  const duration = meter.createHistogram('memory_analysis_duration_seconds', { unit: 's' })
  return ({ result, ms }) => {
    if (result === 'hit') hits.add?.(1)
    if (result === 'miss') misses.add?.(1)
    duration.record?.(ms / 1000, { 'aetherflow.analysis.result': result })
  }
}

interface Chat {
  readonly span: OtelSpan
  readonly target: string
  readonly attempts: Map<number, OtelSpan>
}

class Telemetry {
  readonly #api: OtelApi
  readonly #names: Names
  readonly #tracer: ReturnType<OtelApi['trace']['getTracer']>
  readonly #options: TelemetryOptions
  readonly #instruments = new Map<string, Instrument>()
  readonly #steps = new Map<string, OtelSpan>()
  /** By step and purpose. */
  readonly #chats = new Map<string, Chat>()
  #run: OtelSpan | undefined
  /** Wall-clock time at which the run began, ms. */
  #origin = 0

  constructor(options: TelemetryOptions) {
    this.#options = options
    this.#api = options.api
    this.#names = nameVersions[options.names ?? '0.1']
    this.#tracer = options.api.trace.getTracer(library)
  }

  take(event: RunEvent): void {
    if (this.#run === undefined) this.#begin(event)
    switch (event.type) {
      case 'call':
        return this.#call(event)
      case 'callEnd':
        return this.#callEnd(event)
      case 'hit':
        return this.#hit(event)
      case 'miss':
        return this.#looked(event, { 'aetherflow.cache.result': 'miss' })
      case 'note':
        this.#run?.addEvent(event.reason, { words: event.words }, this.#origin + event.at)
        return
      case 'done':
      case 'failed':
      case 'skipped':
      case 'cancelled':
        return this.#stepEnd(event)
      case 'finish':
        return this.#end(event)
      default:
    }
  }

  #begin({ at, type }: RunEvent): void {
    this.#origin = Date.now() - at
    const { name = 'plan', carrier } = this.#options
    const active = this.#api.context.active()
    const parent = carrier === undefined ? active : this.#api.propagation.extract(active as never, carrier)
    const { invokeWorkflow, operationName, agentName } = this.#names
    const resumed = type === 'resumed' ? { 'aetherflow.resumed': true } : {}
    const attributes = { [operationName]: invokeWorkflow, [agentName]: name, ...resumed }
    const settings = { kind: internal, startTime: type === 'resumed' ? Date.now() : this.#origin, attributes }
    this.#run = this.#tracer.startSpan(`${invokeWorkflow} ${name}`, settings, parent as never)
  }

  #under(name: string, settings: SpanSettings, parent: OtelSpan | undefined): OtelSpan {
    const active = this.#api.context.active() as never
    const context = parent === undefined ? active : this.#api.trace.setSpan(active, parent as never)
    return this.#tracer.startSpan(name, settings, context as never)
  }

  #step(id: string, at: number): OtelSpan {
    const known = this.#steps.get(id)
    if (known !== undefined) return known
    const settings = { kind: internal, startTime: this.#origin + at, attributes: { 'aetherflow.step.id': id } }
    const span = this.#under('aetherflow.step', settings, this.#run)
    this.#steps.set(id, span)
    return span
  }

  #call({ step, purpose, provider, model, call, attempt, at }: CallEvent): void {
    const key = `${step}\0${purpose}`
    const target = `${provider}/${model}`
    let chat = this.#chats.get(key)
    if (chat !== undefined && chat.target !== target) {
      chat.span.end(this.#origin + at)
      chat = undefined
    }
    chat ??= this.#chat(key, target, { step, purpose, provider, model, at })
    const attributes = { 'aetherflow.attempt': attempt }
    const settings = { kind: client, startTime: this.#origin + at, attributes }
    chat.attempts.set(call, this.#under('aetherflow.attempt', settings, chat.span))
  }

  #chat(key: string, target: string, of: Pick<CallEvent, 'step' | 'purpose' | 'provider' | 'model' | 'at'>): Chat {
    const { chat: operation, operationName } = this.#names
    const attributes = { [operationName]: operation, 'aetherflow.purpose': of.purpose, ...this.#target(of) }
    const settings = { kind: client, startTime: this.#origin + of.at, attributes }
    const span = this.#under(`${operation} ${of.model}`, settings, this.#step(of.step, of.at))
    const chat = { span, target, attempts: new Map<number, OtelSpan>() }
    this.#chats.set(key, chat)
    return chat
  }

  #target({ provider, model }: Pick<CallEvent, 'provider' | 'model'>): Attributes {
    const { providerName, requestModel } = this.#names
    return { [providerName]: providerNames[provider] ?? provider, [requestModel]: model }
  }

  #callEnd(event: CallEndEvent): void {
    const { step, purpose, call, outcome, failure, message = '', tokens, costMicroUsd } = event
    const key = `${step}\0${purpose}`
    const chat = this.#chats.get(key)
    const attempt = chat?.attempts.get(call)
    if (chat === undefined || attempt === undefined) return
    const time = this.#origin + event.at
    const { inputTokens, outputTokens, cachedTokens, reasoningTokens, responseModel, errorType } = this.#names
    const wrong = outcome === 'ok' ? {} : { [errorType]: failure ?? outcome }
    attempt.setAttributes({ 'aetherflow.cost_usd': costMicroUsd / 1e6, ...wrong })
    if (outcome === 'failed') attempt.setStatus({ code: failed, message })
    attempt.end(time)
    chat.attempts.delete(call)
    chat.span.setAttributes(wrong)
    if (outcome === 'ok') {
      chat.span.setAttributes({
        ...{ [inputTokens]: tokens.input, [outputTokens]: tokens.output, [responseModel]: event.model },
        ...{ [cachedTokens]: tokens.cached, [reasoningTokens]: tokens.reasoning },
      })
      chat.span.end(time)
      this.#chats.delete(key)
    }
    if (outcome !== 'withheld' && outcome !== 'refused') this.#measure(event, wrong)
  }

  #measure(event: CallEndEvent, wrong: Attributes): void {
    const { tokens, responseMs, firstTokenMs } = event
    const { requestDuration, firstChunk, tokenCounters, tokenHistogram, operationName, chat } = this.#names
    const attributes = { [operationName]: chat, ...this.#target(event), ...wrong }
    if (responseMs !== null) this.#histogram(requestDuration, 's').record?.(responseMs / 1000, attributes)
    if (firstTokenMs !== null) this.#histogram(firstChunk, 's').record?.(firstTokenMs / 1000, attributes)
    if (tokenHistogram !== undefined) {
      const kinds = { input: tokens.input, output: tokens.output }
      for (const [kind, count] of Object.entries(kinds))
        this.#histogram(tokenHistogram, '{token}').record?.(count, { ...attributes, 'gen_ai.token.type': kind })
    }
    for (const [kind, name] of Object.entries(tokenCounters ?? {}))
      this.#counter(name, '{token}').add?.(tokens[kind as keyof typeof tokens] ?? 0, attributes)
  }

  /** An answer of ours is no inference: nothing of it counts as tokens of a provider. */
  #hit(event: RunEvent & { type: 'hit' }): void {
    this.#looked(event, { 'aetherflow.cache.result': event.kind, 'aetherflow.cache.score': event.score })
  }

  #looked({ step, at }: { readonly step: string; readonly at: number }, attributes: Attributes): void {
    const time = this.#origin + at
    const settings = { kind: internal, startTime: time, attributes }
    this.#under('aetherflow.cache.lookup', settings, this.#step(step, at)).end(time)
  }

  #stepEnd(event: RunEvent & { type: 'done' | 'failed' | 'skipped' | 'cancelled' }): void {
    const { step, at, type } = event
    const time = this.#origin + at
    for (const [key, chat] of this.#chats) {
      if (!key.startsWith(`${step}\0`)) continue
      for (const attempt of chat.attempts.values()) attempt.end(time)
      chat.span.end(time)
      this.#chats.delete(key)
    }
    const span = this.#step(step, at)
    span.setAttributes({ 'aetherflow.step.outcome': type })
    if (event.type === 'failed') {
      span.setAttributes({ [this.#names.errorType]: event.failure })
      span.setStatus({ code: failed, message: event.message })
    }
    span.end(time)
    this.#steps.delete(step)
  }

  #end({ at, outcome, costMicroUsd }: RunEvent & { type: 'finish' }): void {
    const time = this.#origin + at
    for (const span of this.#steps.values()) span.end(time)
    this.#run?.setAttributes({ 'aetherflow.outcome': outcome, 'aetherflow.cost_usd': costMicroUsd / 1e6 })
    if (outcome !== 'ok') this.#run?.setStatus({ code: failed, message: outcome })
    this.#run?.end(time)
    this.#histogram(this.#names.runDuration, 's').record?.(at / 1000, { 'aetherflow.outcome': outcome })
  }

  #histogram(name: string, unit: string): Instrument {
    return this.#instrument(name, (meter) => meter.createHistogram(name, { unit }))
  }

  #counter(name: string, unit: string): Instrument {
    return this.#instrument(name, (meter) => meter.createCounter(name, { unit }))
  }

  #instrument(name: string, make: (meter: ReturnType<OtelApi['metrics']['getMeter']>) => Instrument): Instrument {
    const known = this.#instruments.get(name) ?? make(this.#api.metrics.getMeter(library))
    this.#instruments.set(name, known)
    return known
  }
}
