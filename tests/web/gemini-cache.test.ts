import { describe, expect, test } from '@jest/globals'
import { createCachedGemini, createGeminiCaches, type CacheContent } from '../../web/standard/providers/index.js'
import { createSimulator, simulatorProfiles } from '../../web/standard/simulator/index.js'
import { FakeClock } from '../sim/fake-clock.js'
import { json } from '../sim/scripted-server.js'
import { canaryKey, failureOf, modelRequest, withScript } from './call.js'

const model = 'gemini-3.8-flash'
const text = Array.from({ length: 3000 }, (_, at) => ` w${at % 90}`).join('')
const content: CacheContent = { model, system: 'You are terse.', text, ttlSeconds: 300, displayName: 'docs' }
const signal = new AbortController().signal

function playing(goneStatus: 403 | 404 = 403) {
  const clock = new FakeClock()
  const { instant } = simulatorProfiles
  const simulator = createSimulator(
    { ...instant, providers: { ...instant.providers, gemini: { ...instant.providers.gemini, goneStatus } } },
    { clock },
  )
  const asked: string[] = []
  const config = {
    fetch: (input: string, init?: RequestInit) => {
      asked.push(`${init?.method} ${new URL(input).pathname.replace('/gemini/v1beta', '')}`)
      return simulator.fetch(input, init)
    },
    baseUrl: 'http://simulator.test/gemini/v1beta',
    key: () => canaryKey,
    clock,
  }
  return { clock, config, asked, simulator }
}

const generate = `POST /models/${model}:streamGenerateContent`
const create = 'POST /cachedContents'

describe('cachedContents', () => {
  test('a cache over its life', async () => {
    const { clock, config } = playing()
    const caches = createGeminiCaches(config)
    const made = await caches.create(content, signal)
    expect(made.name).toMatch(/^cachedContents\//)
    expect(made.tokens).toBeGreaterThan(4096)
    expect(await caches.get(made.name, signal)).toEqual(made)
    const later = await caches.extend(made.name, 600, signal)
    expect(Date.parse(later.expireTime) - Date.parse(made.expireTime)).toBe(300_000)
    await clock.advance(500_000)
    expect((await caches.get(made.name, signal)).name).toBe(made.name)
    await caches.remove(made.name, signal)
    expect(await failureOf(caches.get(made.name, signal))).toMatchObject({ status: 403 })
  })
  test('too little of it is refused, and the refusal quotes nothing', async () => {
    const caches = createGeminiCaches(playing().config)
    expect(await failureOf(caches.create({ ...content, text: 'short' }, signal))).toMatchObject({
      kind: 'bad_request',
      status: 400,
      message: expect.stringContaining('too small'),
    })
    const quoting = withScript(
      (out) =>
        json(out, 400, { error: { code: 400, status: 'INVALID_ARGUMENT', message: `no: ${text} ${canaryKey}` } }),
      (server) => createGeminiCaches({ ...playing().config, fetch, baseUrl: server.url }).create(content, signal),
    )
    const { message } = await failureOf(quoting)
    expect(message).toBe('400 INVALID_ARGUMENT')
  })
  test('a name from elsewhere leads nowhere', async () => {
    const { config, asked } = playing()
    const caches = createGeminiCaches(config)
    for (const name of ['../models/x', 'cachedContents/a/../../x', 'https://x.test/cachedContents/a', ''])
      expect(await failureOf(caches.remove(name, signal))).toMatchObject({ kind: 'bad_request' })
    expect(asked).toEqual([])
  })
  test('a reply that names no cache is malformed', async () => {
    for (const body of [{}, { name: 'models/x' }, [], 'x'])
      expect(
        await failureOf(
          withScript(
            (out) => json(out, 200, JSON.stringify(body)),
            (server) => createGeminiCaches({ ...playing().config, fetch, baseUrl: server.url }).create(content, signal),
          ),
        ),
      ).toMatchObject({ kind: 'malformed' })
  })
})

describe('requests behind a cache', () => {
  const request = (user: string) => modelRequest({ model, system: content.system, user })
  test('the first creates it, all use it, and what it holds counts as cached', async () => {
    const { config, asked } = playing()
    const client = createCachedGemini(config, content)
    const replies = await Promise.all(['one', 'two'].map((user) => client.generate(request(user), signal)))
    await client.close(signal)
    expect(asked).toEqual([create, generate, generate, 'DELETE /cachedContents/simulated1'])
    for (const { usage } of replies) {
      expect(usage!.cached).toBeGreaterThan(4096)
      expect(usage!.input).toBeGreaterThan(usage!.cached)
    }
  })
  test.each([403, 404] as const)('gone (%i): created anew once, for all that find it so', async (status) => {
    const { config, asked, clock } = playing(status)
    const client = createCachedGemini(config, content)
    await client.generate(request('one'), signal)
    await clock.advance(301_000)
    await Promise.all(['two', 'three'].map((user) => client.generate(request(user), signal)))
    expect(asked).toEqual([create, generate, generate, generate, create, generate, generate])
  })
  test('what fails anew is told, and nothing is tried a third time', async () => {
    for (const status of [403, 404]) {
      const seen = await withScript(
        (out, { path }) => {
          if (path.endsWith('cachedContents')) json(out, 200, { name: 'cachedContents/a' })
          else json(out, status, { error: { code: status, status: 'X', message: 'gone' } })
        },
        async (server) => {
          const client = createCachedGemini({ ...playing().config, fetch, baseUrl: server.url }, content)
          const failure = await failureOf(client.generate(request('one'), signal))
          return { status: failure.status, requests: server.received.length }
        },
      )
      expect(seen).toEqual({ status, requests: 4 })
    }
  })
  test('one that is given up does not wait for the cache', async () => {
    const abort = new AbortController()
    const failure = await withScript(
      () => abort.abort(),
      (server) => {
        const client = createCachedGemini({ ...playing().config, fetch, baseUrl: server.url }, content)
        return failureOf(client.generate(request('one'), abort.signal))
      },
    )
    expect(failure).toMatchObject({ kind: 'cancelled' })
  })
  test('another model or another system text is the caller`s mistake', async () => {
    const { config, asked } = playing()
    const client = createCachedGemini(config, content)
    for (const wrong of [{ model: 'gemini-4-argon' }, { system: 'Be verbose.' }])
      expect(await failureOf(client.generate({ ...request('one'), ...wrong }, signal))).toMatchObject({
        kind: 'bad_request',
      })
    expect(asked).toEqual([])
  })
  test('a system text beside a cache is refused there', async () => {
    const { config } = playing()
    const { name } = await createGeminiCaches(config).create(content, signal)
    const body = {
      contents: [{ parts: [{ text: 'x' }] }],
      systemInstruction: { parts: [{ text: 'y' }] },
      cachedContent: name,
    }
    const init = { method: 'POST', headers: { 'x-goog-api-key': 'k' }, body: JSON.stringify(body) }
    expect((await config.fetch(`${config.baseUrl}/models/${model}:generateContent`, init)).status).toBe(400)
  })
})
