/**
 * Names of what runs have on a server.
 *
 *   run:ID:journal, run:ID:journal-N   texts of journals
 *   run:ID:head                        epoch, version (of the journal, by every write), owner, asides
 *   run:ID:lease                       the owner's name, for as long as it lives
 *   run:ID:job                         plan, request, at; owner (its process), done, lost; cancelled; end, endedAt
 *   run:ID:outputs                     step → output
 *   run:ID:events                      what its readers are told, as JSON; the first has the number 1
 *   run:ID:told                        the channel of the events as they come
 *   runs:open                          ids of runs that have come to no end
 *   runs:news                          the channel of new runs (`+ID`) and of runs that are cancelled (`xID`)
 *   runs:of:NAME                       ids that are listed under a name, by the time of their beginning
 *   owners, owner-of-runs:ID           processes that own runs
 */
import type { AlivePlace } from './alive.js'
import { keysUnder } from './address.js'

export class RunKeys {
  readonly journal: string
  readonly head: string
  readonly lease: string
  readonly job: string
  readonly outputs: string
  readonly events: string
  readonly told: string
  readonly #base: string

  constructor(run: string, prefix: string | undefined) {
    this.#base = keysUnder(prefix)(`run:${run}`)
    this.journal = this.aside('journal')
    this.head = this.aside('head')
    this.lease = this.aside('lease')
    this.job = this.aside('job')
    this.outputs = this.aside('outputs')
    this.events = this.aside('events')
    this.told = this.aside('told')
  }

  aside(name: string): string {
    return `${this.#base}:${name}`
  }
}

export class RunsKeys {
  /** What the names of all runs begin with, for scripts. */
  readonly base: string
  readonly open: string
  readonly news: string
  readonly owners: AlivePlace
  readonly #key: (name: string) => string

  constructor(prefix: string | undefined) {
    this.#key = keysUnder(prefix)
    this.base = this.#key('run:')
    this.open = this.#key('runs:open')
    this.news = this.#key('runs:news')
    this.owners = { all: this.#key('owners'), one: (id) => this.#key(`owner-of-runs:${id}`) }
  }

  listed(name: string): string {
    return this.#key(`runs:of:${name}`)
  }
}
