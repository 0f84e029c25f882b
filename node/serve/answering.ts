/** One request that is answered by a chat run: admission, policy, cancellation and settlement, whatever its form is. */
import { ChatFailure, runChat, type ChatAnswer, type ChatFacts } from '../../web/standard/chat/chat-run.js'
import type { ChatRequest } from '../../web/standard/chat/request.js'
import type { Admission } from './accounts.js'
import { admitChat } from './admission.js'
import type { ParsedChat } from './chat-body.js'
import type { Call, Context } from './context.js'
import { policyOf, type Extensions } from './extensions.js'
import { HttpError, httpErrorOf } from './http-error.js'

export interface Watching {
  onText?(piece: string): void
  onRestart?(): void
  /** A call leaves for this model, `provider/model`. */
  onServed?(model: string): void
}

/** Where an answer goes while it comes about, in one form of it. */
export interface AnswerStream {
  /** A call leaves for this model, `provider/model`. */
  served?(model: string): void
  text(piece: string): void
  /** The answer begins again. False: what was sent cannot be taken back, and the request ends. */
  restarted(): boolean
  finish(answer: ChatAnswer): void
  /** False: nothing has been sent yet, and the error is answered in the ordinary way. */
  fail(error: HttpError): boolean
}

/** Texts of a request as they stand in answers: HIT, SEMANTIC HIT, MISS, REFRESH, DISABLED. */
export function cacheWord(cache: ChatFacts['cache']): string {
  if (cache === undefined) return 'DISABLED'
  const words = { exact: 'HIT', shared: 'HIT', semantic: 'SEMANTIC HIT', miss: 'MISS', refresh: 'REFRESH' } as const
  return words[cache]
}

/** Stands beside every figure of money of which a part is at a price that was assumed. */
export const costAssumed = ({ priceAssumed }: { readonly priceAssumed?: true | undefined }): object =>
  priceAssumed ? { cost_assumed: true } : {}

/** What we say of an answer, in all forms of it. */
export function aboutAnswer(facts: ChatFacts, id: string, simulated: string | undefined): object {
  return {
    run_id: id,
    route: facts.route,
    why: facts.why,
    cache: cacheWord(facts.cache),
    cost_usd: facts.costMicroUsd / 1e6,
    ...costAssumed(facts),
    attempts: facts.attempts,
    ...(simulated === undefined ? {} : { simulated }),
  }
}

export function answerHeaders(facts: ChatFacts): Record<string, string> {
  return {
    'x-aetherflow-route': facts.route.replaceAll(/[^\x20-\x7e]/g, '?'),
    'x-aetherflow-attempts': String(facts.attempts),
    'x-aetherflow-cache': cacheWord(facts.cache),
    'x-aetherflow-cost-usd': String(facts.costMicroUsd / 1e6),
    ...(facts.priceAssumed && { 'x-aetherflow-cost-assumed': 'true' }),
  }
}

/** The model as a client may name it again; an answer from the cache came from none. */
export const servedModel = ({ provider, model }: ChatFacts, asked: string): string =>
  provider === '' ? asked : `${provider}/${model}`

/** A request that was let in; `run` once. */
export class Answering {
  readonly request: ChatRequest
  readonly #call: Call
  readonly #context: Context
  readonly #extensions: Extensions
  readonly #admission: Admission
  readonly #gone = new AbortController()

  private constructor(
    request: ChatRequest,
    extensions: Extensions,
    admission: Admission,
    call: Call,
    context: Context,
  ) {
    this.request = request
    this.#call = call
    this.#context = context
    this.#extensions = extensions
    this.#admission = admission
  }

  /** Rejects with a HttpError when the request is not let in. */
  static async admitted(parsed: ParsedChat, extensions: Extensions, call: Call, context: Context): Promise<Answering> {
    const { type, complexity, cache } = extensions
    const request: ChatRequest = {
      ...parsed,
      cache,
      ...(type === undefined ? {} : { type }),
      ...(complexity === undefined ? {} : { complexity }),
    }
    if (context.ending.aborted)
      throw new HttpError(503, 'server_ending', 'the server is ending', { retryAfterMs: 1000 })
    const admission = await admitChat(request, call.account, context.service)
    return new Answering(request, extensions, admission, call, context)
  }

  /** Ends the request: nobody waits for its answer any more. */
  cancel(): void {
    this.#gone.abort()
  }

  /** Runs into a stream. Rejects with what the stream could not tell. */
  async stream(into: AnswerStream): Promise<void> {
    // What is audited may be replaced, and what was sent cannot be taken back: it is sent when it stands.
    const held = this.request.model === 'double-check'
    try {
      const answer = await this.run({
        onServed: (model) => into.served?.(model),
        onText: (piece) => {
          if (!held) into.text(piece)
        },
        onRestart: () => {
          if (!into.restarted()) this.cancel()
        },
      })
      into.finish(answer)
    } catch (error) {
      if (!into.fail(httpErrorOf(error))) throw error
    }
  }

  /** Rejects as `runChat`. Whatever comes of it, its place is free and its money settled when this is over. */
  async run(watching: Watching = {}): Promise<ChatAnswer> {
    const { service, ending } = this.#context
    const { response, account } = this.#call
    const gone = (): void => this.cancel()
    // Before the first byte as well as after it.
    response.once('close', gone)
    ending.addEventListener('abort', gone, { once: true })
    let facts: ChatFacts | undefined
    const observe = this.#context.observer(this.#call.request.headers)
    try {
      if (response.destroyed) gone()
      const answer = await runChat(this.request, service.chat, {
        signal: this.#gone.signal,
        policy: policyOf(service.config, this.#extensions, this.#admission.microUsd),
        tenant: account.key.tenant ?? account.key.name,
        onText: watching.onText?.bind(watching),
        onRestart: watching.onRestart?.bind(watching),
        onEvent: (event) => {
          if (event.type === 'call') watching.onServed?.(`${event.provider}/${event.model}`)
          observe(event)
        },
      })
      facts = answer
      return answer
    } catch (error) {
      if (error instanceof ChatFailure) facts = error.facts
      throw error
    } finally {
      ending.removeEventListener('abort', gone)
      response.removeListener('close', gone)
      const { usage, costMicroUsd } = facts ?? { usage: { input: 0, output: 0 }, costMicroUsd: 0 }
      this.#admission.settle({ tokens: usage.input + usage.output, microUsd: costMicroUsd })
    }
  }
}
