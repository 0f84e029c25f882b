import type { ModelClient } from '../../../bindings/ports.js'
import { ChatReply } from './chat-reply.js'
import type { Dialect } from './dialect.js'
import { baseAddress, bearer, carryOut, type ClientConfig } from './exchange.js'

export interface OpenAiCompatibleConfig extends ClientConfig {
  readonly dialect: Dialect
}

/** A client of any host that speaks chat completions. Throws a `TypeError` here, not in a call, when the base URL is none. */
export function createOpenAiCompatible(config: OpenAiCompatibleConfig): ModelClient {
  const url = `${baseAddress(config.baseUrl)}/chat/completions`
  return {
    async generate(request, signal, observer = {}) {
      const body = config.dialect.body(request)
      return carryOut(
        config,
        {
          url,
          authorisation: bearer,
          body,
          stream: body['stream'] === true,
          payloads: [request.system, request.user],
          reply: (confidential) => new ChatReply(confidential),
        },
        signal,
        observer,
      )
    },
  }
}
