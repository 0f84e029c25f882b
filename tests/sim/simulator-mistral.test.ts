import { describe, expect, test } from '@jest/globals'
import { createSimulator, simulatorProfiles } from '../../web/standard/simulator/index.js'
import { createMistralFim, createOpenAiCompatible, mistral, openai } from '../../web/standard/providers/index.js'
import { failureOf, modelRequest } from '../web/call.js'

const origin = 'http://simulator.test'
const messages = [{ role: 'user', content: 'Describe a lighthouse.' }]

function send(path: string, body: object, key = 'k'): Promise<Response> {
  return createSimulator(simulatorProfiles.instant).handle(
    new Request(`${origin}/mistral${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}` },
      body: JSON.stringify(body),
    }),
  )
}

describe('what is refused', () => {
  test.each([
    ['seed', 7],
    ['stream_options', { include_usage: true }],
    ['max_completion_tokens', 5],
    ['thinking', { type: 'disabled' }],
  ])('%s: unknown, 422 with the place', async (field, value) => {
    const response = await send('/v1/chat/completions', { model: 'm', messages, [field]: value })
    expect(response.status).toBe(422)
    expect(await response.json()).toEqual({
      detail: [{ loc: ['body', field], msg: 'Extra inputs are not permitted', type: 'extra_forbidden' }],
    })
  })
  test('fields of the other endpoint, and a temperature above 1.5', async () => {
    expect((await send('/v1/fim/completions', { model: 'm', prompt: 'a', messages })).status).toBe(422)
    expect((await send('/v1/fim/completions', { model: 'm', suffix: 'a' })).status).toBe(422)
    expect((await send('/v1/chat/completions', { model: 'm', messages, temperature: 1.6 })).status).toBe(422)
    expect(
      (await send('/v1/chat/completions', { model: 'm', messages, temperature: 1.5, random_seed: 7 })).status,
    ).toBe(200)
  })
  test('another client`s habits become a refusal that names the field, and goes out without it', async () => {
    const simulator = createSimulator(simulatorProfiles.instant)
    const client = createOpenAiCompatible({
      fetch: simulator.fetch,
      baseUrl: `${origin}/mistral/v1`,
      key: () => 'k',
      dialect: openai,
    })
    const call = client.generate(modelRequest({ model: 'codestral-2508' }), new AbortController().signal)
    expect(await failureOf(call)).toMatchObject({
      kind: 'adapted',
      status: 422,
      message: expect.stringContaining(
        'body.stream_options: Extra inputs are not permitted; asked again with max_tokens instead',
      ),
    })
  })
  test.each([
    ['auth', 'auth', 401],
    ['rate_limited', 'rate_limited', 429],
    ['overloaded', 'overloaded', 429],
    ['too_large', 'too_large', 400],
    ['quota_exhausted', 'quota_exhausted', 402],
    ['server_error', 'server_error', 500],
    ['stream_error', 'server_error', undefined],
    ['truncated', 'truncated', undefined],
  ] as const)('an injected %s is seen as %s', async (kind, seen, status) => {
    const { instant } = simulatorProfiles
    const simulator = createSimulator({
      ...instant,
      providers: { ...instant.providers, mistral: { ...instant.providers.mistral, failures: [{ kind, share: 1 }] } },
    })
    const client = createOpenAiCompatible({
      fetch: simulator.fetch,
      baseUrl: `${origin}/mistral/v1`,
      key: () => 'k',
      dialect: mistral,
    })
    for (const stream of [true, false]) {
      const failure = await failureOf(client.generate(modelRequest({ stream }), new AbortController().signal))
      expect(failure.kind).toBe(seen)
      expect(failure.status).toBe(status)
    }
  })
})

test('a stream: a 32-digit id, usage on the last chunk and nowhere else', async () => {
  const text = await (await send('/v1/chat/completions', { model: 'm', messages, stream: true })).text()
  expect(text.endsWith('data: [DONE]\n\n')).toBe(true)
  const chunks = text
    .split('\n\n')
    .filter((event) => event.startsWith('data: {'))
    .map((event) => JSON.parse(event.slice(6)) as Record<string, unknown>)
  expect(chunks.length).toBeGreaterThan(2)
  expect(chunks.filter((chunk) => 'usage' in chunk)).toEqual([chunks.at(-1)])
  expect(chunks[0]!['id']).toMatch(/^[0-9a-f]{32}$/)
  expect(chunks.some((chunk) => 'system_fingerprint' in chunk)).toBe(false)
})

test('fill in the middle: code in the shape of a chat completion, streamed or not', async () => {
  const simulator = createSimulator(simulatorProfiles.instant)
  const client = createMistralFim({ fetch: simulator.fetch, baseUrl: `${origin}/mistral/v1`, key: () => 'k' })
  const texts: string[] = []
  for (const stream of [true, false]) {
    const pieces: string[] = []
    const { text, usage } = await client.complete(
      {
        model: 'codestral-2508',
        prefix: 'def add(a, b):\n',
        suffix: '\nprint(add(1, 2))',
        maxOutputTokens: 60,
        stream,
      },
      new AbortController().signal,
      { text: (piece) => pieces.push(piece) },
    )
    expect(pieces.join('')).toBe(text)
    expect(usage!.output).toBeGreaterThan(0)
    expect(simulator.ledger.entries.at(-1)).toMatchObject({ provider: 'mistral', streamed: stream, status: 200 })
    texts.push(text)
  }
  expect(texts[0]).toContain('Simulated')
  expect(texts[1]).toBe(texts[0])
})
