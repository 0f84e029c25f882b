/** Goes back to earlier moments of a run, and looks into its steps: the journal is all it needs. */
import { RunModel } from '../element/run-model.js'
import type { RunSession } from './run-session.js'
import { TravelClient } from './travel-client.js'
import type { Moment, StepSeen } from './travel-words.js'

export interface TravellerOptions {
  /** Contents of the context files of a step. */
  readonly files: (step: number) => Promise<(readonly [string, string])[]>
  /** Draw this; without a moment it is the run as it stands. */
  readonly onMoment: (model: RunModel, moment: Moment | undefined) => void
  readonly onFailure: (words: string) => void
}

export class Traveller {
  readonly #client = new TravelClient()
  readonly #options: TravellerOptions
  /** The record asked for last; undefined: the run as it stands. */
  #wanted: number | undefined
  #going = false
  /** The run as it was; undefined: nobody travels. */
  model: RunModel | undefined

  constructor(options: TravellerOptions) {
    this.#options = options
  }

  /** Number of records of the run's journal. */
  open(session: RunSession): Promise<number> {
    return this.#client.open(session)
  }

  go(session: RunSession | undefined, record: number | undefined): void {
    this.#wanted = record
    if (record === undefined) {
      this.model = undefined
      if (session !== undefined) this.#options.onMoment(session.model, undefined)
    } else if (session !== undefined && !this.#going) {
      void this.#go(session)
    }
  }

  /** One replay at a time; what was asked for meanwhile comes next, what lay between is left out. */
  async #go(session: RunSession): Promise<void> {
    this.#going = true
    try {
      await this.#client.open(session)
      let shown: number | undefined
      while (this.#wanted !== undefined && this.#wanted !== shown) {
        shown = this.#wanted
        const moment = await this.#client.moment(shown)
        if (this.#wanted === undefined) break
        const model = new RunModel()
        model.reuses = session.model.reuses
        for (const event of moment.events) model.apply(event)
        this.model = model
        this.#options.onMoment(model, moment)
      }
    } catch (error) {
      this.#options.onFailure(error instanceof Error ? error.message : String(error))
    } finally {
      this.#going = false
    }
  }

  /** What the core knows of a step at the moment shown; undefined: there is no run. */
  async look(session: RunSession | undefined, step: number): Promise<StepSeen | undefined> {
    if (session === undefined || session.journal === '') return undefined
    const records = await this.#client.open(session)
    return this.#client.step(step, this.#wanted ?? records, await this.#options.files(step))
  }
}
