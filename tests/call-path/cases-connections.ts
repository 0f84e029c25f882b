/** Time, movement, limits and connections. Real milliseconds: each case waits as long as the servers of the reports did, scaled down. */
import { content, delta, says, situation, step, planOf, type OwnCase } from './shapes.js'

const counts = { prompt_tokens: 5, completion_tokens: 50 }
const alone = { alone: true } as const
const two = planOf(step('a'), step('b', ['a']))
const patience = (firstTokenMs: number) => ({ timeouts: { firstTokenMs, idleMs: firstTokenMs, totalMs: 20_000 } })

const thoughts: readonly (readonly [string, object])[] = [
  ['reasoning_content', { reasoning_content: 'x' }],
  ['reasoning_details', { reasoning_details: [{ type: 'reasoning.text', text: 'x' }] }],
  ['thinking', { thinking: 'x' }],
  ['empty content', { content: '', role: 'assistant' }],
]

export const connectionCases: readonly OwnCase[] = [
  ...thoughts.map(([name, piece]) =>
    situation(
      `thought moves the stream: ${name}`,
      'Franklin#74',
      [
        {
          events: [
            ...Array.from({ length: 12 }, () => delta(piece)),
            delta({ content: 'hello' }, 'stop', { usage: counts }),
            '[DONE]',
          ],
          pauseMs: 250,
        },
      ],
      { requests: { alpha: 1 }, output: 'hello' },
      { ...alone, config: patience(1500) },
    ),
  ),
  situation(
    'a first token that comes late each time',
    'experiential#1054',
    [{ ...says('hello'), delayMs: 4000 }],
    { requests: { alpha: 2, beta: 1 }, output: 'from beta' },
    { config: { ...patience(300), retry: { baseMs: 5, capMs: 20 } } },
  ),
  situation(
    'comments over a stream that stands still',
    'goose#11816',
    [
      {
        frames: [`data: ${JSON.stringify(content('hel'))}\n\n`, ...Array.from({ length: 40 }, () => ': keepalive\n\n')],
        pauseMs: 100,
        hang: true,
      },
    ],
    { requests: { alpha: 1, beta: 1 }, output: 'from beta' },
    { config: { ...patience(600), retry: { attempts: 2, perModel: 1, baseMs: 5 } } },
  ),
  situation(
    'a whole reply that hangs',
    'Groq',
    [{ frames: [], headers: { 'content-type': 'application/json' }, delayMs: 20_000, hang: true }],
    { requests: { groq: 1, beta: 1 }, output: '{"a":1}' },
    { first: 'groq', output: 'json', config: { ...patience(200), retry: { attempts: 2, perModel: 1, baseMs: 5 } } },
  ),
  situation(
    'a kept connection that had been closed',
    'stale sockets',
    [says('hello'), { destroy: true }, says('bye')],
    { requests: { alpha: 3 }, outputs: { a: 'hello', b: 'bye' }, costMicroUsd: 140 },
    { ...alone, plan: two },
  ),
  situation(
    'an address of IPv6',
    'Ollama',
    [says('hello')],
    { output: 'hello' },
    { ...alone, host: '::1', base: 'http://[::1]:PORT' },
  ),
  situation(
    'localhost, IPv4 only',
    'Ollama',
    [says('hello')],
    { output: 'hello' },
    { ...alone, base: 'http://localhost:PORT' },
  ),
  situation(
    'localhost, IPv6 only',
    'Ollama',
    [says('hello')],
    { output: 'hello' },
    { ...alone, host: '::1', base: 'http://localhost:PORT' },
  ),
  situation(
    'a name that does not resolve',
    'a misspelt host',
    [],
    { requests: {}, failure: 'unresolved', words: 'ENOTFOUND' },
    { ...alone, base: 'http://no-such-host.invalid' },
  ),
  ...[
    ['requests', '0', '0'],
    ['tokens', '0', '0'],
    ['tokens', '100', undefined],
  ].map(([what, limit, remaining]) =>
    situation(
      `limit headers that say nothing useful: ${limit} ${what}`,
      'gateways',
      [
        {
          ...says('hello'),
          headers: {
            [`x-ratelimit-limit-${what}`]: limit!,
            ...(remaining !== undefined && { [`x-ratelimit-remaining-${what}`]: remaining }),
            [`x-ratelimit-reset-${what}`]: '0.1s',
          },
        },
      ],
      { requests: { alpha: 1 }, output: 'hello' },
      alone,
    ),
  ),
]
