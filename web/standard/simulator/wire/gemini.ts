import { readGenerate } from './gemini-request.js'
import { googleError } from './google-error.js'
import type { ReplyContext, Wire } from './wire.js'

const google = 'type.googleapis.com/google.rpc'

/** CRLF, no `[DONE]`, usage on every chunk and cumulative, a last chunk with an empty text; an error half-way is bare JSON. */
export const geminiWire: Wire = {
  lineEnd: '\r\n',
  withoutDone: true,
  bareErrors: true,
  allowedHeaders: { names: ['x-goog-api-key', 'x-goog-api-client', 'content-type'], othersRefused: true },
  keyOf: (request, url) => request.headers.get('x-goog-api-key') ?? url.searchParams.get('key') ?? undefined,
  models: (ids) => ({
    models: ids.map((id) => ({
      name: `models/${id}`,
      displayName: id,
      supportedGenerationMethods: ['generateContent', 'countTokens'],
    })),
  }),
  read: readGenerate,
  catalogue: ['gemini-3.8-flash', 'gemini-3.5-flash-lite', 'gemini-4-argon', 'gemini-2.5-flash'],
  // The step is not published.
  cache: {
    kind: 'blocks',
    block: 128,
    minimum: (model) => (/^gemini-2\.5/.test(model) ? 2048 : /^gemini-[34]/.test(model) ? 4096 : Infinity),
    idleMs: 3_600_000,
  },
  refuse: () => undefined,
  refusal(kind, { model, waitMs, limit, reason }) {
    switch (kind) {
      case 'auth': {
        const info = {
          '@type': `${google}.ErrorInfo`,
          reason: 'API_KEY_INVALID',
          domain: 'googleapis.com',
          metadata: { service: 'generativelanguage.googleapis.com' },
        }
        return googleError(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.', [info])
      }
      case 'quota_exhausted':
        // The wait that comes with it is that of the minute: a client that trusts it fails again.
        return exceeded('GenerateRequestsPerDayPerProjectPerModel-FreeTier', waitMs)
      case 'rate_limited':
        if (limit?.name === 'concurrency')
          return googleError(429, 'RESOURCE_EXHAUSTED', 'Resource has been exhausted (e.g. check quota).')
        if (limit?.name === 'requests_per_day')
          return exceeded('GenerateRequestsPerDayPerProjectPerModel-FreeTier', waitMs)
        return exceeded(
          limit?.name === 'tokens'
            ? 'GenerateContentInputTokensPerModelPerMinute-FreeTier'
            : 'GenerateRequestsPerMinutePerProjectPerModel-FreeTier',
          waitMs,
        )
      case 'too_large':
        return googleError(
          400,
          'INVALID_ARGUMENT',
          'The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).',
        )
      case 'not_found':
        return googleError(
          404,
          'NOT_FOUND',
          `models/${model} is not found for API version v1beta, or is not supported for generateContent.`,
        )
      case 'bad_request':
        return googleError(400, 'INVALID_ARGUMENT', reason ?? 'Request contains an invalid argument.')
      case 'overloaded':
        return googleError(503, 'UNAVAILABLE', 'The model is overloaded. Please try again later.')
      case 'server_error':
        return googleError(500, 'INTERNAL', 'An internal error has occurred.')
    }
  },
  // There is no chunk before the first text.
  first: () => undefined,
  piece: (context, text, sent) => reply(context, { text }, sent),
  last: (context) => [reply(context, { text: '', thoughtSignature: `c2ln${context.id}` }, context.outTokens, true)],
  whole: (context, text) => reply(context, { text }, context.outTokens, true),
}

function exceeded(quotaId: string, waitMs: number): ReturnType<typeof googleError> {
  return googleError(
    429,
    'RESOURCE_EXHAUSTED',
    'You exceeded your current quota, please check your plan and billing details.',
    [
      {
        '@type': `${google}.QuotaFailure`,
        violations: [{ quotaMetric: 'generativelanguage.googleapis.com/generate_content_free_tier_requests', quotaId }],
      },
      {
        '@type': `${google}.Help`,
        links: [{ description: 'Learn more about quotas', url: 'https://ai.google.dev/gemini-api/docs/rate-limits' }],
      },
      { '@type': `${google}.RetryInfo`, retryDelay: `${Math.ceil(waitMs) / 1000}s` },
    ],
  )
}

function reply(context: ReplyContext, part: object, sentTokens: number, ended = false): object {
  const { inTokens, finish, model, id } = context
  return {
    candidates: [
      {
        content: { parts: [part], role: 'model' },
        ...(ended && { finishReason: finish === 'stop' ? 'STOP' : 'MAX_TOKENS' }),
        index: 0,
      },
    ],
    usageMetadata: {
      promptTokenCount: inTokens,
      // Zero counters are left out.
      ...(sentTokens > 0 && { candidatesTokenCount: sentTokens }),
      totalTokenCount: inTokens + sentTokens,
      ...(context.cachedTokens > 0 && { cachedContentTokenCount: context.cachedTokens }),
      promptTokensDetails: [{ modality: 'TEXT', tokenCount: inTokens }],
    },
    modelVersion: model,
    responseId: id.slice(0, 23),
  }
}
