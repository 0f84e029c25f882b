import type { FinishReason } from '../../../bindings/generated/wire.js'
import type { ModelReply, Usage } from '../../../bindings/ports.js'
import { failureInStream, type Confidential } from '../failure/failure.js'
import type { FailureTable } from './failures/index.js'
import { count, Reply, type Arrived } from './reply.js'

/** The parts of a chat completion, whole or chunk, that are read. Providers send null where they mean absent. */
interface ChatPart {
  /** Mistral's errors have no `error` member: they are marked here. */
  readonly object?: unknown
  readonly error?: unknown
  readonly choices?: readonly ChatChoice[] | null
  readonly usage?: ChatUsage | null
  readonly x_groq?: { readonly error?: unknown; readonly usage?: ChatUsage | null } | null
}
interface ChatChoice {
  readonly delta?: ChatMessage | null
  readonly message?: ChatMessage | null
  /** Of plain completions. */
  readonly text?: unknown
  readonly finish_reason?: string | null
  /** Where Moonshot puts it on its last chunk. */
  readonly usage?: ChatUsage | null
}
interface ChatMessage {
  readonly content?: unknown
  readonly reasoning_content?: string | null
  readonly reasoning?: string | null
  readonly refusal?: string | null
}
interface ChatUsage {
  readonly prompt_tokens?: unknown
  readonly completion_tokens?: unknown
  readonly prompt_cache_hit_tokens?: unknown
  readonly num_cached_tokens?: unknown
  /** Moonshot's. */
  readonly cached_tokens?: unknown
  readonly total_tokens?: unknown
  readonly prompt_tokens_details?: { readonly cached_tokens?: unknown } | null
  /** Mistral has been seen to spell it without the s. */
  readonly prompt_token_details?: { readonly cached_tokens?: unknown } | null
  readonly completion_tokens_details?: {
    readonly reasoning_tokens?: unknown
    readonly accepted_prediction_tokens?: unknown
    readonly rejected_prediction_tokens?: unknown
  } | null
  readonly total_time?: unknown
  readonly queue_time?: unknown
}

/** A chat completion. */
export class ChatReply extends Reply {
  private refusal = ''
  private finishWord: string | undefined
  private providerMs: number | undefined
  private prediction: ModelReply['prediction']
  /** A delta came: a whole message after it is the same text once more, as MiniMax sends it at the end of a stream. */
  private streamed = false

  constructor(
    confidential: Confidential,
    /** Whether an answer without text is one: a completion between two halves of code may add nothing. */
    private readonly mayBeBlank = false,
    private readonly failures?: FailureTable,
  ) {
    super(confidential)
  }

  get finished(): boolean {
    return this.finishWord !== undefined
  }

  accept(value: unknown): Arrived {
    const part = this.object<ChatPart>(value)
    const error = part.error || part.x_groq?.error
    if (error || part.object === 'error') {
      const body = part.error || part.object === 'error' ? part : { error }
      throw failureInStream(body, this.safely(), this.usage, this.failures)
    }
    const choice = Array.isArray(part.choices) ? (part.choices[0] as ChatChoice | null | undefined) : undefined
    // Groq sends the same usage twice on its last chunk; others repeat it cumulatively. The last one counts, once.
    this.takeUsage(part.usage ?? part.x_groq?.usage ?? choice?.usage)
    if (!choice) return { text: '', token: false }
    this.takeFinish(choice.finish_reason)
    if (choice.delta) this.streamed = true
    const message = choice.delta ?? (this.streamed ? null : (choice.message ?? { content: choice.text })) ?? {}
    const content = readContent(message.content)
    this.add(content.text)
    if (typeof message.refusal === 'string') this.refusal += message.refusal
    const reasoned = content.thought || Boolean(message.reasoning_content) || Boolean(message.reasoning)
    return { text: content.text, token: content.text !== '' || reasoned }
  }

  /** `[DONE]` is a success even when no finish reason came. */
  end(done: boolean): ModelReply {
    if (!this.finished && !done) throw this.unfinished()
    const word = this.finishWord ?? 'stop'
    if (word === 'insufficient_system_resource') throw this.failure('overloaded', word)
    if (word === 'error') throw this.failure('server_error', 'the model stopped with an error')
    const finish = finishOf(word)
    const text = this.text()
    if (text.trim() === '' && !(this.mayBeBlank && finish === 'stop' && this.refusal === '')) {
      // The words of a refusal are an answer about the prompt: they stay out of the message.
      if (this.refusal !== '' || finish === 'content_filter') throw this.blocked()
      throw this.emptyFailure(finish === 'length')
    }
    return {
      text,
      usage: this.usage,
      finish,
      ...(this.providerMs !== undefined && { providerMs: this.providerMs }),
      ...(this.prediction && { prediction: this.prediction }),
    }
  }

  /** Some hosts write an empty text, or the word null, on every chunk but the last. */
  private takeFinish(word: unknown): void {
    if (typeof word === 'string' && word !== '' && word !== 'null') this.finishWord = word
  }

  private takeUsage(raw: ChatUsage | null | undefined): void {
    if (typeof raw !== 'object' || raw === null) return
    this.usage = normaliseUsage(raw) ?? this.usage
    const { accepted_prediction_tokens, rejected_prediction_tokens } = raw.completion_tokens_details ?? {}
    const accepted = count(accepted_prediction_tokens) ?? 0
    const rejected = count(rejected_prediction_tokens) ?? 0
    if (accepted + rejected > 0) this.prediction = { accepted, rejected }
    const seconds = [raw.total_time, raw.queue_time].filter(
      (value) => typeof value === 'number' && value >= 0,
    ) as number[]
    if (typeof raw.total_time === 'number') this.providerMs = seconds.reduce((sum, value) => sum + value, 0) * 1000
  }
}

/** Counts in one shape, or `undefined` when the two main ones are missing or no counts: unknown is never zero. */
export function normaliseUsage(raw: ChatUsage): Usage | undefined {
  const input = count(raw.prompt_tokens)
  const output = count(raw.completion_tokens)
  if (input === undefined || output === undefined) return undefined
  const cached =
    count(raw.prompt_cache_hit_tokens) ??
    count(raw.prompt_tokens_details?.cached_tokens) ??
    count(raw.prompt_token_details?.cached_tokens) ??
    count(raw.num_cached_tokens) ??
    count(raw.cached_tokens) ??
    0
  const reasoning = count(raw.completion_tokens_details?.reasoning_tokens) ?? 0
  // xAI counts what was thought beside the answer; there the total tells, and what is billed is both.
  const beside = reasoning > 0 && count(raw.total_tokens) === input + output + reasoning
  const all = beside ? output + reasoning : output
  return { input, cached: Math.min(cached, input), output: all, reasoning: Math.min(reasoning, all) }
}

/** The words of the format first, then those that other hosts hand on from the model's server. */
const finishWords: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  length: 'length',
  content_filter: 'content_filter',
  model_length: 'length', // Mistral
  eos: 'stop', // Together
  eos_token: 'stop',
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  sensitive: 'content_filter', // Zhipu
}

function finishOf(word: string): FinishReason {
  const known = word.toLowerCase()
  return Object.hasOwn(finishWords, known) ? finishWords[known]! : 'other'
}

/** A string, null, or parts of which only those of type text are answer (Mistral's reasoning models send thinking parts too). */
function readContent(content: unknown): { readonly text: string; readonly thought: boolean } {
  if (typeof content === 'string') return { text: content, thought: false }
  if (!Array.isArray(content)) return { text: '', thought: false }
  const parts = content as readonly ({ type?: unknown; text?: unknown } | null)[]
  const text = parts.map((part) => (part?.type === 'text' && typeof part.text === 'string' ? part.text : '')).join('')
  return { text, thought: parts.some((part) => part?.type === 'thinking') }
}
