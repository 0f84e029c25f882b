/** Carries out the calls of a conversation: what the caller wrote is sent as it is; only audits and repairs are put together here. */
import type { ToolCall } from '../../../bindings/chat.js'
import type { ConstraintLevel, CoreRun } from '../../../bindings/core.js'
import { answerConstraint, type CallProgress, type CallTicket, type Performer } from '../../../bindings/performer.js'
import type { FinishReason } from '../../../bindings/generated/wire.js'
import type { ModelClient, ModelReply, ModelRequest, OutputConstraint, Usage } from '../../../bindings/ports.js'
import { CallFailure } from '../failure/failure.js'
import { ModelPerformer } from '../run/performer.js'
import { defaultMaxTokens, textsOf, type ChatRequest } from './request.js'

/** What an answer came as; the core gets a text of it. */
export interface ChatReplyParts {
  readonly text: string
  readonly toolCalls: readonly ToolCall[]
  readonly finish: FinishReason
  readonly usage: Usage | undefined
}

/** Stands for an answer without a text: the core takes an empty one for none. Never shown. */
const noText = '[no text]'

export class ChatPerformer implements Performer {
  /** By number of the call. */
  readonly replies = new Map<number, ChatReplyParts>()
  readonly #request: ChatRequest
  readonly #client: (provider: string) => ModelClient | undefined
  readonly #others: ModelPerformer
  readonly #texts: { readonly system: string; readonly user: string }
  readonly #told: (provider: string, retryAfterMs: number) => void

  /** `told`: a provider asked to be left alone for so many ms. */
  constructor(
    request: ChatRequest,
    client: (provider: string) => ModelClient | undefined,
    told: (provider: string, retryAfterMs: number) => void,
  ) {
    this.#request = request
    this.#told = told
    this.#client = client
    this.#others = new ModelPerformer({ client, plain: !request.stream })
    this.#texts = textsOf(request.chat)
  }

  async perform(ticket: CallTicket, progress: CallProgress, core: CoreRun): Promise<ModelReply> {
    if (ticket.purpose !== 'main' && ticket.purpose !== 'hedge') return this.#others.perform(ticket, progress, core)
    const client = this.#client(ticket.provider)
    if (client === undefined) throw new CallFailure('auth', `no client for provider ${ticket.provider}`)
    const request = this.#requestOf(ticket, core)
    const tokens = core.estimateTokens(`${request.system}\n${request.user}`) + this.#toolTokens(core)
    const goes = progress.prompt(tokens, tokens)
    if (!(typeof goes === 'boolean' ? goes : await goes)) throw new CallFailure('withheld')
    const reply = await client
      .generate(request, ticket.signal, progress)
      .catch((error: unknown) => this.#failed(ticket.provider, error))
    return this.#taken(ticket.call, reply)
  }

  #requestOf(ticket: CallTicket, core: CoreRun): ModelRequest {
    const { chat, temperature, maxTokens = defaultMaxTokens, stream } = this.#request
    const { output, instruction } = this.#constraintOf(ticket, core)
    const { system, user } = this.#texts
    const { prefix } = ticket
    return {
      model: ticket.model,
      system: instruction === undefined ? system : [system, instruction].filter(Boolean).join('\n\n'),
      user,
      // Limits of a model that thinks have room for that; a caller's own is the caller's.
      maxOutputTokens: this.#request.maxTokens === undefined ? ticket.maxTokens : Math.min(ticket.maxTokens, maxTokens),
      ...(temperature === undefined ? {} : { temperature }),
      output,
      stream,
      ...(prefix === undefined ? {} : { prefix }),
      get idempotencyKey() {
        return ticket.idempotencyKey
      },
      chat:
        instruction === undefined
          ? chat
          : { ...chat, messages: [{ role: 'system', content: instruction }, ...chat.messages] },
    }
  }

  /** What the provider is to enforce, and what the prompt has to ask for where it does not. */
  #constraintOf(ticket: CallTicket, core: CoreRun): { output: OutputConstraint; instruction?: string } {
    const { output, chat } = this.#request
    if (output.kind === 'any' || output.kind === 'text' || output.kind === 'code') return { output: { kind: 'text' } }
    if (chat.tools?.length) return { output }
    const level: ConstraintLevel = core.prompt(ticket.call, {}).level
    const enforced = answerConstraint(level, ticket.step)
    if (output.kind === 'schema') {
      if (enforced.kind === 'schema') return { output: enforced }
      return {
        output: enforced,
        instruction: `Answer with JSON alone that obeys this schema: ${JSON.stringify(output.schema)}`,
      }
    }
    const asked = /json/i.test(this.#texts.system) || /json/i.test(this.#texts.user)
    return asked ? { output: enforced } : { output: enforced, instruction: 'Answer with one JSON object alone.' }
  }

  #toolTokens(core: CoreRun): number {
    const { tools } = this.#request.chat
    return tools?.length ? core.estimateTokens(JSON.stringify(tools)) : 0
  }

  /** A limit that was reached before the first word is an ending to anyone who set it. */
  #failed(provider: string, error: unknown): ModelReply {
    if (!(error instanceof CallFailure)) throw error
    if (error.kind === 'limit_reached') return { text: '', usage: error.usage, finish: 'length' }
    if (error.retryAfterMs !== undefined) this.#told(provider, error.retryAfterMs)
    throw error
  }

  /** To the core an answer that is cut at the caller's own limit is whole, and a call of a tool is a text. */
  #taken(call: number, reply: ModelReply): ModelReply {
    const { text, toolCalls = [], finish, usage } = reply
    this.replies.set(call, { text, toolCalls, finish, usage })
    const whole = finish === 'length' ? ({ ...reply, finish: 'stop' } as const) : reply
    if (text.trim() !== '') return whole
    return toolCalls.length > 0 || finish === 'length' ? { ...whole, text: noText } : whole
  }
}
