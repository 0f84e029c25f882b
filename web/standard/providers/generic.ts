import { messages, temperature, type Dialect } from './dialect.js'

/**
 * Any other host of the format: only the fields that all of them know, and the wish for usage, without which many streams
 * say nothing of what they cost; a host that refuses it is asked without. Output constraints are left to the prompt.
 */
export const generic: Dialect = {
  name: 'generic',
  body: (request) => ({
    model: request.model,
    messages: messages(request),
    max_tokens: request.maxOutputTokens,
    stream: request.stream,
    ...(request.stream && { stream_options: { include_usage: true } }),
    ...temperature(request),
  }),
}
