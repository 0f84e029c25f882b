/** The page's side of a cache's worker: calls go in, values come out; a worker that stops takes its cache with it. */
import { AetherflowError } from '../../../bindings/errors.js'
import { afterAwake } from '../patience.js'
import { cacheWorkerName, type CacheMethod, type FromCache, type ToCache } from './messages.js'
import type { OpenHooks, OpenOptions } from './open-options.js'
import { errorOf } from '../worker/messages.js'
import { Pulse } from '../worker/pulse.js'

interface Waiting {
  resolve(value: unknown): void
  reject(error: Error): void
}

/** How long a worker may take to say that it is there, ms: its file may be another than was meant, and say nothing. */
const readyMs = 30_000

export class CacheWorker {
  readonly #worker: Worker
  readonly #hooks: OpenHooks
  readonly #problem: (problem: string) => void
  readonly #calls = new Map<number, Waiting>()
  #opening: Waiting | undefined
  readonly #stopLate: () => void
  readonly #pulse = new Pulse(
    () => this.#post({ does: 'ping' }),
    (seconds) => this.#end(new AetherflowError('host.worker', '', `it did not answer for ${seconds} s`)),
  )
  #next = 0
  #ended: Error | undefined

  private constructor(worker: Worker, hooks: OpenHooks, problem: (problem: string) => void) {
    this.#worker = worker
    this.#hooks = hooks
    this.#problem = problem
    const late = new AetherflowError('host.worker', '', 'it did not say that it is ready')
    this.#stopLate = afterAwake(readyMs, () => this.#end(late))
    worker.onmessage = ({ data }: MessageEvent<FromCache>) => {
      this.#pulse.heard()
      this.#take(data)
      this.#watch()
    }
    worker.onmessageerror = () => this.#end(new AetherflowError('host.worker', '', 'a message could not be read'))
    worker.onerror = (event) => {
      event.preventDefault()
      this.#end(new AetherflowError('host.worker', '', event.message ?? ''))
    }
  }

  /** Fails as PageCache.open does; host.worker where no worker can be started. */
  static async open(
    address: URL | string,
    { onProblem, ...options }: OpenOptions,
    hooks: OpenHooks,
  ): Promise<CacheWorker> {
    let worker: Worker
    try {
      worker = new Worker(address, { type: 'module', name: cacheWorkerName })
    } catch (error) {
      throw new AetherflowError('host.worker', '', error instanceof Error ? error.message : String(error))
    }
    const started = new CacheWorker(worker, hooks, (problem) => onProblem?.(problem))
    const abort = (): void => started.#post({ does: 'abort' })
    hooks.signal.addEventListener('abort', abort, { once: true })
    try {
      const opened = new Promise<unknown>((resolve, reject) => (started.#opening = { resolve, reject }))
      started.#post({ does: 'open', options })
      if (hooks.signal.aborted) abort()
      started.#watch()
      await opened
      return started
    } catch (error) {
      started.end()
      throw error
    } finally {
      hooks.signal.removeEventListener('abort', abort)
    }
  }

  call(method: CacheMethod, of: readonly unknown[]): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended)
    const call = ++this.#next
    return new Promise((resolve, reject) => {
      this.#calls.set(call, { resolve, reject })
      this.#watch()
      try {
        this.#post({ does: 'call', call, method, of })
      } catch (error) {
        this.#calls.delete(call)
        reject(new AetherflowError('host.usage', method, error instanceof Error ? error.message : String(error)))
      }
    })
  }

  end(): void {
    this.#end(new AetherflowError('host.disposed', '', 'the cache is closed'))
  }

  #watch(): void {
    this.#pulse.watch(this.#ended === undefined && (this.#opening !== undefined || this.#calls.size > 0))
  }

  #post(message: ToCache): void {
    this.#worker.postMessage(message)
  }

  #take(message: FromCache): void {
    switch (message.is) {
      case 'ready':
        return this.#stopLate()
      case 'pong':
        return
      case 'opened':
        this.#opening?.resolve(undefined)
        return void (this.#opening = undefined)
      case 'refused':
        this.#opening?.reject(errorOf(message.error))
        return void (this.#opening = undefined)
      case 'progress':
        return this.#hooks.progress(message.progress)
      case 'problem':
        return this.#problem(message.problem)
    }
    const waiting = this.#calls.get(message.call)
    this.#calls.delete(message.call)
    if (message.is === 'value') waiting?.resolve(message.value)
    else waiting?.reject(errorOf(message.error))
  }

  #end(error: Error): void {
    if (this.#ended !== undefined) return
    this.#ended = error
    this.#stopLate()
    this.#pulse.watch(false)
    this.#worker.terminate()
    this.#opening?.reject(error)
    for (const { reject } of this.#calls.values()) reject(error)
    this.#calls.clear()
  }
}
