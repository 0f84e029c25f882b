// Refusals of what was added to a request: sent again without it, and remembered for the model.
import { describe, expect, test } from '@jest/globals'
import type { ModelClient } from '../../bindings/ports.js'
import {
  createGemini,
  createOpenAiCompatible,
  deepseek,
  generic,
  groq,
  openai,
  type Dialect,
} from '../../web/standard/providers/index.js'
import { json, type Script } from '../sim/scripted-server.js'
import { canaryKey, failureOf, modelRequest, withScript } from './call.js'

type Body = Record<string, unknown>
const answer = { choices: [{ message: { content: 'hello' }, finish_reason: 'stop' }] }
const googleAnswer = { candidates: [{ content: { parts: [{ text: 'hello' }] }, finishReason: 'STOP' }] }

/** A host that refuses what `refuse` finds fault with, and answers the rest. */
function host(refuse: (body: Body) => object | undefined, seen: Body[], good: object = answer, status = 400): Script {
  return (out, request) => {
    const body = JSON.parse(request.body) as Body
    seen.push(body)
    const refusal = refuse(body)
    if (refusal === undefined) json(out, 200, good)
    else json(out, status, refusal)
  }
}

const clientAt = (baseUrl: string, dialect: Dialect | 'gemini'): ModelClient => {
  const config = { fetch: (input: string, init?: RequestInit) => fetch(input, init), baseUrl, key: () => canaryKey }
  return dialect === 'gemini' ? createGemini(config) : createOpenAiCompatible({ ...config, dialect })
}
const error = (message: string, param: string | null = null) => ({
  error: { message, type: 'invalid_request_error', param, code: null },
})

type Case = readonly [
  name: string,
  dialect: Dialect | 'gemini',
  model: string,
  refuse: (body: Body) => object | undefined,
  words: string,
]
const cases: readonly Case[] = [
  [
    'stream options, in Mistral’s words',
    generic,
    'm',
    ({ stream_options }) =>
      stream_options === undefined
        ? undefined
        : { detail: [{ loc: ['body', 'stream_options'], msg: 'Extra inputs are not permitted' }] },
    'stream_options',
  ],
  [
    'obfuscation alone',
    openai,
    'm',
    ({ stream_options }) =>
      'include_obfuscation' in ((stream_options ?? {}) as Body)
        ? error("Unknown parameter: 'stream_options.include_obfuscation'.", 'stream_options.include_obfuscation')
        : undefined,
    'include_obfuscation',
  ],
  [
    'thinking',
    deepseek,
    'm',
    ({ thinking }) => (thinking === undefined ? undefined : error('thinking type is not supported by this model')),
    'thinking',
  ],
  [
    'effort, in words',
    groq,
    'qwen/qwen9',
    ({ reasoning_effort: effort }) =>
      effort === undefined ? undefined : error('`reasoning_effort` is not supported with this model'),
    'reasoning_effort',
  ],
  [
    'effort, by its value',
    groq,
    'openai/gpt-oss-9b',
    ({ reasoning_effort: effort }) =>
      effort === undefined ? undefined : error("'low' is not one of the accepted values", 'reasoning_effort'),
    'reasoning_effort',
  ],
  [
    'the name of the limit',
    generic,
    'm',
    ({ max_tokens }) =>
      max_tokens === undefined
        ? undefined
        : error("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.", 'max_tokens'),
    'max_completion_tokens',
  ],
  [
    'the name of the limit, the other way',
    openai,
    'm',
    ({ max_completion_tokens }) =>
      max_completion_tokens === undefined
        ? undefined
        : error('Unrecognized request argument supplied: max_completion_tokens'),
    'max_tokens',
  ],
  [
    'streaming',
    openai,
    'm',
    ({ stream }) => (stream === true ? error('Your organization must be verified to stream this model.') : undefined),
    'streaming',
  ],
  [
    'the role of the system text',
    openai,
    'gpt-7',
    ({ messages }) =>
      (messages as Body[]).some(({ role }) => role === 'developer')
        ? error("messages[0].role: unexpected value 'developer'")
        : undefined,
    'role system',
  ],
  [
    'thinking of Gemini',
    'gemini',
    'gemini-4-flash',
    ({ generationConfig }) =>
      'thinkingConfig' in (generationConfig as Body)
        ? { error: { code: 400, message: 'Thinking level is not supported.', status: 'INVALID_ARGUMENT' } }
        : undefined,
    'thinkingConfig',
  ],
]

describe.each(cases)('%s', (_, dialect, model, refuse, words) => {
  test('is left out once it was refused, for this model', async () => {
    const seen: Body[] = []
    await withScript(host(refuse, seen, dialect === 'gemini' ? googleAnswer : answer), async ({ url }) => {
      const client = clientAt(url, dialect)
      const call = () => client.generate(modelRequest({ model }), new AbortController().signal)
      const refused = await failureOf(call())
      expect(refused).toMatchObject({ kind: 'adapted', status: 400 })
      expect(refused.message).toContain(words)
      expect(await call()).toMatchObject({ text: 'hello' })
      expect(await call()).toMatchObject({ text: 'hello' })
      expect(seen).toHaveLength(3)
      // Everything else is sent as before.
      expect(seen[1]).toEqual(seen[2])
      expect(Object.keys(seen[1]!)).toEqual(expect.arrayContaining([dialect === 'gemini' ? 'contents' : 'messages']))
    })
  })

  test('of another model is unknown', async () => {
    const seen: Body[] = []
    await withScript(host(refuse, seen), async ({ url }) => {
      const client = clientAt(url, dialect)
      for (const name of [model, `${model}-b`])
        await failureOf(client.generate(modelRequest({ model: name }), new AbortController().signal))
      const [first, second] = seen.map(({ model: _model, ...rest }) => rest)
      expect(second).toEqual(first)
    })
  })
})

describe('the size of the limit', () => {
  const sized = (words: string, most: number, name = 'max_tokens') => {
    const seen: Body[] = []
    const refuse = (body: Body) => (Number(body[name]) > most ? error(words) : undefined)
    return { seen, script: host(refuse, seen) }
  }
  test.each([
    ['Invalid max_tokens value, the valid range of max_tokens is [1, 8192]', 8192],
    ['max_tokens is too large: 50000. This model supports at most 4096 completion tokens.', 4096],
    ['`max_tokens` must be less than or equal to `2048`, the maximum value for this model', 2048],
    ['max_tokens: 50000 > 1024, which is the maximum allowed number of output tokens', 1024],
  ])('%s', async (words, most) => {
    const { seen, script } = sized(words, most)
    await withScript(script, async ({ url }) => {
      const client = clientAt(url, generic)
      const call = (maxOutputTokens: number) =>
        client.generate(modelRequest({ model: 'm', maxOutputTokens }), new AbortController().signal)
      expect(await failureOf(call(50_000))).toMatchObject({ kind: 'adapted' })
      await call(50_000)
      await call(70)
      expect(seen.map(({ max_tokens }) => max_tokens)).toEqual([50_000, most, 70])
    })
  })

  test('what a window leaves beside the prompt; nothing worth a call is too large', async () => {
    const words = (input: number) =>
      `This model's maximum context length is 8192 tokens. However, you requested 2048 output tokens and your prompt ` +
      `contains at least ${input} input tokens, for a total of at least ${input + 2048} tokens.`
    const { seen, script } = sized(words(6500), 1692)
    await withScript(script, async ({ url }) => {
      const client = clientAt(url, generic)
      const call = () =>
        client.generate(modelRequest({ model: 'm', maxOutputTokens: 2048 }), new AbortController().signal)
      expect(await failureOf(call())).toMatchObject({ kind: 'adapted' })
      await call()
      expect(Number(seen[1]!['max_tokens'])).toBeLessThanOrEqual(1692)
      expect(Number(seen[1]!['max_tokens'])).toBeGreaterThan(1600)
    })
    await withScript(sized(words(8190), 0).script, async ({ url }) => {
      const call = clientAt(url, generic).generate(
        modelRequest({ model: 'm', maxOutputTokens: 2048 }),
        new AbortController().signal,
      )
      expect(await failureOf(call)).toMatchObject({ kind: 'too_large' })
    })
  })
})

describe('what was not added is not left out', () => {
  test.each([
    [401, 'the thinking key is wrong', 'auth'],
    [429, 'too many requests that think', 'rate_limited'],
    [400, 'messages: expected a list', 'bad_request'],
    [400, 'The model `thinking` does not exist', 'not_found'],
  ])('%i %s', async (status, message, kind) => {
    const seen: Body[] = []
    await withScript(
      host(() => error(message), seen, answer, status),
      async ({ url }) => {
        const call = () => clientAt(url, generic).generate(modelRequest({ model: 'm' }), new AbortController().signal)
        expect(await failureOf(call())).toMatchObject({ kind, status })
      },
    )
  })
})
