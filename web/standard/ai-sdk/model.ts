/** A language model object for the AI SDK whose calls go through the machine: routed, limited, paid for, repeated and cached as runs are. */
import { AetherflowError } from '../../../bindings/errors.js'
import type { RunEvent } from '../../../bindings/events.js'
import { ChatFailure, runChat, type ChatAnswer, type ChatHost } from '../chat/chat-run.js'
import type { PolicyConfig } from '../config.js'
import { requestOf, type CallExtras } from './call.js'
import type {
  CallOptions,
  Content,
  FinishReason,
  GenerateResult,
  LanguageModel,
  ProviderMetadata,
  StreamPart,
  TokenUsage,
} from './types.js'

export interface ModelOptions {
  readonly tenant?: string | undefined
  readonly onEvent?: ((event: RunEvent) => void) | undefined
}

/** `word`: `auto`, a mode, or `provider/model`. `host`: opened with the first call. */
export function languageModel(word: string, host: () => Promise<ChatHost>, options: ModelOptions): LanguageModel {
  return {
    specificationVersion: 'v3',
    provider: 'aetherflow',
    modelId: word,
    // Whatever it points at, the provider fetches it.
    supportedUrls: { 'image/*': [/^https?:\/\/.*$/] },
    async doGenerate(call) {
      const { request, extras, warnings } = requestOf(word, call, false)
      const opened = await host()
      const answer = await runChat(request, opened, settingsOf(call, extras, opened, options)).catch(toldAs)
      return { ...resultOf(answer), warnings }
    },
    async doStream(call) {
      const { request, extras, warnings } = requestOf(word, call, true)
      const opened = await host()
      const parts = new Parts(word === 'double-check')
      const gone = new AbortController()
      const settings = settingsOf(call, extras, opened, options)
      const signals = [gone.signal, ...(call.abortSignal === undefined ? [] : [call.abortSignal])]
      const stream = parts.stream(() => gone.abort())
      parts.put({ type: 'stream-start', warnings })
      // What fails before anything was told rejects: the SDK may then go elsewhere.
      const running = runChat(request, opened, {
        ...settings,
        signal: AbortSignal.any(signals),
        onText: (piece) => parts.text(piece),
        onRestart: () => {
          if (!parts.restarted()) gone.abort()
        },
      }).catch(toldAs)
      const ended = running.then(
        (answer) => parts.finish(answer),
        (error: unknown) => parts.fail(error),
      )
      await Promise.race([ended, parts.begun])
      if (parts.failure !== undefined && !parts.shown) throw parts.failure as Error
      return { stream }
    },
  }
}

function settingsOf(call: CallOptions, { budgetUsd, deadlineMs }: CallExtras, host: ChatHost, options: ModelOptions) {
  const { budget, retry } = host.config
  const usd = least(budget?.run?.usd, budgetUsd)
  const configured = retry?.deadlineMs === 0 ? undefined : retry?.deadlineMs
  const deadline = least(configured, deadlineMs)
  const policy: PolicyConfig = {
    ...(usd === undefined ? {} : { budget: { run: { usd } } }),
    ...(deadline === undefined ? {} : { retry: { deadlineMs: Math.max(1, Math.ceil(deadline)) } }),
  }
  return { policy, tenant: options.tenant, onEvent: options.onEvent, signal: call.abortSignal }
}

function least(...values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : Math.min(...known)
}

/** The parts of one answer, as they come. */
class Parts {
  readonly #held: boolean
  #controller: ReadableStreamDefaultController<StreamPart> | undefined
  #begin: () => void = () => undefined
  /** Resolves with the first text. */
  readonly begun = new Promise<void>((resolve) => (this.#begin = resolve))
  shown = false
  failure: unknown
  #over = false

  /** `held`: nothing is told before the end. */
  constructor(held: boolean) {
    this.#held = held
  }

  stream(left: () => void): ReadableStream<StreamPart> {
    return new ReadableStream<StreamPart>({
      start: (controller) => void (this.#controller = controller),
      cancel: () => {
        this.#over = true
        left()
      },
    })
  }

  put(part: StreamPart): void {
    if (!this.#over) this.#controller?.enqueue(part)
  }

  text(piece: string): void {
    if (this.#held || piece === '') return
    this.#open()
    this.put({ type: 'text-delta', id: '0', delta: piece })
  }

  /** False: something was shown, and cannot be taken back. */
  restarted(): boolean {
    return !this.shown
  }

  finish(answer: ChatAnswer): void {
    const { content, finishReason, usage, providerMetadata, response } = resultOf(answer)
    if (!this.shown && answer.text !== '') {
      this.#open()
      this.put({ type: 'text-delta', id: '0', delta: answer.text })
    }
    if (this.shown) this.put({ type: 'text-end', id: '0' })
    for (const part of content) if (part.type === 'tool-call') this.#tool(part)
    this.put({ type: 'response-metadata', ...response })
    this.put({ type: 'finish', usage, finishReason, ...(providerMetadata === undefined ? {} : { providerMetadata }) })
    this.#close()
  }

  fail(error: unknown): void {
    this.failure = error
    this.put({ type: 'error', error })
    this.#close()
  }

  #tool(part: Content & { type: 'tool-call' }): void {
    this.put({ type: 'tool-input-start', id: part.toolCallId, toolName: part.toolName })
    this.put({ type: 'tool-input-delta', id: part.toolCallId, delta: part.input })
    this.put({ type: 'tool-input-end', id: part.toolCallId })
    this.put(part)
  }

  #open(): void {
    if (this.shown) return
    this.shown = true
    this.put({ type: 'text-start', id: '0' })
    this.#begin()
  }

  #close(): void {
    if (this.#over) return
    this.#over = true
    this.#controller?.close()
  }
}

function resultOf(answer: ChatAnswer): Omit<GenerateResult, 'warnings'> {
  const { text, toolCalls, provider, model } = answer
  const calls = toolCalls.map(({ id, name, arguments: input }) => ({
    type: 'tool-call' as const,
    toolCallId: id,
    toolName: name,
    input,
  }))
  return {
    content: [...(text === '' ? [] : [{ type: 'text' as const, text }]), ...calls],
    finishReason: reasonOf(answer.finish),
    usage: usageOf(answer),
    providerMetadata: metadataOf(answer),
    response: { timestamp: new Date(), ...(provider === '' ? {} : { modelId: `${provider}/${model}` }) },
  }
}

function reasonOf(finish: ChatAnswer['finish']): FinishReason {
  const words = {
    stop: 'stop',
    length: 'length',
    content_filter: 'content-filter',
    tool_calls: 'tool-calls',
    other: 'other',
  } as const
  return { unified: words[finish], raw: finish }
}

/** Tokens of our own cache are none: what is read there was not spent. */
function usageOf({ usage: { input, cached, output, reasoning } }: ChatAnswer): TokenUsage {
  return {
    inputTokens: { total: input, noCache: input - cached, cacheRead: cached, cacheWrite: undefined },
    outputTokens: { total: output, text: output - reasoning, reasoning },
  }
}

const metadataOf = ({ route, cache, costMicroUsd, attempts }: ChatAnswer): ProviderMetadata => ({
  aetherflow: { route, cache: cache ?? 'off', costUsd: costMicroUsd / 1e6, attempts },
})

/** Marks by which the AI SDK knows its own errors, of whatever copy of it. */
const marks = ['vercel.ai.error', 'vercel.ai.error.AI_APICallError'].map((name) => Symbol.for(name))

/** As the SDK's error of a call, which it does not repeat: that was done here, as far as it had any sense. */
function toldAs(error: unknown): never {
  if (error instanceof ChatFailure && error.kind === 'cancelled') throw new DOMException(error.message, 'AbortError')
  if (!(error instanceof ChatFailure) && !(error instanceof AetherflowError)) throw error
  const code = error instanceof ChatFailure ? error.kind : error.code
  const known = Object.assign(new Error(error.message), {
    ...{ name: 'AI_APICallError', url: 'aetherflow:', requestBodyValues: {}, isRetryable: false },
    ...{ data: { error: { code } }, code },
  })
  for (const mark of marks) Object.defineProperty(known, mark, { value: true })
  throw known
}
