/**
 * The driver of every host: command → port → event. It decides nothing; it keeps the texts and tells the core what happened.
 * The plan comes in through feed.ts, calls are made by calls.ts, the cache is asked by lookups.ts, outputs leave by deliveries.ts.
 *
 *   plan bytes ─▶ core ─ drain ─▶ call ─▶ Performer ─▶ succeeded / failed ─▶ core ─ drain ─▶ …
 *                  │          └─▶ deliver ─▶ journal durable ─▶ deliver() ─▶ `done`
 *                  └─ tap ─▶ journal: what a resumed run begins with
 */
import { Calls } from './calls.js'
import type { Checks } from './checks.js'
import { decodeCommands, type Command, type NoteCommand } from './commands.js'
import type { CoreRun } from './core.js'
import { costOf } from './call-events.js'
import { Deliveries } from './deliveries.js'
import type { DriverOptions, DriverResult } from './driver-options.js'
import type { DraftPlanner } from './drafts.js'
import { AetherflowError } from './errors.js'
import type { RunEvent, StepInfo } from './events.js'
import { PlanFeed } from './feed.js'
import type { Outcome } from './generated/wire.js'
import type { SignalTexts } from './journal/journal.js'
import type { JournalRecorder } from './journal/recorder.js'
import { afterTurn, lateMs } from './late.js'
import { noCache } from './hits.js'
import type { Lookups } from './lookups.js'
import { noteEvents, shownAnew } from './note-events.js'
import type { Restored } from './journal/restore.js'
import type { Retrievals } from './retrievals.js'
import { loadReports, needsParts, retrievalsOf, rulesOf, runParts, saysRules, type RunParts } from './run-parts.js'
import { RunTexts } from './run-texts.js'
import type { SharedLimits } from './shared-limits.js'
import { readMore, recallOutputs, weighPlan } from './weigh-plan.js'

export type { DriverOptions, DriverResult, RecalledOutput } from './driver-options.js'

/** Timers hold 31 bits of ms; a longer wait is a tick on the way. */
const longestTimerMs = 2 ** 31 - 1

export class Driver {
  readonly #core: CoreRun
  readonly #options: DriverOptions
  /** When the run began, on the clock; of a resumed run, as if it had never stood still. */
  #origin: number
  readonly #texts = new RunTexts()
  readonly #calls: Calls
  #lookups: Lookups | undefined
  /** From when the first step asks for documents. */
  #retrievals: Promise<Retrievals> | undefined
  #checks: Checks | undefined
  #limits: SharedLimits | undefined
  #drafts: DraftPlanner | undefined
  readonly #feed: PlanFeed
  readonly #deliveries: Deliveries
  #recorder: JournalRecorder | undefined
  /** Steps that were looked at for rules. */
  #seen = 0
  /** Until the first commands after a past: the process that is gone may have carried them out too. */
  #recovering = false
  #begun = false
  #cancelled = false
  #pumping = false
  #cancelWake: (() => void) | undefined
  /** When the wake is due, ms of the run. */
  #wakeAt = Infinity
  #hostError: unknown
  #finish: ((outcome: Outcome) => void) | undefined
  #crash: ((error: unknown) => void) | undefined
  readonly #finished: Promise<Outcome>
  readonly #onAbort = (): void => this.cancel()

  constructor(core: CoreRun, options: DriverOptions) {
    this.#core = core
    this.#options = options
    this.#origin = options.clock.now()
    const host = this.#host()
    this.#feed = new PlanFeed(host)
    this.#deliveries = new Deliveries(host, options)
    this.#calls = new Calls(host, options.performer, options.identity)
    this.#finished = new Promise((resolve, reject) => {
      this.#finish = resolve
      this.#crash = reject
    })
    // A crash before anybody awaits the result must not end the process.
    this.#finished.catch(() => {})
  }

  /** What the parts of the driver see of it. */
  #host() {
    const [now, cancelled, failed, limits] = [
      () => this.now,
      () => this.#cancelled,
      () => this.#hostError !== undefined,
      () => this.#limits,
    ] as const
    return {
      core: this.#core,
      texts: this.#texts,
      get now() {
        return now()
      },
      get cancelled() {
        return cancelled()
      },
      get failed() {
        return failed()
      },
      accept: (step: StepInfo) => this.#options.checker?.accept(step),
      drafts: this.#options.drafts,
      isDue: (step: number) => this.#drafts?.isDue(step) === true,
      emit: (event: RunEvent) => this.#emit(event),
      signal: (tell: () => void) => this.#signal(tell),
      attach: (texts: SignalTexts) => this.#recorder?.attach(texts),
      get limits() {
        return limits()
      },
      text: (step: string, piece: string) => this.#options.onText?.(step, piece),
      pump: () => this.#pump(),
      known: () => this.#known(),
      more: (text: Uint8Array) => readMore(this.#feed, text, this.#host(), this.#options.recalled),
      rejected: (step: StepInfo, text: string, why: string) => this.#deliveries.reject(step, text, why),
      hostFailed: (error: unknown) => this.#hostFailed(error),
      outputFailed: (error: unknown) => this.#outputFailed(error),
    }
  }

  /** ms since the run began, whole: what the core is told. */
  get now(): number {
    return Math.max(0, Math.floor(this.#options.clock.now() - this.#origin))
  }

  /**
   * Feeds the plan and runs it to its end. A plan that comes as a whole is read whole before the first call, so a bad plan
   * costs nothing; one that streams starts its first steps while the rest is still coming. With a past, `plan` is what the
   * journal lacks of it. Rejects with what Replayer throws, and with refusals of `begin`.
   */
  async run(plan: Uint8Array | AsyncIterable<Uint8Array>): Promise<DriverResult> {
    const { signal } = this.#options
    // Begun at once where nothing is to be loaded.
    const parts = needsParts(this.#options) ? await runParts(this.#host(), this.#options) : {}
    ;({ lookups: this.#lookups, checks: this.#checks, limits: this.#limits } = parts)
    const past = this.#begin(parts)
    const loading = this.#known()
    if (loading !== undefined) await loading
    this.#begun = true
    const reports = loadReports()
    // A run that fails before its end does not wait for it.
    reports.catch(() => {})
    if (signal?.aborted === true) this.#cancelled = true
    signal?.addEventListener('abort', this.#onAbort, { once: true })
    try {
      this.#limits?.join()
      if (past?.ended === false && past.records > 0) parts.resumeCalls?.(past, this.#resumingHost())
      if (this.#cancelled) this.cancel()
      if (past?.planEnded !== true) await this.#feed.feed(plan)
      else if (past.reopened) this.#feed.more()
      if ((past === undefined || past.records === 0) && !this.#feed.broken)
        await weighPlan(this.#host(), this.#options, () => this.#documents(), plan instanceof Uint8Array)
      if (!this.#feed.broken) recallOutputs(this.#host(), this.#options.recalled)
      // Before the first call of a whole plan: whatever was called, its run can be resumed from the journal alone.
      await this.#options.journal?.writer.flush().catch((error: unknown) => this.#hostFailed(error))
      this.#pump()
      const outcome = await this.#finished
      await this.#settleOutputs(outcome)
      // Told last, after every `done`: anyone who sees it may read the outputs.
      this.#emit({ type: 'finish', at: this.now, outcome, ...costOf(this.#core, this.#texts) })
      return this.#result(outcome, (await reports).withReport)
    } catch (error) {
      this.#calls.cancelAll()
      throw error
    } finally {
      this.#limits?.leave()
      this.#lookups?.close()
      void this.#retrievals?.then((retrievals) => retrievals.close())
      this.#checks?.close()
      signal?.removeEventListener('abort', this.#onAbort)
      this.#cancelWake?.()
      this.#core.tap = undefined
    }
  }

  /** Begins the run, or brings the core to where the journal ends; from here on everything is written down. */
  #begin({ restore, Recorder }: RunParts): Restored | undefined {
    const { past, journal, begin, cache, drafts } = this.#options
    if (past === undefined && (begin['cache'] ?? undefined) !== undefined && cache === undefined) throw noCache()
    const restored = past && restore?.(past.journal, past.records, this.#restoreHost())
    if (journal !== undefined && Recorder !== undefined) {
      this.#recorder = new Recorder(journal.writer, this.#core.documentText('defaults'), journal.start)
      this.#core.tap = this.#recorder
      journal.writer.onFailure((error) => this.#hostFailed(error))
    }
    if (restored === undefined || restored.records === 0) {
      this.#core.begin(begin, this.now)
      this.#texts.adoptTable(this.#core)
    } else {
      this.#origin = this.#options.clock.now() - restored.at
      this.#recovering = true
    }
    if (restored?.ended !== true) this.#tellClock()
    this.#drafts = drafts?.planner({ core: this.#core, texts: this.#texts, uses: begin['draft'] })
    return restored
  }

  #restoreHost() {
    return {
      core: this.#core,
      texts: this.#texts,
      emit: (event: RunEvent) => this.#emit(event),
      begun: () => this.#texts.adoptTable(this.#core),
      planned: (at: number) => this.#feed.adoptSteps(at),
      carryOut: (command: Command, at: number) => this.#carryOut(command, at, true),
    }
  }

  #resumingHost() {
    const carryOut = (command: Command): void => this.#carryOut(command, this.now, false)
    return { ...this.#host(), now: this.now, calls: this.#calls, carryOut }
  }

  #tellClock(): void {
    const { wallClock } = this.#options
    if (wallClock !== undefined) this.#core.clock(Math.round(wallClock()), this.now)
  }

  /** After this nothing of the run is only in memory. */
  async #settleOutputs(outcome: Outcome): Promise<void> {
    await this.#deliveries.settled()
    const { journal, past } = this.#options
    if (journal === undefined || this.#hostError !== undefined) return
    if (past === undefined || past.journal.records[past.records - 1]?.e !== 'end')
      this.#recorder?.end(outcome, this.now)
    this.#core.tap = undefined
    await journal.writer.flush().catch((error: unknown) => this.#hostFailed(error))
  }

  /** A host port failed: what runs is cancelled, and the error becomes the result's. */
  #hostFailed(error: unknown): void {
    this.#hostError ??= error
    this.cancel()
  }

  /**
   * An output could not be written. With a journal nothing is lost by that: what was bought and what is in flight is kept there, a
   * resumed run writes it, and the run comes to its end before the error is told. Without one the run is cancelled.
   */
  #outputFailed(error: unknown): void {
    if (this.#options.journal === undefined) return this.#hostFailed(error)
    const first = this.#hostError === undefined
    this.#hostError ??= error
    if (!first || !(error instanceof AetherflowError)) return
    const { code, where, detail } = error
    const kept = `${detail}; the journal has it: resume writes it`
    this.#emit({ type: 'warning', at: this.now, code, where, detail: kept })
  }

  /** Cancels the whole run; what is done is kept. */
  cancel(): void {
    this.#cancelled = true
    if (this.#begun) this.#signal(() => this.#core.cancelRun(this.now))
  }

  /** Cancels one step. Throws run.unknown_step or run.illegal_event. */
  cancelStep(id: string): void {
    const step = this.#texts.steps.findIndex((known) => known.id === id)
    if (step < 0) throw new AetherflowError('run.unknown_step', '', id)
    this.#core.cancelStep(step, this.now)
    this.#schedulePump()
  }

  /**
   * Events that arrive in one turn are answered by one drain. Whatever arrives first after a pause of the process, no deadline is
   * looked at before all that came meanwhile was read.
   */
  #schedulePump(): void {
    if (this.#pumping) return
    this.#pumping = true
    if (this.now - this.#wakeAt <= lateMs) return queueMicrotask(() => this.#pump())
    this.#cancelWake?.()
    this.#cancelWake = afterTurn(() => this.#pump())
  }

  #pump(): void {
    this.#pumping = false
    try {
      this.#drafts?.plan(this.now)
      for (;;) {
        const records = this.#core.drain()
        if (records.length === 0) break
        for (const command of decodeCommands(records)) this.#carryOut(command, this.now, false)
      }
      this.#recovering = false
      this.#cancelWake?.()
      this.#wake(this.#core.nextWake())
    } catch (error) {
      this.#crash?.(error)
    }
  }

  #wake(at: number | undefined): void {
    this.#cancelWake?.()
    this.#cancelWake = undefined
    this.#wakeAt = Infinity
    if (at === undefined) return
    const { now } = this
    const ms = Math.min(longestTimerMs, Math.max(0, at - now))
    this.#wakeAt = now + ms
    this.#cancelWake = this.#options.clock.after(ms, () => this.#signal(() => this.#core.tick(this.now)))
  }

  /** Tells the core something; an event that comes too late for the step's state is dropped there and here: false. */
  #signal(tell: () => void): boolean {
    this.#schedulePump()
    try {
      tell()
      return true
    } catch (error) {
      const late = error instanceof AetherflowError && error.code.startsWith('run.')
      if (!late) this.#crash?.(error)
      return false
    }
  }

  /** `past`: it was carried out before; only what may have been lost with its process is done again. */
  #carryOut(command: Command, at: number, past: boolean): void {
    switch (command.kind) {
      case 'call':
        this.#calls.start(command, false, this.#deliveries.unneeded(command.step))
        break
      case 'cancel':
        this.#calls.cancel(command.call)
        break
      case 'deliver':
        this.#deliveries.deliver(command, { pastAt: past ? at : undefined, again: past || this.#recovering })
        break
      case 'note':
        this.#note(command, at, past)
        break
      case 'look':
        if (this.#lookups === undefined) throw noCache()
        this.#lookups.look(command)
        break
      case 'expand':
        this.#deliveries.rules?.expand(command.step)
        break
      case 'retrieve':
        this.#documents()
          .then((retrievals) => retrievals.retrieve(command.step))
          .catch((error: unknown) => this.#crash?.(error))
        break
      case 'check':
        this.#checks?.check(command)
        break
      case 'store':
        this.#deliveries.store(() => this.#lookups?.store(command))
        break
      case 'finish':
        this.#finish?.(command.outcome)
        break
      default: // wake: of a later feature, never sent before it exists
    }
  }

  /** Loads what obeys the rules of the plan as soon as it says some. Undefined: there is nothing to wait for. */
  #known(): Promise<void> | undefined {
    const from = this.#seen
    this.#seen = this.#texts.steps.length
    if (this.#deliveries.rules !== undefined || from === this.#seen || !saysRules(this.#core, this.#texts.steps, from))
      return undefined
    return rulesOf(this.#host(), this.#options).then((rules) => void (this.#deliveries.rules = rules))
  }

  #documents(): Promise<Retrievals> {
    return (this.#retrievals ??= retrievalsOf(this.#host(), this.#options))
  }

  #note(command: NoteCommand, at: number, past: boolean): void {
    const { core, texts, emit, text } = this.#host()
    noteEvents(texts, command, at, costOf(core, texts, Math.max(0, command.step))).forEach(emit)
    if (past) return
    this.#drafts?.note(command, this.now)
    const anew = shownAnew(texts, command)
    if (anew !== undefined) text(texts.steps[command.step]?.id ?? '', anew)
  }

  #emit(event: RunEvent): void {
    this.#deliveries.see(event)
    this.#drafts?.event(event)
    this.#options.onEvent?.(event)
  }

  #result(outcome: Outcome, withReport: Awaited<ReturnType<typeof loadReports>>['withReport']): DriverResult {
    const outputs = this.#texts.outputsById()
    const result = { outcome, outputs, warnings: this.#feed.warnings(), hostError: this.#hostError }
    return withReport(result, this.#core, this.#texts, { ...this.#options, checks: this.#checks?.report })
  }
}
