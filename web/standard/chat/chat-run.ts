/** One answer to a conversation: a run of one step in the machine of all runs, with the caller's own texts. */
import type { AnswerCache, CacheFound, CacheQuestion } from '../../../bindings/cache/ports.js'
import { contentText, type ToolCall } from '../../../bindings/chat.js'
import type { CoreRun } from '../../../bindings/core.js'
import { AetherflowError } from '../../../bindings/errors.js'
import type { CallEndEvent, HitKind, RunEvent, RunEventOf } from '../../../bindings/events.js'
import { failureKindWords, type FailureKind, type FinishReason, type Reason } from '../../../bindings/generated/wire.js'
import type { Clock, Usage } from '../../../bindings/ports.js'
import type { LimitSharing } from '../../../bindings/shared-limits.js'
import { systemClock } from '../clock.js'
import { withPolicy, type Config, type PolicyConfig } from '../config.js'
import { executeRun, type RunProviders } from '../run/execute-run.js'
import { reusableOutputs } from '../run/reuse.js'
import type { CacheSettings } from '../run/setup.js'
import { ChatPerformer, type ChatReplyParts } from './chat-performer.js'
import { chatStep, mayBeCached, modeOf, needsChatFormat, planOf, textsOf, type ChatRequest } from './request.js'

/** What outlives the single request: made once by a host, used by any number at a time. */
export interface ChatHost {
  freshCore(): CoreRun
  readonly version: string
  readonly config: Config
  readonly providerIds: readonly string[]
  /** Of all requests; their opener closes them. */
  readonly providers: Pick<RunProviders, 'available' | 'client' | 'clock'>
  /** Wire format by id of the provider: what only chat completions can carry goes nowhere else. */
  readonly dialects: Readonly<Record<string, string>>
  /** Until when providers asked to be left alone, by id, on the clock; kept here for all requests. */
  readonly waits: Map<string, number>
  digest(parts: readonly string[]): string
  readonly limits?: LimitSharing | undefined
  readonly clock?: Clock | undefined
  readonly cache?: AnswerCache | undefined
  readonly cacheModes?: CacheSettings['cacheModes']
}

export interface ChatOptions {
  readonly signal?: AbortSignal | undefined
  /** Over the configuration's: budgets, deadlines. */
  readonly policy?: PolicyConfig | undefined
  readonly tenant?: string | undefined
  /** Text of the answer as it streams. */
  readonly onText?: ((piece: string) => void) | undefined
  /** What was streamed counts no more: the answer begins again. */
  readonly onRestart?: (() => void) | undefined
  readonly onEvent?: ((event: RunEvent) => void) | undefined
}

/** How an answer came about, and what it cost. */
export interface ChatFacts {
  readonly provider: string
  readonly model: string
  /** For people: where the request went, and why elsewhere than first chosen. */
  readonly route: string
  /** For people: why the first of them. */
  readonly why: string
  /** Calls that left for a provider. */
  readonly attempts: number
  /** undefined: no cache was asked. */
  readonly cache: HitKind | 'miss' | 'refresh' | undefined
  /** Of all calls, micro-USD. */
  readonly costMicroUsd: number
  /** Part of the cost is at a price that was assumed. */
  readonly priceAssumed?: true
  /** Of the call that gave the answer; zeros for one from the cache. */
  readonly usage: Usage
  readonly usageEstimated: boolean
}

export interface ChatAnswer extends ChatFacts {
  readonly text: string
  readonly toolCalls: readonly ToolCall[]
  readonly finish: FinishReason | 'tool_calls'
}

/** No answer came. The message is for people and carries no prompt, answer or key. */
export class ChatFailure extends Error {
  override readonly name = 'ChatFailure'
  constructor(
    readonly kind: FailureKind,
    message: string,
    readonly facts: ChatFacts,
    /** Earliest sensible retry, ms from now; undefined: nobody said. */
    readonly retryAfterMs: number | undefined,
  ) {
    super(message)
  }
}

const nothing: Usage = { input: 0, cached: 0, output: 0, reasoning: 0 }

/** Rejects with ChatFailure, or an AetherflowError for what no provider was asked for: route.*, options.invalid, plan.too_large. */
export async function runChat(request: ChatRequest, host: ChatHost, options: ChatOptions = {}): Promise<ChatAnswer> {
  const { providers } = host
  mustSuit(request, host)
  const core = host.freshCore()
  const clock = host.clock ?? systemClock
  const told = (id: string, ms: number): void => void host.waits.set(id, clock.now() + ms)
  const performer = new ChatPerformer(request, (id) => providers.client(id), told)
  const watch = new Watch(performer, options)
  const suits = (id: string): boolean => !needsChatFormat(request) || host.dialects[id] !== 'gemini'
  const cache = host.cache && mayBeCached(request) ? askedFor(request, host.cache) : undefined
  try {
    const settings = { mode: modeOf(request), cache, cacheModes: host.cacheModes, tenant: options.tenant }
    const result = await executeRun(planOf(request), settings, {
      ...{ core, version: host.version, digest: host.digest, providerIds: host.providerIds, performer },
      ...{ limits: host.limits, clock: host.clock, lazyReport: true },
      config: options.policy === undefined ? host.config : withPolicy(host.config, options.policy),
      anotherCore: () => host.freshCore(),
      loadReuse: () => Promise.resolve(reusableOutputs),
      openProviders: () =>
        Promise.resolve({
          available: providers.available.filter(suits),
          client: (id: string) => providers.client(id),
          simulated: undefined,
          clock: providers.clock,
          close: () => undefined,
        }),
      files: () => undefined,
      driver: { signal: options.signal, onText: (_step, piece) => options.onText?.(piece) },
      emit: (event) => watch.take(event),
      own: () => undefined,
    })
    const output = result.outcome === 'ok' ? result.outputs.get(chatStep) : undefined
    const facts = watch.facts(cache === undefined ? undefined : request.cache === 'refresh' ? 'refresh' : 'miss')
    if (output === undefined)
      throw watch.failure(facts, options.signal?.aborted === true, earliest(request, host, clock.now()))
    return { ...watch.answer(output), ...facts }
  } finally {
    core.dispose()
  }
}

/** A model that was named is not replaced by another in silence. */
function mustSuit(request: ChatRequest, { dialects }: ChatHost): void {
  const [named = ''] = request.model.includes('/') ? request.model.split('/') : []
  if (dialects[named] !== 'gemini' || !needsChatFormat(request)) return
  throw new AetherflowError('host.usage', 'model', 'tools and pictures are not sent to Gemini: name another model')
}

/** The earliest time at which one of those that can be asked takes a request again, ms from now; undefined: no one said. */
function earliest({ model }: ChatRequest, { providers, waits }: ChatHost, now: number): number | undefined {
  const [named] = model.split('/')
  const candidates = model.includes('/') ? providers.available.filter((id) => id === named) : providers.available
  const known = candidates.map((id) => waits.get(id)).filter((until) => until !== undefined && until > now)
  return known.length === 0 ? undefined : Math.min(...(known as number[])) - now
}

/** The cache, asked with all that the answer depends on: the last turn is the prompt, those before it the history. */
function askedFor(request: ChatRequest, cache: AnswerCache): AnswerCache {
  const { chat, temperature, maxTokens } = request
  const turns = chat.messages.filter(({ role }) => role !== 'system')
  const last = turns.at(-1)
  const asked = <Question extends CacheQuestion>(question: Question): Question => ({
    ...question,
    prompt: last === undefined ? question.prompt : contentText(last.content),
    // What was said before decides what the last turn means.
    mode: turns.length > 1 && question.mode === 'semantic' ? 'exact' : question.mode,
    scope: {
      ...question.scope,
      system: textsOf(chat).system,
      history: turns.slice(0, -1),
      parameters: [question.scope?.parameters, 'chat', temperature, maxTokens, { ...chat, messages: undefined }],
    },
  })
  const miss = (question: CacheQuestion): Promise<CacheFound> => cache.get({ ...asked(question), mode: 'off' })
  return {
    get: (question) => (request.cache === 'refresh' ? miss(question) : cache.get(asked(question))),
    put: (question) => cache.put(asked(question)),
  }
}

const costIn = ({ costMicroUsd, priceAssumed }: RunEventOf<'finish'>) => ({
  costMicroUsd,
  ...(priceAssumed && { priceAssumed }),
})

/** Why a step ended without a call's failure. */
function endedBy(reason: Reason): { kind: FailureKind; message: string } {
  const kind =
    reason === 'deadline_passed' ? 'deadline' : reason.startsWith('budget_') ? 'budget_exceeded' : 'cancelled'
  return { kind, message: failureKindWords[kind] }
}

/** Puts together from a run's events what its caller is told. */
class Watch {
  readonly #performer: ChatPerformer
  readonly #options: ChatOptions
  readonly #routes: string[] = []
  #last: CallEndEvent | undefined
  #answered: CallEndEvent | undefined
  #parts: ChatReplyParts | undefined
  #attempts = 0
  #reason = ''
  #cost: Pick<ChatFacts, 'costMicroUsd' | 'priceAssumed'> = { costMicroUsd: 0 }
  #hit: HitKind | undefined
  #repaired = false
  #why: { kind: FailureKind; message: string } | undefined

  constructor(performer: ChatPerformer, options: ChatOptions) {
    this.#performer = performer
    this.#options = options
  }

  take(event: RunEvent): void {
    if (event.type === 'callEnd') this.#ended(event)
    else if (event.type === 'call' && event.purpose === 'main') this.#went(event)
    else if (event.type === 'note' && event.provider !== undefined) this.#noted(event.reason)
    else if (event.type === 'restart') this.#options.onRestart?.()
    else if (event.type === 'hit') this.#hit = event.kind
    else if (event.type === 'done') this.#repaired = event.repaired
    else if (event.type === 'failed') this.#why = { kind: event.failure, message: event.message }
    else if (event.type === 'skipped' || event.type === 'cancelled') this.#why ??= endedBy(event.reason)
    else if (event.type === 'finish') this.#cost = costIn(event)
    this.#options.onEvent?.(event)
  }

  #went({ provider, model, why }: RunEventOf<'call'>): void {
    const target = `${provider}/${model}`
    if (this.#routes.length === 0) this.#reason = why
    if (this.#routes.at(-1) !== target) this.#routes.push(target)
  }

  #noted(reason: string): void {
    if (reason === 'fell_back' || reason === 'overflowed' || reason === 'hedged' || reason === 'cheaper_model')
      this.#routes.push(reason)
  }

  #ended(event: CallEndEvent): void {
    this.#last = event
    if (event.outcome !== 'withheld' && event.outcome !== 'refused') this.#attempts += 1
    if (event.outcome !== 'ok' || (event.purpose !== 'main' && event.purpose !== 'hedge')) return
    this.#answered = event
    this.#parts = this.#performer.replies.get(event.call)
  }

  facts(cache: ChatFacts['cache']): ChatFacts {
    const end = this.#answered ?? this.#last
    return {
      provider: end?.provider ?? '',
      model: end?.model ?? '',
      route: this.#routes.join(' > '),
      why: this.#reason,
      attempts: this.#attempts,
      cache: this.#hit ?? cache,
      ...this.#cost,
      usage: this.#answered?.tokens ?? nothing,
      usageEstimated: this.#answered?.tokensEstimated ?? false,
    }
  }

  /** `output`: the step's, which the core may have taken out of what surrounded it, or had repaired. */
  answer(output: string): Pick<ChatAnswer, 'text' | 'toolCalls' | 'finish'> {
    const parts = this.#parts
    if (parts === undefined || this.#repaired || this.#hit !== undefined)
      return { text: output, toolCalls: [], finish: 'stop' }
    const { toolCalls, finish } = parts
    if (toolCalls.length > 0) return { text: parts.text, toolCalls, finish: 'tool_calls' }
    return { text: parts.text.trim() === '' ? parts.text : output, toolCalls, finish }
  }

  failure(facts: ChatFacts, aborted: boolean, retryAfterMs: number | undefined): ChatFailure {
    if (aborted) return new ChatFailure('cancelled', 'the request was cancelled', facts, undefined)
    const { kind, message } = this.#why ?? { kind: 'host' as const, message: 'no answer came' }
    return new ChatFailure(kind, message, facts, retryAfterMs)
  }
}
