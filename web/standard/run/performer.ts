/** Carries out calls for real: reads context files, lets the core assemble the prompt, sends it through the provider's client. */
import {
  answerConstraint,
  type CallProgress,
  type CallTicket,
  type ContextTexts,
  type Performer,
} from '../../../bindings/performer.js'
import type { ConstraintLevel, CoreRun } from '../../../bindings/core.js'
import type { StepInfo } from '../../../bindings/events.js'
import {
  filesOf,
  type Clock,
  type FileReader,
  type ModelClient,
  type ModelReply,
  type ModelRequest,
  type OutputConstraint,
} from '../../../bindings/ports.js'
import type { Purpose } from '../../../bindings/generated/wire.js'
import { systemClock } from '../clock.js'
import { judges } from '../../../bindings/run-texts.js'
import { predictionOf } from '../draft/prediction.js'
import type { DraftUses } from '../draft/use.js'
import { CallFailure } from '../failure/failure.js'
import type { CacheKeys } from './cache-keys.js'

export interface ModelPerformerOptions {
  /** The client of a provider, by its id in the table; undefined: not configured. */
  readonly client: (provider: string) => ModelClient | undefined
  /** Absent: steps that name files fail with kind `input`. */
  readonly files?: FileReader | undefined
  /** Whole replies instead of streams. Default false. */
  readonly plain?: boolean | undefined
  /** A cryptographic hash over the parts, in hex; absent: context files leave no fingerprint, and no step with files is recalled. */
  readonly digest?: ((parts: readonly string[]) => string) | undefined
  /** Names requests that begin alike; absent: providers are told no names. */
  readonly cacheKeys?: CacheKeys | undefined
  readonly clock?: Clock | undefined
  /** Which steps drafts are wanted for, which are told to providers as predictions where they write a file again. */
  readonly draftUses?: DraftUses | undefined
  /** Told of every prompt before it is sent. */
  readonly onPrompt?: ((prompt: SentPrompt) => void) | undefined
}

/** What a call sends, word for word. */
export interface SentPrompt {
  /** Id. */
  readonly step: string
  readonly purpose: Purpose
  readonly attempt: number
  readonly provider: string
  readonly model: string
  readonly system: string
  readonly user: string
  /** Characters at the start of `user` that prompts of other steps begin with too. */
  readonly shared: number
}

const auditSchema = {
  type: 'object',
  properties: {
    verdict: { type: 'string', enum: ['pass', 'issues'] },
    issues: { type: 'array', items: { type: 'string' } },
  },
  required: ['verdict', 'issues'],
  additionalProperties: false,
} as const

export class ModelPerformer implements Performer {
  readonly #options: ModelPerformerOptions
  /** A file is read once per run: steps that share a file get the same bytes, which prefix caches need. */
  readonly #files = new Map<string, Promise<string>>()

  constructor(options: ModelPerformerOptions) {
    this.#options = options
  }

  async perform(ticket: CallTicket, progress: CallProgress, core: CoreRun): Promise<ModelReply> {
    const client = this.#options.client(ticket.provider)
    if (client === undefined) {
      throw new CallFailure('auth', `no client for provider ${ticket.provider}`)
    }
    const { documents } = ticket
    const context = await this.files(ticket.step, documents)
    ticket.signal.throwIfAborted()
    const { dependencies, answer, issues, prefix } = ticket
    const prompt = core.prompt(ticket.call, {
      files: context.files,
      documents,
      dependencies,
      ...(answer === undefined ? {} : { answer }),
      ...(issues === undefined ? {} : { issues }),
    })
    const goes = progress.prompt(prompt.stripped.tokensBefore, prompt.stripped.tokensAfter)
    // Not awaited without need: limits that are kept in this process answer at once.
    if (!(typeof goes === 'boolean' ? goes : await goes)) throw new CallFailure('withheld')
    const keyOf = this.#keyWith(context, ticket, progress)
    const named = this.#options.cacheKeys
    const beginning = prompt.user.slice(0, prompt.keyed)
    const now = (this.#options.clock ?? systemClock).now()
    const prediction = predictionOf(ticket.step, ticket.purpose, context.files, this.#options.draftUses)
    const request: ModelRequest = {
      model: ticket.model,
      system: prompt.system,
      user: prompt.user,
      maxOutputTokens: ticket.maxTokens,
      output: constraintOf(ticket, prompt.level),
      stream: this.#options.plain !== true,
      ...(judges(ticket) || ticket.step.temperature === undefined ? {} : { temperature: ticket.step.temperature }),
      ...(prefix === undefined ? {} : { prefix }),
      ...(prediction === undefined ? {} : { prediction }),
      get idempotencyKey() {
        return keyOf()
      },
      ...(named === undefined ? {} : { cache: named.next(ticket.model, prompt.system, beginning, now) }),
    }
    const { step, purpose, attempt, provider, model } = ticket
    this.#options.onPrompt?.({
      step: step.id,
      purpose,
      attempt,
      provider,
      model,
      system: request.system,
      user: request.user,
      shared: prompt.shared,
    })
    return client.generate(request, ticket.signal, progress)
  }

  /** The ticket's key knows nothing of the context files, and they may have changed since an earlier attempt. */
  #keyWith({ fingerprint }: ContextTexts, ticket: CallTicket, progress: CallProgress): () => string | undefined {
    const { digest } = this.#options
    if (fingerprint === undefined || digest === undefined) return () => ticket.idempotencyKey
    progress.files(fingerprint)
    return () => {
      const key = ticket.idempotencyKey
      return key === undefined ? undefined : digest([key, fingerprint]).slice(0, 32)
    }
  }

  async files({ files: paths }: StepInfo, documents?: string): Promise<ContextTexts> {
    const { digest, files: reader } = this.#options
    const named = await filesOf(reader, paths)
    const files = await Promise.all(named.map(async (path) => [path, await this.#read(path)] as const))
    return { files, fingerprint: contextFingerprint(digest, files, documents) }
  }

  #read(path: string): Promise<string> {
    const known = this.#files.get(path)
    if (known !== undefined) return known
    const { files } = this.#options
    const text =
      files === undefined
        ? Promise.reject(new CallFailure('input', `this host reads no files: ${path}`))
        : files.read(path)
    this.#files.set(path, text)
    return text
  }
}

/** Of what a step sees beside the plan; undefined: nothing, or there is no `digest`. A file has a name, documents have none. */
export function contextFingerprint(
  digest: ((parts: readonly string[]) => string) | undefined,
  files: readonly (readonly [path: string, text: string])[],
  documents: string | undefined,
): string | undefined {
  const parts = documents === undefined ? files.flat() : [...files.flat(), '', documents]
  return parts.length === 0 ? undefined : digest?.(parts)
}

/** What the provider is asked to enforce; the core has put the rest into the prompt. */
function constraintOf({ purpose, step }: CallTicket, level: ConstraintLevel): OutputConstraint {
  if (!judges({ purpose })) return answerConstraint(level, step)
  if (level === 'instruct') return { kind: 'text' }
  return level === 'schema' && purpose === 'audit' ? { kind: 'schema', schema: auditSchema } : { kind: 'json' }
}
