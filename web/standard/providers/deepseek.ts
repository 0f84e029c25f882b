import type { ModelRequest } from '../../../bindings/ports.js'
import { hasObjectRoot, messages, temperature, type Dialect } from './dialect.js'

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
  }),
}

/** There is no schema mode: the prompt carries the schema. Without the word "json" in the prompt the mode is refused with 400. */
function wantsJsonObject({ output, system, user }: ModelRequest): boolean {
  const asked = output.kind === 'json' || (output.kind === 'schema' && hasObjectRoot(output.schema))
  return asked && (/json/i.test(system) || /json/i.test(user))
}
