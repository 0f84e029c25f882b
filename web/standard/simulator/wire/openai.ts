import {
  asksForJsonWithoutTheWord,
  limitWords,
  openAiError,
  seconds,
  standardLimitHeaders,
  tokenCounts,
  type ReplyContext,
  type Wire,
} from './wire.js'

const invalid = 'invalid_request_error'

/** Padding on the chunks unless refused; usage in a chunk of its own without choices, only when asked for. */
/** From 5.6 on prompts are kept for 30 minutes, and writing them has its own price. */
const newer = (model: string): boolean => /^gpt-(?:5\.[6-9]|[6-9])/.test(model)

export const openaiWire: Wire = {
  hidesRefusedKeys: true,
  catalogue: ['gpt-6-luna', 'gpt-6-sol', 'gpt-6.1-terra', 'gpt-4.1-mini'],
  // From 5.6 on a prefix lives half an hour, before that five to ten minutes without use.
  cache: {
    kind: 'blocks',
    block: 128,
    minimum: () => 1024,
    idleMs: (model) => (newer(model) ? 1_800_000 : 600_000),
    perMinute: 15,
    tellsWrites: newer,
  },
  limitHeaders: ({ requests, tokens }) => standardLimitHeaders(requests, tokens),
  refuse(body) {
    if (body.messages.some(({ prefix }) => prefix !== undefined))
      return openAiError(400, "Unknown parameter: 'messages[0].prefix'.", invalid, 'unknown_parameter', 'messages')
    if (body.max_tokens !== undefined && /^(?:gpt-[56]|o\d)/.test(String(body.model))) {
      const message =
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
      return openAiError(400, message, invalid, 'unsupported_parameter', 'max_tokens')
    }
    if (asksForJsonWithoutTheWord(body)) {
      return openAiError(
        400,
        "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
        invalid,
        null,
        'messages',
      )
    }
    if (body.response_format?.type === 'json_schema' && typeof body.response_format.json_schema?.schema !== 'object') {
      return openAiError(
        400,
        "Missing required parameter: 'response_format.json_schema.schema'.",
        invalid,
        'missing_required_parameter',
        'response_format',
      )
    }
    return undefined
  },
  refusal(kind, { model, waitMs, limit, reason }) {
    switch (kind) {
      case 'auth':
        return openAiError(401, 'Incorrect API key provided: sk-***.', invalid, 'invalid_api_key')
      case 'quota_exhausted':
        return openAiError(
          429,
          'You exceeded your current quota, please check your plan and billing details.',
          'insufficient_quota',
          'insufficient_quota',
        )
      case 'rate_limited': {
        const { unit, words, short } = limitWords(limit?.name)
        const message = `Rate limit reached for ${model} on ${words} (${short}): Limit ${limit?.value ?? 0}, Used ${limit?.used ?? 0}, Requested ${limit?.asked ?? 1}.`
        const headers = {
          'retry-after': seconds(waitMs),
          'retry-after-ms': `${Math.ceil(waitMs)}`,
          'x-should-retry': 'true',
        }
        return { ...openAiError(429, message, unit, 'rate_limit_exceeded'), headers }
      }
      case 'too_large':
        return openAiError(
          400,
          "This model's maximum context length is 400000 tokens.",
          invalid,
          'context_length_exceeded',
          'messages',
        )
      case 'not_found':
        return openAiError(
          404,
          `The model '${model}' does not exist or you do not have access to it.`,
          invalid,
          'model_not_found',
        )
      case 'bad_request':
        return openAiError(400, reason ?? 'Invalid request', invalid, null)
      case 'overloaded':
        return openAiError(503, 'The server is overloaded.', 'service_unavailable_error', 'server_is_overloaded')
      case 'server_error':
        return openAiError(500, 'The server had an error while processing your request.', 'server_error', null)
    }
  },
  first: (context) => chunk(context, { role: 'assistant', content: '', refusal: null }, null),
  piece: (context, text) => chunk(context, { content: text }, null),
  last(context) {
    const end = chunk(context, {}, context.finish)
    return includesUsage(context)
      ? [end, { ...head(context, 'chat.completion.chunk'), choices: [], usage: usage(context) }]
      : [end]
  },
  whole: (context, text) => ({
    ...head(context, 'chat.completion'),
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: text, refusal: null, annotations: [] },
        logprobs: null,
        finish_reason: context.finish,
      },
    ],
    usage: usage(context),
  }),
}

function chunk(context: ReplyContext, delta: object, finish: string | null): object {
  return {
    ...head(context, 'chat.completion.chunk'),
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
    ...(includesUsage(context) && { usage: null }),
    ...(context.body.stream_options?.include_obfuscation !== false && { obfuscation: context.padding() }),
  }
}

function includesUsage({ body }: ReplyContext): boolean {
  return body.stream_options?.include_usage === true
}

function head({ id, created, model }: ReplyContext, object: string): object {
  return { id: `chatcmpl-${id}`, object, created, model, service_tier: 'default', system_fingerprint: null }
}

function usage(context: ReplyContext): object {
  return {
    ...tokenCounts(context),
    prompt_tokens_details: {
      cached_tokens: context.cachedTokens,
      audio_tokens: 0,
      cache_write_tokens: context.writtenTokens,
    },
    completion_tokens_details: {
      reasoning_tokens: 0,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  }
}
