/** Refusals that are not the user's fault. */
import { refuses, says, google, candidate, situation, step, planOf, type OwnCase } from './shapes.js'

const beta = { requests: { alpha: 1, beta: 1 }, output: 'from beta' }
const invalid = 'invalid_request_error'

const overflows: readonly (readonly [report: string, status: number, error: unknown])[] = [
  [
    'llama.cpp',
    400,
    {
      code: 400,
      message: 'request (33056 tokens) exceeds the available context size (32768 tokens), try increasing it',
      type: 'exceed_context_size_error',
    },
  ],
  ['llama.cpp, half-way', 500, { code: 500, message: 'Context size has been exceeded.', type: 'server_error' }],
  [
    'sglang',
    400,
    { message: "The input (40000 tokens) is longer than the model's context length (32768 tokens).", code: 400 },
  ],
  ['xAI', 400, "This model's maximum prompt length is 131072 but the request contains 537812 tokens."],
  ['vLLM', 400, { message: "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens" }],
  [
    'LM Studio',
    400,
    'The number of tokens to keep from the initial prompt is greater than the context length. Try to load the model with a larger context length',
  ],
  [
    'a token limit per minute that no wait helps with',
    429,
    { message: 'Request too large for m: Limit 3, Requested 9' },
  ],
]

const gone: readonly (readonly [report: string, status: number, error: unknown])[] = [
  ['OpenRouter', 400, { message: 'deepseek/deepseek-chat-v3.2 is not a valid model ID', code: 400 }],
  [
    'LiteLLM',
    400,
    { message: 'Invalid model name passed in model=foo. Call `/v1/models` to view models', code: '400' },
  ],
  [
    'Hugging Face',
    400,
    {
      message: "The requested model 'x' is not supported by any provider you have enabled.",
      code: 'model_not_supported',
    },
  ],
  ['GitHub Models', 400, { code: 'unknown_model', message: 'Unknown model: foo', details: 'Unknown model: foo' }],
  [
    'Groq',
    400,
    { message: 'The model `x` has been decommissioned and is no longer supported.', code: 'model_decommissioned' },
  ],
  ['Moonshot', 404, { message: 'Not found the model kimi-x or Permission denied', type: 'resource_not_found_error' }],
  ['DeepSeek', 400, { message: 'Model Not Exist', type: invalid, code: invalid }],
  ['Routeway', 400, { message: 'No model found: foo/bar', code: 400 }],
]

const heroSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['hero'],
  properties: { hero: { $ref: '#/$defs/H', description: 'The hero' } },
  $defs: { H: { type: 'object', additionalProperties: false, required: ['t'], properties: { t: { type: 'string' } } } },
}
const hero = '{"hero":{"t":"x"}}'
const refSiblings = refuses(400, {
  message: "Invalid schema for response_format 'answer': context=('properties', 'hero'), $ref cannot have keywords",
  type: invalid,
  param: 'response_format',
})

export const refusalCases: readonly OwnCase[] = [
  ...overflows.map(([report, status, error]) =>
    situation(`too long a prompt: ${report}`, report, [refuses(status, error)], beta),
  ),
  ...gone.map(([report, status, error]) =>
    situation(`a model that is gone: ${report}`, report, [refuses(status, error)], beta),
  ),
  situation(
    'a model that is gone is asked once a run',
    'freellmapi#66',
    [refuses(404, { message: 'The model `m-alpha` does not exist', code: 'model_not_found' })],
    { requests: { alpha: 1, beta: 3 } },
    { plan: planOf(step('a'), step('b', ['a']), step('c', ['b'])) },
  ),
  situation(
    'a bad draw: tool_use_failed',
    'litellm#21242',
    [
      refuses(400, { message: 'Tool choice is none, but model called a tool', type: invalid, code: 'tool_use_failed' }),
      says('hello'),
    ],
    { requests: { groq: 2 }, output: 'hello' },
    { first: 'groq' },
  ),
  situation(
    'a bad draw each time: another provider',
    'Groq',
    [refuses(400, { message: 'Parsing failed.', type: invalid, code: 'output_parse_failed' })],
    { requests: { groq: 2, beta: 1 }, output: 'from beta' },
    { first: 'groq' },
  ),
  situation(
    'a document cut at its limit',
    'Groq json_validate_failed',
    [
      refuses(400, {
        message: 'Failed to validate JSON.',
        type: invalid,
        code: 'json_validate_failed',
        failed_generation: 'max completion tokens reached before generating a valid document',
      }),
      {
        json: {
          choices: [{ message: { content: '{"a":1}' }, finish_reason: 'stop' }],
          usage: { prompt_tokens: 5, completion_tokens: 1 },
        },
      },
    ],
    { requests: { groq: 2 }, output: '{"a":1}', widens: true },
    { first: 'groq', output: 'json' },
  ),
  situation(
    'streaming that the account may not',
    'continue#8209',
    [
      refuses(400, {
        message: 'Your organization must be verified to stream this model.',
        type: invalid,
        param: 'stream',
        code: 'unsupported_value',
      }),
      {
        json: {
          choices: [{ message: { content: 'hello' }, finish_reason: 'stop' }],
          usage: { prompt_tokens: 5, completion_tokens: 1 },
        },
      },
    ],
    { requests: { openai: 2 }, output: 'hello' },
    { first: 'openai' },
  ),
  situation(
    'the words behind a gateway',
    'OpenRouter metadata.raw',
    [
      refuses(400, {
        message: 'Provider returned error',
        code: 400,
        metadata: { raw: '{"error":{"message":"at most 1 image per prompt"}}' },
      }),
    ],
    { failure: 'bad_request', words: 'at most 1 image per prompt' },
    { alone: true },
  ),
  situation(
    'a purse that is empty',
    'OpenRouter 402',
    [refuses(402, { message: 'can only afford 1', code: 402 })],
    beta,
  ),
  situation(
    'a region that is not served',
    'gemini-cli#24641',
    [
      refuses(400, {
        code: 400,
        message: 'User location is not supported for the API use.',
        status: 'FAILED_PRECONDITION',
      }),
    ],
    { requests: { gemini: 1, beta: 1 }, output: 'from beta' },
    { first: 'gemini' },
  ),
  situation(
    'a limit of 0',
    'continue#10062',
    [
      refuses(429, {
        code: 429,
        message: 'Quota exceeded for metric: free_tier, limit: 0, model: m\nPlease retry in 2.04466179s.',
        status: 'RESOURCE_EXHAUSTED',
      }),
    ],
    { requests: { gemini: 1, beta: 1 }, output: 'from beta' },
    { first: 'gemini' },
  ),
  situation(
    'a setting of Gemini that was added',
    'Gemini 400',
    [
      refuses(400, {
        code: 400,
        message: 'Thinking level is not supported for this model.',
        status: 'INVALID_ARGUMENT',
      }),
      google({
        candidates: [candidate('hello', 'STOP')],
        usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 1 },
      }),
    ],
    { requests: { gemini: 2 }, output: 'hello' },
    { first: 'gemini' },
  ),
  situation(
    'a setting of Groq that was added, with one attempt allowed',
    'Groq 400',
    [refuses(400, { message: '`reasoning_effort` is not supported with this model', type: invalid }), says('hello')],
    { requests: { groq: 2 }, output: 'hello' },
    { first: 'groq', config: { retry: { attempts: 1 } } },
  ),
  situation(
    'the name of the limit',
    'webbrain#427',
    [
      refuses(400, {
        message:
          "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        type: invalid,
        param: 'max_tokens',
        code: 'unsupported_parameter',
      }),
      says('hello'),
    ],
    { requests: { alpha: 2 }, output: 'hello' },
  ),
  situation(
    'a window that the limit does not fit in',
    'vllm#42474',
    [
      refuses(400, {
        message:
          "This model's maximum context length is 8192 tokens. However, you requested 2048 output tokens and your prompt contains at least 6500 input tokens, for a total of at least 8548 tokens.",
        type: 'BadRequestError',
        code: 400,
      }),
      says('hello'),
    ],
    { requests: { alpha: 2 }, output: 'hello' },
  ),
  situation(
    'a schema that is refused',
    'langchainjs#11381',
    [refSiblings, says(hero)],
    { requests: { openai: 2 }, output: hero },
    { first: 'openai', output: heroSchema },
  ),
  situation(
    'a schema that is refused is learnt once',
    'langchainjs#11381',
    [refSiblings, says(hero)],
    { requests: { openai: 4 } },
    {
      first: 'openai',
      plan: planOf(
        step('a', [], { output: heroSchema }),
        step('b', ['a'], { output: heroSchema }),
        step('c', ['b'], { output: heroSchema }),
      ),
    },
  ),
  situation(
    'a line of a firewall',
    'EchoBot#13',
    [{ status: 403, text: 'error code: 1010', headers: { 'content-type': 'text/plain' } }],
    beta,
  ),
  situation(
    'a page of a firewall',
    'EchoBot#13',
    [
      {
        status: 403,
        text: '<!DOCTYPE html><title>Attention Required!</title>',
        headers: { 'content-type': 'text/html' },
      },
    ],
    beta,
  ),
  situation(
    'a refusal that nobody knows',
    'rule c',
    [refuses(400, { message: 'the moon is in the wrong house' })],
    beta,
  ),
  situation(
    'a refusal that nobody knows, at both',
    'rule c',
    [refuses(400, { message: 'the moon is in the wrong house' })],
    { requests: { alpha: 1 }, failure: 'bad_request', words: 'the moon is in the wrong house' },
    { alone: true },
  ),
  situation(
    'a wrong key never falls through',
    'rule',
    [refuses(401, { message: 'Incorrect API key provided', code: 'invalid_api_key' })],
    { requests: { alpha: 1 }, failure: 'auth' },
  ),
]
