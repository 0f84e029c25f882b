/** The model object of the AI SDK, in process, in both majors: one object serves both. */
import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals'
import * as ai6 from 'ai6'
import * as ai7 from 'ai7'
import { z } from 'zod'
import { cacheMiddleware, createAetherflow, type AetherflowProvider } from '../../node/ai-sdk.js'
import { SemanticCache } from '../../node/index.js'
import { configOf, ScriptedProvider } from './scripted-provider.js'

jest.setTimeout(60_000)

const provider = new ScriptedProvider()
const events: string[] = []
let aetherflow: AetherflowProvider
beforeAll(async () => {
  const config = configOf(await provider.open(), 'broken', 'f400')
  aetherflow = createAetherflow({ config, onEvent: ({ type }) => void events.push(type) })
})
afterAll(async () => {
  provider.close()
  await aetherflow.close()
})
beforeEach(() => void (provider.calls = events.length = 0))

const majors = [
  ['AI SDK 6', ai6 as unknown as typeof ai7],
  ['AI SDK 7', ai7],
] as const

describe.each(majors)('%s', (_name, ai) => {
  test('text, with what it cost and which way it went', async () => {
    const { text, usage, finishReason, providerMetadata } = await ai.generateText({
      model: aetherflow('auto'),
      prompt: 'hello',
    })
    expect([text, finishReason]).toEqual(['echo: hello', 'stop'])
    expect(usage).toMatchObject({ inputTokens: 20, outputTokens: 10 })
    expect(providerMetadata).toMatchObject({
      aetherflow: { route: 'local/m', costUsd: 0.00004, attempts: 1, cache: 'off' },
    })
    expect(events).toContain('callEnd')
  })

  test('a stream in pieces', async () => {
    const stream = ai.streamText({ model: aetherflow('local/cheap'), prompt: 'a stream of pieces' })
    const pieces: string[] = []
    for await (const piece of stream.textStream) pieces.push(piece)
    expect(pieces.join('')).toBe('echo: a stream of pieces')
    expect(pieces.length).toBeGreaterThan(2)
    expect(await stream.finishReason).toBe('stop')
    expect(await stream.providerMetadata).toMatchObject({ aetherflow: { costUsd: 0.000004 } })
  })

  test('tools, whole and streamed, and objects', async () => {
    const tools = {
      weather: ai.tool({
        inputSchema: z.object({ city: z.string() }),
        execute: ({ city }: { city: string }) => Promise.resolve(`sun over ${city}`),
      }),
    }
    const call = { model: aetherflow('auto'), prompt: 'weather?', tools, stopWhen: ai.stepCountIs(3) }
    expect((await ai.generateText(call)).text).toContain('sun over Paris')
    expect(await ai.streamText(call).text).toContain('sun over Paris')
    const schema = z.object({ city: z.string(), sights: z.number() })
    const { output } = await ai.generateText({
      ...{ model: aetherflow('auto'), prompt: 'a city' },
      output: ai.Output.object({ schema }),
    })
    expect(output).toEqual({ city: 'Paris', sights: 3 })
  })

  test('failures are told once: the machine has repeated what had sense', async () => {
    const failing = ai.generateText({ model: aetherflow('f400/m'), prompt: 'fail 400' })
    await expect(failing).rejects.toMatchObject({ name: 'AI_APICallError', code: 'bad_request', isRetryable: false })
    const calls = provider.calls
    expect(calls).toBeLessThanOrEqual(2)
    const poor = ai.generateText({
      ...{ model: aetherflow('auto'), prompt: 'x' },
      providerOptions: { aetherflow: { budgetUsd: 0.000001 } },
    })
    await expect(poor).rejects.toMatchObject({ code: 'budget_exceeded' })
    expect(provider.calls).toBe(calls)
    const errors: unknown[] = []
    await ai
      .streamText({
        ...{ model: aetherflow('broken/m'), prompt: 'break', maxRetries: 0 },
        onError: ({ error }) => void errors.push(error),
      })
      .consumeStream()
    expect(errors).toHaveLength(1)
  })

  test('tools are not sent where they cannot be', async () => {
    const execute = ({ city }: { city: string }) => Promise.resolve(city)
    const tools = { weather: ai.tool({ inputSchema: z.object({ city: z.string() }), execute }) }
    const call = ai.generateText({ model: aetherflow('gemini/gemini-3.8-flash'), prompt: 'weather?', tools })
    await expect(call).rejects.toMatchObject({ code: 'host.usage' })
    expect(provider.calls).toBe(0)
  })

  test('abort closes the connection', async () => {
    const abort = new AbortController()
    const stream = ai.streamText({ model: aetherflow('auto'), prompt: 'hold', abortSignal: abort.signal })
    for await (const piece of stream.textStream) if (piece === 'held') abort.abort()
    await provider.holds(0)
    expect(provider.calls).toBe(1)
  })

  test('the cache answers a call of any model, whole and streamed', async () => {
    const cache = await SemanticCache.open({ maxWrongShare: 0.01 })
    const middleware = cacheMiddleware(cache, { tenant: 'a' })
    const wrapped = ai.wrapLanguageModel({ model: aetherflow('auto') as never, middleware: middleware as never })
    const prompt = 'Which colour has the sky at noon?'
    const first = await ai.generateText({ model: wrapped, prompt })
    const again = await ai.generateText({ model: wrapped, prompt })
    expect([again.text, provider.calls]).toEqual([first.text, 1])
    expect(await ai.streamText({ model: wrapped, prompt }).text).toBe(first.text)
    expect(await ai.streamText({ model: wrapped, prompt: 'And at night, which colour has it?' }).text).toContain('echo')
    expect(provider.calls).toBe(2)
    await cache.close()
  })
})
