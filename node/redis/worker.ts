/**
 * A worker: takes single calls from the queues of its providers, makes them with its own keys, and sends back what comes. It decides
 * nothing: the run's own core schedules, retries and limits.
 */
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { CallObserver, ModelClient } from '../../bindings/ports.js'
import { CallFailure } from '../../web/standard/failure/failure.js'
import { redisPlace } from './address.js'
import { Alive } from './alive.js'
import { beginCallScript, endCallScript, firstTextScript, forgetCallScript } from './call-scripts.js'
import { sweepCalls } from './call-sweep.js'
import {
  CallKeys,
  failureInfo,
  isRequest,
  loadBull,
  mostStarts,
  queueConnection,
  resultMs,
  type BullJob,
  type BullWorker,
  type CallEnd,
  type CallNews,
  type WorkerState,
} from './call-wire.js'
import {
  connectRedis,
  runScript,
  type IoredisClient,
  type RedisArgument,
  type RedisLink,
  type RedisScript,
} from './link.js'

/** Why a call ends that nobody wants any more. */
const cancelled = 'cancelled'
/** Another worker has it. */
const superseded = 'superseded'
/** What a server that is away did not take is told again after so long, ms. */
const retryMs = 250
/** How often what is left of owners that are gone is forgotten, ms. */
const sweepMs = 60_000

export interface WorkerOptions {
  /** `redis://…`, from trusted configuration. */
  readonly address: string
  /** The clients that make the calls. */
  readonly providers: {
    readonly available: readonly string[]
    readonly simulated?: string | undefined
    client(provider: string): ModelClient | undefined
  }
  /** Calls at once, of each provider. Default 20. */
  readonly concurrency?: number | undefined
  /** A call whose worker has not been heard of for so long goes to another, ms. Default 30000. */
  readonly lockMs?: number | undefined
  /** How often lost calls are looked for, ms. Default 5000. */
  readonly stalledMs?: number | undefined
}

export interface RunningWorker {
  state(): WorkerState
  /** Takes no more calls, and lets those in flight end. Idempotent. */
  close(): Promise<void>
}

/** Rejects with host.usage, or with what the connection says. */
export async function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { address: plain, prefix } = redisPlace(options.address)
  const [bull, link, connection] = await Promise.all([
    loadBull(),
    connectRedis(options.address, { timeoutMs: 10_000 }),
    queueConnection(plain),
  ])
  const worker = new CallWorker(options, link, connection, new CallKeys(prefix))
  await worker.begin(bull)
  return worker
}

class CallWorker implements RunningWorker {
  readonly #options: WorkerOptions
  readonly #link: RedisLink
  readonly #connection: IoredisClient
  readonly #keys: CallKeys
  readonly #id = randomBytes(6).toString('hex')
  readonly #since = Date.now()
  readonly #live = new Map<string, AbortController>()
  #workers: BullWorker[] = []
  #done = 0
  #failed = 0
  readonly #alive: Alive
  #sweeping: NodeJS.Timeout | undefined
  #closing: Promise<void> | undefined

  constructor(options: WorkerOptions, link: RedisLink, connection: IoredisClient, keys: CallKeys) {
    this.#options = options
    this.#link = link
    this.#connection = connection
    this.#keys = keys
    this.#alive = new Alive(link, keys.workers, () => this.state())
  }

  async begin({ Worker }: Awaited<ReturnType<typeof loadBull>>): Promise<void> {
    const { concurrency = 20, lockMs = 30_000, stalledMs = 5000, providers } = this.#options
    await this.#link.listen(this.#keys.cancel, (id) => this.#live.get(id)?.abort(cancelled))
    this.#workers = providers.available.map((provider) => {
      const worker = new Worker(provider, (job) => this.#take(provider, job), {
        ...{ connection: this.#connection, prefix: this.#keys.queues, concurrency },
        ...{ lockDuration: lockMs, stalledInterval: stalledMs, maxStalledCount: 100 },
      })
      worker.on('error', () => undefined)
      // Another may have the call by now: whose answer comes first counts, and this one need not be paid for.
      worker.on('lockRenewalFailed', (ids: string[]) => ids.forEach((id) => this.#live.get(id)?.abort(superseded)))
      return worker
    })
    await Promise.all(this.#workers.map((worker) => worker.waitUntilReady()))
    await this.#alive.show()
    // A server that is away is swept when it is back.
    this.#sweeping = setInterval(() => void sweepCalls(this.#link, this.#keys).catch(() => undefined), sweepMs)
    this.#sweeping.unref()
  }

  state(): WorkerState {
    const { providers, concurrency = 20 } = this.#options
    const { available, simulated } = providers
    return {
      ...{ id: this.#id, host: hostname(), pid: process.pid, providers: available, concurrency },
      ...{ busy: this.#live.size, done: this.#done, failed: this.#failed, since: this.#since },
      ...(simulated === undefined ? {} : { simulated }),
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    clearInterval(this.#sweeping)
    await Promise.all(this.#workers.map((worker) => worker.close().catch(() => undefined)))
    await this.#alive.end()
    await this.#link.close()
    this.#connection.disconnect()
  }

  /** Never rejects for what a call comes to: there is nothing for the queue to try again. */
  async #take(provider: string, { id = '', data }: BullJob): Promise<void> {
    const { waiters, starts, owners } = this.#keys
    const keys = [waiters, starts, this.#keys.result(id)]
    const begun = await this.#surely(beginCallScript, keys, [id, owners])
    // Nobody waits for it, or the owner that did is gone: it is not made. An owner that comes later asks again.
    const [waiter, n, shown] = begun as [string?, number?, number?]
    if (waiter === undefined) return
    // It was put into the queue again while its result was on its way.
    if (n === undefined) return this.#tell(waiter, { id, n: 0, t: 'end' })
    const stop = new AbortController()
    this.#live.set(id, stop)
    let end: CallEnd
    try {
      // What was shown cannot be taken back: the run decides, and nobody pays for an answer that it could not use.
      if (shown === 1) throw new CallFailure('truncated', 'the worker was lost while it answered')
      if (n > mostStarts) throw new CallFailure('unreachable', `its worker was lost ${mostStarts} times`)
      if (!isRequest(data.request)) throw new CallFailure('bad_request', 'the job holds no request')
      const client = this.#options.providers.client(provider)
      if (client === undefined) throw new CallFailure('auth', `the worker has no client for ${provider}`)
      end = { n, reply: await client.generate(data.request, stop.signal, this.#observer(id, n, waiter, stop)) }
      this.#done += 1
    } catch (error) {
      end = { n, failure: failureInfo(error) }
      this.#failed += 1
    } finally {
      this.#live.delete(id)
    }
    if (stop.signal.aborted) {
      // A lock that was lost: another makes the call, or tells that it was lost.
      if (stop.signal.reason === cancelled) await this.#surely(forgetCallScript, [waiters, starts], [id])
      return
    }
    const news = JSON.stringify({ id, n, t: 'end' } satisfies CallNews)
    await this.#surely(endCallScript, keys, [id, JSON.stringify(end), resultMs, waiter, owners, news])
  }

  /** An answer that is paid for outlasts a server that is away. Rejects only when the worker ends. */
  async #surely(script: RedisScript, keys: readonly string[], values: readonly RedisArgument[]): Promise<unknown> {
    for (;;) {
      try {
        return await runScript(this.#link, script, keys, values)
      } catch (error) {
        if (this.#closing !== undefined) throw error
        await new Promise((resolve) => setTimeout(resolve, retryMs))
      }
    }
  }

  #observer(id: string, n: number, owner: string, stop: AbortController): CallObserver {
    let at = 0
    const first = (news: CallNews): void => {
      const { starts, owners } = this.#keys
      runScript(this.#link, firstTextScript, [starts, owners + owner], [id, n, owner, JSON.stringify(news)]).then(
        // Another has begun the call since.
        (told) => told === 0 && stop.abort(superseded),
        () => undefined,
      )
    }
    return {
      started: (info) => this.#tell(owner, { id, n, t: 'started', ...info }),
      firstToken: () => this.#tell(owner, { id, n, t: 'first' }),
      text: (piece) => {
        if (stop.signal.aborted || piece === '') return
        const news: CallNews = { id, n, t: 'text', at, piece }
        if (at === 0) first(news)
        else this.#tell(owner, news)
        at += piece.length
      },
      limits: (seen) => this.#tell(owner, { id, n, t: 'limits', seen }),
    }
  }

  #tell(owner: string, news: CallNews): void {
    // What is lost is in the result too.
    this.#link.send('PUBLISH', this.#keys.owners + owner, JSON.stringify(news)).catch(() => undefined)
  }
}
