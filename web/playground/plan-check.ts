/** Checks a plan as it is typed: the core's own reading of it, a moment after the last key. */
import {
  AetherflowError,
  checkPlan,
  explainPlan,
  type CheckedPlan,
  type Config,
  type KeySource,
} from '../browser/index.js'
import { errorAdvice, type ErrorCode } from '../../bindings/generated/wire.js'
import type { Problem } from './editor/plan-editor.js'

export interface Verdict {
  readonly text: string
  readonly plan: CheckedPlan | undefined
  readonly problems: readonly Problem[]
}

export interface CheckWatcher {
  /** Contents of a context file. */
  readFile(path: string): Promise<string>
  onVerdict(verdict: Verdict): void
  onEstimate(makespanMs: number, costMicroUsd: number): void
  /** Why there is none. */
  onNoEstimate(words: string): void
}

/** What a run would be started with. */
export interface CheckSettings {
  readonly mode: string
  readonly budgetUsd: number | undefined
  readonly config: Config | undefined
  /** Name of the simulated profile that would play; undefined: real providers. */
  readonly simulate: string | undefined
  /** Of real providers. */
  readonly keys: KeySource
}

/** ms of no typing before a check. */
const pauseMs = 200

export class PlanCheck {
  readonly #watcher: CheckWatcher
  #timer: ReturnType<typeof setTimeout> | undefined
  #turn = 0

  constructor(watcher: CheckWatcher) {
    this.#watcher = watcher
  }

  /** `now`: without waiting for more. */
  ask(text: string, settings: CheckSettings, now = false): void {
    clearTimeout(this.#timer)
    const turn = ++this.#turn
    this.#timer = setTimeout(() => void this.#check(text, settings, turn), now ? 0 : pauseMs)
  }

  /** What is in progress is of no use any more. */
  forget(): void {
    clearTimeout(this.#timer)
    this.#turn += 1
  }

  async #check(text: string, settings: CheckSettings, turn: number): Promise<void> {
    const verdict = await verdictOn(text)
    if (turn !== this.#turn) return
    this.#watcher.onVerdict(verdict)
    if (verdict.plan === undefined) return
    try {
      const estimate = await explainPlan(text, { ...optionsOf(settings), readFile: this.#watcher.readFile })
      if (turn === this.#turn) this.#watcher.onEstimate(estimate.report.makespanMs, estimate.costMicroUsd.expected)
    } catch (error) {
      if (turn === this.#turn) this.#watcher.onNoEstimate(error instanceof Error ? error.message : String(error))
    }
  }
}

function optionsOf({ mode, budgetUsd, config, simulate, keys }: CheckSettings) {
  return {
    mode,
    ...(simulate === undefined ? { keys } : { simulate }),
    ...(config === undefined ? {} : { config }),
    ...(budgetUsd === undefined ? {} : { policy: { budget: { run: { usd: budgetUsd } } } }),
  }
}

async function verdictOn(text: string): Promise<Verdict> {
  try {
    const plan = await checkPlan(text)
    return { text, plan, problems: plan.warnings.map((warning) => problemOf('warning', warning)) }
  } catch (error) {
    return { text, plan: undefined, problems: problemsOfError(error) }
  }
}

/** Also of a run that was refused. */
export function problemOfError(error: unknown): Problem {
  if (error instanceof AetherflowError) return problemOf('error', error)
  const detail = error instanceof Error ? error.message : String(error)
  return { severity: 'error', code: 'host.io_failed', where: '', detail, advice: errorAdvice['host.io_failed'] }
}

/** All that a plan's refusal tells. */
function problemsOfError(error: unknown): Problem[] {
  const others = error instanceof AetherflowError ? error.others : []
  return [problemOfError(error), ...others.map((other) => problemOf('error', other))]
}

function problemOf(
  severity: Problem['severity'],
  { code, where, detail }: { readonly code: string; readonly where: string; readonly detail: string },
): Problem {
  return { severity, code, where, detail, advice: errorAdvice[code as ErrorCode] ?? '' }
}
