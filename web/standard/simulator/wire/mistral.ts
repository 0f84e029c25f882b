import {
  misplacedPrefix,
  openAiError,
  seconds,
  tokenCounts,
  type Reading,
  type Refusal,
  type ReplyContext,
  type Wire,
} from './wire.js'

/** The fields of both requests; any other is refused, which is how a client's wrong habits show. */
const shared = [
  'model',
  'temperature',
  'top_p',
  'max_tokens',
  'stream',
  'stop',
  'random_seed',
  'metadata',
  'prompt_cache_key',
] as const
const chatFields: ReadonlySet<string> = new Set([
  ...shared,
  'messages',
  'response_format',
  'tools',
  'tool_choice',
  'presence_penalty',
  'frequency_penalty',
  'n',
  'prediction',
  'parallel_tool_calls',
  'prompt_mode',
  'reasoning_effort',
  'guardrails',
  'safe_prompt',
  'service_tier',
])
const fimFields: ReadonlySet<string> = new Set([...shared, 'prompt', 'suffix', 'min_tokens'])

const maxTemperature = 1.5

/** Ids of 32 hex digits, usage on the last chunk and on no other, fill-in-the-middle answered in the shape of a chat. */
export const mistralWire: Wire = {
  allowedHeaders: { names: ['authorization', 'content-type', 'x-mistral-user-agent'], othersRefused: false },
  read: (value, { endpoint }) => (endpoint === 'fim' ? readFim(value) : undefined),
  catalogue: ['codestral-2508', 'codestral-latest', 'mistral-medium-3-5', 'mistral-small-2603'],
  cache: { kind: 'blocks', block: 64, minimum: () => 64, idleMs: 3_600_000, keyOnly: true },
  echoesPrefix: true,
  limitHeaders: ({ requests, tokens, cost }) => ({
    ...(tokens && {
      'x-ratelimit-limit-tokens-minute': `${tokens.limit}`,
      'x-ratelimit-remaining-tokens-minute': `${tokens.remaining}`,
      'x-ratelimit-tokens-query-cost': `${cost}`,
    }),
    ...(requests && {
      'x-ratelimit-limit-req-minute': `${requests.limit}`,
      'x-ratelimit-remaining-req-minute': `${requests.remaining}`,
    }),
  }),
  refuse: (body) =>
    misplacedPrefix(body)
      ? envelope(400, 'Expected last role Assistant with prefix True', 'invalid_request_message_order', null)
      : invalid(body, chatFields),
  refusal(kind, { model, waitMs, limit, reason }) {
    switch (kind) {
      case 'auth':
        return { status: 401, body: { detail: 'Unauthorized' } }
      case 'quota_exhausted':
        // No form of this one is known: the documented envelope with the status that means it.
        return envelope(402, 'The credits of this organization are used up', 'invalid_request_error', null)
      case 'rate_limited':
        return {
          ...envelope(429, 'Rate limit exceeded', 'rate_limited', '1300'),
          headers: {
            'retry-after': seconds(waitMs),
            ...(limit?.name === 'tokens' && { 'x-ratelimit-limit-tokens-minute': `${limit.value}` }),
            ...(limit?.name === 'requests' && { 'x-ratelimit-limit-req-minute': `${limit.value}` }),
          },
        }
      case 'too_large':
        return envelope(
          400,
          'The prompt exceeds the maximum context length of 131072 tokens',
          'invalid_request_error',
          null,
        )
      case 'not_found':
        return envelope(400, `Invalid model: ${model}`, 'invalid_model', '1500')
      case 'bad_request':
        return envelope(400, reason ?? 'Invalid request', 'invalid_request_error', null)
      case 'overloaded':
        // A 429 that is not the caller's doing: only the words tell.
        return envelope(429, 'Service tier capacity exceeded for this model.', 'invalid_request_error', null)
      case 'server_error':
        return envelope(500, 'Internal server error', 'internal_server_error', null)
    }
  },
  first: (context) => chunk(context, { role: 'assistant', content: '' }, null),
  piece: (context, text) => chunk(context, { content: text }, null),
  last: (context) => [{ ...chunk(context, { content: '' }, context.finish), usage: usage(context) }],
  whole: (context, text) => ({
    ...head(context, 'chat.completion'),
    usage: usage(context),
    choices: [
      { index: 0, finish_reason: context.finish, message: { role: 'assistant', tool_calls: null, content: text } },
    ],
  }),
}

function readFim(value: Readonly<Record<string, unknown>>): Reading {
  const refusal = invalid(value, fimFields)
  if (refusal) return { refusal }
  const { model, prompt, suffix = '', max_tokens, stream } = value
  if (typeof prompt !== 'string') return { refusal: detail([['prompt'], 'Field required', 'missing']) }
  const content = typeof suffix === 'string' ? `${prompt}\n${suffix}` : prompt
  return { body: { model, messages: [{ role: 'user', content }], stream, max_tokens }, code: true }
}

function invalid(body: Readonly<Record<string, unknown>>, fields: ReadonlySet<string>): Refusal | undefined {
  const unknown = Object.keys(body).filter((name) => !fields.has(name))
  if (unknown.length > 0)
    return detail(...unknown.map((name) => [[name], 'Extra inputs are not permitted', 'extra_forbidden'] as const))
  const { temperature } = body
  if (temperature === undefined || temperature === null) return undefined
  return typeof temperature === 'number' && temperature >= 0 && temperature <= maxTemperature
    ? undefined
    : detail([['temperature'], `Input should be between 0 and ${maxTemperature}`, 'less_than_equal'])
}

function detail(...problems: readonly (readonly [readonly string[], string, string])[]): Refusal {
  return { status: 422, body: { detail: problems.map(([loc, msg, type]) => ({ loc: ['body', ...loc], msg, type })) } }
}

function envelope(status: number, message: string, type: string, code: string | null): Refusal {
  const { error } = openAiError(status, message, type, code).body as { error: object }
  return { status, body: { object: 'error', ...error, raw_status_code: status } }
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

function usage(context: ReplyContext): object {
  return { ...tokenCounts(context), prompt_tokens_details: { cached_tokens: context.cachedTokens } }
}
