import {
  asksForJsonWithoutTheWord,
  misplacedPrefix,
  openAiError,
  prefixOf,
  tokenCounts,
  type ReplyContext,
  type Wire,
} from './wire.js'

const invalid = 'invalid_request_error'

/** `usage: null` on every chunk but the one with the finish reason; comments and blank lines while it works. */
export const deepseekWire: Wire = {
  keepAlive: ': keep-alive\n\n',
  blankLines: '\n\n\n\n\n',
  catalogue: ['deepseek-flash', 'deepseek-v4-pro'],
  balance: {
    is_available: true,
    balance_infos: [{ currency: 'USD', total_balance: '12.34', granted_balance: '0.00', topped_up_balance: '12.34' }],
  },
  // Whole units, counted in steps of 64 as the recorded hits are. How often a unit is kept within a long input is not published.
  cache: { kind: 'units', step: 64, interval: 8192 },
  refuse(body, { beta }) {
    if (misplacedPrefix(body))
      return openAiError(400, 'The prefix turn must be the last one, of the assistant.', invalid, invalid)
    if (prefixOf(body) !== undefined && !beta)
      return openAiError(
        400,
        'The prefix of an assistant turn is only available with the beta base_url.',
        invalid,
        invalid,
      )
    const parts = body.messages.findIndex(({ content }) => Array.isArray(content))
    if (parts >= 0) {
      const message = `Failed to deserialize the JSON body into the target type: messages[${parts}]: invalid type: sequence, expected a string at line 1 column 1`
      return openAiError(400, message, invalid, invalid)
    }
    if (asksForJsonWithoutTheWord(body)) {
      return openAiError(
        400,
        "Prompt must contain the word 'json' in some form to use 'response_format' of type 'json_object'.",
        invalid,
        invalid,
      )
    }
    // The real one has been seen to ignore it: refusing shows a client that relies on it.
    if (body.response_format?.type === 'json_schema')
      return openAiError(400, 'This response_format type is unavailable now', invalid, invalid)
    return undefined
  },
  refusal(kind, { model, limit, reason }) {
    switch (kind) {
      case 'auth':
        return openAiError(
          401,
          'Authentication Fails, Your api key: ****0000 is invalid',
          'authentication_error',
          invalid,
        )
      case 'quota_exhausted':
        return openAiError(402, 'Insufficient Balance', 'unknown_error', invalid)
      case 'rate_limited': {
        const concurrent = `Your current concurrency is ${limit?.used}, which exceeds your concurrency limit of ${limit?.value} based on your remaining balance.`
        // No retry-after and no limit headers: this provider sends none.
        return openAiError(
          429,
          limit?.name === 'concurrency'
            ? concurrent
            : `Rate limit reached for ${limit?.name === 'tokens' ? 'TPM' : 'RPM'}`,
          'rate_limit_error',
          'rate_limit_error',
        )
      }
      case 'too_large':
        return openAiError(
          400,
          "This model's maximum context length is 131072 tokens. However, you requested 140000 tokens.",
          invalid,
          invalid,
        )
      case 'not_found':
        return openAiError(400, `Model Not Exist: ${model}`, invalid, 'model_not_found')
      case 'bad_request':
        return openAiError(400, reason ?? 'Invalid request', invalid, invalid)
      case 'overloaded':
        return openAiError(503, 'Service is too busy. Please retry later.', 'service_unavailable_error', null)
      case 'server_error':
        return openAiError(500, 'Internal server error', 'server_error', null)
    }
  },
  first: (context) => chunk(context, { role: 'assistant', content: '' }, null, null),
  piece: (context, text) => chunk(context, { content: text }, null, null),
  last: (context) => [chunk(context, { content: '' }, context.finish, usage(context))],
  whole: (context, text) => ({
    ...head(context, 'chat.completion'),
    choices: [
      { index: 0, message: { role: 'assistant', content: text }, logprobs: null, finish_reason: context.finish },
    ],
    usage: usage(context),
    system_fingerprint: 'fp_simulated',
  }),
}

function chunk(context: ReplyContext, delta: object, finish: string | null, counts: object | null): object {
  return {
    ...head(context, 'chat.completion.chunk'),
    system_fingerprint: 'fp_simulated',
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
    usage: counts,
  }
}

function head({ id, created, model }: ReplyContext, object: string): object {
  const uuid = [id.slice(0, 8), id.slice(8, 12), id.slice(12, 16), id.slice(16, 20), id.slice(20)].join('-')
  return { id: uuid, object, created, model }
}

function usage(context: ReplyContext): object {
  return {
    ...tokenCounts(context),
    prompt_tokens_details: { cached_tokens: context.cachedTokens },
    prompt_cache_hit_tokens: context.cachedTokens,
    prompt_cache_miss_tokens: context.inTokens - context.cachedTokens,
  }
}
