import { describe, expect, test } from '@jest/globals'
import type { ModelRequest } from '../../bindings/ports.js'
import { Continuation } from '../../web/standard/providers/continuation.js'
import {
  createGemini,
  createOpenAiCompatible,
  deepseek,
  generic,
  groq,
  mistral,
  openai,
  type Dialect,
} from '../../web/standard/providers/index.js'
import { openStream, writeParts, json } from '../sim/scripted-server.js'
import { chunk, done, failureOf, generate, modelRequest, withScript } from './call.js'

const prefix = 'The lighthouse stands on'
const news = ' a rock, alone.'

describe('what of a reply is news', () => {
  const told = (beginning: string, echoed: boolean, pieces: readonly string[]) => {
    const continuation = new Continuation(beginning, echoed)
    return pieces.map((piece) => continuation.take(piece)).join('') + continuation.rest()
  }
  test('however an echo is cut into pieces, and with or without one', () => {
    for (const text of [prefix + news, news]) {
      for (let first = 0; first <= text.length; first++) {
        for (let second = first; second <= text.length; second += 3) {
          const pieces = [text.slice(0, first), text.slice(first, second), text.slice(second)]
          expect(told(prefix, false, pieces)).toBe(news)
          expect(told(prefix, true, pieces)).toBe(news)
        }
      }
    }
  })
  test('nothing is held back longer than it may be an echo', () => {
    const continuation = new Continuation(prefix, false)
    expect(continuation.take('The light')).toBe('')
    expect(continuation.take(' of day')).toBe('The light of day')
    expect(continuation.take(prefix)).toBe(prefix)
  })
  test('a short beginning may agree by chance, unless the provider always says it again', () => {
    expect(told('The', false, ['The', ' end'])).toBe('The end')
    expect(told('The', true, ['The', ' end'])).toBe(' end')
  })
  test('a reply that ends within what might be the echo', () => {
    expect(told(prefix, false, ['The'])).toBe('The')
    expect(told(prefix, true, ['The'])).toBe('')
    expect(told(prefix, true, [prefix])).toBe('')
  })
})

describe.each([
  ['DeepSeek', deepseek, 'deepseek-flash'],
  ['Mistral', mistral, 'codestral-2508'],
] as const)('%s', (_, dialect, model) => {
  const request: Partial<ModelRequest> = { model, prefix }
  test.each([
    ['says it again', prefix + news],
    ['goes on', news],
  ])('%s: the text is the whole answer, told is the rest', async (_, sent) => {
    for (const stream of [true, false]) {
      const pieces: string[] = []
      const reply = await withScript(
        async (out) => {
          if (!stream) return json(out, 200, { choices: [{ message: { content: sent }, finish_reason: 'stop' }] })
          openStream(out)
          const parts = Array.from(sent.match(/[^]{1,5}/g)!, (content) => chunk({ content }))
          await writeParts(out, [...parts, chunk({}, 'stop'), done])
          out.end()
        },
        (server) => generate(server.url, { dialect }, { ...request, stream }, { text: (piece) => pieces.push(piece) }),
      )
      expect(reply.text).toBe(prefix + news)
      expect(pieces.join('')).toBe(news)
    }
  })
  test('nothing to add is an answer; nothing because of the limit is none', async () => {
    const ending = (word: string) =>
      withScript(
        (out) => json(out, 200, { choices: [{ message: { content: '' }, finish_reason: word }] }),
        (server) => generate(server.url, { dialect }, { ...request, stream: false }),
      )
    expect(await ending('stop')).toMatchObject({ text: prefix, finish: 'stop' })
    expect(await failureOf(ending('length'))).toMatchObject({ kind: 'limit_reached' })
  })
  test('the turn is the last, marked, and without a format for whole documents', () => {
    const body = dialect.body(modelRequest({ ...request, system: 'JSON only', output: { kind: 'json' } }))
    expect((body['messages'] as object[]).at(-1)).toEqual({ role: 'assistant', content: prefix, prefix: true })
    expect(body).not.toHaveProperty('response_format')
  })
  test('a failure does not quote it', async () => {
    const call = withScript(
      (out) => json(out, 400, { error: { message: `cannot go on from ${prefix}` } }),
      (server) => generate(server.url, { dialect }, request),
    )
    expect((await failureOf(call)).message).not.toContain('lighthouse')
  })
})

test('DeepSeek takes it at its beta base only, whatever base is configured', async () => {
  const paths = await withScript(
    (out) => json(out, 200, { choices: [{ message: { content: news }, finish_reason: 'stop' }] }),
    async (server) => {
      for (const base of ['', '/v1', '/beta', '/proxy/v1'])
        for (const more of [{}, { prefix }]) await generate(`${server.url}${base}`, {}, { stream: false, ...more })
      return server.received.map(({ path }) => path)
    },
  )
  const end = '/chat/completions'
  expect(paths).toEqual(
    [...['', '/beta'], ...['/v1', '/beta'], ...['/beta', '/beta'], ...['/proxy/v1', '/proxy/beta']].map((p) => p + end),
  )
})

test('a provider that cannot go on is not even asked', async () => {
  let asked = 0
  const fetch = () => {
    asked++
    return Promise.reject(new TypeError('no'))
  }
  const config = { fetch, baseUrl: 'http://nobody.test', key: () => 'k' }
  const compatible = [groq, openai, generic].map((dialect: Dialect) => createOpenAiCompatible({ ...config, dialect }))
  for (const client of [...compatible, createGemini(config)]) {
    const call = client.generate(modelRequest({ prefix }), new AbortController().signal)
    expect(await failureOf(call)).toMatchObject({ kind: 'bad_request', status: undefined })
  }
  expect(asked).toBe(0)
})
