/** The plan on its way into the core: in pieces, and no further once it is broken or the run is cancelled. */
import type { CoreRun } from './core.js'
import { AetherflowError } from './errors.js'
import type { RunEvent, StepInfo } from './events.js'
import { partsByStep } from './parts-of.js'
import type { RunTexts } from './run-texts.js'

export interface FeedHost {
  readonly core: CoreRun
  readonly texts: RunTexts
  readonly now: number
  /** The run was cancelled: the core takes no more of the plan. */
  readonly cancelled: boolean
  /** Throws what makes the plan impossible here. */
  accept(step: StepInfo): void
  emit(event: RunEvent): void
  /** Carries out what the core has decided so far. */
  pump(): void
  /** More of the plan is known; what obeys its rules may have to be loaded before anything is handed out. */
  known(): Promise<void> | undefined
}

export type PlanWarning = Omit<RunEvent & { readonly type: 'warning' }, 'type' | 'at'>

/** Files whose text is sent with a step: one that changes a file in parts sees it. */
export function filesSent(files: readonly string[], placing: object): readonly string[] {
  const { target, edit } = placing as { readonly target?: unknown; readonly edit?: unknown }
  return edit === 'blocks' && typeof target === 'string' && !files.includes(target) ? [...files, target] : files
}

export const withTarget = (step: StepInfo): StepInfo => {
  const files = filesSent(step.files, step.placing ?? {})
  return files === step.files ? step : { ...step, files }
}

/** The outputs of parts are inputs of the step that spread into them. */
function connectParts(all: StepInfo[], steps: readonly StepInfo[]): void {
  for (const [of, more] of partsByStep(steps)) {
    const whole = all[of]
    if (whole !== undefined) all[of] = { ...whole, dependencies: [...whole.dependencies, ...more] }
  }
}

/** Bytes that cross at once: the core copies each piece. */
const pieceBytes = 1 << 20

/** Steps whose text crosses at once. */
const pieceSteps = 1000
const readSteps = (core: CoreRun, from: number): StepInfo[] =>
  core.document<StepInfo[]>('steps', from, pieceSteps).map(withTarget)

export class PlanFeed {
  readonly #host: FeedHost
  #broken = false
  #warned = 0

  constructor(host: FeedHost) {
    this.#host = host
  }

  /** The core has refused the plan, and reports it as the outcome. */
  get broken(): boolean {
    return this.#broken
  }

  /** A plan that streams is worked on while the rest is still coming. */
  async feed(plan: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
    const { core } = this.#host
    if (plan instanceof Uint8Array) {
      this.#bytes(plan)
    } else {
      for await (const chunk of plan) {
        this.#bytes(chunk)
        if (this.#broken || this.#host.cancelled) break
        const loading = this.#host.known()
        if (loading !== undefined) await loading
        this.#host.pump()
      }
    }
    if (this.#host.cancelled) return
    this.#tell(() => core.planEnd(this.#host.now))
    if (!this.#broken) this.adoptSteps(this.#host.now)
    const loading = this.#host.known()
    if (loading !== undefined) await loading
  }

  /** What a step spreads into: a whole text of its own; absent: it is read, but for its end. False: the core has refused it. */
  more(text?: Uint8Array): boolean {
    const { core, now } = this.#host
    if (text !== undefined) this.#tell(() => core.planBytes(text, now))
    this.#tell(() => core.planEnd(now))
    if (!this.#broken) this.adoptSteps(now)
    return !this.#broken
  }

  #bytes(bytes: Uint8Array): void {
    const { core } = this.#host
    for (let from = 0; from < bytes.length && !this.#host.cancelled; from += pieceBytes) {
      // A broken plan is read on: only the whole text tells one that is not JSON from one that is no plan.
      this.#tell(() => core.planBytes(bytes.subarray(from, from + pieceBytes), this.#host.now))
    }
    if (!this.#broken && !this.#host.cancelled) this.adoptSteps(this.#host.now)
  }

  /** A plan error is the core's to report: it stops what runs and finishes as plan_invalid. */
  #tell(tell: () => void): void {
    try {
      tell()
    } catch (error) {
      if (!(error instanceof AetherflowError) || error.code.startsWith('host.') || error.code.startsWith('run.'))
        throw error
      this.#broken = true
    }
  }

  /** Takes over the steps and warnings that the core has read since the last time, and tells them. */
  adoptSteps(at: number): void {
    const { core, texts } = this.#host
    const known = texts.steps.length
    // In pieces: the text of all steps at once would stay in the core's memory for good.
    for (let piece = readSteps(core, known); piece.length > 0; piece = readSteps(core, texts.steps.length)) {
      for (const step of piece) {
        this.#host.accept(step)
        texts.steps.push(step)
      }
      if (piece.length < pieceSteps) break
    }
    const steps = texts.steps.slice(known)
    if (steps.length > 0) {
      connectParts(texts.steps, steps)
      this.#host.emit({ type: 'steps', at, steps })
    }
    for (const warning of this.warnings(this.#warned)) {
      this.#warned += 1
      this.#host.emit({ type: 'warning', at, ...warning })
    }
  }

  warnings(from = 0): PlanWarning[] {
    return this.#host.core
      .document<PlanWarning[]>('warnings', from)
      .map(({ code, where, detail }) => ({ code, where, detail }))
  }
}
