// Every recorded stream of the five providers, cut everywhere: the answer, or the failure, is always the same. In process,
// because a socket rejoins cuts and takes a thousand times as long; the socket has its share in recorded-*.test.ts.
// AETHERFLOW_EVERY_CUT=1: at every byte.
import { describe, expect, test } from '@jest/globals'
import type { ModelClient, Transport } from '../../bindings/ports.js'
import { CallFailure } from '../../web/standard/failure/failure.js'
import {
  createGemini,
  createOpenAiCompatible,
  deepseek,
  groq,
  mistral,
  openai,
} from '../../web/standard/providers/index.js'
import {
  googleBytes,
  haveRecordings,
  plainGoogle,
  plainReading,
  recordedEvents,
  recordingsFolder,
  recordingsIn,
  sseBytes,
  type GoogleChunk,
} from '../fixtures/streams-recorded.js'
import { modelRequest } from './call.js'
import { every, everyCut, playingParts } from './cuts.js'

const dialects = { deepseek, groq, mistral, openai }
const names = haveRecordings ? recordingsIn(recordingsFolder, '.chunks.txt') : []
const providerOf = (name: string) => name.split('/')[0] as keyof typeof dialects | 'google'

function clientOf(name: string, transport: Transport): ModelClient {
  const provider = providerOf(name)
  const config = { transport, baseUrl: 'http://recorded.test', key: () => 'k' }
  return provider === 'google'
    ? createGemini(config)
    : createOpenAiCompatible({ ...config, dialect: dialects[provider] })
}

/** An answer or a failure, as one text to compare. */
async function outcome(name: string, parts: readonly Uint8Array[]): Promise<string> {
  const pieces: string[] = []
  try {
    const { text, usage, finish } = await clientOf(name, playingParts(parts)).generate(
      modelRequest(),
      new AbortController().signal,
      { text: (piece) => pieces.push(piece) },
    )
    return JSON.stringify({ text, usage, finish, told: pieces.join('') === text })
  } catch (error) {
    if (!(error instanceof CallFailure)) throw error
    const { kind, message, usage } = error
    return JSON.stringify({ kind, message, usage })
  }
}

/** What a plain reading makes of it; undefined: no answer. */
function expected(name: string, events: readonly string[]) {
  if (providerOf(name) === 'google') {
    const chunks = events.map((event) => JSON.parse(event) as GoogleChunk)
    if (!chunks.some(({ candidates }) => candidates)) return undefined
    const { text, usage } = plainGoogle(chunks)
    return text === '' ? undefined : { text, usage, finish: 'stop', told: true }
  }
  const { text, usage, finish } = plainReading(events)
  const counts = expect.objectContaining({ input: usage?.['prompt_tokens'], output: usage?.['completion_tokens'] })
  return text === '' ? undefined : { text, usage: counts, finish, told: true }
}

const recorded = haveRecordings ? describe : describe.skip

recorded('cut everywhere', () => {
  test.each(names)(
    '%s',
    async (name) => {
      const events = recordedEvents(name)
      const bytes = providerOf(name) === 'google' ? googleBytes(events) : sseBytes(events)
      const whole = await outcome(name, [bytes])
      const answer = expected(name, events)
      if (answer) expect(JSON.parse(whole)).toEqual(answer)
      else expect(JSON.parse(whole)).toHaveProperty('kind')
      const cuts = new Set<number>()
      for (const parts of everyCut(bytes)) {
        let at = 0
        for (const part of parts.slice(0, -1)) cuts.add((at += part.length))
        if ((await outcome(name, parts)) !== whole) throw new Error(`another outcome, first cut at ${parts[0]!.length}`)
      }
      if (every) expect(cuts.size).toBe(bytes.length - 1)
      else expect(cuts.size).toBeGreaterThan((bytes.length - 1) / 8)
    },
    60_000,
  )

  test('there are answers and failures among them, of all five', () => {
    expect(new Set(names.map(providerOf))).toEqual(new Set(['deepseek', 'google', 'groq', 'mistral', 'openai']))
    const answering = names.filter((name) => expected(name, recordedEvents(name)))
    expect(answering.length).toBeGreaterThan(9)
    expect(names.length - answering.length).toBeGreaterThan(3)
  })
})
