/** What a page and the thread that works for it tell each other, whichever thread that is. */
import type { RunEvent, StepInfo } from '../../bindings/events.js'
import type { Performer } from '../../bindings/performer.js'
import type { Clock, Fetch } from '../../bindings/ports.js'
import type { RunControl } from '../standard/plan-run.js'
import type { PlanSettings } from '../standard/run-setup.js'
import type { RunPlanOptions } from './options.js'

/** Options that can be cloned. */
export interface JobSettings extends PlanSettings {
  readonly stream?: boolean | undefined
  readonly simulateSpeed?: number | undefined
  readonly providers?: readonly string[] | undefined
  readonly relay?: string | undefined
  /** Address of the module. */
  readonly core?: string | undefined
  /** What the page can be asked for. */
  readonly answers: readonly Question[]
}

export type JobKind = 'run' | 'check' | 'explain' | 'probe'
export type Question = 'key' | 'file' | 'deliver' | 'text' | 'journal'

/** The page, as the job sees it. */
export interface Page {
  emit(event: RunEvent): void
  text(step: string, piece: string): void
  journal(lines: string): void
  deliver(step: StepInfo, text: string, again: boolean): Promise<void> | void
  key(provider: string): string | undefined | Promise<string | undefined>
  file(path: string): string | Promise<string>
  own(control: RunControl): void
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
  readonly plan: Uint8Array | AsyncIterable<Uint8Array>
}

const cloned = [
  ...(['mode', 'concurrency', 'config', 'simulate', 'strip', 'optimize', 'policy', 'seed'] as const),
  ...(['stream', 'simulateSpeed', 'providers', 'relay'] as const),
]

export function settingsOf(options: RunPlanOptions): JobSettings {
  const { keys, readFile, deliver, onText, onJournal, assets } = options
  const can: Readonly<Record<Question, unknown>> = {
    key: keys,
    file: readFile,
    deliver,
    text: onText,
    journal: onJournal,
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
): Page {
  return {
    emit,
    own,
    text: (step, piece) => options.onText?.(step, piece),
    journal: (lines) => options.onJournal?.(lines),
    deliver: (step, text, again) => options.deliver?.(step, text, again),
    key: (provider) => options.keys?.(provider),
    file: (path) => options.readFile?.(path) ?? '',
  }
}
