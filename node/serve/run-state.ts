/** What a run's events come to: the snapshot with which a stream of them begins. */
import type { RunEvent, RunEventOf } from '../../bindings/events.js'

export interface StepState {
  readonly id: string
  readonly state: 'waiting' | 'calling' | 'done' | 'failed' | 'skipped' | 'cancelled'
  /** Of its output. */
  readonly bytes?: number
  /** Why it failed or was left out. */
  readonly words?: string
}

export class RunState {
  readonly #steps = new Map<string, StepState>()
  #costMicroUsd = 0
  #assumed = false
  /** Its last event was told: whatever is left to do is the host's. */
  outcome: RunEventOf<'finish'>['outcome'] | undefined
  /** Of runs under way, by step. */
  readonly outputs = new Map<string, string>()

  get costMicroUsd(): number {
    return this.#costMicroUsd
  }

  /** Part of the cost is at a price that was assumed. */
  get priceAssumed(): true | undefined {
    return this.#assumed || undefined
  }

  get steps(): readonly StepState[] {
    return [...this.#steps.values()]
  }

  take(event: RunEvent): void {
    switch (event.type) {
      case 'steps':
        for (const { id } of event.steps) if (!this.#steps.has(id)) this.#put({ id, state: 'waiting' })
        return
      case 'call':
        // A further call of a step that has its answer: an audit.
        if (this.#steps.get(event.step)?.state === 'waiting') this.#put({ id: event.step, state: 'calling' })
        return
      case 'callEnd':
        this.#costMicroUsd += event.costMicroUsd
        this.#assumed ||= event.priceAssumed === true
        return
      case 'done':
        return this.#put({ id: event.step, state: 'done', bytes: event.bytes })
      case 'failed':
        return this.#put({ id: event.step, state: 'failed', words: `${event.failure}: ${event.message}` })
      case 'skipped':
        return this.#put({ id: event.step, state: 'skipped', words: event.reason })
      case 'cancelled':
        return this.#put({ id: event.step, state: 'cancelled', words: event.reason })
      case 'finish':
        this.#costMicroUsd = event.costMicroUsd
        this.outcome = event.outcome
        return
      default:
    }
  }

  #put(step: StepState): void {
    this.#steps.set(step.id, step)
  }
}
