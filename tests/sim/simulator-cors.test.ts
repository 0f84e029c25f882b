import { describe, expect, test } from '@jest/globals'
import type { Fetch } from '../../bindings/ports.js'
import { createGemini, createOpenAiCompatible, mistral, openai } from '../../web/standard/providers/index.js'
import { createSimulator, simulatorProfiles } from '../../web/standard/simulator/index.js'
import { failureOf, modelRequest } from '../web/call.js'

const origin = 'http://simulator.test'
const { instant } = simulatorProfiles
const simulator = createSimulator({
  ...instant,
  providers: { ...instant.providers, openai: { ...instant.providers.openai, keys: ['right'] } },
})

function ask(provider: string, headers: string): Promise<Response> {
  return simulator.handle(
    new Request(`${origin}/${provider}/v1/chat/completions`, {
      method: 'OPTIONS',
      headers: { origin: 'http://page.test', 'access-control-request-headers': headers },
    }),
  )
}

/**
 * A page's fetch: asks first, and lets nothing through that the answers do not allow. `content-type` of JSON has to be asked
 * for; a reply without `access-control-allow-origin` is an opaque TypeError.
 */
const pageFetch: Fetch = async (input, init) => {
  // `accept` may always be sent.
  const names = [...new Headers(init?.headers).keys()].filter((name) => name !== 'accept')
  const preflight = await simulator.fetch(input, {
    method: 'OPTIONS',
    headers: { 'access-control-request-headers': names.join(', ') },
  })
  const allowed = (preflight.headers.get('access-control-allow-headers') ?? '').split(', ')
  if (!preflight.ok || !names.every((name) => allowed.includes(name))) throw new TypeError('Failed to fetch')
  const response = await simulator.fetch(input, init)
  if (response.headers.get('access-control-allow-origin') === null) throw new TypeError('Failed to fetch')
  return response
}

describe('preflights', () => {
  test.each(['openai', 'groq', 'deepseek'])('%s allows whatever is asked for', async (provider) => {
    const response = await ask(provider, 'authorization, x-more')
    expect(response.status).toBe(204)
    expect(response.headers.get('access-control-allow-headers')).toBe('authorization, x-more')
  })
  test('Mistral has a fixed list', async () => {
    const response = await ask('mistral', 'authorization, x-stainless-os')
    expect(response.status).toBe(204)
    expect(response.headers.get('access-control-allow-headers')).toBe(
      'authorization, content-type, x-mistral-user-agent',
    )
  })
  test('Gemini has one, and refuses to be asked for more', async () => {
    const response = await ask('gemini', 'content-type, X-Goog-Api-Key')
    expect(response.status).toBe(204)
    expect(response.headers.get('access-control-allow-headers')).toBe('x-goog-api-key, x-goog-api-client, content-type')
    const refused = await ask('gemini', 'content-type, authorization')
    expect(refused.status).toBe(403)
    expect(refused.headers.get('access-control-allow-origin')).toBeNull()
  })
})

describe('a page', () => {
  const signal = new AbortController().signal
  test('gets through to Mistral and Gemini: the clients send no header beyond the lists', async () => {
    const mistralClient = createOpenAiCompatible({
      fetch: pageFetch,
      baseUrl: `${origin}/mistral/v1`,
      key: () => 'k',
      dialect: mistral,
    })
    expect(await mistralClient.generate(modelRequest(), signal)).toMatchObject({ finish: 'stop' })
    const gemini = createGemini({ fetch: pageFetch, baseUrl: `${origin}/gemini/v1beta`, key: () => 'k' })
    expect(await gemini.generate(modelRequest({ model: 'gemini-3.8-flash' }), signal)).toMatchObject({ finish: 'stop' })
  })
  test('cannot read that OpenAI refused its key, and is told that this may be it', async () => {
    const client = (key: string) =>
      createOpenAiCompatible({ fetch: pageFetch, baseUrl: `${origin}/openai/v1`, key: () => key, dialect: openai })
    expect(await client('right').generate(modelRequest(), signal)).toMatchObject({ finish: 'stop' })
    expect(await failureOf(client('wrong').generate(modelRequest(), signal))).toMatchObject({
      kind: 'unreachable',
      message: 'no reply: a network error, or in a page a refused key, which the browser does not show',
    })
  })
})
