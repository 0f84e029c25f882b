import type { CallObserver, ModelReply } from '../../../bindings/ports.js'
import { mistralLimits } from '../limit-headers.js'
import { ChatReply } from './chat-reply.js'
import { baseAddress, bearer, carryOut, type ClientConfig } from './exchange.js'
import { mistralFailures } from './failures/index.js'
import { mistralTemperature } from './mistral.js'

/** Code with a hole in it. */
export interface FimRequest {
  /** A model that fills in the middle, e.g. `codestral-2508`. */
  readonly model: string
  /** What stands before the hole; may be empty when something stands after it. */
  readonly prefix: string
  /** What stands after it; may be empty. */
  readonly suffix: string
  /** Most tokens of the insertion; at least 1. */
  readonly maxOutputTokens: number
  /** 0–2, of which at most 1.5 is sent; absent: the provider's default. */
  readonly temperature?: number
  /** Texts that end the insertion. */
  readonly stop?: readonly string[]
  /** Whole reply at once when false. */
  readonly stream: boolean
}

/** Fills the middle of code. Stateless between calls; any number of calls at once. */
export interface FimClient {
  /**
   * The text between prefix and suffix, without either; may be blank or empty when nothing belongs there. Rejects as
   * `ModelClient.generate` does.
   */
  complete(request: FimRequest, signal: AbortSignal, observer?: CallObserver): Promise<ModelReply>
}

/** Mistral's fill-in-the-middle: `POST /fim/completions`, answered in the shape of a chat completion. Throws as the chat client does. */
export function createMistralFim(config: ClientConfig): FimClient {
  const url = `${baseAddress(config.baseUrl)}/fim/completions`
  return {
    async complete(request, signal, observer = {}) {
      return carryOut(
        config,
        {
          url,
          authorisation: bearer,
          body: fimBody(request),
          stream: request.stream,
          payloads: [request.prefix, request.suffix],
          reply: (confidential) => new ChatReply(confidential, { mayBeBlank: true }, mistralFailures),
          failures: mistralFailures,
          limitHeaders: mistralLimits,
          model: request.model,
        },
        signal,
        observer,
      )
    },
  }
}

function fimBody(request: FimRequest): Readonly<Record<string, unknown>> {
  return {
    model: request.model,
    prompt: request.prefix,
    ...(request.suffix !== '' && { suffix: request.suffix }),
    max_tokens: request.maxOutputTokens,
    stream: request.stream,
    ...(request.stop && request.stop.length > 0 && { stop: request.stop }),
    ...mistralTemperature(request.temperature),
  }
}
