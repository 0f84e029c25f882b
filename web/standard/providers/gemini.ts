import type { ModelClient } from '../../../bindings/ports.js'
import { baseAddress, carryOut, type ClientConfig } from './exchange.js'
import { geminiBody, lowLatencyThinking, type Thinking } from './gemini-body.js'
import { GeminiReply } from './gemini-reply.js'

export interface GeminiConfig extends ClientConfig {
  /** How much a model is to think; default: as little as it can. `undefined` leaves it to the provider. */
  readonly thinking?: (model: string) => Thinking | undefined
}

/**
 * Gemini's own format: `models/{model}:streamGenerateContent` and `:generateContent` below a base such as
 * `https://generativelanguage.googleapis.com/v1beta`. Throws a `TypeError` here when the base URL is none.
 */
export function createGemini(config: GeminiConfig): ModelClient {
  const base = baseAddress(config.baseUrl)
  const thinking = config.thinking ?? lowLatencyThinking
  return {
    async generate(request, signal, observer = {}) {
      const { stream } = request
      // Without `alt=sse` the stream is one JSON array, whole only at its end.
      const method = stream ? 'streamGenerateContent?alt=sse' : 'generateContent'
      return carryOut(
        config,
        {
          url: `${base}/models/${encodeURIComponent(request.model.replace(/^models\//, ''))}:${method}`,
          // `?key=` would do as well, and would stand in every log of addresses.
          authorisation: (key) => ({ 'x-goog-api-key': key }),
          body: geminiBody(request, thinking(request.model)),
          stream,
          payloads: [request.system, request.user],
          reply: (confidential) => new GeminiReply(confidential),
          bareErrors: true,
        },
        signal,
        observer,
      )
    },
  }
}
