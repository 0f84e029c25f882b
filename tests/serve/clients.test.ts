/** The server as real clients see it: every row of the stream table, with the clients that people use. One server for all. */
import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { ChatOpenAI } from '@langchain/openai'
import * as ai6 from 'ai6'
import * as ai7 from 'ai7'
import OpenAI from 'openai'
import { createOpenAICompatible as createOpenAICompatible6 } from 'openai-compatible6'
import { z } from 'zod'
import { serve, type ServeHandle } from '../../node/serve/serve.js'
import { projectPath } from '../fixtures/paths.js'
import { citySchema, configOf, ScriptedProvider, weather } from './scripted-provider.js'

jest.setTimeout(60_000)

const token = 'afk_test_0123456789abcdef'
const poor = 'afk_poor_0123456789abcdef'
const provider = new ScriptedProvider()
/** Each failure has a provider of its own: what it teaches of one is no matter of the others. */
const faulty = ['f400', 'f401', 'f404', 'f429', 'f500', 'broken']
let server: ServeHandle
let openai: OpenAI

beforeAll(async () => {
  server = await serve({
    port: 0,
    config: configOf(await provider.open(), ...faulty),
    keys: [
      { name: 'test', token },
      { name: 'poor', token: poor, budgetUsdPerDay: 0.000001 },
    ],
  })
  openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: token })
})

afterAll(async () => {
  provider.close()
  await server.close()
})

beforeEach(() => {
  provider.asked.length = 0
  provider.calls = 0
})

const said = (content: string) => [{ role: 'user' as const, content }]

describe('openai', () => {
  test('answers a text, says what it cost and which model served it', async () => {
    const { data, response } = await openai.chat.completions
      .create({ model: 'auto', messages: said('hello there') })
      .withResponse()
    expect(data.choices[0]).toMatchObject({
      finish_reason: 'stop',
      message: { role: 'assistant', content: 'echo: hello there' },
    })
    expect(data.model).toBe('local/m')
    // 20 tokens at 1 USD and 10 at 2 USD a million.
    expect(data.usage).toMatchObject({ prompt_tokens: 20, completion_tokens: 10, total_tokens: 30, cost: 0.00004 })
    expect(data).toHaveProperty('aetherflow.route', 'local/m')
    expect(data).toHaveProperty('aetherflow.why', expect.stringContaining('the only one'))
    expect(response.headers.get('x-aetherflow-cost-usd')).toBe('0.00004')
    expect(response.headers.get('x-aetherflow-attempts')).toBe('1')
  })

  test('streams a text in pieces, with counts only when they are asked for', async () => {
    const plain = await chunksOf({ model: 'auto', messages: said('a stream of several pieces') })
    expect(plain.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe(
      'echo: a stream of several pieces',
    )
    expect(plain[0]?.choices[0]?.delta).toEqual({ role: 'assistant', content: '' })
    expect(plain.length).toBeGreaterThan(4)
    expect(new Set(plain.map(({ id }) => id)).size).toBe(1)
    expect(plain.at(-1)?.choices[0]?.finish_reason).toBe('stop')
    expect(plain.some(({ usage }) => usage)).toBe(false)
    const counted = await chunksOf({ model: 'auto', messages: said('x'), stream_options: { include_usage: true } })
    expect(counted.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 30, cost: 0.00004 } })
    expect(counted.at(-2)?.choices[0]?.finish_reason).toBe('stop')
  })

  test('hands turns, roles, parts and settings to the provider as they are', async () => {
    await openai.chat.completions.create({
      model: 'local/cheap',
      messages: [
        { role: 'developer', content: 'be brief' },
        { role: 'user', content: [{ type: 'text', text: 'first {{steps.x.output}}' }] },
        { role: 'assistant', content: 'an answer' },
        { role: 'user', content: 'second' },
      ],
      max_completion_tokens: 50,
      temperature: 0.5,
      top_p: 0.9,
      seed: 7,
      stop: ['END'],
    })
    expect(provider.asked).toHaveLength(1)
    expect(provider.asked[0]).toMatchObject({
      model: 'cheap',
      messages: [
        { role: 'system', content: 'be brief' },
        { role: 'user', content: 'first {{steps.x.output}}' },
        { role: 'assistant', content: 'an answer' },
        { role: 'user', content: 'second' },
      ],
      max_tokens: 50,
      temperature: 0.5,
      top_p: 0.9,
      seed: 7,
      stop: ['END'],
    })
  })

  test('passes tools to the model and its calls back, whole and streamed, and goes on with the result', async () => {
    const body = { model: 'auto', messages: said('weather in Paris?'), tools: [weather], tool_choice: 'auto' as const }
    const whole = await openai.chat.completions.create(body)
    const [choice] = whole.choices
    expect(choice).toMatchObject({ finish_reason: 'tool_calls', message: { content: null } })
    const calls = choice?.message.tool_calls ?? []
    expect(calls).toEqual([
      { id: 'call_7', type: 'function', function: { name: 'weather', arguments: '{"city":"Paris"}' } },
    ])
    const stream = openai.chat.completions.stream(body)
    const final = await stream.finalChatCompletion()
    expect(final.choices[0]?.finish_reason).toBe('tool_calls')
    expect(final.choices[0]?.message.tool_calls?.[0]).toMatchObject(calls[0] as object)
    const after = await openai.chat.completions.create({
      ...body,
      messages: [...body.messages, choice!.message, { role: 'tool', tool_call_id: 'call_7', content: 'sunny' }],
    })
    expect(after.choices[0]?.message.content).toBe('the tool said sunny')
    expect(provider.asked.at(-1)?.messages[1]).toMatchObject({ role: 'assistant', content: null, tool_calls: calls })
  })

  test('asks for JSON of a schema and checks it', async () => {
    const format = { type: 'json_schema' as const, json_schema: { name: 'city', schema: citySchema, strict: true } }
    const { choices } = await openai.chat.completions.create({
      model: 'auto',
      messages: said('a city'),
      response_format: format,
    })
    expect(JSON.parse(choices[0]?.message.content ?? '')).toEqual({ city: 'Paris', sights: 3 })
    expect(provider.asked[0]?.response_format?.type).toBe('json_schema')
  })

  test('an answer that is cut at the limit ends with that word, and is not asked for again', async () => {
    const { choices } = await openai.chat.completions.create({ model: 'auto', messages: said('cut'), max_tokens: 4 })
    expect(choices[0]).toMatchObject({ finish_reason: 'length', message: { content: 'as far as it' } })
    expect(provider.calls).toBe(1)
  })

  test('abort closes the provider’s connection, before the first byte and after it', async () => {
    for (const word of ['silence', 'hold']) {
      const abort = new AbortController()
      const stream = openai.chat.completions.create(
        { model: 'auto', messages: said(word), stream: true },
        { signal: abort.signal },
      )
      const read = (async () => {
        for await (const chunk of await stream) if (chunk.choices[0]?.delta.content === 'held') abort.abort()
      })()
      await provider.holds(1)
      if (word === 'silence') abort.abort()
      await read.catch(() => undefined)
      await provider.holds(0)
    }
    expect(provider.calls).toBe(2)
  })

  test.each([
    [400, 'invalid_request_error', 400],
    [401, 'provider_refused_key', 503],
    [404, 'model_not_found', 404],
    [429, 'rate_limit_exceeded', 429],
    [500, 'no_provider_available', 503],
  ])('a provider’s %i is told as %s with status %i', async (theirs, code, status) => {
    const error = await once(openai)
      .chat.completions.create({ model: `f${theirs}/m`, messages: said(`fail ${theirs}`) })
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(OpenAI.APIError)
    expect(error).toMatchObject({ status, code })
    const { headers } = error as InstanceType<typeof OpenAI.APIError>
    const retries = status === 429 || (status === 503 && code === 'no_provider_available')
    expect(headers?.get('x-should-retry')).toBe(String(retries))
    expect(headers?.has('retry-after-ms')).toBe(status === 429 || status === 503)
  })

  test('a stream that breaks after its beginning is an error to the client, not the end of an answer', async () => {
    const seen: string[] = []
    const error = await (async () => {
      const stream = await openai.chat.completions.create({ model: 'broken/m', messages: said('break'), stream: true })
      for await (const { choices } of stream) {
        seen.push(choices[0]?.delta.content ?? '')
        if (choices[0]?.finish_reason) throw new Error('a finish reason')
      }
    })().catch((thrown: unknown) => thrown)
    expect(seen.join('')).toBe('half of')
    expect(error).toMatchObject({ code: 'provider_truncated' })
    expect(error).toBeInstanceOf(OpenAI.APIError)
  })

  test('wrong keys, unknown models and used-up budgets are refused before anything is called', async () => {
    const refused = (client: OpenAI, model: string, stream: boolean) =>
      client.chat.completions.create({ model, messages: said('x'), stream }).catch((thrown: unknown) => thrown)
    const stranger = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'afk_wrong' })
    const spent = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: poor })
    for (const stream of [false, true]) {
      expect(await refused(stranger, 'auto', stream)).toMatchObject({ status: 401, code: 'invalid_api_key' })
      expect(await refused(openai, 'gpt-none', stream)).toMatchObject({
        status: 404,
        code: 'model_not_found',
        param: 'model',
      })
      expect(await refused(spent, 'auto', stream)).toMatchObject({ status: 402, code: 'budget_exceeded' })
    }
    expect(provider.calls).toBe(0)
  })

  test('a budget of the request holds, and what no answer is given for is refused by its name', async () => {
    const own = { aetherflow: { budget_usd: 0.000001 } } as object
    await expect(openai.chat.completions.create({ model: 'auto', messages: said('x'), ...own })).rejects.toMatchObject({
      status: 402,
      code: 'budget_exceeded',
    })
    for (const [member, value] of Object.entries({ n: 2, logprobs: true, audio: {}, temperature: 9 }))
      await expect(
        openai.chat.completions.create({ model: 'auto', messages: said('x'), [member]: value } as never),
      ).rejects.toMatchObject({ status: 400, param: member })
    expect(provider.calls).toBe(0)
  })

  test('lists models', async () => {
    const ids: string[] = []
    for await (const { id } of openai.models.list()) ids.push(id)
    expect(ids).toEqual(expect.arrayContaining(['auto', 'fast', 'build', 'double-check', 'local/m', 'local/cheap']))
    expect(await openai.models.retrieve('local/m')).toMatchObject({ id: 'local/m', owned_by: 'local' })
  })

  test('responses: whole, streamed, with tools and a schema', async () => {
    const whole = await openai.responses.create({ model: 'auto', instructions: 'be brief', input: 'hello' })
    expect(whole.output_text).toBe('echo: hello')
    expect(whole.usage).toMatchObject({ input_tokens: 20, output_tokens: 10 })
    const final = await openai.responses.stream({ model: 'auto', input: 'a stream' }).finalResponse()
    expect(final.output_text).toBe('echo: a stream')
    const { function: inner } = weather
    const tool = { type: 'function' as const, ...inner, strict: true }
    const called = await openai.responses.create({
      model: 'auto',
      input: 'weather?',
      tools: [tool, { type: 'web_search' }],
    })
    expect(called.output[0]).toMatchObject({ type: 'function_call', name: 'weather', arguments: '{"city":"Paris"}' })
    const after = await openai.responses.create({
      model: 'auto',
      input: [
        { role: 'user', content: 'weather?' },
        { type: 'function_call', call_id: 'call_7', name: 'weather', arguments: '{}' },
        { type: 'function_call_output', call_id: 'call_7', output: 'rain' },
      ],
      tools: [tool],
    })
    expect(after.output_text).toBe('the tool said rain')
    const format = { type: 'json_schema' as const, name: 'city', schema: citySchema, strict: true }
    const json = await openai.responses.create({ model: 'auto', input: 'a city', text: { format } })
    expect(JSON.parse(json.output_text)).toEqual({ city: 'Paris', sights: 3 })
    await expect(
      openai.responses.create({ model: 'auto', input: 'x', previous_response_id: 'resp_1' }),
    ).rejects.toMatchObject({ status: 400, param: 'previous_response_id' })
  })
})

/** Both majors have the same functions; each is given its own kind of model. */
const majors = [
  [
    'AI SDK 6',
    ai6 as unknown as typeof ai7,
    (word?: string) => model(createOpenAICompatible6 as unknown as typeof createOpenAICompatible, word),
  ],
  ['AI SDK 7', ai7, (word?: string) => model(createOpenAICompatible, word)],
] as const

const model = (make: typeof createOpenAICompatible, word = 'auto') =>
  make({
    name: 'aetherflow',
    baseURL: `${server.url}/v1`,
    apiKey: token,
    supportsStructuredOutputs: true,
    includeUsage: true,
  })(word)

describe.each(majors)('%s', (_name, ai, modelOf) => {
  test('text, stream, usage', async () => {
    const whole = await ai.generateText({ model: modelOf(), prompt: 'hello' })
    expect(whole.text).toBe('echo: hello')
    expect(whole.usage).toMatchObject({ inputTokens: 20, outputTokens: 10 })
    const stream = ai.streamText({ model: modelOf(), prompt: 'a stream' })
    expect(await textOf(stream.textStream)).toBe('echo: a stream')
    expect(await stream.finishReason).toBe('stop')
    expect(await stream.usage).toMatchObject({ inputTokens: 20, outputTokens: 10 })
  })

  test('tools and objects', async () => {
    const tools = {
      weather: ai.tool({
        inputSchema: z.object({ city: z.string() }),
        execute: ({ city }: { city: string }) => Promise.resolve(`sun over ${city}`),
      }),
    }
    const { text, steps } = await ai.generateText({
      ...{ model: modelOf(), prompt: 'weather?', tools },
      stopWhen: ai.stepCountIs(3),
    })
    expect(steps).toHaveLength(2)
    expect(text).toContain('sun over Paris')
    const schema = z.object({ city: z.string(), sights: z.number() })
    const { output } = await ai.generateText({
      model: modelOf(),
      prompt: 'a city',
      output: ai.Output.object({ schema }),
    })
    expect(output).toEqual({ city: 'Paris', sights: 3 })
  })

  test('a stream that breaks, and one that is aborted', async () => {
    const errors: unknown[] = []
    const broken = ai.streamText({
      ...{ model: modelOf('broken/m'), prompt: 'break', maxRetries: 0 },
      onError: ({ error }) => void errors.push(error),
    })
    await broken.consumeStream()
    expect(errors).toHaveLength(1)
    const abort = new AbortController()
    const held = ai.streamText({ model: modelOf(), prompt: 'hold', abortSignal: abort.signal })
    for await (const piece of held.textStream) if (piece === 'held') abort.abort()
    await provider.holds(0)
  })

  test('a used-up budget is asked once', async () => {
    const client = createOpenAICompatible({ name: 'poor', baseURL: `${server.url}/v1`, apiKey: poor })
    const make =
      ai === ai7 ? client : createOpenAICompatible6({ name: 'poor', baseURL: `${server.url}/v1`, apiKey: poor })
    await expect(ai.generateText({ model: make('auto') as never, prompt: 'x' })).rejects.toMatchObject({
      statusCode: 402,
    })
    expect(provider.calls).toBe(0)
  })
})

describe('LangChain', () => {
  const chat = (more: object = {}) =>
    new ChatOpenAI({ model: 'auto', apiKey: token, configuration: { baseURL: `${server.url}/v1` }, ...more })

  test('text, stream, tools, structured output', async () => {
    const answer = await chat().invoke('hello')
    expect(answer.text).toBe('echo: hello')
    expect(answer.usage_metadata).toMatchObject({ input_tokens: 20, output_tokens: 10 })
    let text = ''
    for await (const piece of await chat().stream('a stream')) text += piece.text
    expect(text).toBe('echo: a stream')
    const called = await chat().bindTools([weather]).invoke('weather?')
    expect(called.tool_calls?.[0]).toMatchObject({ name: 'weather', args: { city: 'Paris' } })
    const schema = z.object({ city: z.string(), sights: z.number() })
    const city = await chat().withStructuredOutput(schema, { method: 'jsonSchema' }).invoke('a city')
    expect(city).toEqual({ city: 'Paris', sights: 3 })
  })
})

const python = process.env['AETHERFLOW_PYTHON'] ?? 'python3'
const hasPython = spawnSync(python, ['-c', 'import openai']).status === 0
const script = projectPath('tests/serve/openai-client.py')

// Without Python and its package there is nothing to ask with: AETHERFLOW_PYTHON names one that has it.
;(hasPython ? test : test.skip)('openai in Python: text, stream, cost, errors (needs Python with openai)', async () => {
  const env = { ...process.env, BASE: `${server.url}/v1`, KEY: token }
  const { stdout } = await promisify(execFile)(python, [script], { env })
  expect(stdout.trim()).toBe('fine')
})

async function chunksOf(body: Omit<OpenAI.ChatCompletionCreateParamsStreaming, 'stream'>) {
  const chunks: OpenAI.ChatCompletionChunk[] = []
  for await (const chunk of await openai.chat.completions.create({ ...body, stream: true })) chunks.push(chunk)
  return chunks
}

const once = (client: OpenAI): OpenAI => client.withOptions({ maxRetries: 0 })

async function textOf(stream: AsyncIterable<string>): Promise<string> {
  let text = ''
  for await (const piece of stream) text += piece
  return text
}
