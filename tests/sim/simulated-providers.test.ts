import { describe, expect, test } from '@jest/globals'
import type { Fetch } from '../../bindings/ports.js'
import { realProviders, simulatedProviders } from '../../node/providers.js'
import { dialects } from '../../web/standard/providers/clients.js'
import { simulatorProfiles } from '../../web/standard/simulator/index.js'
import { canaryKey, modelRequest } from '../web/call.js'

const ids = ['deepseek', 'gemini', 'groq', 'mistral', 'openai'] as const
const entry = (id: string, more: object = {}) => ({
  id,
  name: id,
  dialect: id,
  baseUrl: `https://${id}.invalid`,
  keyEnv: '',
  key: undefined,
  ...more,
})

/** The platform's fetch that keeps what was asked for. */
function noting(): { fetch: Fetch; calls: { url: URL; init: RequestInit }[] } {
  const calls: { url: URL; init: RequestInit }[] = []
  return {
    calls,
    fetch: (input, init = {}) => {
      calls.push({ url: new URL(input), init })
      return fetch(input, init)
    },
  }
}

describe('simulated', () => {
  test('each of the five is called on its own path, in its own format, streamed and not', async () => {
    const { fetch, calls } = noting()
    const entries = ids.map((id) => entry(id))
    const providers = await simulatedProviders({ entries, fetch, profile: simulatorProfiles.instant })
    try {
      expect(providers.available).toEqual(ids)
      for (const id of ids) {
        for (const stream of [true, false]) {
          const request = modelRequest({ model: id === 'gemini' ? 'gemini-3.8-flash' : 'm', stream })
          const { text } = await providers.client(id)!.generate(request, new AbortController().signal)
          expect(text).toContain('Simulated')
        }
      }
    } finally {
      await providers.close()
    }
    expect(calls.map(({ url }) => `${url.pathname}${url.search}`)).toEqual([
      ...twice('/deepseek/v1/chat/completions'),
      '/gemini/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse',
      '/gemini/v1beta/models/gemini-3.8-flash:generateContent',
      ...twice('/groq/v1/chat/completions'),
      ...twice('/mistral/v1/chat/completions'),
      ...twice('/openai/v1/chat/completions'),
    ])
    const fields = (at: number) => Object.keys(JSON.parse(calls[at]!.init.body as string) as object)
    expect(fields(2)).toEqual(['systemInstruction', 'contents', 'generationConfig'])
    expect(fields(6)).toEqual(['model', 'messages', 'max_tokens', 'stream'])
  })
  test('one that the simulator does not play is left out', async () => {
    const entries = [entry('own', { dialect: 'generic' }), entry('groq')]
    const providers = await simulatedProviders({ entries, profile: simulatorProfiles.instant })
    await providers.close()
    expect(providers.available).toEqual(['groq'])
    expect(providers.client('own')).toBeUndefined()
  })
})

describe('real', () => {
  test('every default format has a client, an unknown one none, and none without key or address', () => {
    expect(Object.keys(dialects).sort()).toEqual([...ids, 'generic', 'lmstudio'].sort())
    const providers = realProviders({
      entries: [
        ...ids.map((id) => entry(id, { key: canaryKey })),
        entry('later', { key: canaryKey }),
        entry('inherited', { key: canaryKey, dialect: 'constructor' }),
        entry('nowhere', { key: canaryKey, dialect: 'generic', baseUrl: '' }),
        entry('keyless', { dialect: 'generic' }),
      ],
    })
    expect(providers.available).toEqual(ids)
  })
  test('a key is in one header of a call, and never in an address', async () => {
    const seen: { url: string; headers: Headers }[] = []
    const fetch: Fetch = (url, init) => {
      seen.push({ url, headers: new Headers(init?.headers) })
      return Promise.reject(new TypeError(`cannot reach ${url} with ${canaryKey}`))
    }
    const providers = realProviders({ entries: ids.map((id) => entry(id, { key: canaryKey })), fetch })
    for (const id of ids) {
      const failure: unknown = await providers
        .client(id)!
        .generate(modelRequest(), new AbortController().signal)
        .catch((error: unknown) => error)
      expect(failure).toMatchObject({ kind: 'unreachable' })
      expect(`${String(failure)}${(failure as Error).stack}${JSON.stringify(failure)}`).not.toContain(canaryKey)
    }
    for (const { url, headers } of seen) {
      expect(url).not.toContain(canaryKey)
      expect([...headers].filter(([, value]) => value.includes(canaryKey))).toHaveLength(1)
      const keyHeader = headers.has('authorization') ? 'authorization' : 'x-goog-api-key'
      expect([...headers.keys()]).toEqual(['accept', 'content-type', keyHeader].sort())
    }
    expect(seen).toHaveLength(ids.length)
  })
})

function twice(path: string): readonly string[] {
  return [path, path]
}
