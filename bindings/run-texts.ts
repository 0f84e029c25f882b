/** The texts of a run: the core keeps none of them. */
import * as stepRow from './generated/step-row.js'
import type { CheckFound } from './check-port.js'
import type { CallCommand, DeliverCommand } from './commands.js'
import type { CoreRun } from './core.js'
import type { StepInfo } from './events.js'
import {
  at,
  checkVerdicts,
  failureKinds,
  failureKindWords,
  finishReasons,
  purposeAnswers,
  type Purpose,
  type Reason,
  type Verdict,
} from './generated/wire.js'
import type { SignalTexts } from './journal/journal.js'
import type { StepDocuments } from './step-documents.js'

/** A call whose text is the step's answer as it streams; a hedge does so beside another. See core/run/phases.def. */
export function writesAnswer(call: { readonly purpose: Purpose; readonly reason?: Reason | undefined }): boolean {
  return purposeAnswers[call.purpose] === 'shown' && !isBeside(call)
}

/** A draft that is shown before anybody has verified it. */
export const isProvisional = (call: Parameters<typeof writesAnswer>[0]): boolean =>
  call.purpose === 'draft' && writesAnswer(call)

/** A draft that is made beside a full answer: nobody sees it before it is accepted. */
export function isBeside({
  purpose,
  reason,
}: {
  readonly purpose: Purpose
  readonly reason?: Reason | undefined
}): boolean {
  return purpose === 'draft' && reason === 'hedged'
}

/** A call that judges an answer instead of giving one. */
export function judges({ purpose }: { readonly purpose: Purpose }): boolean {
  return purposeAnswers[purpose] === 'verdict'
}

/** A call whose answer the step's output is compared with. */
export function isAside({ purpose }: { readonly purpose: Purpose }): boolean {
  return purposeAnswers[purpose] === 'aside'
}

/** Verdicts that let an answer pass. */
export function acceptable(verdict: number): boolean {
  const word = checkVerdicts[verdict]
  return word === 'passed' || word === 'extracted'
}

/** The model stopped before it was done: to the core such an answer is a failure. */
export function cutShort(finish: number): boolean {
  const word = finishReasons[finish]
  return word === 'length' || word === 'content_filter'
}

export class RunTexts {
  readonly steps: StepInfo[] = []
  providers: readonly { readonly id: string }[] = []
  /** `provider`: its id. */
  models: readonly { readonly id: string; readonly provider: string }[] = []
  /** Answers are audited in this run. */
  audited = false
  /** Final text by step. */
  readonly outputs: (string | undefined)[] = []
  /** The latest main or repair answer of a step that is not delivered yet. */
  readonly answers = new Map<number, string>()
  /** What was found wrong with it. */
  readonly issues = new Map<number, string>()
  /** Held steps that were let go, as a journal tells. */
  readonly expanded = new Set<number>()
  /** Steps that a call at an assumed price was made for. */
  readonly assumed = new Set<number>()
  /** Why the last call of a step failed. */
  readonly failures = new Map<number, string>()
  /** What the user has seen of an answer that broke off: a continuation goes on from it. */
  readonly accepted = new Map<number, string>()
  /** Steps whose draft was rejected after a beginning that can stand, in `accepted`: a continuation shows it again. */
  readonly #beginnings = new Set<number>()
  /** By step: its draft, where that is made beside a full answer. */
  readonly drafted = new Map<number, string>()
  /** By step: the full answer that its accepted draft is compared with. */
  readonly canaries = new Map<number, string>()
  /** By step: the audit whose verdict is awaited. Kept while a journal is read. */
  readonly audits = new Map<number, number>()
  /** By step: the call whose answer is its latest. */
  readonly #answered = new Map<number, CallCommand>()
  /** By step: what each check of its answers found, in order. */
  readonly checks = new Map<number, { readonly call: CallCommand; readonly found: CheckFound }[]>()
  /** By step: what the check showed of the answer that an audit reads. */
  readonly shown = new Map<number, string>()
  /** By step: the answer that stands again when the check of its repair fails. */
  readonly #first = new Map<number, string>()
  /** By step: fingerprint of the files that went into its answer. */
  readonly files = new Map<number, string>()
  /** By step: what was found for it in the documents. */
  readonly documents = new Map<number, StepDocuments>()
  /** By their text: the step that was told it first. */
  readonly #documentTexts = new Map<string, number>()
  /** Keys of requests that the cache was asked for, and their numbers. */
  readonly #keys = new Map<string, number>()
  #nextKey = 0
  /** By group of steps: why they are routed as they are. */
  readonly #why = new Map<number, string>()
  /** By step: of a call and its hedge, the one whose answer counts. */
  readonly #leads = new Map<number, number>()

  /** Takes over the names of the table that the core was begun with. */
  adoptTable(core: CoreRun): void {
    const table = core.sharedDocument<Pick<RunTexts, 'providers' | 'models' | 'audited'>>('table')
    this.providers = table.providers
    this.models = table.models
    this.audited = table.audited
  }

  /** Ids of the provider and model that a command names; '' for none. */
  targetOf({ provider, model }: Pick<CallCommand, 'provider' | 'model'>): {
    readonly provider: string
    readonly model: string
  } {
    return { provider: this.providers[provider]?.id ?? '', model: this.models[model]?.id ?? '' }
  }

  /** Why the step's target was chosen, in words; undefined: it is not routed. Steps of one group are routed alike, and there are few groups. */
  whyRouted(core: CoreRun, step: number): string | undefined {
    const group = at(core.stepRow(step), stepRow.group)
    if (group < 0) return undefined
    const why = this.#why.get(group) ?? core.document<{ why: string }>('route', step).why
    this.#why.set(group, why)
    return why
  }

  /** Outputs of the step's dependencies that have one, in their order. */
  inputsOf(step: StepInfo): (readonly [number, string])[] {
    const inputs: (readonly [number, string])[] = []
    for (const index of step.dependencies) {
      const text = this.outputs[index]
      if (text !== undefined) inputs.push([index, text])
    }
    return inputs
  }

  /** A call begins. True: it goes on from the beginning of a rejected draft, which was taken back with the draft. */
  called(command: CallCommand): boolean {
    if (command.purpose !== 'main') return false
    this.#leads.delete(command.step)
    if (command.reason !== 'continued') this.accepted.delete(command.step)
    return this.#beginnings.delete(command.step) && command.reason === 'continued'
  }

  /** Whether the answer of this call counts: it is the only one, or the first that began to answer. */
  leads({ step, call }: CallCommand): boolean {
    const lead = this.#leads.get(step)
    if (lead === undefined) this.#leads.set(step, call)
    return lead === undefined || lead === call
  }

  /** The core took `succeeded` with these numbers. `x`: the answer as checked, `w`: why the checker refused it. */
  succeeded(command: CallCommand, values: readonly number[], { x = '', w = '', f }: SignalTexts): void {
    const { step } = command
    const [, , , , , finish = 0, verdict = 0] = values
    if (isAside(command)) {
      if (acceptable(verdict) && !cutShort(finish)) this.canaries.set(step, x)
      return
    }
    if (isBeside(command)) {
      if (acceptable(verdict) && !cutShort(finish)) this.drafted.set(step, x)
      return
    }
    if (judges(command) || (writesAnswer(command) && !this.leads(command))) return
    if (cutShort(finish)) {
      if (writesAnswer(command)) this.accepted.set(step, x)
      this.failures.set(step, finishWords(finish))
      return
    }
    const passed = acceptable(verdict)
    const first = this.answers.get(step)
    if (!writesAnswer(command) && passed && first !== undefined) this.#first.set(step, first)
    if (writesAnswer(command) || passed) this.answers.set(step, x)
    this.#answered.set(step, command)
    if (f !== undefined) this.files.set(step, f)
    if (passed) return
    this.issues.set(step, w)
    this.failures.set(step, w)
  }

  /** The core took `checked`; the call whose answer it was. `issues`: what failed, or what a pass showed. */
  checked(step: number, found: CheckFound, issues: string): CallCommand | undefined {
    const call = this.#answered.get(step)
    if (call === undefined) return undefined
    this.checks.set(step, [...(this.checks.get(step) ?? []), { call, found }])
    if (found.pass) {
      if (issues !== '') this.shown.set(step, issues)
      return call
    }
    // The full answer that follows a draft is written without having seen it.
    if (call.purpose !== 'draft') this.issues.set(step, issues)
    this.failures.set(step, issues)
    const first = this.#first.get(step)
    if (first !== undefined) this.answers.set(step, first)
    return call
  }

  /** The core took the verdict on the step's answer. `text`: the issues, or what is left of a draft. */
  judged(step: number, verdict: Verdict, text: string): void {
    const beside = this.drafted.get(step)
    if (verdict === 'patch') this.answers.set(step, text)
    if (verdict === 'pass' && beside !== undefined) this.answers.set(step, beside)
    // The full answer is under way already: it goes on from nothing.
    if (verdict === 'reject' && text !== '' && beside === undefined) {
      this.accepted.set(step, text)
      this.#beginnings.add(step)
    }
    if (verdict === 'issues' && this.outputs[step] === undefined) this.issues.set(step, text)
  }

  /** The core took `failed` with these numbers. `x`: the text shown so far, `w`: the message for people. */
  failed({ step, call }: CallCommand, values: readonly number[], { x, w }: SignalTexts): void {
    this.failures.set(step, w ?? failureKindWords[failureKinds[values[1] ?? 0] ?? 'server_error'])
    if (x !== undefined) this.accepted.set(step, x)
    if (this.#leads.get(step) === call) this.#leads.delete(step)
  }

  /** The core took `recalled`. */
  recalled(step: number, { x = '', f }: SignalTexts): void {
    this.answers.set(step, x)
    if (f !== undefined) this.files.set(step, f)
  }

  /** The core took `looked` with these numbers. `x`: the answer of a hit, `w`: the key of the request. */
  looked(values: readonly number[], { x, w, f }: SignalTexts): void {
    const [step = -1, , key = -1] = values
    if (w !== undefined && key >= 0) this.#keys.set(w, key)
    this.#nextKey = Math.max(this.#nextKey, key + 1)
    if (x !== undefined) this.recalled(step, { x, f })
  }

  /** The core took `retrieved`. */
  retrieved(step: number, found: StepDocuments): void {
    this.documents.set(step, found)
    if (found.text !== '' && !this.#documentTexts.has(found.text)) this.#documentTexts.set(found.text, step)
  }

  /** The step that was told this text before. */
  toldDocuments(text: string): number | undefined {
    return this.#documentTexts.get(text)
  }

  /** The number of a key: equal keys, equal numbers. */
  keyNumber(key: string): number {
    const known = this.#keys.get(key) ?? this.#nextKey++
    this.#keys.set(key, known)
    return known
  }

  /** Moves a step's answer to its outputs; with `from` an identical step has it. */
  deliver({ step, from }: Pick<DeliverCommand, 'step' | 'from'>): string {
    const text = (from < 0 ? this.answers.get(step) : this.outputs[from]) ?? ''
    const files = this.files.get(from)
    if (files !== undefined) this.files.set(step, files)
    const { answers, issues, failures, accepted, drafted, shown } = this
    for (const kept of [answers, issues, failures, accepted, drafted, shown, this.#leads, this.#first, this.#answered])
      kept.delete(step)
    this.outputs[step] = text
    return text
  }

  outputsById(): Map<string, string> {
    const outputs = new Map<string, string>()
    this.steps.forEach(({ id }, index) => {
      const text = this.outputs[index]
      if (text !== undefined) outputs.set(id, text)
    })
    return outputs
  }
}

function finishWords(finish: number): string {
  return finishReasons[finish] === 'length'
    ? 'the answer reached its limit of tokens; raise estimated_tokens of the step'
    : failureKindWords.content_blocked
}
