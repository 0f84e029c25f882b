/** The worker's side: jobs of a page, several at once, over one port. */
import type { RunControl } from '../../standard/run/plan-run.js'
import type { Job, Page } from '../run/job.js'
import { errorOf, plainError, type Asked, type FromWorker, type ToWorker } from './messages.js'
import { Outbox } from './outbox.js'
import { performJob } from '../run/perform-job.js'

interface Under {
  control: RunControl | undefined
  cancelled: boolean
  readonly asked: Map<number, { resolve(value: unknown): void; reject(error: Error): void }>
}

export class WorkerHost {
  readonly #outbox: Outbox
  readonly #jobs = new Map<number, Under>()
  #asks = 0

  constructor(post: (messages: readonly FromWorker[]) => void) {
    this.#outbox = new Outbox(post)
    this.#outbox.send({ is: 'ready' })
  }

  take(message: ToWorker): void {
    const under = this.#jobs.get(message.job)
    switch (message.does) {
      case 'start':
        return void this.#start(message)
      case 'ping':
        return this.#outbox.send({ is: 'pong' })
      case 'cancel':
        return under && this.#cancel(under, message.step)
      case 'answer':
        return this.#settle(under, message.ask)?.resolve(message.value)
      case 'refuse':
        return this.#settle(under, message.ask)?.reject(errorOf(message.error, message.ask))
    }
  }

  /** Something that nobody handles: what runs here cannot be relied on any more. */
  crashed(error: unknown): void {
    this.#outbox.send({ is: 'crashed', message: plainError(error).message })
  }

  async #start({ job, kind, settings, plan }: ToWorker & { readonly does: 'start' }): Promise<void> {
    const under: Under = { control: undefined, cancelled: false, asked: new Map() }
    this.#jobs.set(job, under)
    try {
      const whole: Job = { kind, settings, plan: plan === 'chunks' ? this.#chunks(job, under) : plan }
      const value = await performJob(whole, this.#page(job, under))
      this.#outbox.send({ is: 'done', job, value })
    } catch (error) {
      this.#outbox.send({ is: 'failed', job, error: plainError(error) })
    } finally {
      this.#jobs.delete(job)
    }
  }

  #page(job: number, under: Under): Page {
    const ask = <T>(what: Asked, ...of: unknown[]): Promise<T> => this.#ask(job, under, what, of) as Promise<T>
    return {
      emit: (event) => this.#outbox.add({ is: 'event', job, event }),
      text: (step, piece) => this.#outbox.addText(job, step, piece),
      journal: (lines) => this.#outbox.add({ is: 'journal', job, lines }),
      deliver: (step, text, again) => ask('deliver', step, text, again),
      rejected: (step, text, why) => ask('rejected', step, text, why),
      key: (provider) => ask('key', provider),
      file: (path) => ask('file', path),
      list: (entry, most) => ask('list', entry, most),
      find: (question, wanted) => ask('find', question, wanted),
      look: (question) => ask('look', question),
      keep: (put) => ask('keep', put),
      own: (control) => {
        under.control = control
        this.#outbox.send({ is: 'owned', job })
        if (under.cancelled) control.cancel()
      },
    }
  }

  #cancel(under: Under, step: string | undefined): void {
    if (step === undefined) {
      under.cancelled = true
      under.control?.cancel()
      return
    }
    try {
      under.control?.cancelStep(step)
    } catch {
      // It has ended meanwhile: the page cannot have known.
    }
  }

  #ask(job: number, under: Under, what: Asked, of: readonly unknown[]): Promise<unknown> {
    const ask = ++this.#asks
    this.#outbox.send({ is: 'ask', job, ask, what, of })
    return new Promise((resolve, reject) => under.asked.set(ask, { resolve, reject }))
  }

  #settle(under: Under | undefined, ask: number) {
    const waiting = under?.asked.get(ask)
    under?.asked.delete(ask)
    return waiting
  }

  async *#chunks(job: number, under: Under): AsyncIterable<Uint8Array> {
    for (;;) {
      const chunk = await this.#ask(job, under, 'chunk', [])
      if (chunk === undefined) return
      yield chunk as Uint8Array
    }
  }
}
