/** The page's side of a worker: jobs go in, events and results come out; a worker that stops takes its jobs with it. */
import { AetherflowError } from '../../../bindings/errors.js'
import { afterAwake } from '../patience.js'
import type { RunEvent } from '../../../bindings/events.js'
import type { Job, Page } from '../run/job.js'
import { errorOf, plainError, type FromWorker, type ToWorker } from './messages.js'
import { Pulse } from './pulse.js'

interface Under {
  readonly page: Page
  readonly chunks: AsyncIterator<Uint8Array> | undefined
  /** What the page's own answers failed with, by question. */
  readonly errors: Map<number, unknown>
  readonly steps: Set<string>
  resolve(value: unknown): void
  reject(error: unknown): void
}

/** How long its files may take to come, ms. */
const startMs = 30_000

export class CoreWorker {
  readonly #worker: Worker
  readonly #jobs = new Map<number, Under>()
  /** Called once, when nothing can run here any more. */
  readonly #onEnd: (worker: CoreWorker) => void
  readonly #pulse = new Pulse(
    () => this.#post({ does: 'ping', job: 0 }),
    (seconds) => this.#end(stopped(`it did not answer for ${seconds} s`)),
  )
  #ready: { resolve(): void; reject(error: Error): void } | undefined
  #next = 0
  ended = false

  private constructor(worker: Worker, onEnd: (worker: CoreWorker) => void) {
    this.#worker = worker
    this.#onEnd = onEnd
    worker.onmessage = ({ data }: MessageEvent<readonly FromWorker[]>) => {
      this.#pulse.heard()
      for (const message of data) if (!this.ended) this.#take(message)
    }
    worker.onmessageerror = () => this.#end(stopped('a message could not be read'))
    worker.onerror = (event) => {
      event.preventDefault()
      // Without a message nothing of it has run.
      this.#end(stopped(event.message || 'its file is missing, is no script, or is refused by a policy'))
    }
  }

  /** Resolves when it works; rejects when there is none to be had: refused by policy, not found, no modules in workers. */
  static async start(
    url: string | URL | undefined,
    began: (worker: CoreWorker) => void,
    onEnd: (worker: CoreWorker) => void,
  ): Promise<CoreWorker> {
    // Bundlers look for exactly this expression.
    const worker =
      url === undefined
        ? new Worker(new URL('./worker.js', import.meta.url), { type: 'module', name: 'aetherflow' })
        : new Worker(url, { type: 'module', name: 'aetherflow' })
    const started = new CoreWorker(worker, onEnd)
    began(started)
    const stop = afterAwake(startMs, () => started.#end(stopped('it did not say that it is ready')))
    try {
      await new Promise<void>((resolve, reject) => (started.#ready = { resolve, reject }))
    } finally {
      stop()
    }
    return started
  }

  get jobs(): number {
    return this.#jobs.size
  }

  /** Ends it now; its jobs reject. */
  end(error: Error = new AetherflowError('host.disposed')): void {
    this.#end(error)
  }

  perform({ kind, settings, plan }: Job, page: Page): Promise<unknown> {
    const job = ++this.#next
    const whole = plan instanceof Uint8Array
    const chunks = whole ? undefined : plan[Symbol.asyncIterator]()
    const result = new Promise<unknown>((resolve, reject) => {
      this.#jobs.set(job, { page, chunks, errors: new Map(), steps: new Set(), resolve, reject })
    })
    this.#pulse.watch(true)
    try {
      this.#post({ does: 'start', job, kind, settings, plan: whole ? plan : 'chunks' })
    } catch (error) {
      this.#over(job, (under) =>
        under.reject(new AetherflowError('host.usage', '', `options: ${plainError(error).message}`)),
      )
    }
    return result
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message)
  }

  #take(message: FromWorker): void {
    if (message.is === 'ready') return this.#ready?.resolve()
    if (message.is === 'pong') return
    if (message.is === 'crashed') return this.#end(stopped(message.message))
    const { job } = message
    const under = this.#jobs.get(job)
    if (under === undefined) return
    switch (message.is) {
      case 'event':
        return this.#tell(job, under, () => this.#event(under, message.event))
      case 'text':
        return this.#tell(job, under, () => under.page.text(message.step, message.piece))
      case 'journal':
        return this.#tell(job, under, () => under.page.journal(message.lines))
      case 'owned':
        return under.page.own(this.#control(job, under))
      case 'ask':
        return void this.#answer(job, under, message)
      case 'done':
        return this.#over(job, () => under.resolve(message.value))
      case 'failed': {
        const { error } = message
        const own = error.ask !== undefined && under.errors.has(error.ask)
        return this.#over(job, () => under.reject(own ? under.errors.get(error.ask!) : errorOf(error)))
      }
    }
  }

  #event(under: Under, event: RunEvent): void {
    if (event.type === 'steps') for (const { id } of event.steps) under.steps.add(id)
    under.page.emit(event)
  }

  /** A watcher that throws ends its run, as it does without a worker. */
  #tell(job: number, under: Under, tell: () => void): void {
    try {
      tell()
    } catch (error) {
      this.#post({ does: 'cancel', job, step: undefined })
      this.#over(job, () => under.reject(error))
    }
  }

  #control(job: number, under: Under) {
    return {
      cancel: (): void => {
        if (this.#jobs.has(job)) this.#post({ does: 'cancel', job, step: undefined })
      },
      cancelStep: (id: string): void => {
        if (!under.steps.has(id)) throw new AetherflowError('run.unknown_step', '', id)
        if (this.#jobs.has(job)) this.#post({ does: 'cancel', job, step: id })
      },
    }
  }

  async #answer(job: number, under: Under, { ask, what, of }: FromWorker & { readonly is: 'ask' }): Promise<void> {
    try {
      const value = await reply(under, what, of)
      if (this.#jobs.has(job)) this.#post({ does: 'answer', job, ask, value })
    } catch (error) {
      under.errors.set(ask, error)
      if (this.#jobs.has(job)) this.#post({ does: 'refuse', job, ask, error: plainError(error) })
    }
  }

  #over(job: number, settle: (under: Under) => void): void {
    const under = this.#jobs.get(job)
    if (under === undefined) return
    this.#jobs.delete(job)
    this.#pulse.watch(this.#jobs.size > 0)
    // Not awaited: a plan that is still being written must not hold up its run's end.
    void Promise.resolve(under.chunks?.return?.()).catch(() => undefined)
    settle(under)
  }

  #end(error: Error): void {
    if (this.ended) return
    this.ended = true
    this.#worker.terminate()
    this.#ready?.reject(error)
    for (const job of [...this.#jobs.keys()]) this.#over(job, (under) => under.reject(error))
    this.#onEnd(this)
  }
}

function stopped(why: string): AetherflowError {
  return new AetherflowError('host.worker', '', why)
}

async function reply({ page, chunks }: Under, what: string, of: readonly unknown[]): Promise<unknown> {
  const first = of[0] as string
  if (what === 'key') return page.key(first)
  if (what === 'file') return page.file(first)
  if (what === 'list') return page.list(first, of[1] as number)
  if (what === 'find') return page.find(...(of as Parameters<Page['find']>))
  if (what === 'look') return page.look(of[0] as Parameters<Page['look']>[0])
  if (what === 'keep') return page.keep(of[0] as Parameters<Page['keep']>[0])
  if (what === 'deliver') {
    const [step, text, again] = of as Parameters<Page['deliver']>
    const path = await page.deliver(step, text, again)
    return typeof path === 'string' ? path : undefined
  }
  if (what === 'rejected') {
    await page.rejected(...(of as Parameters<Page['rejected']>))
    return undefined
  }
  const next = await chunks?.next()
  return next?.done === false ? next.value : undefined
}
