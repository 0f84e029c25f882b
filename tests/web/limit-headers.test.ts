import { describe, expect, test } from '@jest/globals'
import type { LimitSeen } from '../../bindings/ports.js'
import { groqLimits, mistralLimits, noLimits, openaiLimits, type ReadLimits } from '../../web/standard/limit-headers.js'
import { deepseek, groq, mistral, openai } from '../../web/standard/providers/index.js'
import { json, openStream, writeParts, type Script } from '../sim/scripted-server.js'
import { chunk, done, generate, withScript, type ConfigChanges } from './call.js'

const headersOf =
  (headers: Readonly<Record<string, string>>) =>
  (name: string): string | null =>
    headers[name] ?? null

const standard = {
  'x-ratelimit-limit-requests': '14400',
  'x-ratelimit-remaining-requests': '14370',
  'x-ratelimit-reset-requests': '2m59.56s',
  'x-ratelimit-limit-tokens': '18000',
  'x-ratelimit-remaining-tokens': '17997',
  'x-ratelimit-reset-tokens': '7.66s',
}
const numbers = [
  { limit: 14_400, remaining: 14_370, resetMs: 179_560 },
  { limit: 18_000, remaining: 17_997, resetMs: 7_660 },
] as const

describe('what each provider`s names mean', () => {
  test.each<[string, ReadLimits, object, readonly LimitSeen[]]>([
    [
      'OpenAI: requests and tokens of a minute',
      openaiLimits,
      standard,
      [
        { window: 'requests_per_minute', ...numbers[0] },
        { window: 'tokens_per_minute', ...numbers[1] },
      ],
    ],
    [
      'Groq: requests of a day, tokens of a minute',
      groqLimits,
      standard,
      [
        { window: 'requests_per_day', ...numbers[0] },
        { window: 'tokens_per_minute', ...numbers[1] },
      ],
    ],
    [
      'Mistral: the window is in the name, and there is no reset',
      mistralLimits,
      {
        'x-ratelimit-limit-tokens-minute': '500000',
        'x-ratelimit-remaining-tokens-minute': '499950',
        'x-ratelimit-tokens-query-cost': '50',
        'x-ratelimit-limit-req-minute': '60',
        'x-ratelimit-remaining-req-minute': '59',
      },
      [
        { window: 'requests_per_minute', limit: 60, remaining: 59 },
        { window: 'tokens_per_minute', limit: 500_000, remaining: 499_950 },
      ],
    ],
    ['Mistral reads no other names', mistralLimits, standard, []],
    ['none', noLimits, standard, []],
    ['no headers', openaiLimits, {}, []],
    [
      'one number alone',
      openaiLimits,
      { 'x-ratelimit-remaining-tokens': '0' },
      [{ window: 'tokens_per_minute', remaining: 0 }],
    ],
    ['a reset without a number is no news', openaiLimits, { 'x-ratelimit-reset-tokens': '1s' }, []],
    [
      'words and negative numbers say nothing',
      openaiLimits,
      { 'x-ratelimit-limit-requests': 'unlimited', 'x-ratelimit-remaining-requests': '-1' },
      [],
    ],
  ])('%s', (_, read, headers, seen) => expect(read(headersOf(headers as Record<string, string>))).toEqual(seen))

  test.each([
    ['2m59.56s', 179_560],
    ['7.66s', 7_660],
    ['1s', 1_000],
    ['6m0s', 360_000],
    ['120ms', 120],
    ['1h2m3s', 3_723_000],
    ['soon', undefined],
    ['-1s', undefined],
    ['', undefined],
  ])('a reset of "%s"', (reset, ms) => {
    const [seen] = openaiLimits(headersOf({ 'x-ratelimit-limit-tokens': '9', 'x-ratelimit-reset-tokens': reset }))
    expect(seen?.resetMs).toBe(ms)
  })
})

describe('a call tells them', () => {
  const stream: Script = async (out) => {
    for (const [name, value] of Object.entries(standard)) out.setHeader(name, value)
    openStream(out)
    await writeParts(out, [chunk({ content: 'Hi' }), chunk({}, 'stop'), done])
    out.end()
  }
  const refuse: Script = (out) => json(out, 429, { error: { message: 'no' } }, standard)

  async function told(script: Script, config: ConfigChanges): Promise<string[]> {
    const seen: string[] = []
    await withScript(script, async ({ url }) => {
      const limits = (all: readonly LimitSeen[]) => void seen.push(...all.map(({ window }) => window))
      await generate(url, config, {}, { limits, firstToken: () => seen.push('first') }).catch(() => seen.push('failed'))
    })
    return seen
  }

  test.each([
    ['openai', { dialect: openai }, ['requests_per_minute', 'tokens_per_minute']],
    ['groq', { dialect: groq }, ['requests_per_day', 'tokens_per_minute']],
    ['mistral, which has other names', { dialect: mistral }, []],
    ['deepseek, which sends none', { dialect: deepseek }, []],
  ])('%s: before the answer, and when refused', async (_, config, windows) => {
    expect(await told(stream, config)).toEqual([...windows, 'first'])
    expect(await told(refuse, config)).toEqual([...windows, 'failed'])
  })
})
