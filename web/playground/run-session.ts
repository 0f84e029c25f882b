/** One run and everything that is known of it: its events folded, its answers as they stream, its journal in memory. */
import type { DraftUse } from '../../bindings/generated/wire.js'
import { RunModel } from '../element/run-model.js'
import {
  runPlan,
  type AnswerCache,
  type Config,
  type PageRunResult,
  type RunEvent,
  type RunPlanOptions,
  type DocumentFinder,
} from '../browser/index.js'
import { simulateSpeed } from './pace.js'
import { problemOfError } from './plan-check.js'

export interface SessionSettings {
  readonly mode: string
  /** Name of a simulated profile; undefined: the real providers. */
  readonly simulate: string | undefined
  /** How many times as fast as its profile a simulated run is played. */
  readonly speed: number
  /** Most that the run may cost, US dollars; undefined: no limit. */
  readonly budgetUsd: number | undefined
  /** Undefined: as the plan says. */
  readonly draft: DraftUse | undefined
  readonly config: Config | undefined
  readonly relay: string | undefined
  /** Answers of earlier runs; undefined: none is reused. */
  readonly cache: AnswerCache | undefined
  readonly keys: (provider: string) => string | undefined
  readonly readFile: (path: string) => Promise<string>
  readonly documents: DocumentFinder
}

export interface SessionWatcher {
  onEvents(): void
  /** `step` has more text, or begins again. */
  onText(step: string): void
  onEnd(): void
}

export class RunSession {
  readonly plan: string
  readonly settings: SessionSettings
  readonly model = new RunModel()
  /** ms of the profile in one ms: whatever is shown is in the profile's own time. */
  readonly #pace: number
  readonly #watcher: SessionWatcher
  readonly #run: ReturnType<typeof runPlan>
  readonly #answers = new Map<string, string[]>()
  readonly #journal: string[] = []
  /** What the providers said of failed steps, by step. */
  readonly messages = new Map<string, string>()
  readonly startedAt = new Date()
  /** When the run began, on the page's clock: as the soonest event tells it. */
  #origin = Number.POSITIVE_INFINITY
  result: PageRunResult | undefined
  error: unknown
  over = false
  stopping = false

  constructor(plan: string, settings: SessionSettings, watcher: SessionWatcher) {
    this.plan = plan
    this.settings = settings
    this.#watcher = watcher
    const { mode, simulate, speed, budgetUsd, draft, config, relay, cache, keys, readFile, documents } = settings
    this.#pace = simulate === undefined ? 1 : speed
    this.model.reuses = cache !== undefined
    const options: RunPlanOptions = {
      mode,
      ...(draft === undefined ? {} : { draft }),
      readFile,
      documents,
      ...(simulate === undefined ? { keys } : { simulate, simulateSpeed: simulateSpeed(simulate, speed) }),
      ...(simulate === undefined && relay !== undefined ? { relay } : {}),
      ...(config === undefined ? {} : { config }),
      ...(budgetUsd === undefined ? {} : { policy: { budget: { run: { usd: budgetUsd } } } }),
      onEvent: (event) => this.#take(event),
      onText: (step, piece) => {
        const pieces = this.#answers.get(step) ?? []
        pieces.push(piece)
        this.#answers.set(step, pieces)
        watcher.onText(step)
      },
      ...(cache === undefined ? {} : { cache, deliver: ({ id }, text) => this.#deliver(id, text) }),
      onJournal: (lines) => this.#journal.push(lines),
    }
    this.#run = runPlan(plan, options)
    void this.#run.result.then(
      (result) => this.#end(result, undefined),
      (error: unknown) => this.#end(undefined, error),
    )
  }

  /** ms since the run began. */
  get now(): number {
    return this.over || this.model.version === 0
      ? this.model.at
      : Math.max(this.model.at, (performance.now() - this.#origin) * this.#pace)
  }

  /** Why there is no result. */
  get refusal(): string {
    const { detail, code, advice } = problemOfError(this.error)
    return `${detail === '' ? code : detail}: ${advice}`
  }

  get journal(): string {
    return this.#journal.join('')
  }

  /** The step's answer: as delivered once it is, else as it streams. */
  answer(step: string): string {
    return this.result?.outputs.get(step) ?? this.#answers.get(step)?.join('') ?? ''
  }

  stop(): void {
    this.stopping = true
    this.#run.cancel()
  }

  cancelStep(step: string): void {
    this.#run.cancel(step)
  }

  /** Answers that are reused do not stream. */
  #deliver(step: string, text: string): void {
    if (this.#answers.has(step)) return
    this.#answers.set(step, [text])
    this.#watcher.onText(step)
  }

  #take(event: RunEvent): void {
    this.#origin = Math.min(this.#origin, performance.now() - event.at / this.#pace)
    if (event.type === 'restart') {
      this.#answers.delete(event.step)
      this.#watcher.onText(event.step)
    }
    if (event.type === 'failed') this.messages.set(event.step, event.message)
    this.model.apply(event)
    this.#watcher.onEvents()
  }

  #end(result: PageRunResult | undefined, error: unknown): void {
    this.over = true
    this.result = result
    this.error = error
    this.#watcher.onEnd()
  }
}
