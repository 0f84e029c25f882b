/** What a screen knows of a run: its events folded into rows. Constant work per event, so that large plans stay cheap. */
import { answeredAt, handleEvent, type EventHandlers, type RunEvent } from '../../bindings/events.js'
import { failureKindWords, reasonWords } from '../../bindings/generated/wire.js'
import { documentWords, oneLine } from '../../web/standard/format.js'
import { withFlags } from './advice.js'
import { displayWidth } from './terminal-text.js'

export type RowState = 'waiting' | 'running' | 'done' | 'failed' | 'skipped' | 'cancelled'

export interface Row {
  /** Position in the plan. */
  readonly index: number
  readonly id: string
  state: RowState
  provider: string
  model: string
  /** ms since the run began; the first call's start, and the end. */
  startedAt: number | undefined
  endedAt: number | undefined
  /** Answer tokens: a running estimate, then the provider's count; all calls of the step. */
  tokens: number
  costMicroUsd: number
  /** Part of that is at a price that was assumed. */
  priceAssumed: boolean
  /** What is going on, or why it ended as it did. */
  note: string
  /** Tokens of the calls that have ended. */
  settledTokens: number
}

/** Purposes whose answer is the step's. */
const answers = (purpose: string): boolean => purpose === 'main' || purpose === 'hedge' || purpose === 'draft'

/** Short words: the column is narrow. */
const waitWords: Readonly<Partial<Record<string, string>>> = {
  retrying: 'again',
  waiting_for_limit: 'limit',
  waiting_for_cooldown: 'told to wait',
  waiting_for_breaker: 'provider fails',
  waiting_for_budget: 'budget',
  waiting_for_retry: 'fewer retries',
  waiting_for_prefix: 'prompt cache',
  waiting_for_reserved: 'place kept',
}

const awaitsToken = 'waiting for the first token'

/** Ended rows that a large table still shows. */
const mostRecent = 200

export class RunView {
  readonly rows: Row[] = []
  readonly counts = { done: 0, failed: 0, skipped: 0, cancelled: 0 }
  /** Ids of running steps, in the order they started. */
  readonly running = new Map<string, Row>()
  /** Steps that ended last, oldest first. */
  readonly recent: Row[] = []
  readonly #byId = new Map<string, Row>()
  /** What the providers said of failed steps. */
  readonly messages = new Map<string, string>()
  costMicroUsd = 0
  priceAssumed = false
  /** Widest id and provider, cells: columns must not jump when other rows come into sight. */
  idWidth = 0
  providerWidth = 0
  /** Time of the latest event. */
  at = 0
  finished = false
  /** Providers that get no calls for their failures, and those that one call tries out. */
  readonly unwell = new Map<string, 'paused' | 'probing'>()

  get settled(): number {
    const { done, failed, skipped, cancelled } = this.counts
    return done + failed + skipped + cancelled
  }

  row(id: string): Row | undefined {
    return this.#byId.get(id)
  }

  apply(event: RunEvent): void {
    this.at = event.at
    switch (event.type) {
      case 'steps':
        for (const { id } of event.steps) this.#add(id)
        break
      case 'finish':
        this.costMicroUsd = event.costMicroUsd
        this.finished = true
        break
      case 'warning':
      case 'resumed':
        break
      default: {
        const row = event.step === undefined ? undefined : this.#byId.get(event.step)
        if (row !== undefined) handleEvent(this.#toRow, event, row)
        if (event.type === 'note') this.#breaker(event)
      }
    }
  }

  readonly #toRow: EventHandlers<void, [Row]> = {
    call: (event, row) => this.#call(row, event),
    firstToken: ({ purpose }, row) => {
      if (answers(purpose)) row.note = ''
    },
    progress: ({ outputTokens }, row) => {
      row.tokens = row.settledTokens + outputTokens
    },
    answer: ({ tokens }, row) => {
      row.settledTokens += tokens.output
      row.tokens = row.settledTokens
      if (row.endedAt === undefined) row.note = ''
    },
    restart: (_event, row) => {
      row.tokens = row.settledTokens
      row.note = reasonWords.restarted
    },
    provisional: (_event, row) => {
      row.note = 'draft, not confirmed'
    },
    confirmed: ({ patched }, row) => {
      row.note = patched ? 'draft confirmed, changed a little' : 'draft confirmed'
    },
    note: (event, row) => this.#note(row, event),
    hit: ({ of }, row) => {
      row.note = of === undefined ? 'cached' : `cached: as ${of}`
    },
    done: (event, row) => {
      if (event.repaired) row.note = 'repaired'
      else if (row.note === awaitsToken) row.note = ''
      this.#settle(row, 'done', answeredAt(event, row.startedAt), event.costMicroUsd)
    },
    failed: ({ message, failure, at, costMicroUsd }, row) => {
      row.note = message === '' ? failureKindWords[failure] : withFlags(message)
      this.messages.set(row.id, message)
      this.#settle(row, 'failed', at, costMicroUsd)
    },
    skipped: ({ cause, reason, at }, row) => {
      row.note = cause === undefined ? reasonWords[reason] : `needs ${cause}`
      this.#settle(row, 'skipped', at, row.costMicroUsd)
    },
    cancelled: ({ at }, row) => {
      row.note = ''
      this.#settle(row, 'cancelled', at, row.costMicroUsd)
    },
    retrieved: ({ references, abstained, failure }, row) => {
      if (failure === undefined) row.note = documentWords(references.length, abstained)
    },
    checked: ({ pass, parts }, row) => {
      row.note = pass ? '' : `check: ${parts.at(-1)?.why ?? 'failed'}`
    },
    // Not about a row, or nothing that it shows.
    miss: () => undefined,
    steps: () => undefined,
    warning: () => undefined,
    resumed: () => undefined,
    finish: () => undefined,
    prompt: () => undefined,
    callEnd: ({ priceAssumed }, row) => {
      if (priceAssumed === true) this.priceAssumed = row.priceAssumed = true
    },
  }

  #note(row: Row, event: RunEvent & { type: 'note' }): void {
    if (event.reason === 'routed' || row.endedAt !== undefined) return
    // Why it waits and until when is the news; the rest of the remarks speaks for itself.
    const short = waitWords[event.reason]
    row.note = short !== undefined && event.detail !== undefined ? `${short}: ${withFlags(event.detail)}` : event.words
    if (event.reason !== 'retrying') return
    row.state = 'waiting'
    row.tokens = row.settledTokens
    this.running.delete(row.id)
  }

  #breaker({ reason, provider }: RunEvent & { type: 'note' }): void {
    if (provider === undefined) return
    if (reason === 'breaker_opened') this.unwell.set(provider, 'paused')
    if (reason === 'breaker_probing') this.unwell.set(provider, 'probing')
    if (reason === 'breaker_closed') this.unwell.delete(provider)
  }

  #add(id: string): void {
    const row: Row = {
      index: this.rows.length,
      id,
      state: 'waiting',
      provider: '',
      model: '',
      startedAt: undefined,
      endedAt: undefined,
      tokens: 0,
      costMicroUsd: 0,
      priceAssumed: false,
      note: '',
      settledTokens: 0,
    }
    this.rows.push(row)
    this.idWidth = Math.max(this.idWidth, displayWidth(oneLine(id)))
    this.#byId.set(id, row)
  }

  #call(row: Row, event: RunEvent & { type: 'call' }): void {
    // A comparison of its draft, beside what it has delivered.
    if (row.endedAt !== undefined) return
    row.state = 'running'
    row.startedAt ??= event.at
    this.running.set(row.id, row)
    if (answers(event.purpose)) {
      row.provider = event.provider
      row.model = event.model
      this.providerWidth = Math.max(this.providerWidth, displayWidth(oneLine(event.provider)))
      row.note = awaitsToken
    } else {
      row.note = `${event.purpose} by ${event.provider}`
    }
  }

  #settle(row: Row, state: 'done' | 'failed' | 'skipped' | 'cancelled', at: number, costMicroUsd: number): void {
    // A settled step stays settled: nothing may be counted twice.
    if (row.endedAt !== undefined) return
    row.state = state
    row.endedAt = at
    // The sum of `finish` is the last word: an output may become durable only after it.
    if (!this.finished) this.costMicroUsd += costMicroUsd - row.costMicroUsd
    row.costMicroUsd = costMicroUsd
    this.counts[state] += 1
    this.running.delete(row.id)
    this.recent.push(row)
    if (this.recent.length > 2 * mostRecent) this.recent.splice(0, this.recent.length - mostRecent)
  }
}
