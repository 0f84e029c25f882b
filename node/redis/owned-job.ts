/** A run as its owner has it: its plan, its journal, and what only its owner may write. */
import { AetherflowError } from '../../bindings/errors.js'
import type { OwnedRun, RunStore } from '../../web/standard/run/run-store.js'
import type { PlanRun } from '../index.js'
import { runScript, type RedisArgument, type RedisLink, type RedisScript } from './link.js'
import { putScript, tellScript } from './owner-scripts.js'
import type { RunKeys } from './run-keys.js'
import { lostTo, told, type OwnedRedisRun, type RedisRunStore } from './run-store.js'

export interface JobFacts {
  readonly id: string
  readonly plan: string
  /** What was submitted with the plan. */
  readonly request: string
  /** Somebody wants it no more. */
  readonly cancelled: boolean
  /** How many owners in a row were lost with it, without another step done. */
  readonly lost: number
  /** Steps whose output is there. */
  readonly done: readonly string[]
}

export class OwnedJob implements JobFacts {
  readonly id: string
  readonly plan: string
  readonly request: string
  readonly lost: number
  readonly done: readonly string[]
  /** Its journal, which outlasts the run that writes it: anyone who owns the run lets go of it afterwards. */
  readonly journal: RunStore
  cancelled: boolean
  /** It goes on elsewhere, or later. */
  stopped = false
  readonly #link: RedisLink
  readonly #owned: OwnedRedisRun
  readonly #keys: RunKeys
  #under: PlanRun | undefined

  constructor(
    facts: JobFacts,
    link: RedisLink,
    { store, owned, keys }: { store: RedisRunStore; owned: OwnedRedisRun; keys: RunKeys },
  ) {
    this.id = facts.id
    this.plan = facts.plan
    this.request = facts.request
    this.lost = facts.lost
    this.done = facts.done
    this.cancelled = facts.cancelled
    this.#link = link
    this.#owned = owned
    this.#keys = keys
    this.journal = { name: store.name, peek: () => store.peek(), open: () => Promise.resolve(held(owned)) }
  }

  /** What carries it out: it is cancelled when the run is, or its owner closes. */
  under(run: PlanRun): void {
    this.#under = run
    if (this.cancelled || this.stopped) run.cancel()
  }

  /** As the caller wants it. */
  cancel(): void {
    this.cancelled = true
    this.#under?.cancel()
  }

  /** Lets it go. */
  stop(): void {
    this.stopped = true
    this.#under?.cancel()
  }

  /**
   * Keeps a step's output. `again`: told by the journal; what is there is not awaited, so that it is told in its place among what the
   * journal tells. Fails: host.run_locked when the run is another's, host.io_failed.
   */
  deliver(step: string, text: string, again: boolean): Promise<void> | undefined {
    if (again && this.done.includes(step)) return undefined
    return this.#write(putScript, [this.#keys.outputs], [step, text])
  }

  /** Adds to the events, of which there are `count`, and tells anyone who listens. Fails as `deliver`. */
  tell(count: number, events: readonly string[]): Promise<void> {
    return this.#write(tellScript, [this.#keys.events, this.#keys.told], [count, ...events])
  }

  async #write(script: RedisScript, keys: readonly string[], values: readonly RedisArgument[]): Promise<void> {
    const { name } = this.journal
    const mine = await told(name, () =>
      runScript(this.#link, script, [this.#keys.head, ...keys], [this.#owned.epoch, ...values]),
    )
    if (mine !== 1) throw lostTo(name)
  }
}

/** As a run takes it: closing it writes what is to be written, and lets nobody else in yet. */
const held = (owned: OwnedRedisRun): OwnedRun => ({
  kept: owned.kept,
  begin: (header, line) => owned.begin(header, line),
  resume: (end) => owned.resume(end),
  setAside: () => owned.setAside(),
  aside: (name) => owned.aside(name),
  close: () => owned.settle(),
  discard: () => owned.drop(),
})

/** Fails: host.worker for a run that its owners do not survive. */
export function mustBeSurvived({ id, lost }: JobFacts, mostLost: number): void {
  if (lost <= mostLost) return
  const detail = `${lost} processes that carried it out were lost in a row, without another step done`
  throw new AetherflowError('host.worker', id, detail)
}

/** The run is another's by now, or the server of that name is away: anyone who owns it next goes on. */
export const goesElsewhere = (error: unknown, server: string): boolean =>
  error instanceof AetherflowError &&
  (error.code === 'host.run_locked' || error.code === 'host.io_failed') &&
  error.where.startsWith(server)
