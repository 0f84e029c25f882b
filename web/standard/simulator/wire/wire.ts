import type { InjectableFailure, SimulatedProvider } from '../profiles.js'
import type { CacheRule } from './cache-rule.js'

/** Where a request goes. `model` and `streamed` only where the address says them. */
export interface Route {
  readonly provider: SimulatedProvider
  readonly endpoint: 'chat' | 'models' | 'fim' | 'generate' | 'balance' | 'caches'
  /** Below DeepSeek's beta base. */
  readonly beta?: true
  /** `cachedContents/…` */
  readonly cache?: string
  readonly model?: string
  readonly streamed?: boolean
}

/** A chat-completions request as it came, or another one in its words. Nothing in it is checked yet but that it is an object with messages. */
export interface ChatBody {
  readonly model?: unknown
  readonly messages: readonly { readonly role?: unknown; readonly content?: unknown; readonly prefix?: unknown }[]
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
  /** Of those, the ones that the prompt cache held. */
  readonly cachedTokens: number
  /** Of the others, those that the cache holds now, where writing has a price of its own. */
  readonly writtenTokens: number
  readonly outTokens: number
  readonly finish: 'stop' | 'length'
  /** Simulated durations, s. */
  readonly promptSeconds: number
  readonly completionSeconds: number
  /** The accepted beginning, where the provider says it again; else ''. */
  readonly echo: string
  /** Seeded padding, 1 to 16 letters. */
  padding(): string
}

/** A request that is no chat completion, in the words of one, or why it is refused. */
export type Reading =
  | {
      readonly body: ChatBody
      /** The answer is code whatever the prompt says. */
      readonly code?: boolean
    }
  | { readonly refusal: Refusal }

export interface Refusal {
  readonly status: number
  readonly body: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export type LimitName = 'concurrency' | 'requests' | 'tokens' | 'requests_per_day'

/** What is left of one limit. */
export interface LimitLeft {
  readonly limit: number
  readonly remaining: number
  /** Until all of it is there again, simulated ms. */
  readonly resetMs: number
}

/** What a provider's headers may tell; absent: there is no such limit. */
export interface LimitsLeft {
  readonly requests?: LimitLeft | undefined
  readonly tokens?: LimitLeft | undefined
  readonly requestsPerDay?: LimitLeft | undefined
  /** Of the request itself. */
  readonly cost: number
}

/** What a refusal may need to say. */
export interface RefusalFacts {
  readonly model: string
  /** Earliest retry, real ms. */
  readonly waitMs: number
  /** The limit that was hit, for `rate_limited`. */
  readonly limit?: {
    readonly name: LimitName
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

/** One provider's format and rules. Chat completions are the rule; what is optional here is where another differs. */
export interface Wire {
  /** Reads what is no chat completion; `undefined`: it is one. */
  read?(value: Readonly<Record<string, unknown>>, route: Route): Reading | undefined
  /** What the real one refuses in a well-formed request, or `undefined`. */
  refuse(body: ChatBody, route: Route): Refusal | undefined
  refusal(kind: RefusalKind, facts: RefusalFacts): Refusal
  /** First chunk: the role, and no text. `undefined`: there is none. */
  first(context: ReplyContext): object | undefined
  /** `sentTokens`: of the answer, with this piece. */
  piece(context: ReplyContext, text: string, sentTokens: number): object
  /** The chunk with the finish reason, and a usage chunk where there is one. */
  last(context: ReplyContext): readonly object[]
  whole(context: ReplyContext, text: string): object
  /** Sent at once and between chunks while the answer is awaited. */
  readonly keepAlive?: string
  /** Sent at once before a whole reply. */
  readonly blankLines?: string
  /** Default LF. */
  readonly lineEnd?: string
  /** The stream ends without `[DONE]`. */
  readonly withoutDone?: true
  /** An error inside a stream stands between the events, as bare JSON. */
  readonly bareErrors?: true
  /** Where the key is, when it is not in a bearer header. */
  keyOf?(request: Request, url: URL): string | undefined
  /** The list of models, when its shape is not the common one. */
  models?(ids: readonly string[]): object
  /** Models that are listed where a profile names none. */
  readonly catalogue: readonly string[]
  /** The reply of the endpoint for what is left of the money, where there is one. */
  readonly balance?: object
  readonly cache: CacheRule
  /** Tokens from the cache do not count against the limit of tokens. */
  readonly cachedAreFree?: true
  /** What an accepted reply's headers say of the limits; absent: nothing. Times are real ms. */
  limitHeaders?(left: LimitsLeft): Readonly<Record<string, string>>
  /** A reply to an assistant turn with `prefix` begins with its text. */
  readonly echoesPrefix?: true
  /** The only headers that a page may send; absent: whatever it asks for is allowed. `othersRefused`: the preflight of any other fails with 403. */
  readonly allowedHeaders?: { readonly names: readonly string[]; readonly othersRefused: boolean }
  /** A refused key comes without the header that would let a page read the refusal. */
  readonly hidesRefusedKeys?: true
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

/** `2m59.56s`, as the reset headers write durations. */
export function goDuration(ms: number): string {
  const rest = Math.max(0, Math.round(ms))
  const minutes = Math.floor(rest / 60_000)
  return `${minutes > 0 ? `${minutes}m` : ''}${(rest % 60_000) / 1000}s`
}

/** The headers that OpenAI invented; `requests` is whatever window the provider counts them in. */
export function standardLimitHeaders(
  requests: LimitLeft | undefined,
  tokens: LimitLeft | undefined,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [['requests', requests] as const, ['tokens', tokens] as const].flatMap(([what, left]) =>
      left
        ? [
            [`x-ratelimit-limit-${what}`, `${left.limit}`],
            [`x-ratelimit-remaining-${what}`, `${left.remaining}`],
            [`x-ratelimit-reset-${what}`, goDuration(left.resetMs)],
          ]
        : [],
    ),
  )
}

/** The words of a limit in the messages of OpenAI and Groq. */
export function limitWords(name: LimitName | undefined): {
  readonly unit: 'tokens' | 'requests'
  readonly words: string
  readonly short: string
} {
  if (name === 'tokens') return { unit: 'tokens', words: 'tokens per minute', short: 'TPM' }
  if (name === 'requests_per_day') return { unit: 'requests', words: 'requests per day', short: 'RPD' }
  return { unit: 'requests', words: 'requests per minute', short: 'RPM' }
}

/** The turn that an answer is to go on from, when it is the last one and the assistant's. */
export function prefixOf(body: ChatBody): string | undefined {
  const last = body.messages.at(-1)
  return last?.role === 'assistant' && last.prefix === true ? messageText(last.content) : undefined
}

/** A turn is marked as a beginning where none can be. */
export function misplacedPrefix(body: ChatBody): boolean {
  return body.messages.some(
    ({ prefix }, at) => prefix === true && (at < body.messages.length - 1 || prefixOf(body) === undefined),
  )
}

export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
