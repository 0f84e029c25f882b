/** `/v1/embeddings`: with an embedder of known vectors, by the client of OpenAI; and with the real model, where it has been fetched. */
import { afterEach, expect, jest, test } from '@jest/globals'
import { existsSync } from 'node:fs'
import OpenAI from 'openai'
import type { Embedder } from '../../bindings/cache/ports.js'
import { openEmbedder } from '../../node/embed/index.js'
import { serve, type ServeHandle } from '../../node/serve/serve.js'
import { sharedPath } from '../fixtures/paths.js'
import { configOf, ScriptedProvider } from './scripted-provider.js'

jest.setTimeout(60_000)

const real = sharedPath('models/all-MiniLM-L6-v2')
const token = 'afk_test_0123456789abcdef'
const open: { close(): Promise<void> | void }[] = []
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close()
})

/** A text is where its length says; one of more than 40 characters is too long. */
const lengths: Embedder = {
  name: 'lengths',
  dimensions: 4,
  embed: (text: string) =>
    Promise.resolve(
      text.length > 40
        ? undefined
        : { vector: Float32Array.of(text.length, 0.5, -1, 0.1), pieces: text.length, tokenizeMs: 0, embedMs: 0 },
    ),
  close: () => Promise.resolve(),
  runtime: 'none',
  preload: () => Promise.resolve(),
  checksum: () => Promise.resolve('0'.repeat(64)),
}

async function start(embedder: Embedder | undefined): Promise<{ server: ServeHandle; client: OpenAI }> {
  const provider = new ScriptedProvider()
  const config = configOf(await provider.open())
  open.push(provider)
  const server = await serve({ port: 0, config, keys: [{ name: 'test', token }], embedder })
  open.push(server)
  return { server, client: new OpenAI({ baseURL: `${server.url}/v1`, apiKey: token, maxRetries: 0 }) }
}

test('texts come back as vectors in their order, as numbers and as the base64 that the client asks for by itself', async () => {
  const { client } = await start(lengths)
  const input = ['a', 'four', '']
  for (const encoding_format of [undefined, 'float', 'base64'] as const) {
    const made = await client.embeddings.create({
      model: 'lengths',
      input,
      ...(encoding_format === undefined ? {} : { encoding_format }),
    })
    expect(made).toMatchObject({ object: 'list', model: 'lengths', usage: { prompt_tokens: 5, total_tokens: 5 } })
    expect(made.data.map(({ index }) => index)).toEqual([0, 1, 2])
    const vectors = made.data.map(({ embedding }) => {
      if (typeof (embedding as unknown) !== 'string') return [...embedding]
      const bytes = Buffer.from(embedding as unknown as string, 'base64')
      return [...new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)]
    })
    expect(vectors.map(([length]) => length)).toEqual([1, 4, 0])
    expect(vectors[0]?.[3]).toBeCloseTo(0.1)
  }
  expect((await client.embeddings.create({ model: 'lengths', input: 'one' })).data).toHaveLength(1)
})

test.each([
  ['another model', { model: 'other', input: 'x' }, 404, 'model_not_found'],
  ['a text that is too long', { model: 'lengths', input: ['x', 'x'.repeat(41)] }, 400, 'invalid_request_error'],
  ['tokens', { model: 'lengths', input: [1, 2] }, 400, 'invalid_request_error'],
  ['nothing', { model: 'lengths', input: [] }, 400, 'invalid_request_error'],
  ['other dimensions', { model: 'lengths', input: 'x', dimensions: 3 }, 400, 'invalid_request_error'],
])('%s is refused', async (_what, body, status, code) => {
  const { client } = await start(lengths)
  const made = client.embeddings.create(body as Parameters<typeof client.embeddings.create>[0])
  await expect(made).rejects.toMatchObject({ status, code })
})

test('a server without an embedder says so', async () => {
  const { client } = await start(undefined)
  const made = client.embeddings.create({ model: 'any', input: 'x' })
  await expect(made).rejects.toMatchObject({ status: 404, code: 'no_embedder' })
})

test('the real model: what means the same is nearer than what does not', async () => {
  if (!existsSync(real)) return console.warn(`skipped: no development model in ${real}`)
  const embedder = await openEmbedder(real, { runtime: 'onnxruntime-web' })
  open.push(embedder)
  const { client } = await start(embedder)
  const input = ['How do I reverse a list?', 'A way to turn a list around', 'The harbour was full of boats']
  const { data, usage } = await client.embeddings.create({ model: embedder.name, input })
  const [one = [], same = [], other = []] = data.map(({ embedding }) => embedding)
  const dot = (a: readonly number[], b: readonly number[]): number =>
    a.reduce((sum, x, at) => sum + x * (b[at] ?? 0), 0)
  expect(one).toHaveLength(embedder.dimensions)
  expect(dot(one, one)).toBeCloseTo(1, 3)
  expect(dot(one, same)).toBeGreaterThan(dot(one, other) + 0.2)
  expect(usage.total_tokens).toBeGreaterThan(10)
})
