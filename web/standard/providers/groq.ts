import type { ModelRequest } from '../../../bindings/ports.js'
import { groqLimits } from '../limit-headers.js'
import { callerSettings, type ChatSetting } from './chat-turns.js'
import { hasObjectRoot, messages, schemaFormat, temperature, type Dialect } from './dialect.js'
import { groqFailures } from './failures/index.js'

const settings: ReadonlySet<ChatSetting> = new Set(['top_p', 'stop', 'seed'])

export const groq: Dialect = {
  name: 'groq',
  body(request) {
    const format = responseFormat(request)
    return {
      model: request.model,
      messages: messages(request),
      max_completion_tokens: request.maxOutputTokens,
      // No `stream_options`: usage comes anyway. A response format and a stream together are refused with 400.
      stream: request.stream && format === undefined,
      ...(format && { response_format: format }),
      ...reasoning(request.model),
      ...temperature(request),
      ...callerSettings(request, settings),
    }
  },
  failures: groqFailures,
  limitHeaders: groqLimits,
}

function responseFormat({ model, output, system, user }: ModelRequest): object | undefined {
  if (output.kind === 'schema' && !hasObjectRoot(output.schema)) return undefined
  if (output.kind === 'schema' && model.startsWith('openai/gpt-oss-')) return schemaFormat(output.schema)
  if (output.kind !== 'schema' && output.kind !== 'json') return undefined
  return /json/i.test(system) || /json/i.test(user) ? { type: 'json_object' } : undefined
}

/**
 * Hidden reasoning counts against `max_completion_tokens` and delays the first word, so it is kept short. Qwen would
 * otherwise also write it into the answer between think tags.
 */
function reasoning(model: string): object {
  if (model.startsWith('openai/gpt-oss-')) return { reasoning_effort: 'low' }
  return model.startsWith('qwen/') ? { reasoning_effort: 'none' } : {}
}
