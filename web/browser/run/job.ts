/** What a page and the thread that works for it tell each other, whichever thread that is. */
import type { AnswerCache } from '../../../bindings/cache/ports.js'
import { AetherflowError } from '../../../bindings/errors.js'
import type { RunEvent, StepInfo } from '../../../bindings/events.js'
import type { Performer } from '../../../bindings/performer.js'
import type { Clock, DocumentFinder, Fetch } from '../../../bindings/ports.js'
import type { RunControl } from '../../standard/run/plan-run.js'
import { mustKnowOptions, planSettings, sharedOptions } from '../../standard/run/known-options.js'
import type { CacheSettings, PlanSettings } from '../../standard/run/setup.js'
import type { RunPlanOptions } from '../options.js'

/** Options that can be cloned. */
export interface JobSettings extends PlanSettings, Omit<CacheSettings, 'cache'> {
  readonly stream?: boolean | undefined
  readonly simulateSpeed?: number | undefined
  readonly providers?: readonly string[] | undefined
  readonly relay?: string | undefined
  readonly journal?: string | undefined
  readonly resume?: boolean | undefined
  readonly reuse?: boolean | undefined
  readonly planName?: string | undefined
  /** Address of the module. */
  readonly core?: string | undefined
  /** What the page can be asked for. */
  readonly answers: readonly Question[]
}

export type JobKind = 'run' | 'check' | 'explain' | 'probe' | KeptRunsJob
/** Of the journals that the browser keeps; `settings.journal` names one. */
export type KeptRunsJob = 'listRuns' | 'deleteRun' | 'readRun'
export type Question = 'key' | 'file' | 'list' | 'deliver' | 'rejected' | 'text' | 'journal' | 'cache' | 'documents'

/** The page, as the job sees it. */
export interface Page {
  emit(event: RunEvent): void
  text(step: string, piece: string): void
  journal(lines: string): void
  deliver(step: StepInfo, text: string, again: boolean): Promise<string | void> | string | void
  rejected(step: StepInfo, text: string, why: string): Promise<unknown> | void
  key(provider: string): string | undefined | Promise<string | undefined>
  file(path: string): string | Promise<string>
  list(entry: string, most: number): readonly string[] | Promise<readonly string[]>
  own(control: RunControl): void
  find: DocumentFinder['retrieve']
  /** Of the run's cache. */
  look: AnswerCache['get']
  keep: AnswerCache['put']
}

/** What only a job of the page's own thread can be given. */
export interface Here {
  readonly performer?: Performer | undefined
  readonly fetch?: Fetch | undefined
  readonly clock?: Clock | undefined
}

export interface Job {
  readonly kind: JobKind
  readonly settings: JobSettings
  /** Without a byte: none was given, the journal has it. */
  readonly plan: Uint8Array | AsyncIterable<Uint8Array>
}

const cloned = [
  ...(Object.keys(planSettings) as (keyof PlanSettings)[]),
  ...([
    'stream',
    'simulateSpeed',
    'providers',
    'relay',
    'journal',
    'resume',
    'reuse',
    'planName',
    'cacheModes',
    'tenant',
  ] as const),
]

const known: Readonly<Record<keyof RunPlanOptions, true>> = {
  ...sharedOptions,
  ...{ worker: true, assets: true, keys: true, providers: true, relay: true, simulateSpeed: true },
  ...{
    signal: true,
    onEvent: true,
    onText: true,
    deliver: true,
    rejected: true,
    readFile: true,
    listFiles: true,
    onJournal: true,
    stream: true,
  },
  ...{
    documents: true,
    journal: true,
    resume: true,
    reuse: true,
    planName: true,
    fetch: true,
    clock: true,
    performer: true,
  },
}

/** Fails: host.usage for an option that there is not. */
export function settingsOf(options: RunPlanOptions): JobSettings {
  mustKnowOptions(options, known)
  const { keys, readFile, listFiles, deliver, rejected, onText, onJournal, cache, documents, assets } = options
  const can: Readonly<Record<Question, unknown>> = {
    key: keys,
    file: readFile,
    list: listFiles,
    deliver,
    rejected,
    text: onText,
    journal: onJournal,
    cache,
    documents,
  }
  const answers = (Object.keys(can) as Question[]).filter((question) => can[question] !== undefined)
  const picked: Record<string, unknown> = {}
  for (const name of cloned) if (options[name] !== undefined) picked[name] = options[name]
  return { ...picked, answers, core: absolute(assets?.core) }
}

/** A worker's own address is another base than the page's. */
function absolute(url: string | URL | undefined): string | undefined {
  return url === undefined ? undefined : new URL(url, globalThis.location?.href).href
}

export function pageOf(
  options: RunPlanOptions,
  emit: (event: RunEvent) => void,
  own: (control: RunControl) => void,
  cache: AnswerCache = noCache,
): Page {
  return {
    emit,
    own,
    text: (step, piece) => options.onText?.(step, piece),
    journal: (lines) => options.onJournal?.(lines),
    deliver: (step, text, again) => options.deliver?.(step, text, again),
    rejected: (step, text, why) => options.rejected?.(step, text, why),
    key: (provider) => options.keys?.(provider),
    file: (path) => options.readFile?.(path) ?? '',
    list: (entry, most) => options.listFiles?.(entry, most) ?? [entry],
    find: (question, wanted) => options.documents?.retrieve(question, wanted) ?? refuse(),
    look: (question) => cache.get(question),
    keep: (put) => cache.put(put),
  }
}

const refuse = (): Promise<never> => Promise.reject(new AetherflowError('host.usage', '', 'the run has none'))
/** Of a job that never asks. */
const noCache: AnswerCache = { get: refuse, put: refuse }
