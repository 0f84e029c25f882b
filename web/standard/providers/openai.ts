import type { ModelRequest } from '../../../bindings/ports.js'
import { openaiLimits } from '../limit-headers.js'
import { callerSettings, type ChatSetting } from './chat-turns.js'
import { hasObjectRoot, messages, schemaFormat, temperature, type Dialect } from './dialect.js'
import { openaiFailures } from './failures/index.js'

const settings: ReadonlySet<ChatSetting> = new Set([
  ...(['top_p', 'stop', 'seed', 'presence_penalty', 'frequency_penalty', 'parallel_tool_calls'] as const),
])
/** Reasoning models refuse sampling settings and, some of them, `stop`. */
const ofReasoning: ReadonlySet<ChatSetting> = new Set(['reasoning_effort', 'parallel_tool_calls'])

export const openai: Dialect = {
  name: 'openai',
  body(request) {
    const reasons = /^(?:gpt-[5-9]|o\d)/.test(request.model)
    const format = responseFormat(request)
    return {
      model: request.model,
      messages: messages(request, reasons ? 'developer' : 'system'),
      max_completion_tokens: request.maxOutputTokens,
      stream: request.stream,
      // Without the first no usage comes at all; the second saves the random padding on every chunk.
      ...(request.stream && { stream_options: { include_usage: true, include_obfuscation: false } }),
      ...(format && { response_format: format }),
      // Reasoning models refuse a temperature unless their effort is `none`, which not all of them have.
      ...(reasons ? {} : temperature(request)),
      ...callerSettings(request, reasons ? ofReasoning : settings),
      ...(request.cache && { prompt_cache_key: `${request.cache.key}-${request.cache.bucket}` }),
    }
  },
  failures: openaiFailures,
  limitHeaders: openaiLimits,
}

function responseFormat({ output, system, user }: ModelRequest): object | undefined {
  if (output.kind === 'schema') return hasObjectRoot(output.schema) ? schemaFormat(output.schema) : undefined
  if (output.kind !== 'json') return undefined
  return /json/i.test(system) || /json/i.test(user) ? { type: 'json_object' } : undefined
}
