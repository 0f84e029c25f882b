/** Goes back to earlier moments of a run, and looks into its steps: the journal is all it needs. */
import type { ReplayState } from '../standard/run/replay.js'
import { RunModel } from '../element/run-model.js'
import type { RunSession } from './run-session.js'
import { TravelClient } from './travel-client.js'
import type { StepSeen } from './travel-words.js'

export interface TravellerOptions {
  /** Contents of the context files of a step. */
  readonly files: (step: number) => Promise<(readonly [string, string])[]>
  /** Draw this; without a state it is the run as it stands. */
  readonly onMoment: (model: RunModel, state: ReplayState | undefined) => void
  readonly onFailure: (words: string) => void
}

interface Wanted {
  readonly session: RunSession
  readonly record: number
}

export class Traveller {
  readonly #client = new TravelClient()
  readonly #options: TravellerOptions
  /** What was asked for last; undefined: the run as it stands, or no run at all. */
  #wanted: Wanted | undefined
  #going = false

  constructor(options: TravellerOptions) {
    this.#options = options
  }

  /** Number of records of the run's journal. */
  open(session: RunSession): Promise<number> {
    return this.#client.open(session)
  }

  /** Shows the run after a record; undefined: as it stands. */
  go(session: RunSession, record: number | undefined): void {
    if (record === undefined) {
      this.#wanted = undefined
      this.#options.onMoment(session.model, undefined)
      return
    }
    this.#wanted = { session, record }
    if (!this.#going) void this.#go()
  }

  /** Another run, or none, is shown: what is on its way is not drawn any more. */
  leave(): void {
    this.#wanted = undefined
  }

  /** One replay at a time; what was asked for meanwhile comes next, what lay between is left out. */
  async #go(): Promise<void> {
    this.#going = true
    try {
      let shown: Wanted | undefined
      while (this.#wanted !== undefined && this.#wanted !== shown) {
        const wanted = (shown = this.#wanted)
        const { session, record } = wanted
        await this.#client.open(session)
        const moment = await this.#client.moment(record)
        // Left meanwhile; another record of the same run may be drawn on the way to the one that is wanted.
        if (this.#wanted?.session !== session) continue
        const model = new RunModel()
        model.reuses = session.model.reuses
        for (const event of moment.events) model.apply(event)
        this.#options.onMoment(model, moment.state)
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
    const record = this.#wanted?.session === session ? this.#wanted.record : records
    return this.#client.step(step, record, await this.#options.files(step))
  }
}
