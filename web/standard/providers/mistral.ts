import type { ModelRequest } from '../../../bindings/ports.js'
import { mistralLimits } from '../limit-headers.js'
import { callerSettings, type ChatSetting } from './chat-turns.js'
import { messages, schemaFormat, type Dialect } from './dialect.js'
import { mistralFailures } from './failures/index.js'

/** The highest temperature that is taken; more is refused with 422. */
const maxTemperature = 1.5

const settings: ReadonlySet<ChatSetting> = new Set([
  ...(['top_p', 'stop', 'random_seed', 'presence_penalty', 'frequency_penalty', 'parallel_tool_calls'] as const),
])

/**
 * Mistral and Codestral. Their schema of the request is closed: a field that it does not name, such as `stream_options` or
 * `seed`, is refused with 422. Usage comes on the last chunk without being asked for.
 */
export const mistral: Dialect = {
  name: 'mistral',
  body(request) {
    const format = responseFormat(request)
    return {
      model: request.model,
      messages: messages(request),
      max_tokens: request.maxOutputTokens,
      stream: request.stream,
      ...(format && { response_format: format }),
      ...mistralTemperature(request.temperature),
      ...callerSettings(request, settings),
      // Without one nothing is kept.
      ...(request.cache && { prompt_cache_key: request.cache.key }),
      ...predicted(request),
    }
  },
  failures: mistralFailures,
  limitHeaders: mistralLimits,
  prefix: { echoed: true },
}

/**
 * Models that write an expected text sooner, at no price (predicted outputs, pages of 2026-08-21). OpenAI bills what it does not take
 * over as output beyond the limit that was set, so no budget could hold it: it is not told.
 */
const predicting = /^(?:codestral-|mistral-medium-3[.-]5|mistral-small-(?:4|2603)|mistral-large-2411)/

/** A continuation begins in the middle of what was expected. */
function predicted({ model, prediction, prefix }: ModelRequest): { readonly prediction?: object } {
  if (prediction === undefined || prediction === '' || prefix || !predicting.test(model)) return {}
  return { prediction: { type: 'content', content: prediction } }
}

export function mistralTemperature(wanted: number | undefined): { readonly temperature?: number } {
  return wanted === undefined ? {} : { temperature: Math.min(wanted, maxTemperature) }
}

/**
 * JSON mode only when the prompt asks for JSON too: without that the model may fill the answer with white space. None for a
 * continuation: the rest of a document is no document.
 */
function responseFormat({ output, system, user, prefix }: ModelRequest): object | undefined {
  if (prefix) return undefined
  if (output.kind === 'schema') return schemaFormat(output.schema)
  if (output.kind !== 'json') return undefined
  return /json/i.test(system) || /json/i.test(user) ? { type: 'json_object' } : undefined
}
