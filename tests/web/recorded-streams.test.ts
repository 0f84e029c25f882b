import { describe, expect, test } from '@jest/globals'
import type { Dialect } from '../../web/standard/providers/index.js'
import { deepseek, groq, mistral, openai } from '../../web/standard/providers/index.js'
import { haveRecordings, plainReading, recordedEvents, recordedReply, sseBytes } from '../fixtures/streams-recorded.js'
import { json, openStream, writeParts } from '../sim/scripted-server.js'
import { failureOf, generate, withScript } from './call.js'
import { cutsOf, socketStep, watching } from './cuts.js'

const dialects: Readonly<Record<string, Dialect>> = { deepseek, groq, mistral, openai }
const dialectOf = (name: string) => ({ dialect: dialects[name.split('/')[0]!]! })

/** With text, so that they end in an answer. The second number: cut at every N-th byte. */
const answering: readonly (readonly [string, number])[] = [
  ['openai/azure-model-router.1', socketStep],
  ['deepseek/deepseek-text', 997],
  ['deepseek/deepseek-reasoning', 499],
  ['openai/openai-text', 997],
  ['groq/groq-text', 2999],
  ['groq/groq-reasoning', 4999],
  ['mistral/mistral-text', socketStep],
]
const silent = [
  'deepseek/deepseek-tool-call',
  'groq/groq-tool-call',
  'mistral/mistral-tool-call',
  'mistral/mistral-incremental-tool-call',
]

const recorded = haveRecordings ? describe : describe.skip

recorded('recorded streams over a real socket', () => {
  test.each(answering)(
    '%s: the same answer, cut in two at every %i. byte',
    async (name, step) => {
      const events = recordedEvents(name)
      const expected = plainReading(events)
      const bytes = sseBytes(events)
      const cuts = cutsOf(bytes, step)
      let next = 0
      const seen = new Set<number>()
      await withScript(
        async (reply) => {
          const cut = cuts[next]!
          openStream(reply)
          await writeParts(reply, [bytes.subarray(0, cut), bytes.subarray(cut)])
          reply.end()
        },
        async (server) => {
          for (next = 0; next < cuts.length; next++) {
            const pieces: string[] = []
            const { text, finish, usage } = await generate(
              server.url,
              { ...dialectOf(name), fetch: watching((bytes) => bytes === cuts[next] && seen.add(bytes)) },
              {},
              { text: (piece) => pieces.push(piece) },
            )
            if (text !== expected.text || pieces.join('') !== text)
              throw new Error(`another text when cut at ${cuts[next]}`)
            if (
              finish !== expected.finish ||
              usage?.input !== expected.usage?.['prompt_tokens'] ||
              usage?.output !== expected.usage?.['completion_tokens']
            ) {
              throw new Error(`another finish or usage when cut at ${cuts[next]}`)
            }
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

  test.each(['openai/azure-model-router.1', 'deepseek/deepseek-reasoning'])(
    '%s byte by byte with CRLF',
    async (name) => {
      const events = recordedEvents(name)
      const all = sseBytes(events.slice(-20), '\r\n')
      const result = await withScript(
        async (reply) => {
          openStream(reply)
          await writeParts(
            reply,
            Array.from(all, (_, at) => all.subarray(at, at + 1)),
          )
          reply.end()
        },
        (server) => generate(server.url, dialectOf(name)),
      )
      expect(result.text).toBe(plainReading(events.slice(-20)).text)
    },
    60_000,
  )

  test('ended early at any of its events, a stream is truncated and never an answer', async () => {
    const events = recordedEvents('openai/azure-model-router.1')
    const finishAt = events.findIndex((event) => event.includes('"finish_reason":"stop"'))
    for (let length = 0; length <= events.length; length++) {
      const text = events
        .slice(0, length)
        .map((event) => `data: ${event}\n\n`)
        .join('')
      const call = withScript(
        async (reply) => {
          openStream(reply)
          await writeParts(reply, [text])
          reply.end()
        },
        (server) => generate(server.url, { dialect: openai }),
      )
      if (length > finishAt) expect(await call).toMatchObject({ finish: 'stop' })
      else expect(await failureOf(call)).toMatchObject({ kind: 'truncated' })
    }
  })

  test.each(silent)('%s: tool calls alone are no answer', async (name) => {
    const bytes = sseBytes(recordedEvents(name))
    const call = withScript(
      async (reply) => {
        openStream(reply)
        await writeParts(reply, [bytes])
        reply.end()
      },
      (server) => generate(server.url, dialectOf(name)),
    )
    expect(await failureOf(call)).toMatchObject({
      kind: 'generation_failed',
      message: 'the model stopped with tool_calls',
    })
  })
})

recorded('recorded thinking of Mistral, in parts', () => {
  // The oracle of the others takes content for text; here it is a list of parts.
  test('streamed: the answer alone, cut in two', async () => {
    const bytes = sseBytes(recordedEvents('mistral/mistral-reasoning'))
    const cuts = cutsOf(bytes, socketStep)
    let cut = 0
    await withScript(
      async (reply) => {
        openStream(reply)
        await writeParts(reply, [bytes.subarray(0, cut), bytes.subarray(cut)])
        reply.end()
      },
      async (server) => {
        for (cut of cuts) {
          const { text, finish, usage } = await generate(server.url, { dialect: mistral })
          if (text !== '2 + 2 = 4' || finish !== 'stop' || usage?.output !== 46) throw new Error(`cut at ${cut}`)
        }
      },
    )
    expect(cut).toBe(bytes.length - 1)
  }, 60_000)
  test('whole: the answer alone', async () => {
    const result = await withScript(
      (reply) => json(reply, 200, recordedReply('mistral/mistral-reasoning')),
      (server) => generate(server.url, { dialect: mistral }, { stream: false }),
    )
    expect(result).toMatchObject({ text: '2 + 2 = 4', finish: 'stop', usage: { input: 10, output: 46 } })
  })
  test('whole: a call of a tool is none', async () => {
    const call = withScript(
      (reply) => json(reply, 200, recordedReply('mistral/mistral-tool-call')),
      (server) => generate(server.url, { dialect: mistral }, { stream: false }),
    )
    expect(await failureOf(call)).toMatchObject({
      kind: 'generation_failed',
      message: 'the model stopped with tool_calls',
    })
  })
})

recorded('recorded whole replies', () => {
  test.each([
    'deepseek/deepseek-text',
    'deepseek/deepseek-json',
    'deepseek/deepseek-reasoning',
    'groq/groq-text',
    'groq/groq-reasoning',
    'mistral/mistral-text',
  ])('%s', async (name) => {
    const body = recordedReply(name)
    const parsed = JSON.parse(body) as {
      choices: { message: { content: string }; finish_reason: string }[]
      usage: Record<string, number>
    }
    const result = await withScript(
      (reply) => json(reply, 200, body),
      (server) => generate(server.url, dialectOf(name), { stream: false }),
    )
    expect(result.text).toBe(parsed.choices[0]!.message.content)
    expect(result.finish).toBe(parsed.choices[0]!.finish_reason)
    expect(result.usage).toMatchObject({
      input: parsed.usage['prompt_tokens'],
      output: parsed.usage['completion_tokens'],
    })
  })

  test('a recorded refusal of a field of ours goes out again without it', async () => {
    const body = recordedReply('openai/reasoning-model-legacy-parameter-error')
    const call = withScript(
      (reply) => json(reply, 400, body),
      (server) => generate(server.url, { dialect: openai }),
    )
    expect(await failureOf(call)).toMatchObject({
      kind: 'adapted',
      status: 400,
      message: expect.stringMatching(/max_tokens.*asked again/s),
    })
  })
})
