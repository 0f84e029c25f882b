/**
 * The one driver of every host: command → port → event. It decides nothing; it keeps the texts, and tells the core what happened.
 *
 *   plan bytes ─▶ core ─ drain ─▶ call ─▶ Performer ─▶ succeeded / failed ─▶ core ─ drain ─▶ …
 *                  │          └─▶ deliver ─▶ journal durable ─▶ deliver() ─▶ `done`
 *                  └─ tap ─▶ journal: what a resumed run begins with
 */
import { Calls, type CallsHost } from './calls.js'
import { decodeCommands, type Command } from './commands.js'
import type { CoreRun } from './core.js'
import type { DriverOptions, DriverResult } from './driver-options.js'
import { AetherflowError } from './errors.js'
import type { RunEvent, RunReport, StepInfo } from './events.js'
import { outcomes, type Outcome } from './generated/wire.js'
import { JournalRecorder } from './journal/recorder.js'
import { hitEvent, Lookups, noCache } from './lookups.js'
import { noteEvent } from './note-events.js'
import { restore, type Restored } from './journal/restore.js'
import { RunTexts, sharedFrom } from './run-texts.js'

export type { DriverOptions, DriverResult, RecalledOutput } from './driver-options.js'

const encoder = new TextEncoder()

/** Timers hold 31 bits of ms; a longer wait is a tick on the way. */
const longestTimerMs = 2 ** 31 - 1

export class Driver {
  readonly #core: CoreRun
  readonly #options: DriverOptions
  /** When the run began, on the clock; of a resumed run, as if it had never stood still. */
  #origin: number
  readonly #texts = new RunTexts()
  readonly #calls: Calls
  readonly #lookups: Lookups | undefined
  readonly #deliveries = new Set<Promise<void>>()
  /** Of the step that was delivered last; undefined: it is told already. */
  #delivery: Promise<void> | undefined
  #recorder: JournalRecorder | undefined
  /** Until the first commands after a past: the process that is gone may have carried them out too. */
  #recovering = false
  #begun = false
  #cancelled = false
  #planBroken = false
  #pumping = false
  #cancelWake: (() => void) | undefined
  #hostError: unknown
  #warned = 0
  #finish: ((outcome: Outcome) => void) | undefined
  #crash: ((error: unknown) => void) | undefined
  readonly #finished: Promise<Outcome>
  readonly #onAbort = (): void => this.cancel()

  constructor(core: CoreRun, options: DriverOptions) {
    this.#core = core
    this.#options = options
    this.#origin = options.clock.now()
    const host = this.#callsHost()
    this.#calls = new Calls(host, options.performer, options.identity)
    const { cache, tenant, performer } = options
    this.#lookups = cache && new Lookups(host, { cache, tenant, performer })
    this.#finished = new Promise((resolve, reject) => {
      this.#finish = resolve
      this.#crash = reject
    })
    // A crash before anybody awaits the result must not end the process.
    this.#finished.catch(() => {})
  }

  #callsHost(): CallsHost {
    const now = (): number => this.now
    return {
      core: this.#core,
      texts: this.#texts,
      get now() {
        return now()
      },
      emit: (event) => this.#emit(event),
      signal: (tell) => this.#signal(tell),
      attach: (texts) => this.#recorder?.attach(texts),
      text: (step, piece) => this.#options.onText?.(step, piece),
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
    const past = this.#begin()
    this.#begun = true
    if (signal?.aborted === true) this.#cancelled = true
    signal?.addEventListener('abort', this.#onAbort, { once: true })
    try {
      if (past?.ended === false && past.records > 0) this.#goOn(past)
      if (this.#cancelled) this.cancel()
      if (past?.planEnded !== true) await this.#feed(plan)
      this.#recall()
      // Before the first call of a whole plan: whatever was called, its run can be resumed from the journal alone.
      await this.#options.journal?.writer.flush().catch((error: unknown) => this.#hostFailed(error))
      this.#pump()
      const outcome = await this.#finished
      await this.#settleOutputs(outcome)
      // Told last, after every `done`: whoever sees it may read the outputs.
      this.#emit({ type: 'finish', at: this.now, outcome, costMicroUsd: this.#core.cost() })
      return this.#result(outcome)
    } catch (error) {
      this.#calls.cancelAll()
      throw error
    } finally {
      this.#lookups?.close()
      signal?.removeEventListener('abort', this.#onAbort)
      this.#cancelWake?.()
      this.#core.tap = undefined
    }
  }

  /** Begins the run, or brings the core to where the journal ends; from here on everything is written down. */
  #begin(): Restored | undefined {
    const { past, journal, begin, cache } = this.#options
    if (past === undefined && (begin['cache'] ?? undefined) !== undefined && cache === undefined) throw noCache()
    const restored = past && restore(past.journal, past.records, this.#restoreHost())
    if (journal !== undefined) {
      this.#recorder = new JournalRecorder(journal.writer, this.#core.documentText('defaults'), journal.start)
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
    return restored
  }

  #restoreHost() {
    return {
      core: this.#core,
      texts: this.#texts,
      emit: (event: RunEvent) => this.#emit(event),
      begun: () => this.#texts.adoptTable(this.#core),
      planned: (at: number) => this.#adoptSteps(at),
      carryOut: (command: Command, at: number) => this.#carryOut(command, at, true),
    }
  }

  #tellClock(): void {
    const { wallClock } = this.#options
    if (wallClock !== undefined) this.#core.clock(Math.round(wallClock()), this.now)
  }

  /** Takes up the calls that were under way when the earlier process ended. */
  #goOn({ open, records, lookups }: Restored): void {
    const { now } = this
    this.#emit({ type: 'resumed', at: now, records, calls: open.filter(({ cancelled }) => !cancelled).length })
    for (const { command, cancelled, begun } of open) {
      // What that process had streamed to the user is gone with it.
      const step = this.#texts.steps[command.step]?.id
      if (begun && !cancelled && step !== undefined) this.#emit({ type: 'restart', at: now, step })
      if (cancelled) this.#signal(() => this.#core.failed(command.call, 'cancelled', { shown: false }, now))
      else this.#calls.start(command, true)
    }
    for (const command of lookups) this.#carryOut(command, now, false)
  }

  /** Outputs known from another run are told before anything is handed out. */
  #recall(): void {
    const { recalled } = this.#options
    if (recalled === undefined || this.#planBroken) return
    for (const { step, id } of this.#texts.steps) {
      const known = recalled.get(id)
      if (known === undefined) continue
      const words = { x: known.text, ...(known.files === undefined ? {} : { f: known.files }) }
      this.#recorder?.attach(words)
      if (this.#signal(() => this.#core.recalled(step, this.now))) this.#texts.recalled(step, words)
    }
  }

  /** After this nothing of the run is only in memory. */
  async #settleOutputs(outcome: Outcome): Promise<void> {
    await Promise.all(this.#deliveries)
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

  async #feed(plan: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
    if (plan instanceof Uint8Array) {
      this.#planBytes(plan)
    } else {
      for await (const chunk of plan) {
        this.#planBytes(chunk)
        if (this.#planBroken || this.#cancelled) break
        this.#pump()
      }
    }
    // The core takes no more of a plan whose run was cancelled.
    if (this.#cancelled) return
    this.#tellPlan(() => this.#core.planEnd(this.now))
    if (!this.#planBroken) this.#adoptSteps(this.now)
  }

  #planBytes(bytes: Uint8Array): void {
    const most = 1 << 20
    for (let from = 0; from < bytes.length && !this.#cancelled; from += most) {
      // A broken plan is read on: only the whole text tells one that is not JSON from one that is no plan.
      this.#tellPlan(() => this.#core.planBytes(bytes.subarray(from, from + most), this.now))
    }
    if (!this.#planBroken && !this.#cancelled) this.#adoptSteps(this.now)
  }

  /** A plan error is the core's to report: it stops what runs and finishes as plan_invalid. */
  #tellPlan(tell: () => void): void {
    try {
      tell()
    } catch (error) {
      if (!(error instanceof AetherflowError) || error.code.startsWith('host.') || error.code.startsWith('run.'))
        throw error
      this.#planBroken = true
    }
  }

  #adoptSteps(at: number): void {
    const steps = this.#core.document<StepInfo[]>('steps', this.#texts.steps.length)
    if (steps.length > 0) {
      for (const step of steps) this.#texts.steps.push(step)
      this.#emit({ type: 'steps', at, steps })
    }
    for (const warning of this.#warnings(this.#warned)) {
      this.#warned += 1
      this.#emit({ type: 'warning', at, ...warning })
    }
  }

  #warnings(from = 0): { code: string; where: string; detail: string }[] {
    return this.#core
      .document<{ code: string; where: string; detail: string }[]>('warnings', from)
      .map(({ code, where, detail }) => ({ code, where, detail }))
  }

  /** Events that arrive in one turn are answered by one drain. */
  #schedulePump(): void {
    if (this.#pumping) return
    this.#pumping = true
    queueMicrotask(() => this.#pump())
  }

  #pump(): void {
    this.#pumping = false
    try {
      for (;;) {
        const records = this.#core.drain()
        if (records.length === 0) break
        for (const command of decodeCommands(records)) this.#carryOut(command, this.now, false)
      }
      this.#recovering = false
      this.#cancelWake?.()
      const wake = this.#core.nextWake()
      this.#cancelWake =
        wake === undefined
          ? undefined
          : this.#options.clock.after(Math.min(longestTimerMs, Math.max(0, wake - this.now)), () => {
              this.#signal(() => this.#core.tick(this.now))
            })
    } catch (error) {
      this.#crash?.(error)
    }
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
        this.#calls.start(command)
        break
      case 'cancel':
        this.#calls.cancel(command.call)
        break
      case 'deliver':
        this.#deliver(command, at, past)
        break
      case 'note':
        this.#emit(noteEvent(this.#texts, command, at, this.#core.cost(Math.max(0, command.step))))
        break
      case 'look':
        if (this.#lookups === undefined) throw noCache()
        this.#lookups.look(command)
        break
      case 'store':
        this.#store(command)
        break
      case 'finish':
        this.#finish?.(outcomes[command.a] ?? 'ok')
        break
      default: // retrieve, wake: of later features, never sent before they exist
    }
  }

  /** The output is told and written only once the journal cannot lose it any more. */
  #deliver(command: Command, at: number, past: boolean): void {
    const step = this.#texts.steps[command.step]
    if (step === undefined) return
    const text = this.#texts.deliver(command.step, sharedFrom(command))
    const hit = hitEvent(this.#texts, command, past ? at : this.now)
    if (hit !== undefined) this.#emit(hit)
    const costMicroUsd = this.#core.cost(command.step)
    const told = (): void =>
      this.#emit({
        type: 'done',
        at: past ? at : this.now,
        step: step.id,
        bytes: encoder.encode(text).length,
        repaired: command.a === 1,
        ...(command.a === 2 ? { recalled: true } : {}),
        ...(hit === undefined ? {} : { cached: hit.kind }),
        costMicroUsd,
      })
    const { journal, deliver } = this.#options
    const durable = past ? undefined : journal?.writer.flush()
    const again = past || this.#recovering
    const writing =
      durable === undefined ? deliver?.(step, text, again) : durable.then(() => deliver?.(step, text, again))
    this.#delivery = undefined
    if (writing === undefined) return told()
    this.#delivery = writing.then(told, (error: unknown) => this.#hostFailed(error))
    this.#awaitAtEnd(this.#delivery)
  }

  #awaitAtEnd(work: Promise<void>): void {
    this.#deliveries.add(work)
    void work.finally(() => this.#deliveries.delete(work))
  }

  /** Follows the `deliver` of its step: what the run itself has not kept yet is not kept for others. */
  #store(command: Command): void {
    const store = async (): Promise<void> => {
      await this.#delivery
      if (this.#hostError === undefined) await this.#lookups?.store(command)
    }
    this.#awaitAtEnd(store())
  }

  #emit(event: RunEvent): void {
    this.#options.onEvent?.(event)
  }

  #result(outcome: Outcome): DriverResult {
    const outputs = this.#texts.outputsById()
    const report = this.#core.document<RunReport>('report')
    return { outcome, report, outputs, warnings: this.#warnings(), hostError: this.#hostError }
  }
}
