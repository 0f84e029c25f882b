/** Outputs on their way out: journal durable, then the host's `deliver`, then `done`; and what of them is kept for other runs. */
import { delivered } from './call-events.js'
import type { DeliverCommand } from './commands.js'
import type { CoreRun } from './core.js'
import type { DriverOptions } from './driver-options.js'
import { AetherflowError } from './errors.js'
import type { RunEvent, StepInfo } from './events.js'
import type { RunTexts } from './run-texts.js'
import type { PlanRules } from './plan-rules.js'

export interface DeliveriesHost {
  readonly core: CoreRun
  readonly texts: RunTexts
  readonly now: number
  emit(event: RunEvent): void
  /** An output could not be put where it belongs. */
  outputFailed(error: unknown): void
  readonly failed: boolean
}

export interface Delivery {
  /** When the step ended, of a step of the past; undefined: now. */
  readonly pastAt?: number | undefined
  /** The output may have been delivered by an earlier process. */
  readonly again: boolean
}

export class Deliveries {
  readonly #host: DeliveriesHost
  readonly #options: Pick<DriverOptions, 'journal' | 'deliver' | 'rejected'>
  /** From when a plan says some. */
  rules: PlanRules | undefined
  readonly #open = new Set<Promise<void>>()
  /** Of the step that was delivered last; undefined: it is told already. */
  #last: Promise<void> | undefined

  constructor(host: DeliveriesHost, options: Pick<DriverOptions, 'journal' | 'deliver' | 'rejected'>) {
    this.#host = host
    this.#options = options
  }

  /** A rule of the plan has ended the step. */
  unneeded(step: number): boolean {
    return this.rules?.unneeded.has(step) === true
  }

  /** Every event of the run passes here before it is told. */
  see(event: RunEvent): void {
    this.rules?.see(event)
  }

  /** The output is told and written only once the journal cannot lose it any more. */
  deliver(command: DeliverCommand, { pastAt, again }: Delivery): void {
    const { core, texts } = this.#host
    const step = texts.steps[command.step]
    if (step === undefined) return
    const output = delivered(core, texts, command, pastAt ?? this.#host.now)
    if (output.hit !== undefined) this.#host.emit(output.hit)
    this.rules?.delivered(command.step)
    const done = (path: unknown): void =>
      this.#host.emit(output.done(pastAt ?? this.#host.now, typeof path === 'string' ? path : undefined))
    const { journal, deliver } = this.#options
    const durable = pastAt === undefined ? journal?.writer.flush() : undefined
    const write = () => deliver?.(step, output.text, again)
    const writing = durable === undefined ? write() : durable.then(write)
    this.#last = undefined
    if (writing === undefined || typeof writing === 'string') return done(writing)
    this.#last = Promise.resolve(writing).then(done, (error: unknown) => this.#host.outputFailed(error))
    this.#awaitAtEnd(this.#last)
  }

  /** An answer that was paid for and refused. That it cannot be kept is told, and nothing more: nobody waits for it. */
  reject(step: StepInfo, text: string, why: string): void {
    const { rejected } = this.#options
    if (rejected === undefined || text.trim() === '') return
    const keep = async (): Promise<void> => {
      try {
        await rejected(step, text, why)
      } catch (error) {
        const known =
          error instanceof AetherflowError ? error : new AetherflowError('host.io_failed', '', String(error))
        const { code, where, detail } = known
        this.#host.emit({ type: 'warning', at: this.#host.now, code, where, detail })
      }
    }
    this.#awaitAtEnd(keep())
  }

  /** Runs `store` after the last delivery: what the run itself has not kept yet is not kept for others. */
  store(store: () => Promise<void> | undefined): void {
    const last = this.#last
    const work = async (): Promise<void> => {
      await last
      if (!this.#host.failed) await store()
    }
    this.#awaitAtEnd(work())
  }

  /** Resolves when every output so far is where it belongs, or has failed. */
  async settled(): Promise<void> {
    await Promise.all(this.#open)
  }

  #awaitAtEnd(work: Promise<void>): void {
    this.#open.add(work)
    void work.finally(() => this.#open.delete(work))
  }
}
