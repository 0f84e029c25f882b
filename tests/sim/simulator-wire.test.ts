import { describe, expect, test } from '@jest/globals'
import { createSimulator, simulatorProfiles, type Simulator } from '../../web/standard/simulator/index.js'
import { createOpenAiCompatible, deepseek, groq, mistral, openai } from '../../web/standard/providers/index.js'
import { modelRequest } from '../web/call.js'

interface Chunk {
  readonly choices: readonly { delta: Record<string, unknown>; finish_reason: string | null }[]
  readonly usage?: Record<string, unknown> | null
  readonly x_groq?: { usage?: unknown }
  readonly obfuscation?: string
}

const origin = 'http://simulator.test'
const prompt = [{ role: 'user', content: 'Describe a lighthouse.' }]

async function post(
  simulator: Simulator,
  provider: string,
  body: unknown,
  headers: Record<string, string> = { authorization: 'Bearer k' },
): Promise<Response> {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return simulator.handle(
    new Request(`${origin}/${provider}/v1/chat/completions`, { method: 'POST', headers, body: text }),
  )
}

async function stream(provider: string, body: object): Promise<{ text: string; chunks: Chunk[] }> {
  const response = await post(createSimulator(simulatorProfiles.instant), provider, {
    model: 'm',
    messages: prompt,
    stream: true,
    ...body,
  })
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toContain('text/event-stream')
  const text = await response.text()
  const data = text.split('\n\n').filter((event) => event.startsWith('data: {'))
  return { text, chunks: data.map((event) => JSON.parse(event.slice(6)) as Chunk) }
}

const pieces = (chunks: readonly Chunk[]) => chunks.map(({ choices }) => choices[0]?.delta['content'] ?? '').join('')

describe('streams have each provider`s shape', () => {
  test('DeepSeek: keep-alives, usage null but on the chunk with the finish', async () => {
    const { text, chunks } = await stream('deepseek', { max_tokens: 80 })
    expect(text.startsWith(': keep-alive\n\ndata: ')).toBe(true)
    expect(text.split(': keep-alive').length).toBeGreaterThan(2)
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true)
    expect(chunks[0]!.choices[0]!.delta).toEqual({ role: 'assistant', content: '' })
    expect(chunks.slice(0, -1).every(({ usage }) => usage === null)).toBe(true)
    const { choices, usage } = chunks.at(-1)!
    expect(choices[0]!.finish_reason).toBe('stop')
    expect(usage!['prompt_tokens']).toBe(
      (usage!['prompt_cache_hit_tokens'] as number) + (usage!['prompt_cache_miss_tokens'] as number),
    )
  })
  test('Groq: usage twice on the last chunk without being asked, times in seconds', async () => {
    const { chunks } = await stream('groq', { max_completion_tokens: 80 })
    const last = chunks.at(-1)!
    expect(last.usage).toEqual(last.x_groq!.usage)
    expect(last.usage).toMatchObject({ prompt_time: expect.any(Number), total_time: expect.any(Number) })
    expect(chunks.slice(0, -1).some((chunk) => 'usage' in chunk)).toBe(false)
  })
  test('OpenAI: padding, and usage in a chunk of its own only when asked for', async () => {
    const asked = await stream('openai', { stream_options: { include_usage: true } })
    expect(asked.chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: expect.any(Number) } })
    expect(asked.chunks.slice(0, -1).every(({ usage, obfuscation }) => usage === null && Boolean(obfuscation))).toBe(
      true,
    )
    const silent = await stream('openai', { stream_options: { include_obfuscation: false } })
    expect(silent.chunks.some((chunk) => 'usage' in chunk || 'obfuscation' in chunk)).toBe(false)
    expect(silent.chunks.at(-1)!.choices[0]!.finish_reason).toBe('stop')
  })
  test.each([
    ['deepseek', {}],
    ['groq', {}],
    ['mistral', {}],
    ['openai', { stream_options: { include_usage: true } }],
  ])('%s: the pieces are the whole reply`s text, the usage its tokens', async (provider, more) => {
    const { chunks } = await stream(provider, more)
    const whole = await post(createSimulator(simulatorProfiles.instant), provider, { model: 'm', messages: prompt })
    expect(whole.headers.get('x-aetherflow-simulated')).toBe('1')
    const body = (await whole.json()) as { choices: [{ message: { content: string } }]; usage: Record<string, unknown> }
    expect(body.choices[0].message.content).toBe(pieces(chunks))
    const { usage } = chunks.filter((chunk) => chunk.usage).at(-1)!
    expect(body.usage['completion_tokens']).toBe(usage!['completion_tokens'])
    expect(body.usage['prompt_tokens']).toBe(usage!['prompt_tokens'])
  })
})

describe('the client understands every one of them', () => {
  test.each([
    ['deepseek', deepseek],
    ['groq', groq],
    ['openai', openai],
    ['mistral', mistral],
  ] as const)('%s', async (provider, dialect) => {
    const simulator = createSimulator(simulatorProfiles.instant)
    const client = createOpenAiCompatible({
      fetch: simulator.fetch,
      baseUrl: `${origin}/${provider}/v1`,
      key: () => 'k',
      dialect,
    })
    for (const streamed of [true, false]) {
      const shown: string[] = []
      const signal = new AbortController().signal
      const { text, usage, finish } = await client.generate(modelRequest({ model: 'm', stream: streamed }), signal, {
        text: (piece) => shown.push(piece),
      })
      expect(shown.join('')).toBe(text)
      expect(finish).toBe('stop')
      expect(simulator.ledger.entries.at(-1)).toMatchObject({
        provider,
        model: 'm',
        streamed,
        status: 200,
        inTokens: usage!.input,
        outTokens: usage!.output,
      })
    }
  })
})

describe('refusals', () => {
  const simulator = createSimulator({
    ...simulatorProfiles.instant,
    providers: {
      ...simulatorProfiles.instant.providers,
      groq: { ...simulatorProfiles.instant.providers.groq, models: ['known'], keys: ['right'] },
    },
  })
  const parts = [{ role: 'user', content: [{ type: 'text', text: 'hi' }] }]
  const json = { type: 'json_object' }
  test.each([
    ['no key', 'deepseek', { model: 'm', messages: prompt }, 401, {}],
    ['another key than the known ones', 'groq', { model: 'known', messages: prompt }, 401],
    ['an unknown model', 'groq', { model: 'other', messages: prompt }, 404, { authorization: 'Bearer right' }],
    ['no JSON', 'openai', '{"model":', 400],
    ['no messages', 'openai', { model: 'm' }, 400],
    ['a message that is null', 'openai', { model: 'm', messages: [null] }, 400],
    ['no model', 'openai', { messages: prompt }, 400],
    ['no tokens allowed', 'openai', { model: 'm', messages: prompt, max_completion_tokens: 0 }, 400],
    ['the old limit at a reasoning model', 'openai', { model: 'gpt-6-luna', messages: prompt, max_tokens: 5 }, 400],
    ['content in parts at DeepSeek', 'deepseek', { model: 'm', messages: parts }, 400],
    ['JSON mode without the word', 'deepseek', { model: 'm', messages: prompt, response_format: json }, 400],
    [
      'a schema with a stream at Groq',
      'groq',
      { model: 'known', messages: prompt, stream: true, response_format: { type: 'json_schema', json_schema: {} } },
      400,
      { authorization: 'Bearer right' },
    ],
    [
      'several answers at Groq',
      'groq',
      { model: 'known', messages: prompt, n: 2 },
      400,
      { authorization: 'Bearer right' },
    ],
    ['an unknown provider', 'nobody', { model: 'm', messages: prompt }, 404],
  ] as const)('%s', async (...row) => {
    const [, provider, body, status, headers] = row
    const response = await post(simulator, provider, body, headers)
    expect(response.status).toBe(status)
    expect(response.headers.get('x-aetherflow-simulated')).toBe('1')
    expect(await response.json()).toMatchObject({ error: { message: expect.any(String) } })
  })
  test('what the others take is taken', async () => {
    expect((await post(simulator, 'openai', { model: 'gpt-4.1-mini', messages: prompt, max_tokens: 5 })).status).toBe(
      200,
    )
    expect((await post(simulator, 'openai', { model: 'm', messages: parts })).status).toBe(200)
  })
  test('models are listed, preflights reflected', async () => {
    const headers = { authorization: 'Bearer right' }
    const models = await simulator.handle(new Request(`${origin}/groq/v1/models`, { headers }))
    expect(await models.json()).toMatchObject({ data: [{ id: 'known' }] })
    const asked = { 'access-control-request-headers': 'authorization, x-more' }
    const preflight = await simulator.handle(
      new Request(`${origin}/groq/v1/chat/completions`, { method: 'OPTIONS', headers: asked }),
    )
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-headers')).toBe('authorization, x-more')
  })
})
