/** Asks the travel worker. Only the latest moment is of use: while one is in progress, others wait, and the last of them wins. */
import type { Moment, StepSeen, TravelAnswers, TravelQuestion } from './travel-words.js'

interface Waiting {
  resolve(value: unknown): void
  reject(error: Error): void
}

/** What has a journal: each is its own run. */
export interface Journalled {
  readonly journal: string
}

export class TravelClient {
  #worker: Worker | undefined
  readonly #waiting = new Map<number, Waiting>()
  #ids = 0
  /** What the worker has read: a session, and how much of its journal. */
  #session: Journalled | undefined
  #length = -1
  #records: Promise<number> = Promise.resolve(0)

  /** Brings the worker to where the run stands; the number of its records. */
  open(session: Journalled): Promise<number> {
    const { journal } = session
    if (session === this.#session && journal.length === this.#length) return this.#records
    this.#session = session
    this.#length = journal.length
    this.#records = this.#ask<'open'>({ asks: 'open', journal }).then(({ records }) => records)
    return this.#records
  }

  moment(record: number): Promise<Moment> {
    return this.#ask<'moment'>({ asks: 'moment', record })
  }

  step(step: number, record: number, files: readonly (readonly [string, string])[]): Promise<StepSeen> {
    return this.#ask<'step'>({ asks: 'step', step, record, files })
  }

  #ask<K extends TravelQuestion['asks']>(question: TravelQuestion & { readonly asks: K }): Promise<TravelAnswers[K]> {
    const id = ++this.#ids
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject })
      this.#open().postMessage({ id, question })
    })
  }

  #open(): Worker {
    if (this.#worker !== undefined) return this.#worker
    const worker = new Worker(new URL('./travel-worker.js', import.meta.url), { type: 'module', name: 'travel' })
    worker.onmessage = ({ data }: MessageEvent<{ id: number; value?: unknown; error?: string }>) => {
      const waiting = this.#waiting.get(data.id)
      this.#waiting.delete(data.id)
      if (data.error === undefined) waiting?.resolve(data.value)
      else waiting?.reject(new Error(data.error))
    }
    worker.onerror = (event) => {
      worker.terminate()
      this.#worker = undefined
      this.#session = undefined
      for (const { reject } of this.#waiting.values()) reject(new Error(event.message ?? 'the worker stopped'))
      this.#waiting.clear()
    }
    this.#worker = worker
    return worker
  }
}
