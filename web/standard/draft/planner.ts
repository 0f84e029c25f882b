/** Who drafts for whom: decided for each step before its first call, with what other runs have learnt and this one has measured. */
import type { NoteCommand } from '../../../bindings/commands.js'
import type { DraftedRun, DraftPlanner } from '../../../bindings/drafts.js'
import type { RouteInfo, RunEvent, StepInfo } from '../../../bindings/events.js'
import { reasons, type DraftUse, type Reason } from '../../../bindings/generated/wire.js'
import type { Config } from '../config.js'
import { predictedGain, type Lane } from './forecast.js'
import { draftUse, type DraftUses } from './use.js'
import { stepTypes, type DraftOutcome, type DraftPair, type DraftPairState, type DraftPairs } from './pairs.js'

/** Least predicted gain of time for `auto`. */
const leastGain = 1.2
/** Tokens of a verdict that accepts. */
const verdictTokens = 20
/** Tokens expected of a step that says nothing, as the core expects them. */
const unknownAnswer = 400
/** While a pair is switched off, one of so many is drafted all the same, so that it can come back. */
const probeEach = 50

const outcomes: Readonly<Partial<Record<Reason, DraftOutcome>>> = {
  draft_accepted: 'accepted',
  draft_patched: 'patched',
  draft_rejected: 'rejected',
  canary_agrees: 'agrees',
  canary_regrets: 'regrets',
}

export interface PlannerSettings {
  /** What other runs have learnt; absent: this run begins with nothing. */
  readonly pairs?: DraftPairs | undefined
  readonly config: Config
  /** Ids of the providers that can be called. */
  readonly available: readonly string[]
}

/** Sums over the answers of a model. */
interface Pace {
  calls: number
  firstMs: number
  streamMs: number
  tokens: number
}

interface ModelFacts {
  readonly firstTokenMs: number
  readonly tokensPerSecond: number
  readonly family: string
}

/** A step that may be drafted, until it is called. */
interface Candidate {
  readonly step: StepInfo
  readonly use: DraftUse
  readonly route: RouteInfo
  readonly pair: DraftPair
  /** Steps that become ready with it, as far as the plan tells: where it is in the longest chain before it. */
  readonly level: Level
  /** What the core was told last. */
  told: Reason | undefined
  /** A refusal counts once, however often it is said. */
  counted: boolean
}

interface Level {
  /** By provider: steps whose first choice it is. */
  readonly steps: Map<string, number>
  /** Of that number when it was decided last. */
  decidedAt: number
}

export function draftPlanner(run: DraftedRun, settings: PlannerSettings): DraftPlanner {
  return new Planner(run, settings)
}

class Planner implements DraftPlanner {
  readonly #run: DraftedRun
  readonly #settings: PlannerSettings
  readonly #paces = new Map<string, Pace>()
  readonly #pairs = new Map<string, DraftPairState>()
  readonly #auditShare: number
  readonly #hedged: boolean
  /** The run wants drafts for some type of step: how many steps go where counts then. */
  readonly #wanted: boolean
  #drafters: readonly string[] = []
  /** Undefined until a step may be drafted: most runs need none. */
  #defaults: Config | undefined
  readonly #places = new Map<string, number>()
  /** By id of the step: the pair that its draft counts for, first as it was decided, then as it was called. */
  readonly #drafted = new Map<string, DraftPair>()
  /** By id of the step: those that may still be decided. */
  readonly #open = new Map<string, Candidate>()
  /** Ids of steps whose comparison is under way, and the pair that it is about. */
  readonly #comparing = new Map<string, string>()
  readonly #levels: Level[] = []
  readonly #levelOf: number[] = []
  /** Gains as they are expected now; begun again when anything is learnt that they depend on. */
  readonly #gains = new Map<string, number>()

  constructor(run: DraftedRun, settings: PlannerSettings) {
    this.#run = run
    this.#settings = settings
    const { audit = 0.1, hedged = false } = settings.config.drafts ?? {}
    this.#auditShare = audit
    this.#hedged = hedged
    this.#wanted = Object.values((run.uses ?? {}) as DraftUses).some((use) => use !== 'off')
  }

  get #table(): Config {
    return this.#defaults ?? this.#learned()
  }

  /** What is known of models, places and pairs. */
  #learned(): Config {
    const { core } = this.#run
    const { config, pairs } = this.#settings
    const table = (this.#defaults = core.document<Config>('defaults'))
    this.#drafters = (config.drafts?.use ?? table.drafts?.use ?? []).map((target) => this.#named(target))
    for (const pair of pairs?.known() ?? []) this.#pairs.set(keyOf(pair), pair)
    const { providers } = core.document<{ providers: { id: string; concurrency: number }[] }>('table')
    for (const { id, concurrency } of providers) this.#places.set(id, concurrency)
    return table
  }

  plan(now: number): void {
    const { steps } = this.#run.texts
    if (this.#levelOf.length === steps.length) return
    const fresh = new Set<Level>()
    for (let index = this.#levelOf.length; index < steps.length; index++) fresh.add(this.#adopt(steps[index]!))
    // Of a plan that comes bit by bit what was decided of a level is looked at again as it grows.
    for (const level of fresh) {
      const count = [...level.steps.values()].reduce((sum, each) => sum + each, 0)
      if (count >= 2 * level.decidedAt) level.decidedAt = count
      else fresh.delete(level)
    }
    this.#gains.clear()
    for (const one of this.#open.values()) if (one.told === undefined || fresh.has(one.level)) this.#decide(one, now)
  }

  note({ step, reason }: NoteCommand, now: number): void {
    const outcome = outcomes[reason]
    const pair = this.#drafted.get(this.#id(step))
    if (outcome === undefined || pair === undefined) return
    if (outcome === 'agrees' || outcome === 'regrets') this.#comparing.delete(this.#id(step))
    const before = this.#state(pair)
    const state = this.#settings.pairs?.told(pair, outcome) ?? counted(before, outcome)
    this.#pairs.set(keyOf(pair), state)
    const switched = (before.probeIn === 0) !== (state.probeIn === 0)
    if (switched || (state.drafted !== before.drafted && isMilestone(state.drafted))) this.#decideAgain(now)
  }

  event(event: RunEvent): void {
    if (event.type === 'call') this.#call(event)
    const compares = event.type === 'callEnd' && (event.purpose === 'canary' || event.purpose === 'judge')
    // One that comes to nothing leaves its draft uncompared: the next accepted one is due instead.
    if (compares && event.outcome !== 'ok') this.#comparing.delete(event.step)
    if (event.type !== 'callEnd' || event.outcome !== 'ok') return
    const { provider, model, firstTokenMs, responseMs, tokens } = event
    if (firstTokenMs === null || responseMs === null) return
    const name = `${provider}/${model}`
    const pace = this.#paces.get(name) ?? { calls: 0, firstMs: 0, streamMs: 0, tokens: 0 }
    this.#paces.set(name, pace)
    pace.calls += 1
    pace.firstMs += firstTokenMs
    pace.streamMs += responseMs - firstTokenMs
    pace.tokens += tokens.output
    if (isMilestone(pace.calls)) this.#decideAgain(event.at)
  }

  #call({ step, purpose, provider, model }: RunEvent & { type: 'call' }): void {
    this.#open.delete(step)
    const pair = this.#drafted.get(step)
    const name = `${provider}/${model}`
    if (pair !== undefined && purpose === 'draft') this.#drafted.set(step, { ...pair, draft: name })
    if (pair !== undefined && purpose === 'verify') this.#drafted.set(step, { ...pair, verifier: name })
  }

  #id(step: number): string {
    return this.#run.texts.steps[step]?.id ?? ''
  }

  isDue(step: number): boolean {
    const pair = this.#drafted.get(this.#id(step))
    if (pair === undefined) return false
    const { probeIn, audited, accepted } = this.#state(pair)
    const open = [...this.#comparing.values()].filter((key) => key === keyOf(pair)).length
    // Of a pair that is switched off every accepted draft is compared: that is how it comes back.
    const due = probeIn > 0 || audited + open < (accepted + 1) * this.#auditShare
    if (due) this.#comparing.set(this.#id(step), keyOf(pair))
    return due
  }

  /** A step has become known. */
  #adopt(step: StepInfo): Level {
    const before = Math.max(-1, ...step.dependencies.map((index) => this.#levelOf[index] ?? -1))
    this.#levelOf.push(before + 1)
    const level = (this.#levels[before + 1] ??= { steps: new Map(), decidedAt: 0 })
    const use = draftUse(step, this.#run.uses as DraftUses | undefined)
    if (use === 'off' && !this.#wanted) return level
    if (this.#defaults === undefined) this.#learned()
    const route = this.#run.core.document<RouteInfo | null>('route', step.step)
    if (route === null) return level
    level.steps.set(route.provider, (level.steps.get(route.provider) ?? 0) + 1)
    const verifier = `${route.provider}/${route.model}`
    const draft = this.#drafters.find((name) => this.#canDraft(name, verifier))
    if (use === 'off' || draft === undefined) return level
    const type = (stepTypes as readonly string[]).includes(step.type) ? step.type : 'other'
    const pair = { type, draft, verifier }
    this.#open.set(step.id, { step, use, route, pair, level, told: undefined, counted: false })
    return level
  }

  #decideAgain(now: number): void {
    this.#gains.clear()
    for (const one of this.#open.values()) this.#decide(one, now)
  }

  #decide(one: Candidate, now: number): void {
    const { pair, step } = one
    const against = this.#against(one)
    if (against === 'none') this.#drafted.set(step.id, pair)
    else this.#drafted.delete(step.id)
    if (one.told === against) return
    one.told = against
    this.#run.core.signal('drafting', [step.step, reasons.indexOf(against), Number(this.#hedged)], now)
  }

  #against(one: Candidate): Reason {
    const { use } = one
    const pair = this.#switchedOff(one) ?? one.pair
    const state = this.#state(pair)
    if (state.probeIn > 0) {
      // A probe that waits for its turn stays one.
      if (one.counted) return one.told === 'none' ? 'none' : 'draft_off'
      one.counted = true
      const next = this.#settings.pairs?.told(pair, 'refused') ?? { ...state, probeIn: Math.max(1, state.probeIn - 1) }
      this.#pairs.set(keyOf(pair), state.probeIn > 1 ? next : { ...next, probeIn: probeEach })
      if (state.probeIn > 1) return 'draft_off'
    }
    return use === 'auto' && this.#gain(one) < leastGain ? 'draft_slow' : 'none'
  }

  /** Where its verifier is full another gives the verdict: the pair that is off, of all that may come of the step. */
  #switchedOff({ pair, route }: Candidate): DraftPair | undefined {
    const pairs = this.#verifiers(route, pair).map((verifier) => ({ ...pair, verifier }))
    return pairs.find((each) => this.#state(each).probeIn > 0)
  }

  /** Models of the step that are of another family than the draft's, preferred first. */
  #verifiers({ provider, model, alternatives }: RouteInfo, { draft }: DraftPair): readonly string[] {
    const names = [{ provider, model }, ...alternatives].map((each) => `${each.provider}/${each.model}`)
    const { family } = this.#facts(draft)
    return names.filter((name) => this.#facts(name).family !== family)
  }

  /** How much sooner such steps are expected to be done, waits for places included. */
  #gain({ pair, step, route, level }: Candidate): number {
    const tokens = step.estimatedTokens || unknownAnswer
    const width = level.steps.get(route.provider) ?? 1
    const key = JSON.stringify([pair, Math.ceil(tokens / 50), width])
    const known = this.#gains.get(key)
    if (known !== undefined) return known
    const { drafted, accepted } = this.#state(pair)
    const names = [route, ...route.alternatives].map(({ provider, model }) => `${provider}/${model}`)
    const never = (this.#settings.config.overflow ?? this.#table.overflow) === 'never'
    const lanes = (of: readonly string[]): Lane[] =>
      of.slice(0, never ? 1 : undefined).map((name) => this.#lane(name, tokens))
    const gain = predictedGain({
      width,
      full: lanes(names),
      drafters: lanes(this.#drafters.filter((name) => this.#canDraft(name, pair.verifier))),
      verifiers: lanes(this.#verifiers(route, pair)),
      // Of a pair that is new three drafts of four are taken to be accepted.
      accepted: (accepted + 3) / (drafted + 4),
      audited: this.#auditShare,
      hedged: this.#hedged,
    })
    this.#gains.set(key, gain)
    return gain
  }

  #lane(name: string, tokens: number): Lane {
    const provider = name.slice(0, name.indexOf('/'))
    const places = this.#places.get(provider) ?? 1
    return { provider, places, answerMs: this.#ms(name, tokens), verdictMs: this.#ms(name, verdictTokens) }
  }

  /** As this run has measured the model, or as the table plans. */
  #ms(name: string, tokens: number): number {
    const pace = this.#paces.get(name)
    if (pace !== undefined) return pace.firstMs / pace.calls + (tokens * pace.streamMs) / Math.max(1, pace.tokens)
    const { firstTokenMs, tokensPerSecond } = this.#facts(name)
    return firstTokenMs + (tokens * 1000) / tokensPerSecond
  }

  #state(pair: DraftPair): DraftPairState {
    return this.#pairs.get(keyOf(pair)) ?? { ...pair, probeIn: 0, drafted: 0, accepted: 0, audited: 0 }
  }

  /** `provider` as `provider/model`. */
  #named(target: string): string {
    if (target.includes('/')) return target
    const preferred = this.#settings.config.providers?.[target]?.default ?? this.#table.providers?.[target]?.default
    return `${target}/${preferred ?? ''}`
  }

  #canDraft(name: string, verifier: string): boolean {
    const provider = name.slice(0, name.indexOf('/'))
    return this.#settings.available.includes(provider) && this.#facts(name).family !== this.#facts(verifier).family
  }

  #facts(name: string): ModelFacts {
    const [provider, model] = [name.slice(0, name.indexOf('/')), name.slice(name.indexOf('/') + 1)]
    const merged = {
      ...this.#table.providers?.[provider]?.models?.[model],
      ...this.#settings.config.providers?.[provider]?.models?.[model],
    }
    const { firstTokenMs = 1000, tokensPerSecond = 60, family = provider } = merged
    return { firstTokenMs, tokensPerSecond, family }
  }
}

const keyOf = ({ type, draft, verifier }: DraftPair): string => JSON.stringify([type, draft, verifier])

/** 1, 2, 4, 8 …: what is decided is looked at again when twice as much is known. */
const isMilestone = (count: number): boolean => count > 0 && Number.isInteger(Math.log2(count))

/** Without anything that is kept between runs the run counts for itself, and switches nothing off. */
function counted(state: DraftPairState, outcome: DraftOutcome): DraftPairState {
  const more = (of: readonly DraftOutcome[]): number => (of.includes(outcome) ? 1 : 0)
  return {
    ...state,
    drafted: state.drafted + more(['accepted', 'patched', 'rejected']),
    accepted: state.accepted + more(['accepted']),
    audited: state.audited + more(['agrees', 'regrets']),
  }
}
