import type { ToolCall } from '../../../bindings/chat.js'
import type { ModelReply, Usage } from '../../../bindings/ports.js'
import { failureInStream, isError, type Confidential } from '../failure/failure.js'
import { endingOf } from './chat-finish.js'
import { ToolCalls } from './tool-calls.js'
import type { FailureTable } from './failures/index.js'
import { count, heartbeat, Reply, type Arrived, type ReplyOptions } from './reply.js'

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
  readonly index?: unknown
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
  readonly refusal?: string | null
  /** Reasoning has a member of another name at nearly every host: see `thoughtLength`. */
  readonly [member: string]: unknown
}
interface ChatUsage {
  readonly prompt_tokens?: unknown
  readonly completion_tokens?: unknown
  readonly prompt_cache_hit_tokens?: unknown
  readonly num_cached_tokens?: unknown
  /** Moonshot's. */
  readonly cached_tokens?: unknown
  readonly total_tokens?: unknown
  readonly prompt_tokens_details?: { readonly cached_tokens?: unknown; readonly cache_write_tokens?: unknown } | null
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
  private readonly calls = new ToolCalls()
  /** A delta came: a whole message after it is the same text once more, as MiniMax sends it at the end of a stream. */
  private streamed = false

  constructor(
    confidential: Confidential,
    options: ReplyOptions = {},
    private readonly failures?: FailureTable,
  ) {
    super(confidential, options)
  }

  get finished(): boolean {
    return this.finishWord !== undefined
  }

  accept(value: unknown): Arrived {
    if (value === null) return heartbeat
    const part = this.object<ChatPart>(value)
    const groq = part.x_groq?.error
    if (groq || isError(part as Readonly<Record<string, unknown>>)) {
      // What comes after a finished answer takes nothing from it.
      if (this.finished) return heartbeat
      throw failureInStream(groq ? { error: groq } : part, this.safely(), this.usage, this.failures)
    }
    const choice = choiceOf(part.choices)
    // Groq sends the same usage twice on its last chunk; others repeat it cumulatively. The last one counts, once.
    this.takeUsage(part.usage ?? part.x_groq?.usage ?? choice?.usage)
    if (!choice) return { ...heartbeat, moved: Boolean(part.usage) }
    this.takeFinish(choice.finish_reason)
    if (choice.delta) this.streamed = true
    const message = choice.delta ?? (this.streamed ? null : (choice.message ?? { content: choice.text })) ?? {}
    const content = readContent(message.content)
    const text = this.add(content.text)
    const thought = content.thought + thoughtLength(message)
    this.think(thought)
    const called = this.options.tools === true && this.calls.take(message['tool_calls'])
    if (typeof message.refusal === 'string') this.refusal += message.refusal
    return { text, token: content.text !== '' || thought > 0 || called, moved: true }
  }

  /** `[DONE]` is a success even when no finish reason came, and so is JSON that is whole. */
  end(done: boolean, whole = false): ModelReply {
    if (!this.finished && !done && !whole) throw this.unfinished()
    const word = this.finishWord ?? 'stop'
    const toolCalls = this.calls.all()
    if (toolCalls.length > 0) return this.called(toolCalls, word)
    const ending = endingOf(word)
    if ('failed' in ending) {
      const safe = /^[\w.-]{1,60}$/.test(word) ? `the model stopped with ${word}` : 'the model did not end as it should'
      throw this.failure(ending.failed, safe)
    }
    const { finish } = ending
    const text = this.text()
    if (text.trim() === '' && !(this.options.mayBeBlank && finish === 'stop' && this.refusal === '')) {
      // The words of a refusal are an answer about the prompt: they stay out of the message.
      if (this.refusal !== '' || finish === 'content_filter') throw this.blocked()
      throw this.emptyFailure(finish === 'length')
    }
    return {
      text,
      usage: this.usage,
      finish,
      ...this.reasoned(),
      ...(this.providerMs !== undefined && { providerMs: this.providerMs }),
      ...(this.prediction && { prediction: this.prediction }),
    }
  }

  /** Calls of tools are an answer, with a text beside them or without; cut off by the limit they are none. */
  private called(toolCalls: readonly ToolCall[], word: string): ModelReply {
    const ending = endingOf(word)
    const calling = /^(?:tool_calls|tool_use|function_call)$/i.test(word)
    if ('failed' in ending && !calling) throw this.failure(ending.failed, 'the model did not end as it should')
    if (toolCalls.some(({ name, arguments: args }) => name === '' || !isJson(args))) {
      throw this.failure(word === 'length' ? 'limit_reached' : 'generation_failed', 'a call of a tool is not whole')
    }
    return { text: this.text(), usage: this.usage, finish: 'stop', toolCalls, ...this.reasoned() }
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
  const total = count(raw.total_tokens) ?? 0
  // Thought that the parts leave out, or that xAI counts beside the answer, is in the total; an answer of no tokens whose
  // reasoning has some was counted without it. What is billed is the larger.
  const all = Math.max(output, total - input, output === 0 ? reasoning : 0)
  const read = Math.min(cached, input)
  const written = Math.min(count(raw.prompt_tokens_details?.cache_write_tokens) ?? 0, input - read)
  const usage = { input, cached: read, output: all, reasoning: Math.min(reasoning, all) }
  return written === 0 ? usage : { ...usage, written }
}

/** The one answer that was asked for; chunks of others are not part of it. */
function choiceOf(choices: ChatPart['choices']): ChatChoice | undefined {
  if (!Array.isArray(choices)) return undefined
  const all = (choices as readonly (ChatChoice | null)[]).filter((choice) => choice !== null)
  const first = all.find(({ index }) => index === undefined || index === null || index === 0 || index === '0')
  return first ?? all.find(({ delta }) => !delta)
}

/** Characters of reasoning. Some hosts send it twice, under an old name and a new one: the longest counts. */
function thoughtLength(message: ChatMessage): number {
  let most = 0
  for (const [name, value] of Object.entries(message))
    if (/reason|think|thought/i.test(name)) most = Math.max(most, textLength(value, 0))
  return most
}

/** Characters of the texts in a value, at `text`, `summary`, `content` and the like. */
function textLength(value: unknown, depth: number): number {
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null || depth > 3) return 0
  const parts = Object.entries(value).filter(([name]) => !/^(?:type|format|id|signature|index)$/.test(name))
  return parts.reduce((sum, [, part]) => sum + textLength(part, depth + 1), 0)
}

/** A string, null, or parts of which only those of type text are answer (Mistral's reasoning models send thinking parts too). */
function readContent(content: unknown): { readonly text: string; readonly thought: number } {
  if (typeof content === 'string') return { text: content, thought: 0 }
  if (!Array.isArray(content)) return { text: '', thought: 0 }
  const parts = content as readonly ({ type?: unknown; text?: unknown } | null)[]
  const text = parts.map((part) => (part?.type === 'text' && typeof part.text === 'string' ? part.text : '')).join('')
  return {
    text,
    thought: textLength(
      parts.filter((part) => /think|reason/.test(String(part?.type))),
      0,
    ),
  }
}

/** Arguments that are left out are none. */
function isJson(text: string): boolean {
  if (text.trim() === '') return true
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
