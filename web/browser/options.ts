/** What a page hands over, and gets. */
import type { RunEvent, StepInfo } from '../../bindings/events.js'
import type { Outcome } from '../../bindings/generated/wire.js'
import type { Performer } from '../../bindings/performer.js'
import type { Clock, DocumentFinder, Fetch } from '../../bindings/ports.js'
import type { RunResult } from '../standard/run/plan-run.js'
import type { CacheSettings, PlanSettings } from '../standard/run/setup.js'
import type { CacheChoice } from './cache/options.js'

/** Where a run is carried out. */
export interface ThreadOptions {
  /**
   * True (default): in a worker that runs share; it ends some seconds after the last of them. `own`: in a worker of its own. False:
   * in this thread. Where no worker can be started the run takes place in this thread, and says so in a warning.
   */
  readonly worker?: boolean | 'own' | undefined
  /** Addresses of the package's files, where they do not lie beside each other: a bundler without rules for `new URL`, a CDN. */
  readonly assets?: { readonly worker?: string | URL; readonly core?: string | URL } | undefined
}

/** The key of a provider by its id; '' or undefined if there is none. Asked before the run, and again for each call; never kept. */
export type KeySource = (provider: string) => string | undefined | Promise<string | undefined>

export interface PlanOptions extends PlanSettings, ThreadOptions {
  readonly keys?: KeySource | undefined
  /** Ids of the providers that can be called. Default: those that `keys` knows a key of; behind a relay without `keys`, all. */
  readonly providers?: readonly string[] | undefined
  /**
   * Address of a relay: a server of yours that sends `{relay}/{provider id}/…` on to that provider and may add its key. See
   * examples/browser/relay.mjs. What the page would send as the provider's key goes to the relay. Default: none.
   */
  readonly relay?: string | undefined
  /** Simulated time runs so many times as fast. Default 1. */
  readonly simulateSpeed?: number | undefined
  /** Reads a context file of a step; a rejection fails the step, and an explanation. Default: steps that name files fail. */
  readonly readFile?: ((path: string) => string | Promise<string>) | undefined
  /**
   * With `readFile`: the paths that a pattern or folder means, in `context.files` and in `for_each`, `most` of them at most. Default: entries of
   * `context.files` are files, and a `for_each` over a pattern is not carried out.
   */
  readonly listFiles?: ((entry: string, most: number) => readonly string[] | Promise<readonly string[]>) | undefined
}

export interface RunPlanOptions extends PlanOptions, Omit<CacheSettings, 'cache'> {
  readonly signal?: AbortSignal | undefined
  readonly onEvent?: ((event: RunEvent) => void) | undefined
  /** Answer text of steps as it streams. */
  readonly onText?: ((step: string, piece: string) => void) | undefined
  /** Makes an output durable; what it resolves to, a text, is the `path` of the event `done`. A rejection cancels the run. `again`: it may have been delivered before. */
  readonly deliver?:
    ((step: StepInfo, text: string, again: boolean) => Promise<string | void> | string | void) | undefined
  /** What steps find that ask for documents: an open index (`openDocs`), which its opener closes. Absent: such steps fail. */
  readonly documents?: DocumentFinder | undefined
  /** Told of an answer that was paid for and does not hold the step's output constraint, or was cut short. `why`: for people. */
  readonly rejected?: ((step: StepInfo, text: string, why: string) => Promise<unknown> | void) | undefined
  /** Lines of the run's journal as they are written: for replays in memory, by `readJournal` and `replayJournal`. */
  readonly onJournal?: ((lines: string) => void) | undefined
  /** False: answers come whole instead of streamed. Default true. */
  readonly stream?: boolean | undefined
  /**
   * Answers of earlier work: an open SemanticCache, which its opener closes, or how to open one, which runs with the same options
   * share. One that cannot be opened or fails is gone without, with a warning. A run that is resumed needs one when it began with one.
   */
  readonly cache?: CacheChoice | undefined
  /**
   * Name of the run's journal in the browser's IndexedDB: with it the run outlives its tab. `resume` continues it, and nothing
   * that the journal holds is called again. Answers are kept there, keys never. Absent: nothing is kept. A name belongs to one run.
   */
  readonly journal?: string | undefined
  /** Resumes the run in `journal`; with a plan, begins it when there is none. Options that the run began with stay. Default false. */
  readonly resume?: boolean | undefined
  /**
   * As `resume`; but when the plan has changed, or the run came to its end with steps undone, a new run takes its place, in which
   * steps that match a done one of the old (the step, all before it, its context files) keep its output. Default false.
   */
  readonly reuse?: boolean | undefined
  /** Name of the plan for lists of runs; kept in the journal. */
  readonly planName?: string | undefined
  /** These three cannot be handed to a worker: with one of them the run takes place in this thread. */
  readonly fetch?: Fetch | undefined
  readonly clock?: Clock | undefined
  readonly performer?: Performer | undefined
}

export interface PageRunResult extends RunResult {
  /** Where it ran. */
  readonly thread: 'worker' | 'page'
}

/** A run that is kept in this browser. */
export interface KeptRun {
  /** Of its journal. */
  readonly name: string
  /** Random, 128 bits in hex: the same however often it is resumed. */
  readonly run: string
  /** Wall-clock times, ISO 8601. */
  readonly startedAt: string
  readonly updatedAt: string
  readonly bytes: number
  /** `planName` of when it began. */
  readonly plan: string | undefined
  /** Name of the simulated profile. */
  readonly simulated: string | undefined
  /** Undefined: it has not come to its end. */
  readonly outcome: Outcome | undefined
  /** Some tab has it. */
  readonly running: boolean
}
