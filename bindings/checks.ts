/**
 * The run's side of checks: `check` of the core, carried out. What was found is in the journal, so that a run that is resumed
 * checks nothing twice; an answer whose check was under way is checked again.
 */
import { ofCall } from './call-events.js'
import type { CarryingHost } from './carrying-host.js'
import { withChecks } from './check-report.js'
import type { AnswerChecker, CheckFound } from './checker.js'
import type { CheckCommand } from './commands.js'
import type { RunEvent, StepInfo } from './events.js'
import type { SignalTexts } from './journal/journal.js'
import type { RunTexts } from './run-texts.js'

export interface ChecksHost extends CarryingHost {
  hostFailed(error: unknown): void
}

export class Checks {
  readonly #host: ChecksHost
  readonly #checker: AnswerChecker | undefined
  readonly #stop = new AbortController()

  constructor(host: ChecksHost, checker: AnswerChecker | undefined) {
    this.#host = host
    this.#checker = checker
  }

  /** The report, with what was found. */
  readonly report = withChecks

  /** Programs that run are stopped; what they find is too late. */
  close(): void {
    this.#stop.abort()
  }

  check({ step: index, call }: CheckCommand): void {
    const { texts } = this.#host
    const step = texts.steps[index]
    const text = texts.answers.get(index)
    if (step === undefined || text === undefined) return
    // The core asks only who can check; a journal of another host may stand here.
    const nothing = { pass: true, parts: [], functional: false, issues: '' }
    const job = { step, text, earlier: earlierOutputs(texts, step), signal: this.#stop.signal }
    const checking = this.#checker?.check(job) ?? Promise.resolve(nothing)
    checking.then(
      ({ issues, ...found }) => this.#tell(index, call, found, issues),
      (error: unknown) => this.#host.hostFailed(error),
    )
  }

  #tell(step: number, call: number, found: CheckFound, issues: string): void {
    if (this.#stop.signal.aborted) return
    const { core, texts, now } = this.#host
    this.#host.attach({ w: JSON.stringify(found), ...(issues === '' ? {} : { x: issues }) })
    if (!this.#host.signal(() => core.signal('checked', checkedValues(step, call, found), now))) return
    const event = checkedEvent(texts, step, found, issues, now)
    if (event !== undefined) this.#host.emit(event)
  }
}

/** The numbers of the signal; see core/base/vocabulary.def. */
function checkedValues(step: number, call: number, { pass, quality, parts }: CheckFound): number[] {
  const tests = parts.find(({ kind }) => kind === 'tests')
  const score = quality === undefined ? -1 : Math.round(quality.score * 1000)
  return [step, call, Number(pass), score, tests?.passed ?? -1, tests?.total ?? -1]
}

/** Takes over what was found, and tells it; undefined: no call is known for it. */
export function checkedEvent(
  texts: RunTexts,
  step: number,
  found: CheckFound,
  issues: string,
  at: number,
): RunEvent | undefined {
  const command = texts.checked(step, found, issues)
  if (command === undefined || found.parts.length === 0) return undefined
  return { type: 'checked', ...ofCall(texts, command, at), ...found, ...(found.pass ? {} : { issues }) }
}

/** What a journal has of a check. */
export function checkedOf({ w, x }: SignalTexts, values: readonly number[]): { found: CheckFound; issues: string } {
  const pass = (values[2] ?? 0) > 0
  const found = w === undefined ? undefined : (JSON.parse(w) as CheckFound)
  return { found: { parts: [], functional: false, ...found, pass }, issues: x ?? '' }
}

/** Outputs of all steps before one, in the order of the plan. */
function earlierOutputs(texts: RunTexts, step: StepInfo): (readonly [StepInfo, string])[] {
  const before = new Set<number>()
  const waiting = [...step.dependencies]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (before.has(next)) continue
    before.add(next)
    waiting.push(...(texts.steps[next]?.dependencies ?? []))
  }
  return [...before]
    .sort((a, b) => a - b)
    .flatMap((index) => {
      const [known, text] = [texts.steps[index], texts.outputs[index]]
      return known === undefined || text === undefined ? [] : [[known, text] as const]
    })
}
