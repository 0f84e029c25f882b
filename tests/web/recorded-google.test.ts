import { describe, expect, test } from '@jest/globals'
import { createGemini } from '../../web/standard/providers/index.js'
import type { CallObserver, Fetch } from '../../bindings/ports.js'
import {
  googleBytes,
  haveRecordings,
  plainGoogle,
  recordedEvents,
  recordedReply,
  type GoogleChunk,
} from '../fixtures/streams-recorded.js'
import { json, openStream, writeParts } from '../sim/scripted-server.js'
import { cutsOf, socketStep, watching } from './cuts.js'
import { failureOf, modelRequest, withScript } from './call.js'

const chunksOf = (name: string) => recordedEvents(name).map((text) => JSON.parse(text) as GoogleChunk)

function generate(baseUrl: string, stream = true, observer?: CallObserver, using?: Fetch) {
  const client = createGemini({ fetch: using ?? ((input, init) => fetch(input, init)), baseUrl, key: () => 'k' })
  return client.generate(modelRequest({ model: 'gemini-3.8-flash', stream }), new AbortController().signal, observer)
}

const recorded = haveRecordings ? describe : describe.skip

recorded('recorded streams of Gemini over a real socket', () => {
  test.each(['google-text', 'google-reasoning', 'google-reasoning-gemini3'])(
    '%s: the same answer, cut in two',
    async (name) => {
      const expected = plainGoogle(chunksOf(`google/${name}`))
      const bytes = googleBytes(recordedEvents(`google/${name}`))
      const cuts = cutsOf(bytes, socketStep)
      const seen = new Set<number>()
      let next = 0
      await withScript(
        async (reply) => {
          openStream(reply)
          await writeParts(reply, [bytes.subarray(0, cuts[next]), bytes.subarray(cuts[next])])
          reply.end()
        },
        async (server) => {
          for (next = 0; next < cuts.length; next++) {
            const pieces: string[] = []
            const noticing = watching((length) => length === cuts[next] && seen.add(length))
            const reply = await generate(server.url, true, { text: (piece) => pieces.push(piece) }, noticing)
            const { text, usage, finish } = reply
            const same = JSON.stringify(usage) === JSON.stringify(expected.usage) && finish === 'stop'
            if (text !== expected.text || pieces.join('') !== text || !same)
              throw new Error(`another answer when cut at ${cuts[next]}`)
          }
        },
      )
      expect(next).toBe(cuts.length)
      // A cut that the socket rejoins on its way would prove nothing.
      expect(seen.size).toBeGreaterThan(0.8 * cuts.length)
      expect(expected.text.length).toBeGreaterThan(0)
    },
    60_000,
  )

  test.each([
    ['LF', '\n'],
    ['CR', '\r'],
  ])('byte by byte with %s', async (_, end) => {
    const events = recordedEvents('google/google-text')
    const bytes = new TextEncoder().encode(events.map((event) => `data: ${event}${end}${end}`).join(''))
    const result = await withScript(
      async (reply) => {
        openStream(reply)
        await writeParts(
          reply,
          Array.from(bytes, (_byte, at) => bytes.subarray(at, at + 1)),
        )
        reply.end()
      },
      (server) => generate(server.url),
    )
    expect(result).toMatchObject({ ...plainGoogle(chunksOf('google/google-text')), finish: 'stop' })
  })

  test('ended early at any byte, a stream is truncated and never an answer', async () => {
    const events = recordedEvents('google/google-text')
    const bytes = googleBytes(events)
    // Up to the blank line that ends the last event, whose data is whole a little before.
    const wholeAt = bytes.length - '\r\n\r\n'.length
    const lengths = cutsOf(bytes, 101)
    for (const length of lengths) {
      const call = withScript(
        async (reply) => {
          openStream(reply)
          await writeParts(reply, [bytes.subarray(0, length)])
          reply.end()
        },
        (server) => generate(server.url),
      )
      if (length >= wholeAt) expect(await call).toMatchObject({ finish: 'stop' })
      else expect(await failureOf(call)).toMatchObject({ kind: 'truncated' })
    }
    expect(lengths.length).toBeGreaterThan(40)
  })

  test.each([
    'google-tool-call',
    'google-tool-call-gemini3',
    'google-stream-no-args-tool-call',
    'google-stream-tool-call-arguments',
    'google-stream-tool-call-array-arguments-missing-terminal-function-call',
    'google-vertex-stream-tool-call-arguments-nested.1',
  ])('%s: calls of tools alone are no answer, and what they used is counted', async (name) => {
    const chunks = chunksOf(`google/${name}`)
    expect(plainGoogle(chunks).text).toBe('')
    const call = withScript(
      async (reply) => {
        openStream(reply)
        await writeParts(reply, [googleBytes(recordedEvents(`google/${name}`))])
        reply.end()
      },
      (server) => generate(server.url),
    )
    const { kind, message, usage } = await failureOf(call)
    const thought = chunks.some((chunk) => JSON.stringify(chunk).includes('"thought":true'))
    expect({ kind, message, usage }).toEqual({
      kind: thought ? 'generation_failed' : 'malformed',
      message: thought ? 'all of the answer came as reasoning, none of it as content' : 'empty answer',
      usage: plainGoogle(chunks).usage,
    })
  })

  test('a stream of the other interface is not taken for an answer', async () => {
    const call = withScript(
      async (reply) => {
        openStream(reply)
        await writeParts(reply, [googleBytes(recordedEvents('google/google-search'))])
        reply.end()
      },
      (server) => generate(server.url),
    )
    expect(await failureOf(call)).toMatchObject({ kind: 'truncated' })
  })
})

recorded('recorded whole replies of Gemini', () => {
  test.each(['google-text', 'google-reasoning', 'google-reasoning-gemini3'])('%s', async (name) => {
    const body = recordedReply(`google/${name}`)
    const result = await withScript(
      (reply) => json(reply, 200, body),
      (server) => generate(server.url, false),
    )
    expect(result).toEqual({ ...plainGoogle([JSON.parse(body) as GoogleChunk]), finish: 'stop' })
  })
  test.each(['google-tool-call', 'google-tool-call-gemini3'])('%s is no answer', async (name) => {
    const call = withScript(
      (reply) => json(reply, 200, recordedReply(`google/${name}`)),
      (server) => generate(server.url, false),
    )
    expect(await failureOf(call)).toMatchObject({ kind: 'malformed' })
  })
  test('a recorded refusal for the rate limit names its wait', async () => {
    const call = withScript(
      (reply) => json(reply, 429, recordedReply('google/google-429-retry-info')),
      (server) => generate(server.url),
    )
    expect(await failureOf(call)).toMatchObject({ kind: 'rate_limited', status: 429, retryAfterMs: 34_400 })
  })
})
