/**
 * The typed face of the core, and the only file that touches its heap. Views are made again for every access: the heap may
 * have grown since, which silently empties older views.
 */
import * as promptRow from './generated/prompt-row.js'
import type { CacheWorth } from './cache/ports.js'
import type { AssembledPrompt, CheckedOutput, CoreTap, LookPrompt, PromptTexts } from './core-types.js'
import type { CoreModule, Session } from './module.js'
import { AetherflowError, type Fault } from './errors.js'
import { OwnedSession } from './owned-session.js'
import {
  checkVerdicts,
  commandStride,
  constraintLevels,
  documentKinds,
  errorCodes,
  eventKinds,
  failureKinds,
  finishReasons,
  limitWindows,
  lookResults,
  refusals,
  signalValues,
  verdicts,
  type CheckVerdict,
  type ConstraintLevel,
  type DocumentKind,
  type EventKind,
  type FailureKind,
  type FinishReason,
  type Found,
  type LimitWindow,
  type Refusal,
  type Verdict,
} from './generated/wire.js'
import { callRowLength, longestRow, promptRowLength, stepRowLength, strippedOf } from './rows.js'
import { sharedJson, sharedTable } from './shared-json.js'
import { defaultTable } from './generated/default-table.js'
import type { LimitSeen, Usage } from './ports.js'
import type { Weight } from './weigh.js'

export type * from './core-types.js'
export type { CoreModule } from './module.js'
export type { ConstraintLevel } from './generated/wire.js'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Modules that were handed the built-in table. */
const tabled = new WeakSet<CoreModule>()

/** Short texts are decoded and encoded by hand-free fast paths of the platform; nothing is kept between calls. */
export class CoreRun {
  #module: CoreModule
  readonly #owned: OwnedSession<Session>
  readonly #lastRow = new Float64Array(longestRow)

  constructor(module: CoreModule) {
    this.#module = module
    this.#owned = new OwnedSession(new module.Session(), this)
    if (tabled.has(module)) return
    tabled.add(module)
    this.#call((s) => s.table(this.#text(s, defaultTable)))
  }

  /** Frees the C++ side. Every later call throws host.disposed. Idempotent. */
  dispose(): void {
    this.#owned.dispose()
  }
  [Symbol.dispose](): void {
    this.dispose()
  }
  get disposed(): boolean {
    return this.#owned.disposed
  }

  /** Sees everything that changes the machine, in order: what a journal keeps. One at a time. */
  tap: CoreTap | undefined

  /** Feeds plan bytes. Throws the plan's error as soon as it is known; the rest may still be fed for a better verdict. */
  planBytes(bytes: Uint8Array, now: number): void {
    this.tap?.planBytes(bytes, now)
    this.#ok((s) => s.planBytes(this.#bytes(s, bytes), now))
  }
  planEnd(now: number): void {
    this.tap?.planEnd(now)
    this.#ok((s) => s.planEnd(now))
  }
  begin(options: unknown, now: number): void {
    this.beginText(JSON.stringify(options), now)
  }
  /** `begin` with the options as the JSON text that a journal kept. */
  beginText(options: string, now: number): void {
    this.tap?.begin(options, now)
    this.#ok((s) => s.begin(this.#text(s, options), now))
  }

  /**
   * Any event but the plan's and begin: its numbers as core/base/vocabulary.def lists them, −1 where unknown. Throws its
   * refusal (nothing changed but the time). 1: the call of a `prompted` must not leave, and is over. Else 0.
   */
  signal(kind: EventKind, values: readonly number[], now: number): number {
    this.tap?.signal(kind, values, now)
    const number = eventNumbers[kind]
    const result = this.#call((s) => {
      const from = s.values() / 8
      const heap = this.#module.HEAPF64
      for (let i = 0; i < signalValues; i++) heap[from + i] = values[i] ?? -1
      return s.signal(number, now)
    })
    if (result < 0) throw this.#error(result)
    return result
  }
  tick(now: number): void {
    this.signal('tick', none, now)
  }
  clock(epochMs: number, now: number): void {
    this.signal('clock', [epochMs], now)
  }
  /** What the context files of a step add to its prompt, in all and by entry of its list. */
  weighed({ step, tokens, each = [] }: Weight, now: number): void {
    for (const [entry, one] of each.entries()) this.signal('weighed', [step, one, entry], now)
    this.signal('weighed', [step, tokens], now)
  }
  started(call: number, reused: boolean | undefined, setupMs: number | undefined, now: number): void {
    this.signal('started', [call, reused === undefined ? -1 : Number(reused), Math.round(setupMs ?? -1)], now)
  }
  /** False: the call must not leave, and is over; the core has queued its step again. */
  prompted(call: number, tokens: number, stripped: number, now: number): boolean {
    return this.signal('prompted', [call, tokens, stripped], now) === 0
  }
  firstToken(call: number, now: number): void {
    this.signal('firstToken', [call], now)
  }
  progress(call: number, tokens: number, now: number): void {
    this.signal('progress', [call, tokens], now)
  }
  succeeded(
    call: number,
    usage: Usage,
    more: { finish: FinishReason; verdict: CheckVerdict; providerMs?: number | undefined; estimated: boolean },
    now: number,
  ): void {
    const finish = finishReasons.indexOf(more.finish)
    const verdict = checkVerdicts.indexOf(more.verdict)
    const { input, cached, output, reasoning, written = 0 } = usage
    const providerMs = more.providerMs === undefined ? -1 : Math.round(more.providerMs)
    const estimated = Number(more.estimated)
    this.signal(
      'succeeded',
      [call, input, cached, output, reasoning, finish, verdict, providerMs, estimated, written],
      now,
    )
  }
  failed(
    call: number,
    kind: FailureKind,
    more: {
      retryAfterMs?: number | undefined
      usage?: Usage | undefined
      shown: boolean
      shouldRetry?: boolean | undefined
    },
    now: number,
  ): void {
    const { retryAfterMs, usage, shown, shouldRetry } = more
    const { input, cached, output, reasoning } = usage ?? nothing
    const wait = retryAfterMs === undefined ? -1 : Math.ceil(retryAfterMs)
    const word = shouldRetry === undefined ? -1 : Number(shouldRetry)
    const number = failureKinds.indexOf(kind)
    this.signal('failed', [call, number, wait, input, cached, output, reasoning, Number(shown), word], now)
  }
  limitsSeen(call: number, seen: LimitSeen, now: number): void {
    const { window, limit = -1, remaining = -1, resetMs = -1 } = seen
    this.signal('limitsSeen', [call, limitWindows.indexOf(window), limit, remaining, Math.ceil(resetMs)], now)
  }
  /** `kept`: of a draft, how much of it stands, in 1/1000. */
  verdict(call: number, verdict: Verdict, now: number, kept = -1): void {
    this.signal('verdict', [call, verdicts.indexOf(verdict), kept], now)
  }
  /** The limits that all runs share refused the call as it was about to leave; it is over. `untilMs` absent: until `freed`. */
  refused(
    call: number,
    { why, window, untilMs = -1 }: { why: Refusal; window?: LimitWindow | undefined; untilMs?: number | undefined },
    now: number,
  ): void {
    const full = window === undefined ? -1 : limitWindows.indexOf(window)
    this.signal('refused', [call, refusals.indexOf(why), full, Math.ceil(untilMs)], now)
  }
  /** The shared limits of the model's quota group may have room again. */
  freed(provider: number, model: number, now: number): void {
    this.signal('freed', [provider, model], now)
  }
  /** `why`: see core/base/vocabulary.def; 0: a person wants it so. */
  cancelStep(step: number, now: number, why = 0): void {
    this.signal('cancelStep', why > 0 ? [step, why] : [step], now)
  }
  cancelRun(now: number): void {
    this.signal('cancelRun', none, now)
  }
  /** The step's output is known from an earlier run: it is delivered without a call. */
  recalled(step: number, now: number): void {
    this.signal('recalled', [step], now)
  }

  /** The cache has answered. `key`: equal for equal requests, see base/vocabulary.def. */
  looked(step: number, found: Found, key: number, worth: CacheWorth | undefined, score: number, now: number): void {
    const { tokens, microUsd, ms } = worth ?? noWorth
    const saved = [tokens, microUsd, ms].map(Math.round)
    this.signal('looked', [step, lookResults.indexOf(found), key, ...saved, Math.round(score * 1e6)], now)
  }
  /** The cache has taken the step's answer, or refused it. */
  stored(step: number, admitted: boolean, now: number): void {
    this.signal('stored', [step, Number(admitted)], now)
  }

  /** The commands since the last drain: a copy, `commandStride` numbers each. */
  drain(): Float64Array {
    const records = this.#call((s) => {
      const count = s.drain()
      if (count === 0) return noRecords
      const from = s.commands() / 8
      return this.#module.HEAPF64.slice(from, from + count * commandStride)
    })
    this.tap?.drained(records)
    return records
  }
  /** ms, or `undefined` when only an event can move the run. */
  nextWake(): number | undefined {
    const at = this.#call((s) => s.nextWake())
    return at < 0 ? undefined : at
  }
  /** Micro-USD so far, of one step or of the run. */
  cost(step = -1): number {
    return this.#call((s) => s.cost(step))
  }

  /** `from`, `most`: of a list, the first and how many at most. */
  documentText(kind: DocumentKind, from = 0, most = -1): string {
    return this.#call((s) => this.#read(s, 0, s.document(documentKinds.indexOf(kind), from, most)))
  }
  document<T>(kind: DocumentKind, from = 0, most = -1): T {
    return JSON.parse(this.documentText(kind, from, most)) as T
  }

  /** As `document`, for those that the runs of one configuration have alike: read once, and shared by all. */
  sharedDocument<T>(kind: DocumentKind): T {
    if (kind === 'defaults') return sharedTable(this.#module, () => this.document(kind)) as T
    return sharedJson(this.documentText(kind)) as T
  }

  /** Numbers of calls as `callRow` names them, from this call on; of at most `most`. Rows follow one another. */
  callRows(from: number, most: number): Float64Array {
    return this.#call((s) => this.#rows(s, s.callRows(from, most) * callRowLength))
  }
  /** The same of steps, as `stepRow` names them. */
  stepRows(from: number, most: number): Float64Array {
    return this.#call((s) => this.#rows(s, s.stepRows(from, most) * stepRowLength))
  }
  /** Of one; valid until the next row is asked for. Of a call or step that there is not, what was asked for last. */
  callRow = (call: number): Float64Array => this.#call((s) => this.#row(s, s.callRows(call, 1) * callRowLength))
  stepRow = (step: number): Float64Array => this.#call((s) => this.#row(s, s.stepRows(step, 1) * stepRowLength))

  /** Assembles the prompt of a call. */
  prompt(call: number, texts: PromptTexts): AssembledPrompt {
    // Steps that take the outputs of the same others begin alike.
    const dependencies = [...(texts.dependencies ?? [])].sort(([a], [b]) => a - b)
    return this.#assemble((s) => s.promptBegin(call, -1, -1), { ...texts, dependencies })
  }
  /** The prompt of a step's main call to a provider, as if there had been no call yet: what a cache is asked with. */
  promptToLook(step: number, provider: number, texts: PromptTexts): LookPrompt {
    const level = this.#fill((s) => s.promptBegin(-1, step, provider), texts)
    return this.#call((s) => {
      const end = s.promptEnd()
      const system = s.section(0)
      const row = this.#row(s, promptRowLength)
      const [task, taskBytes] = [row[promptRow.task]!, row[promptRow.taskBytes]!]
      const [from, to] = [system + task, system + task + taskBytes]
      return {
        ...{ system: this.#read(s, 0, system), before: this.#read(s, system, task) },
        ...{ task: this.#read(s, from, taskBytes), after: this.#read(s, to, end - to), level },
      }
    })
  }

  #fill(begin: (session: Session) => number, texts: PromptTexts): ConstraintLevel {
    const level = constraintLevels[this.#ok(begin)] ?? 'instruct'
    for (const [path, text] of texts.files ?? []) this.#ok((s) => s.promptFile(...this.#pair(s, path, text)))
    const { documents } = texts
    if (documents !== undefined) this.#ok((s) => s.promptFile(...this.#pair(s, '', documents)))
    for (const [step, text] of texts.dependencies ?? []) {
      this.#ok((s) => s.promptDependency(step, this.#text(s, text)))
    }
    if (texts.answer !== undefined) {
      this.#ok((s) => s.promptAnswer(...this.#pair(s, texts.answer ?? '', texts.issues ?? '')))
    }
    return level
  }

  #assemble(begin: (session: Session) => number, texts: PromptTexts): AssembledPrompt {
    const level = this.#fill(begin, texts)
    return this.#call((s) => {
      const user = s.promptEnd() - s.section(0)
      const system = s.section(0)
      const row = this.#row(s, promptRowLength)
      const texts = { system: this.#read(s, 0, system), user: this.#read(s, system, user) }
      // The core counts bytes, in most prompts each a character.
      const plain = texts.user.length === user
      const units = (bytes: number): number => (plain ? bytes : this.#read(s, system, bytes).length)
      const [shared, keyed] = [units(row[promptRow.shared]!), units(row[promptRow.keyed]!)]
      return { ...texts, stripped: strippedOf(row), shared, keyed, level }
    })
  }
  check(step: number, answer: string): CheckedOutput {
    return this.#call((s) => {
      const verdict = checkVerdicts[s.check(step, this.#text(s, answer))] ?? 'empty'
      // The usual case needs no copy back of a long answer.
      if (verdict === 'passed') return { verdict, text: answer, why: '' }
      const length = s.section(0)
      return { verdict, text: this.#read(s, 0, length), why: this.#read(s, length, s.section(1)) }
    })
  }
  /** Reads an auditor's answer: pass, issues, or unclear. */
  audit(answer: string): { verdict: Verdict; issues: string } {
    return this.#call((s) => {
      const verdict = verdicts[s.audit(this.#text(s, answer))] ?? 'unclear'
      return { verdict, issues: this.#read(s, 0, s.section(0)) }
    })
  }
  /** Tokens that a call may use at most, prompt and answer: what the shared limits are asked for. */
  mostTokens(call: number): number {
    return this.#call((s) => s.mostTokens(call))
  }
  estimateTokens(text: string): number {
    return this.#call((s) => s.estimate(this.#text(s, text)))
  }

  /** The error document of the last refusal, as the exception it is. */
  #error(code: number): AetherflowError {
    const { code: known, where, detail, others } = this.document<Fault & { others: Fault[] }>('error')
    const name = errorCodes[-code - 1] ?? 'host.core_trap'
    return known === name ? new AetherflowError(name, where, detail, others) : new AetherflowError(name)
  }

  #ok(signal: (session: Session) => number): number {
    const code = this.#call(signal)
    if (code < 0) throw this.#error(code)
    return code
  }

  #call<T>(action: (session: Session) => T): T {
    return this.#owned.call(action)
  }

  #bytes(session: Session, bytes: Uint8Array): number {
    const at = session.input(bytes.length)
    this.#module.HEAPU8.set(bytes, at)
    return bytes.length
  }

  #text(session: Session, text: string): number {
    const at = session.input(text.length * 3)
    return encoder.encodeInto(text, this.#module.HEAPU8.subarray(at, at + text.length * 3)).written
  }

  #pair(session: Session, first: string, second: string): [number, number] {
    const room = (first.length + second.length) * 3
    const at = session.input(room)
    const heap = this.#module.HEAPU8
    const one = encoder.encodeInto(first, heap.subarray(at, at + room)).written
    const two = encoder.encodeInto(second, heap.subarray(at + one, at + room)).written
    return [one, two]
  }

  #rows(session: Session, numbers: number): Float64Array {
    const from = session.rows() / 8
    return this.#module.HEAPF64.slice(from, from + numbers)
  }

  /** Without a new array: asked for at every call. */
  #row(session: Session, numbers: number): Float64Array {
    const from = session.rows() / 8
    const heap = this.#module.HEAPF64
    const row = this.#lastRow
    for (let i = 0; i < numbers; i++) row[i] = heap[from + i]!
    return row
  }

  #read(session: Session, from: number, bytes: number): string {
    const at = session.output() + from
    return decoder.decode(this.#module.HEAPU8.subarray(at, at + bytes))
  }
}

const noRecords = new Float64Array(0)
const none: readonly number[] = []
const noWorth: CacheWorth = { tokens: 0, microUsd: 0, ms: 0 }
const nothing: Usage = { input: 0, cached: 0, output: 0, reasoning: 0 }
const eventNumbers = Object.fromEntries(eventKinds.map((kind, number) => [kind, number])) as Record<EventKind, number>
