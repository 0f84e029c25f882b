import type { FinishReason } from '../../../bindings/generated/wire.js'
import type { ModelReply, Usage } from '../../../bindings/ports.js'
import { CallFailure, failureInStream, type Confidential } from '../failure.js'

/** The parts of a chat completion, whole or chunk, that are read. Providers send null where they mean absent. */
interface ChatPart {
  readonly error?: unknown
  readonly choices?: readonly ChatChoice[] | null
  readonly usage?: ChatUsage | null
  readonly x_groq?: { readonly error?: unknown; readonly usage?: ChatUsage | null } | null
}
interface ChatChoice {
  readonly delta?: ChatMessage | null
  readonly message?: ChatMessage | null
  readonly finish_reason?: string | null
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
  readonly prompt_tokens_details?: { readonly cached_tokens?: unknown } | null
  readonly completion_tokens_details?: { readonly reasoning_tokens?: unknown } | null
  readonly total_time?: unknown
  readonly queue_time?: unknown
}

/** What a part brought: `text` for the reader, `token` when answer or reasoning moved. */
export interface Arrived {
  readonly text: string
  readonly token: boolean
}

/** Puts a reply together from its parts, one chunk at a time or a whole completion at once. */
export class ChatReply {
  // Joined once at the end: appending per chunk copies the answer again and again.
  private readonly pieces: string[] = []
  private length = 0
  private refusal = ''
  private finishWord: string | undefined
  private usage: Usage | undefined
  private providerMs: number | undefined

  constructor(
    private readonly confidential: Confidential,
    /** Most characters of an answer; more is `malformed`. */
    private readonly maxLength = 16 * 1024 * 1024,
  ) {}

  get finished(): boolean {
    return this.finishWord !== undefined
  }

  /** Throws a `CallFailure` for an error object, an answer that is too long, or a part that is no object. */
  accept(value: unknown): Arrived {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw this.failure('malformed', 'the reply is not an object')
    const part = value as ChatPart
    const error = part.error ?? part.x_groq?.error
    if (error !== undefined && error !== null)
      throw failureInStream(part.error ? part : { error }, this.safely(), this.usage)
    // Groq sends the same usage twice on its last chunk; others repeat it cumulatively. The last one counts, once.
    this.takeUsage(part.usage ?? part.x_groq?.usage)
    const choice = Array.isArray(part.choices) ? (part.choices[0] as ChatChoice | undefined) : undefined
    if (!choice) return { text: '', token: false }
    const message = choice.delta ?? choice.message ?? {}
    const text = contentText(message.content)
    if (text !== '') this.pieces.push(text)
    if ((this.length += text.length) > this.maxLength) throw this.failure('malformed', 'the answer is too long')
    if (typeof message.refusal === 'string') this.refusal += message.refusal
    if (typeof choice.finish_reason === 'string') this.finishWord = choice.finish_reason
    return { text, token: text !== '' || Boolean(message.reasoning_content) || Boolean(message.reasoning) }
  }

  /** The whole answer. `done`: `[DONE]` was seen, which is a success even when no finish reason came. */
  end(done: boolean): ModelReply {
    if (!this.finished && !done) throw this.failure('truncated', 'the stream ended without a finish signal')
    const word = this.finishWord ?? 'stop'
    if (word === 'insufficient_system_resource') throw this.failure('overloaded', word)
    if (word === 'error') throw this.failure('server_error', 'the model stopped with an error')
    const finish = finishOf(word)
    const text = this.pieces.join('')
    if (text.trim() === '') throw this.emptyFailure(finish)
    return {
      text,
      usage: this.usage,
      finish,
      ...(this.providerMs !== undefined && { providerMs: this.providerMs }),
    }
  }

  failure(kind: CallFailure['kind'], message: string): CallFailure {
    return new CallFailure(kind, message, this.usage && { usage: this.usage })
  }

  private emptyFailure(finish: FinishReason): CallFailure {
    // The words of a refusal are an answer about the prompt: they stay out of the message.
    if (this.refusal !== '' || finish === 'content_filter')
      return this.failure('content_blocked', 'the model refused to answer')
    return finish === 'length'
      ? this.failure('truncated', 'the token limit was reached before the answer began')
      : this.failure('malformed', 'empty answer')
  }

  private safely(): Confidential {
    return { secrets: this.confidential.secrets, payloads: [...this.confidential.payloads, this.pieces.join('')] }
  }

  private takeUsage(raw: ChatUsage | null | undefined): void {
    if (typeof raw !== 'object' || raw === null) return
    this.usage = normaliseUsage(raw) ?? this.usage
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
    count(raw.num_cached_tokens) ??
    0
  const reasoning = count(raw.completion_tokens_details?.reasoning_tokens) ?? 0
  return { input, cached: Math.min(cached, input), output, reasoning: Math.min(reasoning, output) }
}

function count(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined
}

function finishOf(word: string): FinishReason {
  if (word === 'stop' || word === 'content_filter') return word
  return word === 'length' || word === 'model_length' ? 'length' : 'other'
}

/** A string, null, or parts of which only those of type text are answer (Mistral's reasoning models send thinking parts too). */
function contentText(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content
    .map((part: { type?: unknown; text?: unknown }) =>
      part?.type === 'text' && typeof part.text === 'string' ? part.text : '',
    )
    .join('')
}
