/**
 * Obeys what a plan says beyond steps that are carried out: `metadata.until`, `when`, `for_each`, `pattern`. Texts are compared and
 * items found here, as the core keeps none; what comes of it is told to the core as events and as more of the plan, so it is in the
 * journal, and a replay decides nothing again.
 *
 *     expand F ─▶ when holds? ─▶ items ─▶ parts of F, a text of the plan ─▶ expanded F ┄▶ expand F ─▶ outputs joined ─▶ recalled F
 *                     └─ no ─▶ F skipped                                     all parts ended
 */
import { AetherflowError } from '../../../bindings/errors.js'
import type { RunEvent, StepInfo } from '../../../bindings/events.js'
import type { OpenRules, PlanRules, RulesHost } from '../../../bindings/plan-rules.js'
import type { FileReader } from '../../../bindings/ports.js'
import { standingOf, standings } from '../../../bindings/report-rows.js'
import { unneeded, untilRules, watches, type UntilRule } from '../../../bindings/until.js'
import { answerOf } from '../patterns/read.js'
import { holds, type Outcome } from './conditions.js'
import { ItemFault } from './items.js'
import { itemsOf } from './item-source.js'
import { joinParts } from './joined.js'
import { filesOf, partWeights, type PartWeight } from './part-weights.js'
import { itemParts, patternParts, type Part, type PatternParts } from './parts.js'
import { planTexts } from './plan-texts.js'
import { writtenOf, type Written } from './written.js'

/** Why the core is to end a step; see `cancelStep` in core/base/vocabulary.def. */
const settled = 1
const unmet = 2
const notSpread = 3

/** Steps of a plan, as the core limits them. */
const mostSteps = 200_000
/** Members that say what becomes of an answer. */
const placed = ['target', 'check', 'edit'] as const

/** A step that is held. */
interface Held {
  readonly written: Written
  readonly pattern: PatternParts | undefined
  /** asked: the core waits for it; listing: its items are being found; told: its parts are; over: nothing is left to do. */
  state: 'known' | 'asked' | 'listing' | 'told' | 'over'
  /** Positions, in order. */
  readonly parts: number[]
}

/** `files`: lists what a pattern names; undefined: it cannot be told here. */
export const rulesWith =
  (files: FileReader | undefined): OpenRules =>
  (host) =>
    new Rules(host, files)

class Rules implements PlanRules {
  readonly #host: RulesHost
  readonly #files: FileReader | undefined
  /** By id of a step that they look at. */
  readonly #rules = new Map<string, UntilRule[]>()
  readonly #held = new Map<number, Held>()
  /** By id of a step that held ones wait for. */
  readonly #waiting = new Map<string, Set<Held>>()
  readonly #ended = new Map<string, Outcome>()
  readonly #steps = new Map<string, number>()
  readonly #spread: {
    readonly held: Held
    readonly parts: readonly Part[]
    readonly weights: readonly PartWeight[]
  }[] = []
  readonly unneeded = new Set<number>()
  #sought = false
  #read = 0

  constructor(host: RulesHost, files: FileReader | undefined) {
    this.#host = host
    this.#files = files
    this.#adopt()
    this.#catchUp()
  }

  see(event: RunEvent): void {
    if (event.type === 'steps') return this.#adopt()
    if (event.type === 'resumed') return this.#rules.forEach((rules) => rules.forEach((rule) => this.#apply(rule)))
    if (event.type !== 'failed' && event.type !== 'skipped' && event.type !== 'cancelled') return
    this.#end(event.step, { state: event.type, text: undefined })
    if (event.type === 'cancelled') this.#cancelParts(event.step)
  }

  delivered(step: number): void {
    const { texts } = this.#host
    this.#end(texts.steps[step]?.id ?? '', { state: 'done', text: texts.outputs[step] })
  }

  expand(step: number): void {
    const held = this.#held.get(step)
    if (held === undefined || held.state === 'over' || this.#ended.has(held.written.step.id)) return
    if (held.state === 'told') return this.#join(held)
    held.state = 'asked'
    this.#consider(held)
  }

  /** Metadata stands before the last step of a plan that streams, or is not seen. */
  #adopt(): void {
    const { core, texts } = this.#host
    if (!this.#sought) {
      const { metadata } = core.document<{ metadata?: unknown }>('plan')
      this.#sought = metadata !== undefined
      untilRules(metadata, (where) =>
        this.#warn('plan.wrong_type', where, 'is no rule that is known here, and is not obeyed'),
      ).forEach((rule) => this.#watch(rule))
    }
    for (; this.#read < texts.steps.length; this.#read += 1) {
      const info = texts.steps[this.#read]
      if (info === undefined) break
      this.#steps.set(info.id, info.step)
      if (info.partOf !== undefined) this.#held.get(info.partOf)?.parts.push(info.step)
      const written = writtenOf(info)
      if (written !== undefined) this.#hold(written)
    }
  }

  #hold(written: Written): void {
    // Of one with both each part has the pattern.
    const pattern = written.pattern !== undefined && written.forEach === undefined ? patternParts(written) : undefined
    this.#held.set(written.info.step, { written, pattern, state: 'known', parts: [] })
    pattern?.until.forEach((rule) => this.#watch(rule))
    // Said before the first call, and not in the middle of the run.
    const { forEach } = written
    if (forEach?.items !== undefined) this.#mustSetIn(written, forEach.items)
  }

  #mustSetIn(written: Written, items: readonly unknown[]): void {
    try {
      itemParts(written, items)
    } catch (error) {
      if (!(error instanceof ItemFault)) throw error
      throw new AetherflowError('plan.bad_template', `/steps/${written.info.step}/for_each`, error.message)
    }
  }

  #watch(rule: UntilRule): void {
    for (const id of watches(rule)) this.#rules.set(id, [...(this.#rules.get(id) ?? []), rule])
  }

  /** What had ended before this was loaded: of a run that is resumed, of a plan that streams. */
  #catchUp(): void {
    const { core, texts } = this.#host
    const all = standings(core)
    for (const [id, step] of this.#steps) {
      const state = all[step]?.state ?? 'waiting'
      // Of one that is done and not delivered yet `delivered` tells.
      const text = texts.outputs[step]
      if (state === 'done' ? text !== undefined : /^(failed|skipped|cancelled)$/.test(state))
        this.#ended.set(id, { state, text })
    }
    for (const step of texts.expanded) {
      const held = this.#held.get(step)
      if (held !== undefined) held.state = 'told'
    }
  }

  #warn(code: string, where: string, detail: string): void {
    this.#host.emit({ type: 'warning', at: this.#host.now, code, where, detail })
  }

  #end(id: string, outcome: Outcome): void {
    if (this.#ended.has(id)) return
    this.#ended.set(id, outcome)
    for (const rule of this.#rules.get(id) ?? []) this.#apply(rule)
    for (const held of this.#waiting.get(id) ?? []) this.#consider(held)
    this.#waiting.delete(id)
  }

  #apply(rule: UntilRule): void {
    const { settled: over, cancelled } = unneeded(rule, this.#ended)
    for (const id of over) this.#cancel(id, settled)
    for (const id of cancelled) this.#cancel(id, 0)
  }

  /** One that has ended, or ends just now, stays as it is. */
  #cancel(id: string, why: number): void {
    const step = this.#steps.get(id)
    if (step === undefined || this.#ended.has(id)) return
    const { core, now } = this.#host
    try {
      core.cancelStep(step, now, why)
      this.unneeded.add(step)
    } catch (error) {
      if (!(error instanceof AetherflowError) || error.code !== 'run.illegal_event') throw error
    }
  }

  #cancelParts(id: string): void {
    const held = this.#held.get(this.#steps.get(id) ?? -1)
    for (const part of held?.parts ?? []) this.#cancel(this.#host.texts.steps[part]?.id ?? '', 0)
  }

  /** Does what can be done for a step that the core waits for; else it waits for a step that has to end first. */
  #consider(held: Held): void {
    if (held.state !== 'asked' || this.#ended.has(held.written.step.id)) return
    const { when, forEach, step } = held.written
    for (const condition of when) {
      const outcome = this.#ended.get(condition.step)
      if (outcome === undefined) return this.#await(held, condition.step)
      if (holds(condition, outcome, (id) => this.#verdictOf(id))) continue
      held.state = 'over'
      return this.#tell(() => this.#cancel(step.id, unmet))
    }
    if (held.pattern !== undefined) return this.#told(held, held.pattern.parts)
    if (forEach === undefined) return this.#told(held, [])
    const list = forEach.step === undefined ? undefined : this.#ended.get(forEach.step)
    if (forEach.step !== undefined && list === undefined) return this.#await(held, forEach.step)
    held.state = 'listing'
    const known = held.parts.map((part) => this.#host.texts.steps[part]?.values?.[1])
    void itemsOf(forEach, list?.text, this.#files, known)
      .then((items) => this.#told(held, itemParts(held.written, items, held.parts.length)))
      .catch((error: unknown) => this.#failed(held, error))
  }

  #await(held: Held, id: string): void {
    const waiting = this.#waiting.get(id) ?? new Set()
    this.#waiting.set(id, waiting.add(held))
  }

  #verdictOf(id: string): string | undefined {
    const step = this.#steps.get(id)
    return step === undefined ? undefined : standingOf(this.#host.core, step)?.audit
  }

  /** What the files of parts add to their prompts is known before one of them leaves, as it is of the steps of the plan. */
  #told(held: Held, parts: readonly Part[]): void {
    const files = this.#files
    if (files === undefined || !parts.some((part) => filesOf(part).length > 0)) return this.#tellParts(held, parts, [])
    held.state = 'listing'
    const estimate = (text: string): number => this.#host.core.estimateTokens(text)
    void partWeights(files, parts, estimate)
      .then((weights) => this.#tellParts(held, parts, weights))
      .catch((error: unknown) => this.#failed(held, error))
  }

  /** Steps that spread in one turn are told in one text. */
  #tellParts(held: Held, parts: readonly Part[], weights: readonly PartWeight[]): void {
    if (this.#ended.has(held.written.step.id)) return
    held.state = 'told'
    if (this.#spread.length === 0)
      queueMicrotask(() => {
        try {
          this.#flush()
        } catch (error) {
          this.#host.hostFailed(error)
        }
      })
    // Those that are there already were told before the run was interrupted.
    const there = new Set(held.parts.map((part) => this.#host.texts.steps[part]?.id))
    this.#spread.push({ held, parts: parts.filter(({ id }) => !there.has(id)), weights })
  }

  #flush(): void {
    const { core, cancelled } = this.#host
    const spread = this.#spread.splice(0)
    if (cancelled) return
    const ready = spread.filter(({ held, parts }) => this.#mayBeTold(held, parts))
    const from = this.#host.texts.steps.length
    for (const text of planTexts(ready.flatMap(({ parts }) => parts))) if (!this.#host.more(text)) return
    for (const { id, ...weight } of ready.flatMap(({ weights }) => weights)) {
      const step = this.#steps.get(id) ?? -1
      if (step >= from) this.#tell(() => core.weighed({ step, ...weight }, this.#host.now))
    }
    for (const { held } of ready) this.#tell(() => core.signal('expanded', [held.written.info.step], this.#host.now))
  }

  /** Parts that are impossible here take their step with them, not the run. */
  #mayBeTold(held: Held, parts: readonly Part[]): boolean {
    try {
      if (this.#host.texts.steps.length + parts.length > mostSteps)
        throw new AetherflowError('plan.too_large', '', `more than ${mostSteps} steps`)
      for (const part of parts) this.#mustBePossible(held.written.info, part)
      return true
    } catch (error) {
      this.#failed(held, error)
      return false
    }
  }

  #mustBePossible(info: StepInfo, part: Part & { readonly [name in (typeof placed)[number]]?: unknown }): void {
    if (this.#steps.has(part.id)) throw new AetherflowError('plan.duplicate_id', '', `${part.id} is a step of the plan`)
    const { output_file: outputFile } = part
    const placing = Object.fromEntries(placed.flatMap((name) => (part[name] === undefined ? [] : [[name, part[name]]])))
    this.#host.accept({ ...info, placing, ...(outputFile === undefined ? {} : { outputFile }) })
  }

  #failed(held: Held, error: unknown): void {
    const { info, step } = held.written
    held.state = 'over'
    if (!(error instanceof AetherflowError) && !(error instanceof ItemFault)) return this.#host.hostFailed(error)
    const known = error instanceof AetherflowError
    this.#warn(
      known ? error.code : 'plan.bad_template',
      `/steps/${info.step}/for_each`,
      known ? error.detail : error.message,
    )
    this.#tell(() => this.#cancel(step.id, notSpread))
  }

  /** All parts have ended. */
  #join(held: Held): void {
    held.state = 'over'
    const { core, texts } = this.#host
    const { written, pattern } = held
    const { info, step, forEach } = written
    const parts = held.parts.flatMap((part) => texts.steps[part] ?? [])
    const outputs = new Map(
      parts.flatMap((part) =>
        texts.outputs[part.step] === undefined ? [] : [[part.id, texts.outputs[part.step] ?? ''] as const],
      ),
    )
    const json = step.output === 'json' || typeof step.output === 'object'
    const joined =
      pattern !== undefined
        ? answerOf(pattern.shape, outputs)
        : joinParts(
            parts.map(({ id, values }) => ({ id, item: values?.[1] ?? '', text: outputs.get(id) })),
            { json, tokens: forEach?.gatherTokens ?? Infinity, estimate: (text) => core.estimateTokens(text) },
          )
    if (joined === undefined) return this.#tell(() => this.#cancel(step.id, notSpread))
    if (typeof joined === 'object' && joined.cut > 0)
      this.#warn(
        'plan.too_large',
        `/steps/${info.step}/for_each`,
        `the outputs of ${joined.cut} parts are cut to hold gather_tokens`,
      )
    const x = typeof joined === 'string' ? joined : joined.text
    this.#host.attach({ x })
    this.#tell(() => {
      core.signal('recalled', [info.step, 1], this.#host.now)
      texts.recalled(info.step, { x })
    })
  }

  #tell(tell: () => void): void {
    this.#host.signal(tell)
  }
}
