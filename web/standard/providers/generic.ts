import type { ModelRequest } from '../../../bindings/ports.js'
import { callerSettings, type ChatSetting } from './chat-turns.js'
import { hasObjectRoot, messages, schemaFormat, temperature, type Dialect } from './dialect.js'

/** What somebody asks for who calls such a host through here is for the host to know. */
const settings: ReadonlySet<ChatSetting> = new Set([
  ...(['top_p', 'stop', 'seed', 'presence_penalty', 'frequency_penalty'] as const),
  ...(['reasoning_effort', 'parallel_tool_calls'] as const),
])

/**
 * Any other host of the format: only the fields that all of them know, and the wish for usage, without which many streams
 * say nothing of what they cost; a host that refuses it is asked without. Output is enforced only where
 * the table says that the host does so.
 */
export const generic: Dialect = {
  name: 'generic',
  body: (request) => ({
    model: request.model,
    messages: messages(request),
    max_tokens: request.maxOutputTokens,
    stream: request.stream,
    ...(request.stream && { stream_options: { include_usage: true } }),
    ...formatOf(request, { type: 'json_object' }),
    ...temperature(request),
    ...callerSettings(request, settings),
  }),
}

/** The same where only schemas are enforced: plain JSON is asked for by the widest of them. */
export const lmstudio: Dialect = {
  name: 'lmstudio',
  body: (request) => ({
    ...generic.body({ ...request, output: { kind: 'any' } }),
    ...formatOf(request, schemaFormat({ type: 'object' })),
  }),
}

/** Only for hosts whose entry in the table says that they enforce anything. */
function formatOf({ output, prefix }: ModelRequest, json: object): { readonly response_format?: object } {
  if (prefix) return {}
  if (output.kind === 'schema' && hasObjectRoot(output.schema)) return { response_format: schemaFormat(output.schema) }
  return output.kind === 'json' || output.kind === 'schema' ? { response_format: json } : {}
}
