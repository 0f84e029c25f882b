/** Options of the Node library. */
import type { RunEvent, StepInfo } from '../bindings/events.js'
import type { AnswerChecker } from '../bindings/checker.js'
import type { Performer } from '../bindings/performer.js'
import type { Clock, DocumentFinder, Fetch, LimitAuthority } from '../bindings/ports.js'
import type { DraftPairs } from '../web/standard/draft/pairs.js'
import type { SentPrompt } from '../web/standard/run/performer.js'
import type { RunProviders } from '../web/standard/run/execute-run.js'
import type { RunStore } from '../web/standard/run/run-store.js'
import type { CacheSettings, PlanSettings } from '../web/standard/run/setup.js'
import type { ChecksConfig } from '../web/standard/checks-config.js'
import type { OpenDocsOptions } from './documents/open.js'
import type { TelemetryOptions } from '../web/standard/telemetry/otel.js'
import type { SyncPolicy } from './run/journal-file.js'
import type { PooledTransport } from './transport/transport.js'

/** `simulate` plays the providers on a loopback socket. `config`: default `configFile`, or the user's file. */
export interface PlanOptions extends PlanSettings {
  readonly configFile?: string | undefined
  /**
   * A folder whose `aetherflow.config.json` counts over the user's configuration, as far as a stranger's may: no addresses, no keys,
   * no prices, and the lower ceiling of a budget. Default: none. The command line takes the working folder's.
   */
  readonly project?: string | undefined
}

export interface RunPlanOptions extends PlanOptions, CacheSettings {
  readonly signal?: AbortSignal | undefined
  readonly onEvent?: ((event: RunEvent) => void) | undefined
  /** Answer text of steps as it streams. */
  readonly onText?: ((step: string, piece: string) => void) | undefined
  /** Told of every prompt before it is sent; not of those that a cache or a journal answers. */
  readonly onPrompt?: ((prompt: SentPrompt) => void) | undefined
  /**
   * Makes an output durable; what it resolves to, a text, is the `path` of the event `done`. A rejection cancels the run. `again`: the step ended before the run was resumed, so that the output
   * may be there already: a delivery may come twice, and is never left out.
   */
  readonly deliver?:
    ((step: StepInfo, text: string, again: boolean) => Promise<string | void> | string | void) | undefined
  /** Keeps an answer that was paid for and does not hold the step's output constraint, or was cut short. `why`: for people. */
  readonly rejected?: ((step: StepInfo, text: string, why: string) => Promise<unknown> | void) | undefined
  /**
   * Folder that keeps the run's journal, made when it is missing, or a store of your own. With it the run outlives its process:
   * `resume` continues it, and nothing that the journal holds is called again. Absent: nothing is kept. A folder belongs to one run.
   */
  readonly journal?: string | RunStore | undefined
  /** Resumes the run in `journal`; with a plan, begins it when there is none. Options that the run began with stay. Default false. */
  readonly resume?: boolean | undefined
  /**
   * As `resume`; but when the plan has changed, or the run came to its end with steps undone, a new run takes its place, in
   * which steps that match a done one of the old (the step, all before it, its context files) keep its output. Default false.
   */
  readonly reuse?: boolean | undefined
  /** Takes the run from an owner on another machine. Only when that is gone for certain. Default false. */
  readonly takeOver?: boolean | undefined
  /**
   * When a journal line counts as kept, and its output is told: `always` (default) once flushed to disk; a number: likewise, with
   * at most one flush in so many ms; `never`: once the system has it, which a loss of power may undo.
   */
  readonly sync?: SyncPolicy | undefined
  /** Name of the plan for reports; kept in the journal. */
  readonly planName?: string | undefined
  /** Instead of the platform's, for every provider call. */
  readonly fetch?: Fetch | undefined
  /**
   * Whose limits count: `shared` (default) those of every run of this process together, in calls at once, windows, waits, circuit
   * breakers and what was measured of models; `own` this run's alone; or an object that several runs share. Simulated runs have their own.
   */
  readonly limits?: 'shared' | 'own' | LimitAuthority | undefined
  /** What is known of drafts between runs, as a `DraftBook` keeps it. Default: this run begins with nothing, and switches none off. */
  readonly draftPairs?: DraftPairs | undefined
  /** Connections shared with other runs, from `pooledTransport()`; its opener closes it. Default: a pool of the run's own. */
  readonly pool?: PooledTransport | undefined
  /** False: answers come whole instead of streamed; then there is no first token and no text on the way. Default true. */
  readonly stream?: boolean | undefined
  readonly clock?: Clock | undefined
  /** Folder that context files are read from; default: the working folder. */
  readonly folder?: string | undefined
  /**
   * Files and folders below `folder` that a plan may send to providers although they are hidden, configurations of AetherFlow or
   * called like files of keys. A file that holds the key of a configured provider is never sent.
   */
  readonly allowFiles?: readonly string[] | undefined
  /** Spans and metrics of the run, over the module `@opentelemetry/api` that is handed in. Default: none. */
  readonly telemetry?: TelemetryOptions | undefined
  /** The clients of providers, such as `RemoteCalls` of workers; the opener closes them. Default: those of the configuration. */
  readonly clients?: RunProviders | undefined
  /** Carries out calls instead of the providers' clients: tools of your own, tests. Every provider then counts as configured. */
  readonly performer?: Performer | undefined
  /**
   * How answers are checked. Whether code parses, and whether it fits its target, is always read; programs (`check.command`,
   * `check.tests` of a step) run only where `allow` is true, in a box: see `openBox`. Absent members: of the configuration. False:
   * nothing is checked. Or a checker of your own.
   */
  readonly checks?: ChecksConfig | AnswerChecker | false | undefined
  /**
   * What steps find that ask for documents: an open index, which its opener closes, or which folder's. Default: that of `folder`, opened
   * when a step asks, and kept in the user's cache folder. False: none, and such steps fail. Of a folder only what could be a
   * context file is looked at.
   */
  readonly documents?: DocumentFinder | RunDocuments | false | undefined
}

/** The index of a folder, as `openDocs` opens it. */
export type RunDocuments = Pick<OpenDocsOptions, 'dir' | 'keep' | 'model' | 'leastConfidence' | 'rank' | 'grammars'>
