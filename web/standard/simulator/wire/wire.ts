import type { InjectableFailure } from '../profiles.js'

/** A chat-completions request as it came. Nothing in it is checked yet but that it is an object with messages. */
export interface ChatBody {
  readonly model?: unknown
  readonly messages: readonly { readonly role?: unknown; readonly content?: unknown }[]
  readonly stream?: unknown
  readonly stream_options?: { readonly include_usage?: unknown; readonly include_obfuscation?: unknown } | null
  readonly max_tokens?: unknown
  readonly max_completion_tokens?: unknown
  readonly response_format?: { readonly type?: unknown; readonly json_schema?: { readonly schema?: unknown } } | null
  readonly [field: string]: unknown
}

/** One reply's constants, and what its end says. */
export interface ReplyContext {
  /** 32 hex digits from the request's hash: ids are deterministic. */
  readonly id: string
  readonly model: string
  /** Seconds since 1970. */
  readonly created: number
  readonly body: ChatBody
  readonly inTokens: number
  readonly outTokens: number
  readonly finish: 'stop' | 'length'
  /** Simulated durations, s. */
  readonly promptSeconds: number
  readonly completionSeconds: number
  /** Seeded padding, 1 to 16 letters. */
  padding(): string
}

export interface Refusal {
  readonly status: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}

/** What a refusal may need to say. */
export interface RefusalFacts {
  readonly model: string
  /** Earliest retry, real ms. */
  readonly waitMs: number
  /** The limit that was hit, for `rate_limited`. */
  readonly limit?: {
    readonly name: 'concurrency' | 'requests' | 'tokens'
    readonly value: number
    readonly used: number
    readonly asked: number
  }
  /** What was wrong, in the provider's words, for `bad_request`. */
  readonly reason?: string
}

export type RefusalKind =
  | Exclude<
      InjectableFailure,
      'truncated' | 'timeout_idle' | 'timeout_first_token' | 'stream_error' | 'malformed' | 'unreachable'
    >
  | 'not_found'

/** One provider's format. The next issue adds formats that are not chat completions beside these. */
export interface Wire {
  /** What the real one refuses in a well-formed request, or `undefined`. */
  refuse(body: ChatBody): Refusal | undefined
  refusal(kind: RefusalKind, facts: RefusalFacts): Refusal
  /** First chunk: the role, and no text. */
  first(context: ReplyContext): object
  piece(context: ReplyContext, text: string): object
  /** The chunk with the finish reason, and a usage chunk where there is one. */
  last(context: ReplyContext): readonly object[]
  whole(context: ReplyContext, text: string): object
  /** Sent at once and between chunks while the answer is awaited. */
  readonly keepAlive?: string
  /** Sent at once before a whole reply. */
  readonly blankLines?: string
}

export function tokenCounts(context: ReplyContext): {
  prompt_tokens: number
  completion_tokens: number
  total_tokens: number
} {
  const { inTokens, outTokens } = context
  return { prompt_tokens: inTokens, completion_tokens: outTokens, total_tokens: inTokens + outTokens }
}

/** All message texts, in order; parts count with their text. */
export function promptText(body: ChatBody): string {
  return body.messages.map(({ content }) => messageText(content)).join('\n')
}

export function messageText(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((part: { text?: unknown } | null) => (typeof part?.text === 'string' ? part.text : '')).join('')
}

export function asksForJsonWithoutTheWord(body: ChatBody): boolean {
  return body.response_format?.type === 'json_object' && !/json/i.test(promptText(body))
}

/** The envelope that most of them share. */
export function openAiError(
  status: number,
  message: string,
  type: string,
  code: string | null,
  param: string | null = null,
): Refusal {
  return { status, body: { error: { message, type, param, code } } }
}

export function seconds(ms: number): string {
  return `${Math.max(1, Math.ceil(ms / 1000))}`
}
