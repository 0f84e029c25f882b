// Recordings of hosts that nobody tuned for, through the OpenAI-compatible client as it is for any host. Another folder:
//
//    AETHERFLOW_RECORDINGS=/path/to/folder npm test -- --only jest
//
// Every `*.chunks.txt` (one JSON text a line, as it stood behind `data:`) and `*.json` (a whole reply) in it and below is
// replayed over a real socket, and streams are cut at every byte. The measure is what JSON.parse alone reads. What is no chat
// completion is skipped with a message. Without the variable: the shared recordings, of all providers.
import { describe, expect, test } from '@jest/globals'
import { existsSync } from 'node:fs'
import { finishReasons } from '../../bindings/generated/wire.js'
import type { ModelReply } from '../../bindings/ports.js'
import { CallFailure } from '../../web/standard/failure/failure.js'
import { createOpenAiCompatible, generic, type ClientConfig } from '../../web/standard/providers/index.js'
import {
  plainReading,
  recordedEvents,
  recordedReply,
  recordingsFolder,
  recordingsIn,
  sseBytes,
} from '../fixtures/streams-recorded.js'
import { json, openStream, writeParts } from '../sim/scripted-server.js'
import { modelRequest, withScript } from './call.js'
import { cutsOf, everyCut, playingParts } from './cuts.js'

const folder = process.env['AETHERFLOW_RECORDINGS'] ?? recordingsFolder
const present = existsSync(folder)
if (!present) console.warn(`SKIPPED: no recordings at ${folder}`)
/** Bytes that one stream may cost at every byte; a larger one is cut at every N-th. Ours are cut whole in every-cut.test.ts. */
const budget = process.env['AETHERFLOW_RECORDINGS'] === undefined ? 10_000_000 : 400_000_000
/** Cuts over the socket for each stream. */
const socketCuts = 60

type Outcome = Pick<ModelReply, 'text' | 'finish' | 'usage'> | { readonly kind: string; readonly message: string }

async function outcome(
  over: Pick<ClientConfig, 'fetch' | 'transport'>,
  baseUrl: string,
  stream: boolean,
): Promise<Outcome> {
  const client = createOpenAiCompatible({ ...over, baseUrl, key: () => 'k', dialect: generic })
  const told: string[] = []
  try {
    const reply = await client.generate(modelRequest({ stream }), new AbortController().signal, {
      text: (piece) => told.push(piece),
    })
    if (told.join('') !== reply.text) throw new Error('what was told is not the text')
    const { text, finish, usage } = reply
    return { text, finish, usage }
  } catch (error) {
    if (!(error instanceof CallFailure)) throw error
    return { kind: error.kind, message: error.message }
  }
}

/** Compares with the plain reading; a reading without text is no answer. */
function expectSame(seen: Outcome, plain: ReturnType<typeof plainReading>): void {
  if (plain.text.trim() === '') return expect(seen).toHaveProperty('kind')
  expect(seen).toMatchObject({ text: plain.text })
  const { finish, usage } = seen as ModelReply
  if (finishReasons.includes(plain.finish as never)) expect(finish).toBe(plain.finish)
  else expect(finishReasons).toContain(finish)
  const [input, output, total] = ['prompt_tokens', 'completion_tokens', 'total_tokens'].map(
    (name) => plain.usage?.[name],
  )
  if (typeof input !== 'number' || typeof output !== 'number') return expect(usage).toBeUndefined()
  expect(usage!.input).toBe(input)
  // Where the total says so, what was thought stands beside the answer and is billed with it.
  const beside = usage!.reasoning > 0 && total === input + output + usage!.reasoning
  expect(usage!.output).toBe(beside ? output + usage!.reasoning : output)
  expect(usage!.cached).toBeLessThanOrEqual(input)
}

const isChat = (value: unknown, part: 'delta' | 'message') => {
  const { choices } = (value ?? {}) as { choices?: unknown }
  return Array.isArray(choices) && choices.some((choice) => typeof choice?.[part] === 'object')
}
const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
const streams = present ? recordingsIn(folder, '.chunks.txt') : []
const chats = streams.filter((name) => recordedEvents(name, folder).some((event) => isChat(parsed(event), 'delta')))
const replies = present ? recordingsIn(folder, '.json') : []
const whole = replies.filter((name) => isChat(parsed(recordedReply(name, folder)), 'message'))
const refusals = replies.filter((name) => Object.hasOwn(Object(parsed(recordedReply(name, folder))), 'error'))
const others = [
  ...streams.filter((name) => !chats.includes(name)),
  ...replies.filter((name) => !whole.includes(name) && !refusals.includes(name)),
]
const recorded = present ? describe : describe.skip
const platform = { fetch: (input: string, init?: RequestInit) => fetch(input, init) }

recorded('streams of any host', () => {
  test('there are some, or the folder is wrong', () => expect(chats.length + whole.length).toBeGreaterThan(0))

  if (chats.length > 0)
    test.each(chats)(
      '%s, over a socket',
      async (name) => {
        const events = recordedEvents(name, folder)
        const bytes = sseBytes(events)
        const cuts = cutsOf(bytes, Math.ceil(bytes.length / socketCuts))
        let cut = 0
        const outcomes = await withScript(
          async (reply) => {
            openStream(reply)
            await writeParts(reply, [bytes.subarray(0, cut), bytes.subarray(cut)])
            reply.end()
          },
          async (server) => {
            const seen: Outcome[] = []
            for (cut of [0, ...cuts]) seen.push(await outcome(platform, server.url, true))
            return seen
          },
        )
        expectSame(outcomes[0]!, plainReading(events))
        expect(new Set(outcomes.map((one) => JSON.stringify(one))).size).toBe(1)
      },
      60_000,
    )

  if (chats.length > 0)
    test.each(chats)(
      '%s, cut at every byte',
      async (name) => {
        const events = recordedEvents(name, folder)
        const bytes = sseBytes(events)
        const plain = plainReading(events)
        const all = [...everyCut(bytes)]
        const step = Math.ceil((all.length * bytes.length) / budget)
        for (let at = 0; at < all.length; at += step)
          expectSame(await outcome({ transport: playingParts(all[at]!) }, 'http://recorded.test', true), plain)
        expect(all.length).toBeGreaterThan(1)
      },
      60_000,
    )
})

recorded('whole replies of any host', () => {
  if (whole.length > 0)
    test.each(whole)('%s', async (name) => {
      const body = recordedReply(name, folder)
      const { choices, usage } = JSON.parse(body) as {
        choices: [{ message: object; finish_reason: string }]
        usage?: object
      }
      const [{ message, finish_reason }] = choices
      const plain = plainReading([JSON.stringify({ choices: [{ delta: message, finish_reason }], usage })])
      for (const stream of [true, false]) {
        const seen = await withScript(
          (reply) => json(reply, 200, body),
          (server) => outcome(platform, server.url, stream),
        )
        expectSame(seen, plain)
      }
    })
  if (refusals.length > 0)
    test.each(refusals)('%s is a failure with a kind', async (name) => {
      for (const status of [200, 400, 429, 500]) {
        const seen = await withScript(
          (reply) => json(reply, status, recordedReply(name, folder)),
          (server) => outcome(platform, server.url, true),
        )
        expect(seen).toHaveProperty('kind')
      }
    })
  if (others.length > 0) test.skip.each(others)('%s: no chat completion', () => undefined)
})
