/** What owners of runs and workers say to each other: one queue a provider, one channel an owner, one result a call. */
import { failureKinds, finishReasons } from '../../bindings/generated/wire.js'
import type { CallFailureInfo, LimitSeen, ModelReply, ModelRequest } from '../../bindings/ports.js'
import { CallFailure } from '../../web/standard/failure/failure.js'
import { AetherflowError } from '../../bindings/errors.js'
import { keysUnder } from './address.js'
import type { AlivePlace } from './alive.js'
import { loadIoredis, type IoredisClient } from './link.js'

/** A job of a queue. No key of a provider is in it; the prompt is. */
export interface CallJob {
  readonly owner: string
  readonly request: ModelRequest
}

/** How a call ended. `n`: which start of it came to that. */
export type CallEnd = { readonly n: number } & ({ readonly reply: ModelReply } | { readonly failure: CallFailureInfo })

/** Of one call. `n`: which start of it, from 1; a second one is of another worker, after the first was lost. */
export type CallNews = { readonly id: string; readonly n: number } & (
  | { readonly t: 'started'; readonly reused?: boolean; readonly setupMs?: number }
  | { readonly t: 'first' }
  /** `at`: characters of the answer before it. */
  | { readonly t: 'text'; readonly at: number; readonly piece: string }
  | { readonly t: 'limits'; readonly seen: readonly LimitSeen[] }
  /** The result lies under its own name. */
  | { readonly t: 'end' }
)

/** Names on the server. */
export class CallKeys {
  readonly #key: (name: string) => string
  /** In front of the names of BullMQ. */
  readonly queues: string
  readonly waiters: string
  readonly starts: string
  readonly workers: AlivePlace
  readonly cancel: string
  /** What the names of owners begin with: a value while the owner lives, and the channel on which it hears. */
  readonly owners: string

  constructor(prefix: string | undefined) {
    this.#key = keysUnder(prefix)
    this.queues = this.#key('queues')
    this.waiters = this.#key('waiters')
    this.starts = this.#key('starts')
    this.workers = { all: this.#key('workers'), one: (id) => this.#key(`worker:${id}`) }
    this.cancel = this.#key('cancel')
    this.owners = this.#key('owner:')
  }
  result(id: string): string {
    return this.#key(`result:${id}`)
  }
  /** A value while the owner lives, and the channel on which it hears. */
  owner(id: string): string {
    return this.owners + id
  }
}

/** How a worker shows itself. */
export interface WorkerState {
  readonly id: string
  readonly host: string
  readonly pid: number
  readonly providers: readonly string[]
  readonly concurrency: number
  readonly busy: number
  readonly done: number
  readonly failed: number
  /** ms since 1970. */
  readonly since: number
  /** Name of the profile that plays the providers. */
  readonly simulated?: string
}

/** How long a result waits for its owner, or for the one after it, ms. */
export const resultMs = 600_000
/** Starts of one call, over workers that die; then it has failed. */
export const mostStarts = 3

/** Undefined: it is none. */
export function readEnd(text: unknown): CallEnd | undefined {
  const { n, reply, failure } = (parsed(text) ?? {}) as {
    readonly n?: number
    readonly reply?: Partial<ModelReply>
    readonly failure?: CallFailureInfo
  }
  if (typeof n !== 'number') return undefined
  if (failure !== undefined) return failureKinds.includes(failure.kind) ? { n, failure } : undefined
  const { text: answer, finish } = reply ?? {}
  if (typeof answer !== 'string' || finish === undefined || !finishReasons.includes(finish)) return undefined
  return { n, reply: { usage: undefined, ...reply, text: answer, finish } }
}

export function readNews(text: string): CallNews | undefined {
  const news = parsed(text) as Partial<CallNews> | undefined
  return typeof news?.id === 'string' && typeof news.n === 'number' && typeof news.t === 'string'
    ? (news as CallNews)
    : undefined
}

/** Whether a worker may send it: a queue may have been written by anybody. */
export function isRequest(request: unknown): request is ModelRequest {
  const { model, system, user, maxOutputTokens, output, stream } = (request ?? {}) as Partial<ModelRequest>
  return (
    [model, system, user].every((text) => typeof text === 'string') &&
    Number.isSafeInteger(maxOutputTokens) &&
    typeof output === 'object' &&
    typeof stream === 'boolean'
  )
}

export function failureInfo(error: unknown): CallFailureInfo {
  if (!(error instanceof CallFailure)) return { kind: 'host', message: 'the worker failed' }
  const { kind, message, status, retryAfterMs, usage, shouldRetry } = error
  return {
    ...{ kind, message },
    ...(status === undefined ? {} : { status }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(usage === undefined ? {} : { usage }),
    ...(shouldRetry === undefined ? {} : { shouldRetry }),
  }
}

export const failureFrom = ({ kind, message, ...more }: CallFailureInfo): CallFailure =>
  new CallFailure(kind, message, more)

function parsed(text: unknown): unknown {
  try {
    return typeof text === 'string' ? (JSON.parse(text) as unknown) : undefined
  } catch {
    return undefined
  }
}

/** What of BullMQ is used. */
export interface BullModule {
  readonly Queue: new (name: string, options: object) => BullQueue
  readonly Worker: new (name: string, work: (job: BullJob) => Promise<void>, options: object) => BullWorker
}
export interface BullQueue {
  add(name: string, data: CallJob, options: object): Promise<unknown>
  remove(id: string): Promise<unknown>
  getJobCounts(...states: string[]): Promise<Readonly<Record<string, number>>>
  on(event: string, listener: (...values: never[]) => void): unknown
  close(): Promise<void>
}
export interface BullJob {
  readonly id?: string | undefined
  readonly data: CallJob
}
export interface BullWorker {
  on(event: string, listener: (...values: never[]) => void): unknown
  waitUntilReady(): Promise<unknown>
  close(force?: boolean): Promise<void>
}

/** A name that BullMQ is asked for by, so that no bundler takes it along. */
const wanted: string = 'bullmq'

export async function loadBull(): Promise<BullModule> {
  return import(wanted).then(
    (module: unknown) => module as BullModule,
    () => {
      const detail =
        'queues of calls need packages that are not installed: npm install bullmq ioredis (a client of node-redis does for all but queues)'
      throw new AetherflowError('host.usage', 'workers', detail)
    },
  )
}

/** A connection as BullMQ wants it: commands wait for a server that is away. */
export async function queueConnection(address: string): Promise<IoredisClient> {
  const { Redis } = await loadIoredis()
  const client = new Redis(address, { maxRetriesPerRequest: null, enableReadyCheck: false })
  client.on('error', () => undefined)
  return client
}
