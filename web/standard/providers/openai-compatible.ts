import type { CallObserver, ModelClient, ModelReply, ModelRequest } from '../../../bindings/ports.js'
import { ChatReply } from './chat-reply.js'
import { continued, noPrefix } from './continuation.js'
import type { Dialect } from './dialect.js'
import { baseAddress, bearer, carryOut, type ClientConfig } from './exchange.js'

export interface OpenAiCompatibleConfig extends ClientConfig {
  readonly dialect: Dialect
}

/** A client of any host that speaks chat completions. Throws a `TypeError` here, not in a call, when the base URL is none. */
export function createOpenAiCompatible(config: OpenAiCompatibleConfig): ModelClient {
  const base = baseAddress(config.baseUrl)
  const { dialect } = config
  const send = (base: string, request: ModelRequest, signal: AbortSignal, observer: CallObserver) => {
    const body = dialect.body(request)
    return carryOut(
      config,
      {
        url: `${base}/chat/completions`,
        authorisation: bearer,
        body,
        stream: body['stream'] === true,
        payloads: [request.system, request.user, request.prefix ?? ''],
        reply: (confidential) => new ChatReply(confidential, Boolean(request.prefix), dialect.failures),
        failures: dialect.failures,
        limitHeaders: dialect.limitHeaders,
        idempotencyKey: request.idempotencyKey,
      },
      signal,
      observer,
    )
  }
  return {
    async generate(request, signal, observer = {}): Promise<ModelReply> {
      const { prefix } = request
      if (!prefix) return send(base, request, signal, observer)
      const rule = dialect.prefix
      if (!rule) throw noPrefix()
      const own = rule.base?.(base) ?? base
      return continued(prefix, rule, observer, (watching) => send(own, request, signal, watching))
    },
  }
}
