import type { CallObserver, ModelClient, ModelReply, ModelRequest } from '../../../bindings/ports.js'
import { noLimits } from '../limit-headers.js'
import { noPrefix } from './continuation.js'
import { baseAddress, carryOut, type ClientConfig } from './exchange.js'
import { geminiFailures } from './failures/index.js'
import { geminiBody, lowLatencyThinking, type Thinking } from './gemini-body.js'
import { GeminiReply } from './gemini-reply.js'
import { LearntSettings, sentBy } from './learnt.js'

export interface GeminiConfig extends ClientConfig {
  /** How much a model is to think; default: as little as it can. `undefined` leaves it to the provider. */
  readonly thinking?: (model: string) => Thinking | undefined
}

/**
 * Gemini's own format: `models/{model}:streamGenerateContent` and `:generateContent` below a base such as
 * `https://generativelanguage.googleapis.com/v1beta`. Throws a `TypeError` here when the base URL is not valid.
 */
export function createGemini(config: GeminiConfig): ModelClient {
  const generate = geminiCall(config)
  return { generate: async (request, signal, observer = {}) => generate(request, signal, observer) }
}

/** One call; `cachedContent` names what stands before the request and holds its system text too. */
export type GeminiCall = (
  request: ModelRequest,
  signal: AbortSignal,
  observer: CallObserver,
  cachedContent?: string,
) => Promise<ModelReply>

export function geminiCall(config: GeminiConfig): GeminiCall {
  const base = baseAddress(config.baseUrl)
  const thinking = config.thinking ?? lowLatencyThinking
  const learnt = new LearntSettings()
  return async (request, signal, observer, cachedContent) => {
    if (request.prefix) throw noPrefix()
    const stream = request.stream && !learnt.wholeOnly(request.model)
    const sent = sentBy(request, geminiBody(request, thinking(request.model), cachedContent))
    const body = learnt.applied(sent)
    // Without `alt=sse` the stream is one JSON array, whole only at its end.
    const method = stream ? 'streamGenerateContent?alt=sse' : 'generateContent'
    return carryOut(
      config,
      {
        url: `${base}/${geminiModel(request.model)}:${method}`,
        authorisation: geminiKey,
        body,
        stream,
        payloads: [request.system, request.user],
        reply: (confidential) =>
          new GeminiReply(confidential, { constrained: ['json', 'schema'].includes(request.output.kind) }),
        bareErrors: true,
        failures: geminiFailures,
        adapt: (status, facts) => learnt.learn({ ...sent, body }, status, facts),
        model: request.model,
        limitHeaders: noLimits,
        get idempotencyKey() {
          return request.idempotencyKey
        },
      },
      signal,
      observer,
    )
  }
}

/** `models/{model}`, whatever is in the name. */
export function geminiModel(model: string): string {
  return `models/${encodeURIComponent(model.replace(/^models\//, ''))}`
}

/** `?key=` would do as well, and would stand in every log of addresses. */
export function geminiKey(key: string): Readonly<Record<string, string>> {
  return { 'x-goog-api-key': key }
}
