/** The texts of a run: the core keeps none of them. And what notes of the core mean to a watcher. */
import type { Command } from './commands.js'
import type { RunEvent, StepInfo } from './events.js'
import { failureKinds, failureKindWords, reasonWords } from './generated/wire.js'

export class RunTexts {
  readonly steps: StepInfo[] = []
  providers: readonly { readonly id: string }[] = []
  models: readonly { readonly id: string }[] = []
  /** Final text by step. */
  readonly outputs: (string | undefined)[] = []
  /** The latest main or repair answer of a step that is not delivered yet. */
  readonly answers = new Map<number, string>()
  /** What was found wrong with it. */
  readonly issues = new Map<number, string>()
  /** Why the last call of a step failed. */
  readonly failures = new Map<number, string>()

  /** Outputs of the step's dependencies that have one, in their order. */
  inputsOf(step: StepInfo): (readonly [number, string])[] {
    const inputs: (readonly [number, string])[] = []
    for (const index of step.dependencies) {
      const text = this.outputs[index]
      if (text !== undefined) inputs.push([index, text])
    }
    return inputs
  }

  /** Moves a step's answer to its outputs. */
  deliver(step: number): string {
    const text = this.answers.get(step) ?? ''
    this.answers.delete(step)
    this.issues.delete(step)
    this.failures.delete(step)
    this.outputs[step] = text
    return text
  }

  outputsById(): Map<string, string> {
    const outputs = new Map<string, string>()
    this.steps.forEach(({ id }, index) => {
      const text = this.outputs[index]
      if (text !== undefined) outputs.set(id, text)
    })
    return outputs
  }

  /** A `note` command as an event: the end of a step that came to nothing, or a remark. */
  noteEvent(command: Command, at: number, costMicroUsd: number): RunEvent {
    const step = this.steps[command.step]?.id
    const { reason } = command
    if (step !== undefined && command.c >= 0) {
      if (reason === 'provider_failed') {
        const failure = failureKinds[command.a] ?? 'server_error'
        const message = this.failures.get(command.step) ?? failureKindWords[failure]
        return { type: 'failed', at, step, failure, message, costMicroUsd }
      }
      if (reason === 'dependency_failed') {
        const cause = this.steps[command.b]?.id
        return { type: 'skipped', at, step, reason, ...(cause === undefined ? {} : { cause }) }
      }
      return { type: 'cancelled', at, step, reason }
    }
    const detail = this.#detail(command)
    const of = step === undefined ? {} : { step }
    return { type: 'note', at, ...of, reason, words: reasonWords[reason], ...(detail === undefined ? {} : { detail }) }
  }

  #detail(command: Command): string | undefined {
    switch (command.reason) {
      case 'overflowed':
        return `${this.providers[command.provider]?.id ?? ''} ${this.models[command.model]?.id ?? ''}`
      case 'audit_issues':
      case 'constraint_broken':
        return this.issues.get(command.step)
      case 'audit_failed':
      case 'repair_failed':
        return failureKindWords[failureKinds[command.a] ?? 'server_error']
      default:
        return undefined
    }
  }
}
