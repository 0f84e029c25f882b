/**
 * The interfaces between the driver and a host. Types only: every adapter (providers, clocks, files, stores) lives elsewhere
 * and passes the contract suite of its interface.
 */
import type { MeasuredCall, MeasuredModel } from './measured.js'
import type { ChatTexts, ToolCall } from './chat.js'
import type { FailureKind, FinishReason, LimitWindow, Refusal } from './generated/wire.js'

/** What an answer must be. `schema` carries a JSON Schema object. */
export type OutputConstraint =
  | { readonly kind: 'any' | 'text' | 'code' | 'json' }
  | { readonly kind: 'schema'; readonly schema: Readonly<Record<string, unknown>> }

/** One request to a model, in no provider's words. */
export interface ModelRequest {
  /** The model's id at its provider, e.g. `deepseek-flash`. */
  readonly model: string
  /** Stable part of the prompt; may be empty. */
  readonly system: string
  readonly user: string
  /** Most tokens of the answer; at least 1. */
  readonly maxOutputTokens: number
  /** 0–2; absent: the provider's default. */
  readonly temperature?: number
  readonly output: OutputConstraint
  /** Whole reply at once when false. */
  readonly stream: boolean
  /**
   * Text that the answer begins with, already accepted: the model goes on from there. The reply's text is the whole answer,
   * prefix included, whether the provider echoes it or not. Only for providers whose table entry says `prefix`.
   */
  readonly prefix?: string
  /** For providers whose prompt cache takes a name: requests that begin alike have the same; see web/standard/run/cache-keys.ts. */
  readonly cache?: {
    readonly key: string
    /** Another for every so many requests of a minute, where a provider spreads more over several machines. */
    readonly bucket: number
    /** Whose caches are kept apart from others'. */
    readonly partition?: string
  }
  /** What most of the answer is expected to be; sent where a provider makes use of it without a price for what it got wrong. */
  readonly prediction?: string
  /** The same on every attempt of the same work; sent where the host and provider take one, and made when it is asked for. */
  readonly idempotencyKey?: string | undefined
  /** Turns, tools and settings of a caller, sent in place of `system` and `user`, which then only say what is in them. */
  readonly chat?: ChatTexts
}

/** What a reply's headers said of one limit. Absent numbers were not said. */
export interface LimitSeen {
  readonly window: LimitWindow
  readonly limit?: number
  readonly remaining?: number
  /** ms until the window is whole again. */
  readonly resetMs?: number
}

/** Tokens as the provider counted them. `input` includes `cached` and `written`, `output` includes `reasoning`. */
export interface Usage {
  /** Written to its prompt cache, where that has a price of its own. */
  readonly written?: number
  readonly input: number
  readonly cached: number
  readonly output: number
  readonly reasoning: number
}

export interface ModelReply {
  readonly text: string
  /** The provider's counts, or `undefined` when it sent none: then the driver estimates and marks it. */
  readonly usage: Usage | undefined
  readonly finish: FinishReason
  /** Tokens of reasoning that streamed by beside the answer, estimated; counts where `usage` cannot be right. */
  readonly reasoned?: number
  /** Time the provider says it spent, ms; `undefined` when it does not say. */
  readonly providerMs?: number
  /** Tokens of a predicted text that were taken, and that were not but are billed within `output`. */
  readonly prediction?: { readonly accepted: number; readonly rejected: number }
  /** Calls of the tools that were offered; absent: none. */
  readonly toolCalls?: readonly ToolCall[]
}

/** Called while a reply arrives, in this order, each at the moment it happens. */
export interface CallObserver {
  /** The request left. `setupMs`: DNS + connect + TLS, when known. */
  started?(info: { readonly reused?: boolean; readonly setupMs?: number }): void
  /** The first piece of answer or reasoning arrived. */
  firstToken?(): void
  /** More answer text. Never called after the promise settled. */
  text?(piece: string): void
  /** What the reply's headers said of the account's limits; before the promise settles. */
  limits?(seen: readonly LimitSeen[]): void
}

/** A failed call. The message is for people and never carries the prompt, the answer or a key. */
export interface CallFailureInfo {
  readonly kind: FailureKind
  readonly message: string
  /** HTTP status, when there was one. */
  readonly status?: number
  /** Earliest sensible retry, ms from now, when the provider said so. */
  readonly retryAfterMs?: number
  /** Tokens already counted by the provider, when known. */
  readonly usage?: Usage
  /** The provider's own word on a retry (`x-should-retry`); absent when it is silent. */
  readonly shouldRetry?: boolean
}

/** A client of one provider. Stateless between calls; any number of calls at once. */
export interface ModelClient {
  /**
   * Sends one request. Rejects with a `CallFailure` (see web/standard/failure/failure.ts) and nothing else; aborting `signal`
   * closes the connection and rejects with kind `cancelled`. Never retries.
   */
  generate(request: ModelRequest, signal: AbortSignal, observer?: CallObserver): Promise<ModelReply>
}

/** What a run states of one of its quota groups; the core's document `limits`. */
export interface GroupLimits {
  /** The same name is the same group in every run. */
  readonly group: string
  /** Calls at once; 0: no limit. */
  readonly places: number
  readonly limits: Readonly<Partial<Record<LimitWindow, number>>>
  /** Failures in a row that open the circuit breaker; 0: none. */
  readonly breakerFailures: number
  readonly openMs: number
  readonly maxOpenMs: number
  /** Models of the run's table that count towards it. */
  readonly models: readonly number[]
}

/** A call that is about to leave. */
export interface LimitQuestion {
  /** The member's own number of it. */
  readonly call: number
  /** Position among the groups that the member joined with. */
  readonly group: number
  /** Most tokens that it may use. */
  readonly tokens: number
  /** Explicit priority of its step; higher first. */
  readonly priority: number
  /** An earlier process had sent it already: it is counted, and never refused. */
  readonly again?: boolean
}

/** `undefined`: it may leave, and must be settled. Else why not; `waitMs` absent: until `freed` is told. */
export interface LimitRefusal {
  readonly why: Refusal
  /** The full one, where `why` is `window`. */
  readonly window?: LimitWindow
  readonly waitMs?: number
}

/** How a call that was let go ended. */
export interface LimitEnd {
  readonly tokens: number
  /** False: it never left after all. */
  readonly sent: boolean
  /** Absent: the provider answered. */
  readonly failure?: FailureKind
  readonly retryAfterMs?: number
}

/** One run's share in the limits of its process, or of all processes that share them. */
export interface LimitMember {
  /** Groups for which this run and another state different limits: the smaller holds. For a warning. */
  readonly narrowed: readonly string[] | Promise<readonly string[]>
  ask(question: LimitQuestion): LimitRefusal | undefined | Promise<LimitRefusal | undefined>
  /** The first token is here: the provider has surely counted the request. */
  arrived(call: number): void
  settle(call: number, end: LimitEnd): void
  /** What a reply's headers said. */
  seen(group: number, seen: LimitSeen): void
  /** The run is over: what it still holds comes back. Idempotent. */
  leave(): void
}

/**
 * The limits that runs share: places in flight, quota windows, cool-downs, circuit breakers. Asked at the moment a call leaves.
 * Fair: nobody starves, priority counts, and what a run holds comes back when it leaves.
 */
export interface LimitAuthority {
  /** `freed`: the group (its position in `groups`) may have room again. Never called within a call of the member. */
  join(groups: readonly GroupLimits[], freed: (group: number) => void): LimitMember
  /** A call of a model was answered; `key`: the model at its account. Absent: nothing is measured. */
  learn?(key: string, call: MeasuredCall): void
  /** What all runs have measured of that model; undefined: too little. */
  measured?(key: string): MeasuredModel | undefined | Promise<MeasuredModel | undefined>
}

/** A monotonic clock in ms, and a timer on it. */
export interface Clock {
  now(): number
  /** Runs `callback` once after `ms`; the result cancels it. */
  after(ms: number, callback: () => void): () => void
}

/** Reads context files; rejects with an AetherflowError (`host.io_failed`, `host.file_refused`). */
export interface FileReader {
  read(path: string): Promise<string>
  /** The files that an entry of `context.files` means, in a lasting order, `most` (default 1000) at most; absent: each entry is a file. */
  list?(entry: string, most?: number): Promise<readonly string[]>
}

/** The files that the entries mean, each once, at its first place. */
export async function filesOf(reader: FileReader | undefined, entries: readonly string[]): Promise<readonly string[]> {
  if (reader?.list === undefined) return entries
  const lists = await Promise.all(entries.map((entry) => reader.list?.(entry) ?? [entry]))
  return [...new Set(lists.flat())]
}

/** Texts of a project's documents for a prompt, the best first within their order to read; see `DocsBase`. */
export interface FoundDocuments {
  readonly parts: readonly {
    /** Where it stands: `docs/guide.md:Install › Linux.42`. */
    readonly reference: string
    /** Finds the text again after edits. */
    readonly mark: string
    readonly tokens: number
    readonly text: string
  }[]
  /** That they are what was asked for, 0–1. */
  readonly confidence: number
  /** Why there are none. */
  readonly abstained?: 'nothing' | 'unsure'
  readonly ms: number
}

/** Finds what steps ask for by `context.documents`. Rejects with AetherflowError alone: `docs.no_path`, with the path as its place. */
export interface DocumentFinder {
  /** At most so many tokens; `paths`: files and folders that alone are looked at. */
  retrieve(
    question: string,
    options: { readonly tokens: number; readonly paths?: readonly string[] },
  ): Promise<FoundDocuments>
}

/** The fetch of the platform, or a stand-in such as a simulator. */
export type Fetch = (input: string, init?: RequestInit) => Promise<Response>

/** Ends an exchange from outside. At most one listener: the later replaces the earlier. */
export interface StopSignal {
  readonly stopped: boolean
  /** It was stopped because nothing came: the connection may be dead, and takes no further exchange. */
  readonly silent?: boolean
  /** Runs `listener` once when the exchange is to end; at once when it already is. */
  onStop(listener: () => void): void
}

/** What is known of the connection that carries a request. */
export interface ConnectionInfo {
  /** It had served a request before; absent: unknown. */
  readonly reused?: boolean
  /** What setting it up had cost, ms: name, connection, TLS. 0 when it was there already; absent: unknown. */
  readonly setupMs?: number
}

export interface TransportRequest {
  /** Absolute http(s) address, without a key in it. */
  readonly url: string
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /** Stopping closes the connection (HTTP/2: the stream), before and after the headers; a pending `send` or `read` then ends. */
  readonly signal: StopSignal
  /** The request goes out on a connection. At most once, before `send` resolves; not called when no connection came about. */
  onSent?(connection: ConnectionInfo): void
}

export interface TransportReply {
  /** 0: a redirect that the platform hides. */
  readonly status: number
  /** A header by its name in lower case; `null`: absent, or hidden from a page. Several of a name are joined by `, `. */
  header(name: string): string | null
  readonly body: TransportBody
}

/** Bytes as they come. What is not read is not fetched beyond a small buffer. */
export interface TransportBody {
  /** The next bytes, not empty; `undefined` at the end. One read at a time. Rejects when the connection broke. */
  read(): Promise<Uint8Array | undefined>
  /** Closes the connection unless the body has ended; a pending `read` then ends. */
  cancel(): void
}

/** Carries HTTP exchanges. Never follows a redirect, never sends a request twice, keeps no cookies. */
export interface Transport {
  /** Resolves when the headers came. Rejects with an error of the platform; see web/standard/providers/transport-failure.ts. */
  send(request: TransportRequest): Promise<TransportReply>
}
