/**
 * Ends steps that a rule of the plan says are not needed any more (until.ts). Asked as soon as a step has ended, before anything that
 * waits for it leaves; what it decides is an event of the core, so it stands in the journal and a replay decides nothing anew.
 */
import type { CoreRun } from './core.js'
import { AetherflowError } from './errors.js'
import type { RunEvent } from './events.js'
import type { RunTexts } from './run-texts.js'
import { unneeded, untilRules, watches, type EndedStep, type UntilRule } from './until.js'

export interface SettlingHost {
  readonly core: CoreRun
  readonly texts: RunTexts
  readonly now: number
  emit(event: RunEvent): void
}

export class Settling {
  readonly #host: SettlingHost
  /** By id of a step that they look at. */
  #rules: Map<string, UntilRule[]> | undefined
  /** The plan's metadata was seen. */
  #sought = false
  readonly #ended = new Map<string, EndedStep>()
  readonly #steps = new Map<string, number>()
  /** Steps that were ended here. */
  readonly unneeded = new Set<number>()
  /** False while a journal tells what was: its decisions are in it. */
  #live: boolean

  constructor(host: SettlingHost, resumes: boolean) {
    this.#host = host
    this.#live = !resumes
  }

  /** Every event of the run passes here. */
  see(event: RunEvent): void {
    if (event.type === 'steps') return this.#read(event.steps)
    if (event.type === 'resumed') return this.#goOn()
    if (this.#rules === undefined) return
    if (event.type === 'failed' || event.type === 'skipped' || event.type === 'cancelled')
      this.#end(event.step, undefined)
  }

  /** The step's output stands, whether it is told already or not. */
  delivered(step: number): void {
    const { texts } = this.#host
    if (this.#rules === undefined) return
    this.#end(texts.steps[step]?.id ?? '', texts.outputs[step])
  }

  /** Metadata stands before the last step of a plan that streams, or is not seen. */
  #read(steps: readonly { readonly step: number; readonly id: string }[]): void {
    if (!this.#sought) {
      const { metadata } = this.#host.core.document<{ metadata?: unknown }>('plan')
      this.#sought = metadata !== undefined
      const rules = untilRules(metadata, (where) => this.#odd(where))
      if (rules.length === 0) return
      this.#rules = new Map()
      for (const rule of rules)
        for (const id of watches(rule)) this.#rules.set(id, [...(this.#rules.get(id) ?? []), rule])
      for (const { step, id } of this.#host.texts.steps) this.#steps.set(id, step)
    }
    if (this.#rules !== undefined) for (const { step, id } of steps) this.#steps.set(id, step)
  }

  #odd(where: string): void {
    const detail = 'is no rule that is known here, and is not obeyed'
    this.#host.emit({ type: 'warning', at: this.#host.now, code: 'plan.wrong_type', where, detail })
  }

  /** What the process that is gone had no time to decide. */
  #goOn(): void {
    this.#live = true
    for (const rules of this.#rules?.values() ?? []) for (const rule of rules) this.#apply(rule)
  }

  #end(id: string, text: string | undefined): void {
    if (this.#ended.has(id)) return
    this.#ended.set(id, { text })
    if (this.#live) for (const rule of this.#rules?.get(id) ?? []) this.#apply(rule)
  }

  #apply(rule: UntilRule): void {
    const { settled, cancelled } = unneeded(rule, this.#ended)
    for (const id of settled) this.#cancel(id, true)
    for (const id of cancelled) this.#cancel(id, false)
  }

  /** One that has ended, or ends just now, stays as it is. */
  #cancel(id: string, settled: boolean): void {
    const step = this.#steps.get(id)
    if (step === undefined || this.#ended.has(id)) return
    const { core, now } = this.#host
    try {
      core.cancelStep(step, now, settled)
      this.unneeded.add(step)
    } catch (error) {
      if (!(error instanceof AetherflowError) || error.code !== 'run.illegal_event') throw error
    }
  }
}
