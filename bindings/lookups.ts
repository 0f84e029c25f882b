/**
 * The run's side of a cache: `look` and `store` of the core, carried out. The cache is asked with what the main call to the target
 * would send; its failures are told, and never fail a step.
 */
import type { CarryingHost } from './carrying-host.js'
import type { AnswerChecker } from './checker.js'
import type { AnswerCache, CacheFound, CacheQuestion } from './cache/ports.js'
import type { LookCommand, StoreCommand } from './commands.js'
import { AetherflowError } from './errors.js'
import type { StepInfo } from './events.js'
import { checkVerdicts, type Found } from './generated/wire.js'
import type { SignalTexts } from './journal/journal.js'
import { answerConstraint, type ContextTexts, type Performer } from './performer.js'
import { acceptable } from './run-texts.js'

export interface LookupsOptions {
  readonly cache: AnswerCache
  readonly tenant?: string | undefined
  readonly performer: Performer
  readonly checker?: AnswerChecker | undefined
}

/** What the cache is asked, and the fingerprint of the files in it. */
interface Asked {
  readonly question: CacheQuestion
  readonly fingerprint: string | undefined
}

/** Lookups in flight at once: prompts wait as commands, which are small, and a large plan does not hold up all else. */
const mostLooks = 64

const noFiles: ContextTexts = { files: [], fingerprint: undefined }

export class Lookups {
  readonly #host: CarryingHost
  readonly #options: LookupsOptions
  /** Failures that were told. */
  readonly #told = new Set<string>()
  readonly #looks: LookCommand[] = []
  #nextLook = 0
  #looking = 0
  #closed = false

  constructor(host: CarryingHost, options: LookupsOptions) {
    this.#host = host
    this.#options = options
  }

  /** What comes back from now on is too late. */
  close(): void {
    this.#closed = true
  }

  /** Asks, now or when others have had their answer; what comes of it is a signal. */
  look(command: LookCommand): void {
    this.#looks.push(command)
    if (this.#looking < mostLooks) void this.#lookOn()
  }

  async #lookOn(): Promise<void> {
    this.#looking += 1
    for (;;) {
      const next = this.#looks[this.#nextLook]
      if (next === undefined || this.#closed) break
      this.#nextLook += 1
      await this.#look(next)
    }
    this.#looking -= 1
  }

  /** Never rejects. */
  async #look(command: LookCommand): Promise<void> {
    const step = this.#host.texts.steps[command.step]
    if (step === undefined) return
    try {
      const asked = await this.#ask(command, step)
      if (this.#closed) return
      if (asked === undefined) return this.#tell(command, 'none', undefined, {})
      const found = await this.#options.cache.get({ ...asked.question, again: command.rank > 0 })
      if (!this.#closed) this.#found(command, found, asked.fingerprint)
    } catch (error) {
      if (this.#closed) return
      this.#warn(error)
      this.#tell(command, 'failed', undefined, {})
    }
  }

  /** Never rejects. The output of the step stands. */
  async store(command: StoreCommand): Promise<void> {
    const { core, texts } = this.#host
    const step = texts.steps[command.step]
    const answer = texts.outputs[command.step]
    if (step === undefined || answer === undefined) return
    const { tokens, microUsd, ms } = command
    let admitted = false
    try {
      const asked = await this.#ask(command, step)
      // Files that have changed since are not those that were answered about.
      if (asked !== undefined && asked.fingerprint === texts.files.get(command.step)) {
        const put = await this.#options.cache.put({ ...asked.question, answer, worth: { tokens, microUsd, ms } })
        admitted = put.admission === 'stored'
      }
    } catch (error) {
      if (!this.#closed) this.#warn(error)
    }
    if (!this.#closed) this.#host.signal(() => core.stored(command.step, admitted, this.#host.now))
  }

  /** The main call to the command's target as a question; undefined: it cannot be made, and the call will say why. */
  async #ask(command: LookCommand | StoreCommand, step: StepInfo): Promise<Asked | undefined> {
    const { core, texts } = this.#host
    const found = texts.documents.get(command.step)
    if (found?.failure !== undefined) return undefined
    const documents = found?.text
    const alone = step.files.length === 0 && documents === undefined
    const context = alone ? noFiles : await this.#files(step, documents)
    if (context === undefined || this.#closed) return undefined
    const { files, fingerprint } = context
    const dependencies = texts.inputsOf(step)
    const check = step.placing && (await this.#options.checker?.scope?.(step))
    const prompt = core.promptToLook(command.step, command.provider, { files, documents, dependencies })
    const scope = {
      tenant: this.#options.tenant,
      ...texts.targetOf(command),
      system: prompt.system,
      constraint: answerConstraint(prompt.level, step),
      // Plan, files and outputs around the step's own words: long enough to make any two tasks look alike, and nothing that may differ.
      history: [prompt.before, prompt.after],
      // As the plan declares it: what a budget leaves of it changes from run to run. An answer that nobody audited is no
      // answer to a run that audits.
      parameters: {
        estimatedTokens: step.estimatedTokens,
        ...(step.temperature === undefined ? {} : { temperature: step.temperature }),
        ...(step.maxTokens === undefined ? {} : { maxTokens: step.maxTokens }),
        ...(texts.audited ? { audited: true } : {}),
        ...(check === undefined ? {} : { check }),
      },
    }
    // An output within the words is as long as what stands around them.
    const mode = command.use === 'semantic' && /<output[- ]/.test(prompt.task) ? 'exact' : command.use
    return { question: { prompt: prompt.task, scope, mode }, fingerprint }
  }

  async #files(step: StepInfo, documents: string | undefined): Promise<ContextTexts | undefined> {
    const read = await this.#options.performer.files?.(step, documents).catch(() => undefined)
    return read?.fingerprint === undefined ? undefined : read
  }

  #found(command: LookCommand, found: CacheFound, fingerprint: string | undefined): void {
    const { kind, answer, key } = found
    if (kind === 'miss' || answer === undefined) return this.#tell(command, 'none', found, { w: key })
    const checked = this.#host.core.check(command.step, answer)
    // Whatever it is, it is no answer to this step.
    if (!acceptable(checkVerdicts.indexOf(checked.verdict))) return this.#tell(command, 'none', found, { w: key })
    this.#tell(command, kind, found, { x: checked.text, ...(fingerprint === undefined ? {} : { f: fingerprint }) })
  }

  #tell({ step, rank }: LookCommand, found: Found, what: CacheFound | undefined, words: SignalTexts): void {
    const { core, texts, now } = this.#host
    // Identical is what asks the preferred target for the same.
    const { w, ...others } = words
    const key = rank === 0 && w !== undefined ? texts.keyNumber(w) : -1
    const told = key < 0 ? others : words
    const hit = found === 'exact' || found === 'semantic'
    const score = hit ? (what?.score ?? -1) : -1
    const id = texts.steps[step]?.id
    // Before what follows from it. A cache that was not asked, or failed, missed nothing.
    if (found === 'none' && what !== undefined && rank === 0 && id !== undefined)
      this.#host.emit({ type: 'miss', at: now, step: id })
    this.#host.attach(told)
    if (!this.#host.signal(() => core.looked(step, found, key, hit ? what?.worth : undefined, score, now))) return
    texts.looked([step, 0, key], told)
  }

  /** Once for each kind of failure: a cache that is gone fails every step alike. */
  #warn(error: unknown): void {
    const known = error instanceof AetherflowError
    const { code, where, detail } = known ? error : { code: 'cache.store_failed', where: '', detail: String(error) }
    if (this.#told.has(code)) return
    this.#told.add(code)
    this.#host.emit({ type: 'warning', at: this.#host.now, code, where, detail })
  }
}
