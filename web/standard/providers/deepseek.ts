import type { ModelRequest } from '../../../bindings/ports.js'
import { noLimits } from '../limit-headers.js'
import { callerSettings, type ChatSetting } from './chat-turns.js'
import { hasObjectRoot, messages, temperature, type Dialect } from './dialect.js'
import { deepseekFailures } from './failures/index.js'

const settings: ReadonlySet<ChatSetting> = new Set(['top_p', 'stop', 'presence_penalty', 'frequency_penalty'])

export const deepseek: Dialect = {
  name: 'deepseek',
  body: (request) => ({
    model: request.model,
    messages: messages(request),
    max_tokens: request.maxOutputTokens,
    stream: request.stream,
    ...(request.stream && { stream_options: { include_usage: true } }),
    // The default is thinking on: seconds of hidden tokens before the first word of the answer.
    thinking: { type: 'disabled' },
    ...(wantsJsonObject(request) && { response_format: { type: 'json_object' } }),
    ...temperature(request),
    ...callerSettings(request, settings),
    // It only divides the cache: all requests of an account that name nobody share one.
    ...(request.cache?.partition !== undefined && { user_id: request.cache.partition }),
  }),
  failures: deepseekFailures,
  limitHeaders: noLimits,
  // The normal base refuses such a turn with 400. Whether the text comes back is not documented; it has been seen not to.
  prefix: { base: (base) => `${base.replace(/\/(?:v1|beta)$/, '')}/beta` },
}

/**
 * There is no schema mode: the prompt carries the schema. Without the word "json" in the prompt the mode is refused with 400.
 * The rest of a document is no document, so a continuation goes without: what comes of it is checked here all the same.
 */
function wantsJsonObject({ output, system, user, prefix }: ModelRequest): boolean {
  if (prefix) return false
  const asked = output.kind === 'json' || (output.kind === 'schema' && hasObjectRoot(output.schema))
  return asked && (/json/i.test(system) || /json/i.test(user))
}
