/**
 * The one driver of every host: command → port → event. It decides nothing; it keeps the texts, and tells the core what happened.
 *
 *   plan bytes ─▶ core ─ drain ─▶ call ─▶ Performer ─▶ succeeded / failed ─▶ core ─ drain ─▶ …
 *                             └─▶ deliver ─▶ deliver() ─▶ durable output
 */
import { decodeCommands, type Command } from './commands.js'
import type { CoreRun } from './core.js'
import { AetherflowError } from './errors.js'
import type { RunEvent, RunReport, StepInfo } from './events.js'
import { outcomes, type Outcome } from './generated/wire.js'
import { LiveCall, type LiveCallHost } from './live-call.js'
import { failureOf, type CallProgress, type CallTicket, type Performer } from './performer.js'
import type { Clock, ModelReply } from './ports.js'
import { RunTexts } from './run-texts.js'

export interface DriverOptions {
  readonly clock: Clock
  readonly performer: Performer
  /** The options document of `begin`; see core/run/run.hpp. */
  readonly begin: Readonly<Record<string, unknown>>
  readonly signal?: AbortSignal | undefined
  readonly onEvent?: ((event: RunEvent) => void) | undefined
  /** Each piece of answer text as it streams. */
  readonly onText?: ((step: string, piece: string) => void) | undefined
  /** Makes an output durable. A rejection cancels the run: work whose result is lost is not worth paying for. */
  readonly deliver?: ((step: StepInfo, text: string) => Promise<void> | void) | undefined
}

export interface DriverResult {
  readonly outcome: Outcome
  readonly report: RunReport
  /** Text of every step that has an output, by id. */
  readonly outputs: ReadonlyMap<string, string>
  readonly warnings: readonly { code: string; where: string; detail: string }[]
  /** What a host port failed with, when that ended the run. */
  readonly hostError: unknown
}

const encoder = new TextEncoder()

export class Driver {
  readonly #core: CoreRun
  readonly #options: DriverOptions
  readonly #origin: number
  readonly #texts = new RunTexts()
  readonly #live = new Map<number, LiveCall>()
  readonly #deliveries = new Set<Promise<void>>()
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

  readonly #liveHost: LiveCallHost

  constructor(core: CoreRun, options: DriverOptions) {
    this.#core = core
    this.#options = options
    this.#origin = options.clock.now()
    const now = (): number => this.now
    this.#liveHost = {
      core,
      get now() {
        return now()
      },
      emit: (event) => this.#emit(event),
      signal: (tell) => this.#signal(tell),
      text: (step, piece) => options.onText?.(step, piece),
    }
    this.#finished = new Promise((resolve, reject) => {
      this.#finish = resolve
      this.#crash = reject
    })
    // A crash before anybody awaits the result must not end the process.
    this.#finished.catch(() => {})
  }

  /** ms since the driver was made, whole: what the core is told. */
  get now(): number {
    return Math.max(0, Math.floor(this.#options.clock.now() - this.#origin))
  }

  /**
   * Feeds the plan and runs it to its end. A plan that comes as a whole is read whole before the first call, so a bad plan
   * costs nothing; one that streams starts its first steps while the rest is still coming.
   */
  async run(plan: Uint8Array | AsyncIterable<Uint8Array>): Promise<DriverResult> {
    const { signal } = this.#options
    this.#core.begin(this.#options.begin, this.now)
    const table = this.#core.document<{ providers: { id: string }[]; models: { id: string }[] }>('table')
    this.#texts.providers = table.providers
    this.#texts.models = table.models
    this.#begun = true
    if (signal?.aborted === true) this.#cancelled = true
    signal?.addEventListener('abort', this.#onAbort, { once: true })
    try {
      if (this.#cancelled) this.cancel()
      await this.#feed(plan)
      this.#pump()
      const outcome = await this.#finished
      await Promise.all(this.#deliveries)
      // Told last, after every `done`: whoever sees it may read the outputs.
      this.#emit({ type: 'finish', at: this.now, outcome, costMicroUsd: this.#core.cost() })
      return this.#result(outcome)
    } catch (error) {
      this.#abortAll()
      throw error
    } finally {
      signal?.removeEventListener('abort', this.#onAbort)
      this.#cancelWake?.()
    }
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
    if (!this.#planBroken) this.#adoptSteps()
  }

  #planBytes(bytes: Uint8Array): void {
    const most = 1 << 20
    for (let from = 0; from < bytes.length && !this.#cancelled; from += most) {
      // A broken plan is read on: only the whole text tells one that is not JSON from one that is no plan.
      this.#tellPlan(() => this.#core.planBytes(bytes.subarray(from, from + most), this.now))
    }
    if (!this.#planBroken && !this.#cancelled) this.#adoptSteps()
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

  #adoptSteps(): void {
    const steps = this.#core.document<StepInfo[]>('steps', this.#texts.steps.length)
    if (steps.length > 0) {
      for (const step of steps) this.#texts.steps.push(step)
      this.#emit({ type: 'steps', at: this.now, steps })
    }
    for (const warning of this.#warnings(this.#warned)) {
      this.#warned += 1
      this.#emit({ type: 'warning', at: this.now, ...warning })
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
        for (const command of decodeCommands(records)) this.#carryOut(command)
      }
      this.#cancelWake?.()
      const wake = this.#core.nextWake()
      this.#cancelWake =
        wake === undefined
          ? undefined
          : this.#options.clock.after(Math.max(0, wake - this.now), () => {
              this.#signal(() => this.#core.tick(this.now))
            })
    } catch (error) {
      this.#crash?.(error)
    }
  }

  /** Tells the core something; an event that comes too late for the step's state is dropped there and here. */
  #signal(tell: () => void): void {
    try {
      tell()
    } catch (error) {
      const late = error instanceof AetherflowError && error.code.startsWith('run.')
      if (!late) this.#crash?.(error)
    }
    this.#schedulePump()
  }

  #carryOut(command: Command): void {
    switch (command.kind) {
      case 'call':
        this.#call(command)
        break
      case 'cancel':
        this.#live.get(command.call)?.controller.abort()
        break
      case 'deliver':
        this.#deliver(command)
        break
      case 'note':
        this.#emit(this.#texts.noteEvent(command, this.now, this.#core.cost(Math.max(0, command.step))))
        break
      case 'finish':
        this.#finish?.(outcomes[command.a] ?? 'ok')
        break
      default: // look, retrieve, store, wake: of later features, never sent before they exist
    }
  }

  #call(command: Command): void {
    const step = this.#texts.steps[command.step]
    if (step === undefined) return
    const live = new LiveCall(this.#liveHost, command, step)
    const { controller } = live
    this.#live.set(command.call, live)
    const provider = this.#texts.providers[command.provider]?.id ?? ''
    const model = this.#texts.models[command.model]?.id ?? ''
    const { purpose, attempt } = command
    this.#emit({ type: 'call', at: this.now, step: step.id, purpose, attempt, provider, model, estimateMs: command.c })
    const ticket: CallTicket = {
      call: command.call,
      step,
      purpose,
      attempt,
      provider,
      model,
      maxTokens: command.a,
      timeoutMs: command.b,
      dependencies: this.#texts.inputsOf(step),
      answer: purpose === 'main' ? undefined : this.#texts.answers.get(command.step),
      issues: this.#texts.issues.get(command.step),
      // A getter: Node makes the signal when it is first read, and not every performer reads it.
      get signal() {
        return controller.signal
      },
    }
    this.#perform(ticket, live).then(
      (reply) => this.#answered(command, step, reply),
      (error: unknown) => this.#failed(command, live, error),
    )
  }

  /** A performer that throws instead of rejecting has failed its call, not the run. */
  #perform(ticket: CallTicket, progress: CallProgress): Promise<ModelReply> {
    try {
      return this.#options.performer.perform(ticket, progress, this.#core)
    } catch (error) {
      return Promise.reject(error as Error)
    }
  }

  #answered(command: Command, step: StepInfo, reply: ModelReply): void {
    const { call, purpose } = command
    this.#live.delete(call)
    this.#signal(() => {
      const audit = purpose === 'audit'
      const checked = audit
        ? ({ verdict: 'passed', text: reply.text, why: '' } as const)
        : this.#core.check(command.step, reply.text)
      const estimated = reply.usage === undefined
      const usage = reply.usage ?? {
        input: 0,
        cached: 0,
        output: this.#core.estimateTokens(reply.text),
        reasoning: 0,
      }
      const verdict = audit ? this.#core.audit(reply.text) : undefined
      const acceptable = checked.verdict === 'passed' || checked.verdict === 'extracted'
      if (!audit && (purpose === 'main' || acceptable)) this.#texts.answers.set(command.step, checked.text)
      if (!acceptable) {
        this.#texts.issues.set(command.step, checked.why)
        this.#texts.failures.set(command.step, checked.why)
      }
      this.#emit({
        type: 'answer',
        at: this.now,
        step: step.id,
        purpose,
        check: checked.verdict,
        tokens: usage,
        tokensEstimated: estimated,
      })
      // An audit that cannot be read is no audit: it passes nothing and blames nothing.
      if (verdict !== undefined && verdict.pass === undefined) {
        return this.#core.failed(call, 'malformed', { usage, shown: false }, this.now)
      }
      const { finish, providerMs } = reply
      this.#core.succeeded(call, usage, { finish, verdict: checked.verdict, providerMs, estimated }, this.now)
      if (verdict?.pass === undefined) return
      if (!verdict.pass) this.#texts.issues.set(command.step, verdict.issues)
      this.#core.verdict(call, verdict.pass, this.now)
    })
  }

  #failed(command: Command, live: LiveCall, error: unknown): void {
    this.#live.delete(command.call)
    const info = failureOf(error, live.controller.signal.aborted)
    this.#texts.failures.set(command.step, info.message)
    const { retryAfterMs } = info
    this.#signal(() => {
      // A provider bills what it has streamed, also of a call that was cut off.
      const output = live.streamedTokens()
      const usage = info.usage ?? { input: 0, cached: 0, output, reasoning: 0 }
      this.#core.failed(command.call, info.kind, { retryAfterMs, usage, shown: live.shown }, this.now)
    })
  }

  #deliver(command: Command): void {
    const step = this.#texts.steps[command.step]
    if (step === undefined) return
    const text = this.#texts.deliver(command.step)
    const told = (): void =>
      this.#emit({
        type: 'done',
        at: this.now,
        step: step.id,
        bytes: encoder.encode(text).length,
        repaired: command.a === 1,
        costMicroUsd: this.#core.cost(command.step),
      })
    const writing = this.#options.deliver?.(step, text)
    if (writing === undefined) return told()
    const delivery = writing.then(told, (error: unknown) => {
      this.#hostError ??= error
      this.cancel()
    })
    this.#deliveries.add(delivery)
    void delivery.finally(() => this.#deliveries.delete(delivery))
  }

  #emit(event: RunEvent): void {
    this.#options.onEvent?.(event)
  }

  #abortAll(): void {
    for (const live of this.#live.values()) live.controller.abort()
  }

  #result(outcome: Outcome): DriverResult {
    const outputs = this.#texts.outputsById()
    const report = this.#core.document<RunReport>('report')
    return { outcome, report, outputs, warnings: this.#warnings(), hostError: this.#hostError }
  }
}
