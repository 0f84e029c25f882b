/** What a page knows of a run: its events folded into rows, bars and sums. Constant work per event, so that large plans stay cheap. */
import { answeredAt, type RunEvent, type StepInfo } from '../../bindings/events.js'
import { failureKindWords, reasonWords, type Outcome, type Purpose } from '../../bindings/generated/wire.js'
import { documentWords } from '../standard/format.js'
import { draftWords, type DraftState } from './draft-words.js'
import { reusedWords } from './reused-words.js'
import { addSteps, connectParts, newRow, type Bar, type StepRow, type StepRowState } from './run-rows.js'

export type { Bar, StepNote, StepRow, StepRowState, Wait } from './run-rows.js'

type EventOf<T extends RunEvent['type']> = Extract<RunEvent, { readonly type: T }>

const settledStates: ReadonlySet<StepRowState> = new Set(['done', 'failed', 'skipped', 'cancelled'])
export const isSettled = (state: StepRowState): boolean => settledStates.has(state)

/** Purposes whose answer is the step's. */
const answers = (purpose: Purpose): boolean => purpose === 'main' || purpose === 'hedge' || purpose === 'draft'

/** Calls that go on when their step is done: what they find is no part of it. */
const isAside = (purpose: Purpose): boolean => purpose === 'canary' || purpose === 'judge'

/** Notes that tell the end of a call, and of which purpose. */
const endsCall: Readonly<Partial<Record<string, readonly Purpose[]>>> = {
  retrying: ['main', 'hedge'],
  fell_back: ['main'],
  audit_failed: ['audit'],
  repair_failed: ['repair'],
  draft_failed: ['draft', 'verify'],
}

function drafted(row: StepRow, draft: DraftState): void {
  row.draft = draft
  row.note = draftWords[draft]
}

/** How a step was done, where that was not by a call alone. */
const endWords = (row: StepRow): string =>
  row.repaired
    ? 'repaired'
    : row.recalled
      ? reasonWords.recalled
      : row.draft === undefined
        ? reusedWords(row)
        : draftWords[row.draft]

export class RunModel {
  readonly rows: StepRow[] = []
  readonly #byId = new Map<string, StepRow>()
  readonly counts = { waiting: 0, ready: 0, running: 0, done: 0, failed: 0, skipped: 0, cancelled: 0 }
  readonly tokens = { in: 0, out: 0, cached: 0, stripped: 0 }
  readonly warnings: EventOf<'warning'>[] = []
  /** Open calls by provider. */
  readonly inFlight = new Map<string, number>()
  /** Every provider that was called, in that order. */
  readonly providers = new Set<string>()
  /** Providers that get no calls for their failures, and those that one call tries out. */
  readonly unwell = new Map<string, 'paused' | 'probing'>()
  calls = 0
  callsLost = 0
  recalled = 0
  /** Skipped steps that nothing failed for want of: settled, or their condition does not hold. */
  unneeded = 0
  costMicroUsd = 0
  /** Part of that is at a price that was assumed. */
  priceAssumed = false
  /** The run has a cache: what it did is worth a figure. */
  reuses = false
  /** Steps that were answered without a call, by how; what their answers had cost. */
  readonly reused = { exact: 0, semantic: 0, shared: 0, tokens: 0, microUsd: 0, ms: 0 }
  /** Steps that were called. */
  stepsCalled = 0
  /** Time of the latest event, ms of the run. */
  at = 0
  outcome: Outcome | undefined
  /** Grows with every event: what is drawn of an older one is stale. */
  version = 0

  get settled(): number {
    const { done, failed, skipped, cancelled } = this.counts
    return done + failed + skipped + cancelled
  }
  /** Calls in flight. */
  get open(): number {
    let sum = 0
    for (const count of this.inFlight.values()) sum += count
    return sum
  }

  row(id: string): StepRow | undefined {
    return this.#byId.get(id)
  }

  /** The rows of a plan that was only read: all of them wait. */
  static ofPlan(steps: readonly StepInfo[]): RunModel {
    const model = new RunModel()
    model.apply({ type: 'steps', at: 0, steps })
    return model
  }

  apply(event: RunEvent): void {
    this.version += 1
    this.at = Math.max(this.at, event.at)
    switch (event.type) {
      case 'steps':
        this.#add(event.steps)
        break
      case 'warning':
        this.warnings.push(event)
        break
      case 'finish':
        this.outcome = event.outcome
        this.costMicroUsd = event.costMicroUsd
        break
      case 'resumed':
        break
      default: {
        const row = event.step === undefined ? undefined : this.#byId.get(event.step)
        if (row !== undefined) this.#applyToRow(row, event)
        if (event.type === 'note') this.#breaker(event)
      }
    }
  }

  #add(steps: readonly StepInfo[]): void {
    for (const info of steps) {
      const row = newRow(this.rows.length, info)
      this.rows.push(row)
      this.#byId.set(info.id, row)
      this.counts.waiting += 1
    }
    connectParts(this.rows, steps)
    addSteps(this.rows, steps.length)
    for (const row of this.rows.slice(-steps.length)) if (row.blockers === 0) this.#ready(row, this.at)
  }

  #applyToRow(row: StepRow, event: RunEvent): void {
    switch (event.type) {
      case 'call':
        return this.#call(row, event)
      case 'prompt':
        row.prompts += 1
        this.tokens.stripped += Math.max(0, event.tokensBefore - event.tokensAfter)
        return
      case 'firstToken':
        return this.#firstToken(row, event)
      case 'progress':
        row.liveTokens = event.outputTokens
        return
      case 'answer':
        return this.#answer(row, event)
      case 'callEnd':
        if (event.priceAssumed === true) this.priceAssumed = row.priceAssumed = true
        return
      case 'restart':
        row.liveTokens = 0
        row.note = reasonWords.restarted
        if (row.draft === 'shown') row.draft = 'replaced'
        return
      case 'provisional':
        row.draftAt = event.at
        return drafted(row, 'shown')
      case 'confirmed':
        row.confirmedAt = event.at
        return drafted(row, event.patched ? 'patched' : 'confirmed')
      case 'note':
        return this.#note(row, event)
      case 'hit':
        return this.#hit(row, event)
      case 'retrieved': {
        const words = event.failure ?? documentWords(event.references.length, event.abstained)
        row.notes.push({ at: event.at, words, detail: event.references.join(', ') || undefined })
        return
      }
      case 'done':
        row.repaired = event.repaired
        row.recalled = event.recalled === true
        if (row.recalled) this.recalled += 1
        row.bytes = event.bytes
        row.note = endWords(row)
        return this.#settle(row, 'done', answeredAt(event, row.startedAt), event.costMicroUsd)
      case 'failed':
        row.note = event.message === '' ? failureKindWords[event.failure] : event.message
        return this.#settle(row, 'failed', event.at, event.costMicroUsd)
      case 'skipped':
        if (event.reason === 'settled' || event.reason === 'condition_not_met') this.unneeded += 1
        row.note = event.cause === undefined ? reasonWords[event.reason] : `needs ${event.cause}`
        return this.#settle(row, 'skipped', event.at, row.costMicroUsd)
      case 'cancelled':
        row.note = reasonWords[event.reason]
        return this.#settle(row, 'cancelled', event.at, row.costMicroUsd)
      default:
    }
  }

  #call(row: StepRow, { at, purpose, attempt, provider, model, estimateMs }: EventOf<'call'>): void {
    if (purpose === 'main') this.#closeBars(row, ['main'], at, 'failed')
    const wait = row.waits.at(-1)
    if (wait !== undefined) wait.to ??= at
    row.bars.push({
      provider,
      model,
      purpose,
      attempt,
      estimateMs,
      from: at,
      firstTokenAt: undefined,
      to: undefined,
      end: 'running',
    })
    if (row.startedAt === undefined) this.stepsCalled += 1
    row.startedAt ??= at
    // An output is told once it is durable; what waits for it may have begun by then.
    row.readyAt ??= at
    if (isSettled(row.state)) {
      // A comparison of its draft, beside what it has delivered.
    } else if (answers(purpose)) {
      row.provider = provider
      row.model = model
      row.liveTokens = 0
      row.note = 'waiting for the first token'
    } else {
      row.note = purpose === 'verify' ? `draft, verified by ${provider}` : `${purpose} by ${provider}`
    }
    this.calls += 1
    this.providers.add(provider)
    this.inFlight.set(provider, (this.inFlight.get(provider) ?? 0) + 1)
    if (!isSettled(row.state)) this.#move(row, 'running')
  }

  #hit(row: StepRow, { at, kind, score, savedTokens, savedMicroUsd, savedMs, of }: EventOf<'hit'>): void {
    row.reused = { kind, tokens: savedTokens, microUsd: savedMicroUsd }
    row.note = reusedWords(row)
    const detail = kind === 'semantic' ? `cosine ${score.toFixed(3)}` : of === undefined ? undefined : `of ${of}`
    row.notes.push({ at, words: row.note, detail })
    this.reuses = true
    this.reused[kind] += 1
    this.reused.tokens += savedTokens
    this.reused.microUsd += savedMicroUsd
    this.reused.ms += savedMs
  }

  #firstToken(row: StepRow, { at, purpose }: EventOf<'firstToken'>): void {
    const bar = openBar(row, purpose)
    if (bar !== undefined) bar.firstTokenAt = at
    if (answers(purpose)) row.note = ''
  }

  #answer(row: StepRow, { at, purpose, tokens }: EventOf<'answer'>): void {
    const bar = openBar(row, purpose)
    if (bar !== undefined) this.#close(bar, at, 'ok')
    row.tokensIn += tokens.input
    row.tokensCached += tokens.cached
    row.tokensOut += tokens.output
    row.liveTokens = 0
    if (!isSettled(row.state)) row.note = ''
    this.tokens.in += tokens.input
    this.tokens.out += tokens.output
    this.tokens.cached += tokens.cached
  }

  #note(row: StepRow, event: EventOf<'note'>): void {
    const { at, reason, words, detail, provider } = event
    if (reason === 'routed') return
    row.notes.push({ at, words, detail })
    const told = detail === undefined ? words : `${words}: ${detail}`
    // How the step ended stays, unless its draft should not have stood.
    if (!isSettled(row.state)) row.note = told
    else if (reason === 'canary_regrets') row.note += `; ${words}`
    const ended = endsCall[reason]
    if (ended !== undefined) this.#closeBars(row, ended, at, 'failed')
    if (reason === 'hedge_lost') {
      const bar = row.bars.find((known) => known.to === undefined && known.provider === provider)
      if (bar !== undefined) this.#close(bar, at, 'lost')
    }
    if (reason === 'waiting_for_prefix') this.#follow(row, event.leader ?? '')
    if (reason === 'prefix_late') this.#follow(row, '')
    const waits = reason === 'retrying' || reason.startsWith('waiting_') || reason === 'waited_for_provider'
    if (!waits) return
    const before = row.waits.at(-1)
    if (before !== undefined) before.to ??= at
    row.waits.push({ from: at, to: undefined, reason, words: told })
    if (reason !== 'retrying') return
    row.liveTokens = 0
    if (!row.bars.some(({ to }) => to === undefined)) this.#move(row, 'ready')
  }

  /** The step whose call fills the prompt cache for the row; '': it goes without. */
  #follow(row: StepRow, leader: string): void {
    const [before, now] = [this.#byId.get(row.leader), this.#byId.get(leader)]
    if (before !== undefined) before.followers -= 1
    if (now !== undefined) now.followers += 1
    row.leader = leader
  }

  #breaker({ reason, provider }: EventOf<'note'>): void {
    if (provider === undefined) return
    if (reason === 'breaker_opened') this.unwell.set(provider, 'paused')
    if (reason === 'breaker_probing') this.unwell.set(provider, 'probing')
    if (reason === 'breaker_closed') this.unwell.delete(provider)
  }

  #settle(row: StepRow, state: 'done' | 'failed' | 'skipped' | 'cancelled', at: number, costMicroUsd: number): void {
    // A settled step stays settled: nothing may be counted twice.
    if (isSettled(row.state)) return
    row.endedAt = at
    this.costMicroUsd += costMicroUsd - row.costMicroUsd
    row.costMicroUsd = costMicroUsd
    const wait = row.waits.at(-1)
    if (wait !== undefined) wait.to ??= at
    for (const bar of row.bars)
      if (bar.to === undefined && !isAside(bar.purpose)) this.#close(bar, at, state === 'done' ? 'lost' : 'failed')
    this.#move(row, state)
    for (const index of row.dependents) {
      const dependent = this.rows[index]
      if (dependent !== undefined && --dependent.blockers === 0) this.#ready(dependent, at)
    }
  }

  #ready(row: StepRow, at: number): void {
    if (row.state !== 'waiting') return
    row.readyAt = at
    this.#move(row, 'ready')
  }

  #move(row: StepRow, state: StepRowState): void {
    if (row.state === state) return
    this.counts[row.state] -= 1
    this.counts[state] += 1
    row.state = state
    row.changedVersion = this.version
  }

  #closeBars(row: StepRow, purposes: readonly Purpose[], at: number, end: Bar['end']): void {
    for (const bar of row.bars) if (bar.to === undefined && purposes.includes(bar.purpose)) this.#close(bar, at, end)
  }

  #close(bar: Bar, at: number, end: Bar['end']): void {
    bar.to = at
    bar.end = end
    if (end === 'failed') this.callsLost += 1
    const open = (this.inFlight.get(bar.provider) ?? 1) - 1
    if (open > 0) this.inFlight.set(bar.provider, open)
    else this.inFlight.delete(bar.provider)
  }
}

function openBar(row: StepRow, purpose: Purpose): Bar | undefined {
  return row.bars.filter((bar) => bar.to === undefined && bar.purpose === purpose).at(-1)
}
