import { openAiError, seconds, tokenCounts, type ReplyContext, type Wire } from './wire.js'

/** The common core of the format: what Gemini and Mistral answer with until their own formats are here. Usage on the last chunk. */
export const plainWire: Wire = {
  refuse: () => undefined,
  refusal(kind, { model, waitMs, reason }) {
    switch (kind) {
      case 'auth':
        return openAiError(401, 'Unauthorized', 'authentication_error', null)
      case 'quota_exhausted':
        return openAiError(402, 'No credit left', 'insufficient_quota', 'insufficient_quota')
      case 'rate_limited':
        return {
          ...openAiError(429, 'Rate limit exceeded', 'rate_limited', 'rate_limit_exceeded'),
          headers: { 'retry-after': seconds(waitMs) },
        }
      case 'too_large':
        return openAiError(413, 'The prompt is too large', 'invalid_request_error', 'context_length_exceeded')
      case 'not_found':
        return openAiError(404, `Unknown model ${model}`, 'invalid_request_error', 'model_not_found')
      case 'bad_request':
        return openAiError(400, reason ?? 'Invalid request', 'invalid_request_error', null)
      case 'overloaded':
        return openAiError(503, 'No capacity', 'overloaded_error', null)
      case 'server_error':
        return openAiError(500, 'Internal error', 'server_error', null)
    }
  },
  first: (context) => chunk(context, { role: 'assistant', content: '' }, null),
  piece: (context, text) => chunk(context, { content: text }, null),
  last: (context) => [{ ...chunk(context, { content: '' }, context.finish), usage: tokenCounts(context) }],
  whole: (context, text) => ({
    ...head(context, 'chat.completion'),
    choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: context.finish }],
    usage: tokenCounts(context),
  }),
}

function chunk(context: ReplyContext, delta: object, finish: string | null): object {
  return {
    ...head(context, 'chat.completion.chunk'),
    choices: [{ index: 0, delta, finish_reason: finish, logprobs: null }],
  }
}

function head({ id, created, model }: ReplyContext, object: string): object {
  return { id, object, created, model }
}
