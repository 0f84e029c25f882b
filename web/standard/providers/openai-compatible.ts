import type { CallObserver, ModelClient, ModelReply, ModelRequest } from '../../../bindings/ports.js'
import { ChatReply } from './chat-reply.js'
import { continued, noPrefix } from './continuation.js'
import type { Dialect } from './dialect.js'
import { baseAddress, bearer, carryOut, type ClientConfig } from './exchange.js'
import { LearntSettings, sentBy } from './learnt.js'

export interface OpenAiCompatibleConfig extends ClientConfig {
  readonly dialect: Dialect
}

/** A client of any host that speaks chat completions. Throws a `TypeError` here, not in a call, when the base URL is not valid. */
export function createOpenAiCompatible(config: OpenAiCompatibleConfig): ModelClient {
  const base = baseAddress(config.baseUrl)
  const { dialect } = config
  const learnt = new LearntSettings()
  const send = (base: string, request: ModelRequest, signal: AbortSignal, observer: CallObserver) => {
    const sent = sentBy(request, dialect.body(request))
    const body = learnt.applied(sent)
    return carryOut(
      config,
      {
        url: `${base}/chat/completions`,
        authorisation: bearer,
        body,
        stream: body['stream'] === true,
        payloads: [request.system, request.user, request.prefix ?? ''],
        reply: (confidential) =>
          new ChatReply(
            confidential,
            { mayBeBlank: Boolean(request.prefix), constrained: 'response_format' in body, tools: 'tools' in body },
            dialect.failures,
          ),
        failures: dialect.failures,
        adapt: (status, facts) => learnt.learn({ ...sent, body }, status, facts),
        model: request.model,
        limitHeaders: dialect.limitHeaders,
        get idempotencyKey() {
          return request.idempotencyKey
        },
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
