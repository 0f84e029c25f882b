/** The calls in flight: each `call` command becomes a ticket for the performer, its end a signal for the core. */
import { callEndEvent, callEvent, ofCall } from './call-events.js'
import type { CallCommand } from './commands.js'
import { noDrafts, type DraftDesk, type DraftJudgement } from './drafts.js'
import type { StepInfo } from './events.js'
import { checkVerdicts, failureKinds, finishReasons, type CheckVerdict, type FailureKind } from './generated/wire.js'
import type { SignalTexts } from './journal/journal.js'
import { LiveCall, type LiveCallHost } from './live-call.js'
import { failureOf, type CallTicket, type Performer } from './performer.js'
import type { CallFailureInfo, ModelReply, Usage } from './ports.js'
import { acceptable, cutShort, isAside, isBeside, judges, writesAnswer } from './run-texts.js'
import { ticketOf, type RunIdentity, type TicketTexts } from './ticket.js'

export interface CallsHost extends LiveCallHost {
  /** Texts that belong to the signal told next. */
  attach(texts: SignalTexts): void
  /** Needed by a run that drafts. */
  readonly drafts: DraftDesk | undefined
  /** Whether an accepted draft is to be compared with a full answer. */
  readonly isDue: (step: number) => boolean
  /** An answer came whole and is no output of its step. */
  rejected(step: StepInfo, text: string, why: string): void
}

const unknown: Usage = { input: 0, cached: 0, output: 0, reasoning: 0 }

export class Calls {
  readonly #host: CallsHost
  readonly #performer: Performer
  readonly #identity: RunIdentity | undefined
  readonly #live = new Map<number, LiveCall>()

  constructor(host: CallsHost, performer: Performer, identity: RunIdentity | undefined) {
    this.#host = host
    this.#performer = performer
    this.#identity = identity
  }

  /**
   * `again`: the call was begun by a process that is gone; its watchers have heard of it. `unneeded`: the step was settled by what was
   * decided in the same moment; the call is over before anything of it leaves.
   */
  start(command: CallCommand, again = false, unneeded = false): void {
    const { texts, now } = this.#host
    const step = texts.steps[command.step]
    if (step === undefined) return
    const shownAnew = !again && texts.called(command)
    const live = new LiveCall(this.#host, command, step, again)
    this.#live.set(command.call, live)
    const ticket = this.#ticket(live)
    if (!again) this.#host.emit(callEvent(this.#host.core, texts, command, now))
    if (unneeded) {
      live.abort()
      return this.#failed(live, undefined)
    }
    if (shownAnew) this.#host.text(step.id, live.prefix ?? '')
    this.#perform(ticket, live).then(
      (reply) => this.#answered(live, reply),
      (error: unknown) => this.#failed(live, error),
    )
  }

  cancel(call: number): void {
    this.#live.get(call)?.abort()
  }

  cancelAll(): void {
    for (const live of this.#live.values()) live.abort()
  }

  #ticket(live: LiveCall): CallTicket {
    const { command, step } = live
    const { texts } = this.#host
    const { answer, issues } = this.#material(command)
    const documents = texts.documents.get(command.step)?.text
    const material = { dependencies: texts.inputsOf(step), documents, answer, issues }
    return ticketOf(live, texts.targetOf(command), material, this.#identity)
  }

  /** What the call works on beside the step's own task. */
  #material(command: CallCommand): Pick<TicketTexts, 'answer' | 'issues'> {
    const { texts } = this.#host
    const { purpose, step } = command
    if (purpose === 'verify' || purpose === 'judge') return this.#desk.question(command, texts)
    // What a draft is compared with is written without having seen it.
    if (isAside({ purpose })) return {}
    return {
      answer: writesAnswer({ purpose }) ? undefined : texts.answers.get(step),
      // A judge sees what the answer's checks showed; a repair what was found wrong.
      issues: (judges({ purpose }) ? texts.shown : texts.issues).get(step),
    }
  }

  get #desk(): DraftDesk {
    const { drafts } = this.#host
    if (drafts === undefined) throw noDrafts()
    return drafts
  }

  /** A performer that throws instead of rejecting has failed its call, not the run. */
  #perform(ticket: CallTicket, live: LiveCall): Promise<ModelReply> {
    const message = this.#host.texts.documents.get(live.command.step)?.failure
    if (message !== undefined) return Promise.reject({ kind: 'input', message } satisfies CallFailureInfo)
    try {
      return this.#performer.perform(ticket, live, this.#host.core)
    } catch (error) {
      return Promise.reject(error as Error)
    }
  }

  #answered(live: LiveCall, reply: ModelReply): void {
    this.#live.delete(live.command.call)
    if (live.over) return
    live.over = true
    if (judges(live.command)) return this.#audited(live, reply)
    const { core, texts, now } = this.#host
    const { command } = live
    const checked = core.check(command.step, reply.text)
    const { usage, estimated } = this.#usage(reply)
    const { finish, providerMs } = reply
    this.#host.limits?.settle(command, usage)
    const verdict = checked.verdict
    const aside = isAside(command) || isBeside(command)
    const cut = cutShortReply(reply)
    const words: SignalTexts = {
      x: cut ? reply.text : checked.text,
      ...(checked.why === '' ? {} : { w: checked.why }),
      ...(live.fingerprint === undefined ? {} : { f: live.fingerprint }),
    }
    this.#host.attach(words)
    const more = { finish, verdict, providerMs, estimated }
    if (!this.#host.signal(() => core.succeeded(command.call, usage, more, now))) return
    texts.succeeded(command, [0, 0, 0, 0, 0, finishNumber(reply), checkVerdicts.indexOf(verdict)], words)
    if (!aside && (cut || !acceptable(checkVerdicts.indexOf(verdict))))
      this.#host.rejected(live.step, reply.text, texts.failures.get(command.step) ?? checked.why)
    this.#tellAnswer(live, verdict, usage, estimated)
  }

  /** An audit that cannot be read is no audit: it passes nothing and blames nothing. */
  #audited(live: LiveCall, reply: ModelReply): void {
    const { core, texts, now } = this.#host
    const { call, step } = live.command
    const { usage, estimated } = this.#usage(reply)
    this.#host.limits?.settle(live.command, usage)
    const { verdict, text, kept = -1 } = this.#judgement(live.command, reply.text)
    if (verdict === 'unclear') return this.#tellFailure(live, 'malformed', { usage }, undefined)
    const { finish, providerMs } = reply
    const more = { finish, verdict: 'passed', providerMs, estimated } as const
    if (!this.#host.signal(() => core.succeeded(call, usage, more, now))) return
    this.#tellAnswer(live, 'passed', usage, estimated)
    // An audit that was cut short has failed already, and its verdict is refused.
    if (cutShortReply(reply)) return
    if (verdict !== 'pass') this.#host.attach({ x: text })
    if (this.#host.signal(() => core.verdict(call, verdict, now, kept))) texts.judged(step, verdict, text)
  }

  /** What a judge said was lost with an earlier process: a draft is taken for rejected, an answer for one with issues. */
  verdictLost({ call, step, purpose }: CallCommand): void {
    const { core, texts, now } = this.#host
    const verdict = purpose === 'audit' ? 'issues' : 'reject'
    // What an accepted draft was worth is then not known.
    if (purpose === 'judge') return
    const text = purpose === 'audit' ? 'Check the whole answer once more: what was found wrong with it is lost.' : ''
    this.#host.attach({ x: text })
    if (this.#host.signal(() => core.verdict(call, verdict, now, 0))) texts.judged(step, verdict, text)
  }

  /** What an auditor, a verifier or a judge has said; `text`: the issues, or what is left of a draft. */
  #judgement(command: CallCommand, reply: string): DraftJudgement {
    if (command.purpose !== 'audit') return this.#desk.judgement(command, reply, this.#host)
    const { verdict, issues } = this.#host.core.audit(reply)
    return { verdict, text: issues }
  }

  #tellAnswer({ command }: LiveCall, check: CheckVerdict, tokens: Usage, estimated: boolean): void {
    const { core, texts, now: at } = this.#host
    this.#host.emit({ type: 'answer', ...ofCall(texts, command, at), check, tokens, tokensEstimated: estimated })
    this.#host.emit(callEndEvent(core, texts, command, at))
  }

  /**
   * The provider's counts, unless they cannot be right: none at all, no prompt, or far fewer tokens of answer than came.
   * Then the estimate stands in, and is marked. A prompt of 0 tokens is estimated by the core.
   */
  #usage({ usage, text, reasoned = 0 }: ModelReply): { usage: Usage; estimated: boolean } {
    const claimed = usage?.output ?? 0
    // The cheap bound first: no tokenizer makes tokens of 12 characters on average out of an answer.
    if (usage !== undefined && usage.input > 0 && text.length <= 12 * claimed && reasoned <= 4 * claimed) {
      return { usage, estimated: false }
    }
    const output = this.#host.core.estimateTokens(text) + reasoned
    const plausible = claimed > 0 && output <= 4 * claimed + 32
    if (usage === undefined || !plausible) return { usage: { ...(usage ?? unknown), output }, estimated: true }
    return { usage, estimated: usage.input === 0 }
  }

  #failed(live: LiveCall, error: unknown): void {
    const { command } = live
    this.#live.delete(command.call)
    if (live.over) return
    live.over = true
    const info = failureOf(error, live.aborted)
    if (info.kind === 'cancelled') return this.#cutOff(live, info.usage)
    const { retryAfterMs, shouldRetry, kind, message } = info
    this.#tellFailure(live, kind, { retryAfterMs, shouldRetry, usage: info.usage }, message)
  }

  #cutOff(live: LiveCall, usage: Usage | undefined): void {
    this.#tellFailure(live, 'cancelled', { usage }, undefined)
  }

  #tellFailure(
    live: LiveCall,
    kind: FailureKind,
    more: { retryAfterMs?: number | undefined; shouldRetry?: boolean | undefined; usage: Usage | undefined },
    message: string | undefined,
  ): void {
    const { core, texts, now } = this.#host
    const { command, shown } = live
    const seen = writesAnswer(command) ? live.shownText() : undefined
    const words: SignalTexts = {
      ...(seen === undefined ? {} : { x: seen }),
      ...(message === undefined ? {} : { w: message }),
    }
    // A provider bills what it has streamed, also of a call that was cut off.
    const usage = more.usage ?? { ...unknown, output: live.streamedTokens() }
    this.#host.limits?.settle(command, usage, kind, more.retryAfterMs)
    this.#host.attach(words)
    if (!this.#host.signal(() => core.failed(command.call, kind, { ...more, usage, shown }, now))) return
    texts.failed(command, [command.call, failureKinds.indexOf(kind)], words)
    this.#host.emit(callEndEvent(core, texts, command, now))
  }
}

const finishNumber = ({ finish }: ModelReply): number => finishReasons.indexOf(finish)
const cutShortReply = (reply: ModelReply): boolean => cutShort(finishNumber(reply))
