/** Where a price is unknown, every figure of money says so. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import OpenAI from 'openai'
import { serve, type ServeHandle } from '../../node/serve/serve.js'
import { configOf, ScriptedProvider } from './scripted-provider.js'

const provider = new ScriptedProvider()
let server: ServeHandle
let openai: OpenAI

beforeAll(async () => {
  const token = 'afk_test_0123456789abcdef'
  const config = configOf(await provider.open())
  const local = config.providers!['local']!
  const providers = { local: { ...local, models: { ...local.models, unpriced: {} } } }
  server = await serve({ port: 0, config: { ...config, providers }, keys: [{ name: 'test', token }] })
  openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: token })
})

afterAll(async () => {
  provider.close()
  await server.close()
})

const assumed = { cost_assumed: true }
const asked = (model: string) => ({
  model,
  messages: [{ role: 'user' as const, content: `at which price, ${model}?` }],
})

test('in whole answers, with a header', async () => {
  const { data, response } = await openai.chat.completions.create(asked('local/unpriced')).withResponse()
  expect(data).toMatchObject({ usage: assumed, aetherflow: assumed })
  expect(response.headers.get('x-aetherflow-cost-assumed')).toBe('true')
})

test('in streams', async () => {
  const options = { stream: true, stream_options: { include_usage: true } } as const
  const chunks = []
  for await (const chunk of await openai.chat.completions.create({ ...asked('local/unpriced'), ...options }))
    chunks.push(chunk)
  expect(chunks.find(({ usage }) => usage)).toMatchObject({ usage: assumed })
})

test('in responses', async () => {
  const response = await openai.responses.create({ model: 'local/unpriced', input: 'and here?' })
  expect(response).toMatchObject({ usage: assumed, aetherflow: assumed })
})

test('nowhere, when the price is known', async () => {
  const { data, response } = await openai.chat.completions.create(asked('local/m')).withResponse()
  expect(JSON.stringify(data)).not.toContain('cost_assumed')
  expect(response.headers.get('x-aetherflow-cost-assumed')).toBeNull()
})
