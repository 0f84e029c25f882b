/**
 * The owner's side of workers: clients of providers that put each call into a queue and hear what becomes of it.
 *
 *   const workers = await RemoteCalls.open('redis://cache.example')
 *   await runPlan(plan, { clients: workers })
 */
import { createHash, randomBytes } from 'node:crypto'
import { AetherflowError } from '../../bindings/errors.js'
import type { CallObserver, ModelClient, ModelReply, ModelRequest } from '../../bindings/ports.js'
import { CallFailure } from '../../web/standard/failure/failure.js'
import { redisPlace } from './address.js'
import { aliveMs, listAlive } from './alive.js'
import { cancelCallScript } from './call-scripts.js'
import {
  CallKeys,
  failureFrom,
  loadBull,
  queueConnection,
  readEnd,
  readNews,
  type BullModule,
  type BullQueue,
  type CallEnd,
  type CallNews,
  type WorkerState,
} from './call-wire.js'
import { connectRedis, runScript, type IoredisClient, type RedisLink } from './link.js'

/** A message may be lost with its connection: results are also looked for this often, ms. */
const lookEveryMs = 2000
/** Most works whose calls are counted. */
const mostCounted = 10_000

export class RemoteCalls {
  readonly available: readonly string[]
  /** Name of the profile that plays the workers' providers. */
  readonly simulated: string | undefined
  readonly #link: RedisLink
  readonly #connection: IoredisClient
  readonly #keys: CallKeys
  readonly #bull: BullModule
  readonly #owner = randomBytes(8).toString('hex')
  readonly #queues = new Map<string, BullQueue>()
  readonly #live = new Map<string, RemoteCall>()
  /** Calls of each work so far: an attempt is the same job for anyone who owns the run. */
  readonly #counts = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined
  #looks = 0
  #closed = false

  private constructor(
    link: RedisLink,
    connection: IoredisClient,
    keys: CallKeys,
    bull: BullModule,
    workers: Pick<RemoteCalls, 'available' | 'simulated'>,
  ) {
    this.#link = link
    this.#connection = connection
    this.#keys = keys
    this.#bull = bull
    this.available = workers.available
    this.simulated = workers.simulated
  }

  /** Rejects with host.usage when a package is missing, host.io_failed when no worker is there. */
  static async open(address: string): Promise<RemoteCalls> {
    const { prefix, address: plain } = redisPlace(address)
    const [bull, link] = await Promise.all([loadBull(), connectRedis(address, { timeoutMs: 10_000 })])
    const keys = new CallKeys(prefix)
    const workers = await listAlive<WorkerState>(link, keys.workers).catch((error: unknown) => error as Error)
    const available = workers instanceof Error ? [] : [...new Set(workers.flatMap(({ providers }) => providers))]
    if (available.length === 0) {
      await link.close()
      const why = workers instanceof Error ? workers.message : 'no worker is there: start one with aetherflow worker'
      throw new AetherflowError('host.io_failed', link.name, why)
    }
    const played = new Set((workers as WorkerState[]).map(({ simulated }) => simulated))
    if (played.size > 1) {
      await link.close()
      throw new AetherflowError(
        'host.usage',
        'workers',
        'some workers simulate and others do not: give them a prefix each',
      )
    }
    const calls = new RemoteCalls(link, await queueConnection(plain), keys, bull, {
      available,
      simulated: [...played][0],
    })
    await calls.#begin()
    return calls
  }

  async #begin(): Promise<void> {
    await this.#link.listen(this.#keys.owner(this.#owner), (message) => {
      const news = readNews(message)
      if (news !== undefined) this.#live.get(news.id)?.hears(news)
    })
    // A worker makes no call of an owner that shows no life.
    this.#link.onReturn(() => void this.#show().then(() => this.#enqueueAll()))
    await this.#alive()
  }

  /** A sign of life. Never rejects. */
  async #show(): Promise<void> {
    await this.#link.send('SET', this.#keys.owner(this.#owner), '1', 'PX', aliveMs).catch(() => undefined)
  }

  async #alive(): Promise<void> {
    await this.#show()
    this.#looks += 1
    for (const call of this.#live.values()) void call.look()
    if (this.#looks % 5 === 0) this.#enqueueAll()
    if (this.#closed) return
    this.#timer = setTimeout(() => void this.#alive(), lookEveryMs)
    this.#timer.unref()
  }

  /** A server may have lost its jobs, a worker the result of one. */
  #enqueueAll(): void {
    for (const call of this.#live.values()) if (!call.over) call.enqueue?.().catch(() => undefined)
  }

  client(provider: string): ModelClient | undefined {
    if (!this.available.includes(provider)) return undefined
    return { generate: (request, signal, observer) => this.#generate(provider, request, signal, observer) }
  }

  async #generate(
    provider: string,
    request: ModelRequest,
    signal: AbortSignal,
    observer: CallObserver = {},
  ): Promise<ModelReply> {
    if (signal.aborted) throw new CallFailure('cancelled')
    const id = this.#idOf(provider, request)
    const end = async () => readEnd(await this.#link.send('GET', this.#keys.result(id)))
    const call = new RemoteCall(observer, request.prefix ?? '', end)
    this.#live.set(id, call)
    const stop = (): void => {
      call.fails(new CallFailure('cancelled'))
      this.#cancel(provider, id).catch(() => undefined)
    }
    signal.addEventListener('abort', stop, { once: true })
    try {
      // An owner before this one may have had it made already, or it is in flight: then this one waits for the same.
      await call.look()
      if (!call.over) {
        // A job that is there already is left as it is.
        const options = { jobId: id, attempts: 1, removeOnComplete: true, removeOnFail: true }
        call.enqueue = async () => {
          await this.#link.send('HSET', this.#keys.waiters, id, this.#owner)
          await this.#queue(provider).add('call', { owner: this.#owner, request }, options)
        }
        await call.enqueue()
      }
      return await call.reply
    } catch (error) {
      throw error instanceof CallFailure ? error : new CallFailure('unreachable', 'the queue of calls does not answer')
    } finally {
      signal.removeEventListener('abort', stop)
      this.#live.delete(id)
      // It has been heard: anyone who resumes the run later asks again, above all after a failure.
      if (!signal.aborted) this.#link.send('DEL', this.#keys.result(id)).catch(() => undefined)
    }
  }

  /** Anyone who has taken the run over may wait for the same call: then it goes on. */
  async #cancel(provider: string, id: string): Promise<void> {
    const { waiters, cancel } = this.#keys
    const mine = await runScript(this.#link, cancelCallScript, [waiters, cancel], [id, this.#owner])
    if (mine === 1) await this.#queue(provider).remove(id)
  }

  /** Of the work and the attempt: the same for every owner of the run. Without a work it is of this call alone. */
  #idOf(provider: string, { idempotencyKey, model }: ModelRequest): string {
    if (idempotencyKey === undefined) return randomBytes(16).toString('hex')
    const work = `${idempotencyKey} ${provider} ${model}`
    const count = this.#counts.get(work) ?? 0
    this.#counts.delete(work)
    this.#counts.set(work, count + 1)
    const [oldest] = this.#counts.keys()
    if (this.#counts.size > mostCounted && oldest !== undefined) this.#counts.delete(oldest)
    return createHash('sha256').update(`${work} ${count}`).digest('hex').slice(0, 32)
  }

  #queue(provider: string): BullQueue {
    const known = this.#queues.get(provider)
    if (known !== undefined) return known
    const queue = new this.#bull.Queue(provider, { connection: this.#connection, prefix: this.#keys.queues })
    queue.on('error', () => undefined)
    this.#queues.set(provider, queue)
    return queue
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#link.send('DEL', this.#keys.owner(this.#owner)).catch(() => undefined)
    await Promise.all([...this.#queues.values()].map((queue) => queue.close().catch(() => undefined)))
    await this.#link.close()
    this.#connection.disconnect()
  }
}

/** One call as its owner hears of it. */
class RemoteCall {
  readonly reply: Promise<ModelReply>
  over = false
  /** Puts it into its queue. */
  enqueue: (() => Promise<void>) | undefined
  readonly #observer: CallObserver
  readonly #end: () => Promise<CallEnd | undefined>
  #settle: { resolve(reply: ModelReply): void; reject(error: unknown): void } | undefined
  /** What the answer goes on from: part of the reply, and told to nobody. */
  readonly #before: string
  #n = 0
  #text = ''

  constructor(observer: CallObserver, before: string, end: () => Promise<CallEnd | undefined>) {
    this.#observer = observer
    this.#before = before
    this.#end = end
    this.reply = new Promise((resolve, reject) => (this.#settle = { resolve, reject }))
    this.reply.catch(() => undefined)
  }

  /** For its result. Never rejects. */
  async look(): Promise<void> {
    const end = this.over ? undefined : await this.#end().catch(() => undefined)
    if (end === undefined || this.over) return
    if ('failure' in end) return this.fails(failureFrom(end.failure))
    // Text of a lost worker that was shown would stand before the text of the next one.
    if (end.n !== this.#n && this.#text !== '') return this.fails(lost())
    const said = this.#before + this.#text
    // What was lost on the way.
    if (end.reply.text.startsWith(said)) this.#says(end.reply.text.slice(said.length))
    this.over = true
    this.#settle?.resolve(end.reply)
  }

  hears(news: CallNews): void {
    if (this.over) return
    // Its worker was lost, and another makes the call: what was shown cannot be taken back.
    if (news.n > this.#n && this.#text !== '') return this.fails(lost())
    if (news.t === 'end') return void this.look()
    if (news.n < this.#n) return
    this.#n = news.n
    if (news.t === 'started') this.#observer.started?.(news)
    else if (news.t === 'first') this.#observer.firstToken?.()
    else if (news.t === 'limits') this.#observer.limits?.(news.seen)
    // After a gap the rest comes with the result.
    else if (news.at === this.#text.length) this.#says(news.piece)
  }

  #says(piece: string): void {
    if (piece === '') return
    this.#text += piece
    this.#observer.text?.(piece)
  }

  fails(error: CallFailure): void {
    if (this.over) return
    this.over = true
    this.#settle?.reject(error)
  }
}

const lost = (): CallFailure => new CallFailure('truncated', 'the worker was lost while it answered')
