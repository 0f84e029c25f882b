import {
  asksForJsonWithoutTheWord,
  limitWords,
  seconds,
  standardLimitHeaders,
  tokenCounts,
  type Refusal,
  type ReplyContext,
  type Wire,
} from './wire.js'

const unsupported = [
  'logprobs',
  'top_logprobs',
  'logit_bias',
  'presence_penalty',
  'frequency_penalty',
  'metadata',
  'store',
]

/** Usage twice on the last chunk, asked for or not; times in seconds; no `usage` key on the others. */
export const groqWire: Wire = {
  catalogue: ['openai/gpt-oss-120b', 'openai/gpt-oss-20b', 'qwen/qwen3.6-27b', 'qwen/qwen3-32b'],
  // The shortest prompt that is kept is not published: OpenAI's is assumed.
  cache: {
    kind: 'blocks',
    block: 128,
    minimum: (model) => (/gpt-oss|kimi-k2/.test(model) ? 1024 : Infinity),
    idleMs: 2 * 3_600_000,
  },
  cachedAreFree: true,
  // Its requests are those of a day.
  limitHeaders: ({ requestsPerDay, tokens }) => standardLimitHeaders(requestsPerDay, tokens),
  refuse(body) {
    if (body.messages.some(({ prefix }) => prefix !== undefined))
      return error(400, "property 'messages.prefix' is unsupported", 'invalid_request_error')
    const field = unsupported.find((name) => body[name] !== undefined)
    if (field) return error(400, `property '${field}' is unsupported`, 'invalid_request_error')
    if (body['n'] !== undefined && body['n'] !== 1)
      return error(400, "'n' : number must be at most 1", 'invalid_request_error')
    if (body.response_format?.type === 'json_schema' && body.stream === true)
      return error(400, 'response_format json_schema does not support streaming', 'invalid_request_error')
    if (asksForJsonWithoutTheWord(body))
      return error(
        400,
        "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
        'invalid_request_error',
      )
    return undefined
  },
  refusal(kind, facts) {
    const { model, waitMs, limit, reason } = facts
    switch (kind) {
      case 'auth':
        return error(401, 'Invalid API Key', 'invalid_request_error', 'invalid_api_key')
      case 'quota_exhausted':
        return error(429, 'Your organization has used up its spend limit.', 'insufficient_quota', 'insufficient_quota')
      case 'rate_limited': {
        const { unit, words, short } = limitWords(limit?.name)
        const message = `Rate limit reached for model \`${model}\` in organization \`org_simulated\` service tier \`on_demand\` on ${words} (${short}): Limit ${limit?.value ?? 0}, Used ${limit?.used ?? 0}, Requested ${limit?.asked ?? 1}. Please try again in ${Math.ceil(waitMs) / 1000}s.`
        return { ...error(429, message, unit, 'rate_limit_exceeded'), headers: { 'retry-after': seconds(waitMs) } }
      }
      case 'too_large':
        return error(
          413,
          `Request too large for model \`${model}\` on tokens per minute (TPM): Limit ${limit?.value ?? 6000}, Requested ${limit?.asked ?? 12328}`,
          'tokens',
          'rate_limit_exceeded',
        )
      case 'not_found':
        return error(
          404,
          `The model \`${model}\` does not exist or you do not have access to it.`,
          'invalid_request_error',
          'model_not_found',
        )
      case 'bad_request':
        return error(400, reason ?? 'Invalid request', 'invalid_request_error')
      case 'overloaded':
        return error(498, 'Flex tier capacity exceeded, please try again later.', 'flex_tier', 'capacity_exceeded')
      case 'server_error':
        return error(500, 'Internal Server Error', 'internal_server_error')
    }
  },
  first: (context) => ({
    ...chunk(context, { role: 'assistant', content: '' }, null),
    x_groq: { id: requestId(context), seed: 1 },
  }),
  piece: (context, text) => chunk(context, { content: text }, null),
  last(context) {
    const counts = usage(context)
    return [{ ...chunk(context, {}, context.finish), x_groq: { id: requestId(context), usage: counts }, usage: counts }]
  },
  whole: (context, text) => ({
    ...head(context, 'chat.completion'),
    choices: [
      { index: 0, message: { role: 'assistant', content: text }, logprobs: null, finish_reason: context.finish },
    ],
    usage: usage(context),
    usage_breakdown: null,
    system_fingerprint: 'fp_simulated',
    x_groq: { id: requestId(context), seed: 1 },
    service_tier: 'on_demand',
  }),
}

function error(status: number, message: string, type: string, code?: string): Refusal {
  return { status, body: { error: { message, type, ...(code && { code }) } } }
}

function chunk(context: ReplyContext, delta: object, finish: string | null): object {
  return {
    ...head(context, 'chat.completion.chunk'),
    system_fingerprint: 'fp_simulated',
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
  }
}

function head({ id, created, model }: ReplyContext, object: string): object {
  return { id: `chatcmpl-${id}`, object, created, model }
}

function requestId({ id }: ReplyContext): string {
  return `req_${id.slice(0, 26)}`
}

function usage(context: ReplyContext): object {
  const { promptSeconds, completionSeconds } = context
  return {
    queue_time: 0,
    prompt_time: promptSeconds,
    completion_time: completionSeconds,
    total_time: promptSeconds + completionSeconds,
    ...tokenCounts(context),
    // Only where it applies.
    ...(context.cachedTokens > 0 && { prompt_tokens_details: { cached_tokens: context.cachedTokens } }),
  }
}
