import { messages, temperature, type Dialect } from './dialect.js'

/** Any other host of the format: only the fields that all of them know. Output constraints are left to the prompt. */
export const generic: Dialect = {
  name: 'generic',
  body: (request) => ({
    model: request.model,
    messages: messages(request),
    max_tokens: request.maxOutputTokens,
    stream: request.stream,
    ...temperature(request),
  }),
}
