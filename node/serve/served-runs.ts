/** What the routes of `/v1/runs` ask of the runs of a server, wherever these are kept. */
import type { AnswerCache } from '../../bindings/cache/ports.js'
import type { RunEvent, RunReport } from '../../bindings/events.js'
import type { RunPlanOptions } from '../options.js'
import type { Account, Accounts } from './accounts.js'
import type { KeptEvent } from './kept-events.js'
import type { RunState } from './run-state.js'

/** What was asked for; kept. */
export interface RunRequest {
  readonly id: string
  /** Name of the key, and whose run it is. */
  readonly key: string
  readonly tenant: string
  readonly name?: string
  readonly mode?: string
  readonly budgetUsd?: number
  readonly deadlineMs?: number
  readonly seed?: number
  /** Name of the profile that plays the providers. */
  readonly simulated?: string
  /** From the request: `traceparent` and what goes with it. */
  readonly trace?: Readonly<Record<string, string>>
  /** ms since 1970. */
  readonly createdAt: number
}

/** How it ended; kept. `failed`: it could not be carried out, for reasons of the host. */
export interface RunEnd {
  readonly outcome: 'ok' | 'steps_failed' | 'budget_exhausted' | 'cancelled' | 'failed'
  readonly costMicroUsd: number
  readonly priceAssumed?: true
  readonly endedAt: number
  readonly error?: { readonly code: string; readonly detail: string }
}

export interface RunWatcher {
  take(kept: KeptEvent): void
  /** Of the moment: it is not kept, and may be left out. */
  passing(event: RunEvent): void
  /** Nothing more comes. */
  over(): void
}

export interface ServedRun {
  readonly request: RunRequest
  readonly end: RunEnd | undefined
  /** Of a run under way. */
  readonly live: RunState
  readonly cancelled: boolean
  /** Process that carries it out, `host:pid`; undefined: none, or this server keeps its runs for itself. */
  readonly owner?: string | undefined
  /** All kept events, also of a run that is over. Fails: host.io_failed. */
  events(): Promise<readonly RunEvent[]>
  /** Its steps, as its events tell them. Fails: host.io_failed. */
  state(): Promise<RunState>
  /** Resolves when nothing more is missed; the result ends it. Fails: host.io_failed. */
  watch(watcher: RunWatcher): Promise<() => void>
}

export type AskedRun = Omit<RunRequest, 'id' | 'createdAt'>

export interface ServedRuns {
  /** Runs that this process carries out. */
  readonly underWay: number
  /**
   * Begins a run, or finds the one that was begun under the same key of idempotency. Rejects with plan.* and json.* for a plan that
   * is none, with a HttpError for what the account may not.
   */
  start(plan: string, asked: AskedRun, account: Account, again?: string): Promise<ServedRun>
  /** Rejects with a HttpError of status 404: another tenant's run does not exist for this one. */
  find(id: string, tenant: string): Promise<ServedRun>
  /** The runs of a tenant, the latest first, from the one after `after` on; and whether there are more. */
  list(tenant: string, limit: number, after: string | null): Promise<{ runs: readonly ServedRun[]; more: boolean }>
  /** Cancels what is under way; what is done is kept. */
  cancel(run: ServedRun): Promise<void>
  /** A step's output; undefined: it has none, or not yet. Fails: host.*. */
  output(run: ServedRun, step: string): Promise<string | undefined>
  /** The report of a run that is over; undefined: it has come to none. Fails: host.*. */
  report(run: ServedRun): Promise<RunReport | undefined>
  /** The text of its journal so far; undefined: it has none yet. */
  journal(run: ServedRun): Promise<Uint8Array | undefined>
  /** Whether this error says that the server which keeps the runs does not answer. Default: there is none. */
  isAway?(error: unknown): boolean
  /** Lets runs end for so long; the others go on elsewhere, or with the next start. */
  close(patience: Promise<void>): Promise<void>
}

/** What the runs of a server are carried out with. */
export interface RunParts {
  readonly accounts: Accounts
  /** How every run is carried out. */
  readonly how: Pick<
    RunPlanOptions,
    'config' | 'limits' | 'pool' | 'clients' | 'simulate' | 'cache' | 'cacheModes' | 'clock' | 'telemetry'
  > & {
    readonly cache?: AnswerCache | undefined
  }
  /** Takes the events of one run. */
  observer(): (event: RunEvent) => void
  failed(error: unknown, id: string): void
}
