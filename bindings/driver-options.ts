/** What a host gives to the driver, and gets back. */
import type { RunIdentity } from './ticket.js'
import type { AnswerCache } from './cache/ports.js'
import type { AnswerChecker } from './checker.js'
import type { DraftDesk } from './drafts.js'
import type { RunEvent, RunReport, StepInfo } from './events.js'
import type { Outcome } from './generated/wire.js'
import type { Journal } from './journal/reader.js'
import type { JournalHeader, JournalWriter } from './journal/journal.js'
import type { OpenRules } from './plan-rules.js'
import type { Performer } from './performer.js'
import type { Clock, DocumentFinder, FileReader } from './ports.js'
import type { LimitSharing } from './shared-limits.js'

/** An output that another run made. `files`: fingerprint of the context files and documents that went into it. */
export interface RecalledOutput {
  readonly text: string
  readonly files?: string | undefined
}

export interface DriverOptions {
  readonly clock: Clock
  /** Wall-clock time, ms since 1970, for prices that depend on the hour. Absent: the core does not know it. */
  readonly wallClock?: (() => number) | undefined
  readonly performer: Performer
  /** Weighs the context files of a whole plan before the first call. Absent: their size is known when a call is about to leave. */
  readonly files?: FileReader | undefined
  /** Finds what steps ask for in documents. Absent: steps that ask for some fail, a plan that came as a whole before its first call. */
  readonly documents?: DocumentFinder | undefined
  /** Checks answers of steps that say how. Needed when `begin` has `checks`; without that it is not asked. */
  readonly checker?: AnswerChecker | undefined
  /** The options document of `begin`; see core/run/run.hpp. Not used when there is a past: its journal has them. */
  readonly begin: Readonly<Record<string, unknown>>
  readonly signal?: AbortSignal | undefined
  readonly onEvent?: ((event: RunEvent) => void) | undefined
  /** Each piece of answer text as it streams. */
  readonly onText?: ((step: string, piece: string) => void) | undefined
  /**
   * Makes an output durable; what it resolves to is the `path` of the event `done`. A rejection cancels the run: work whose result is lost is not worth paying for. `again`: the step
   * ended before the run was resumed, so the output may be there already.
   */
  readonly deliver?:
    ((step: StepInfo, text: string, again: boolean) => Promise<string | void> | string | void) | undefined
  /** Keeps an answer that was paid for and does not hold the step's output constraint, or was cut short. `why`: for people. */
  readonly rejected?: ((step: StepInfo, text: string, why: string) => Promise<unknown> | void) | undefined
  /** Loads what obeys a plan's `when`, `for_each`, `pattern` and `metadata.until`, when it has some. Absent: such a plan is refused. */
  readonly rules?: (() => Promise<OpenRules>) | undefined
  /** Makes idempotency keys; absent: calls carry none. */
  readonly identity?: RunIdentity | undefined
  /** Where everything is written down; none for a past that has come to its end. `start`: the header of a new journal, or the checksum of the one that goes on. */
  readonly journal?: { readonly writer: JournalWriter; readonly start: JournalHeader | number } | undefined
  /** The limits that this run shares with others. Absent: it has its own only. */
  readonly limits?: LimitSharing | undefined
  /** Answers of earlier work. Needed when `begin` has a member `cache`; without that it is not asked. The opener closes it. */
  readonly cache?: AnswerCache | undefined
  /** Needed by a run that drafts. */
  readonly drafts?: DraftDesk | undefined
  /** Whose answers: those of one tenant are never given to another. */
  readonly tenant?: string | undefined
  /** What happened before: the first `records` records of a journal. */
  readonly past?: { readonly journal: Journal; readonly records: number } | undefined
  /** Outputs that are known from another run, by step id. The plan must come as a whole then. */
  readonly recalled?: ReadonlyMap<string, RecalledOutput> | undefined
  /** The report of the result is made when it is asked for, while the core lives. Default: at the end of the run. */
  readonly lazyReport?: boolean | undefined
}

export interface DriverResult {
  readonly outcome: Outcome
  readonly report: RunReport
  /** Text of every step that has an output, by id. */
  readonly outputs: ReadonlyMap<string, string>
  readonly warnings: readonly { code: string; where: string; detail: string }[]
  /** What a host port failed with, when that ended the run. */
  readonly hostError: unknown
}
