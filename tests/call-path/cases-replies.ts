/** Readers, endings, usage and thought. */
import {
  candidate,
  content,
  data,
  delta,
  frames,
  google,
  says,
  situation,
  step,
  planOf,
  type OwnCase,
} from './shapes.js'

const counts = { prompt_tokens: 5, completion_tokens: 2 }
const [hel, lo] = [data(content('hel')), data(delta({ content: 'lo' }, 'stop', { usage: counts }))]
const done = 'data: [DONE]\n\n'
const hello = { requests: { alpha: 1 }, output: 'hello' }
const alone = { alone: true } as const
const whole = {
  choices: [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }],
  usage: counts,
}
const beginning = 'The answer begins and'

const beats: readonly (readonly [string, string])[] = [
  ['empty data', 'data:\n\n'],
  ['blank data', 'data: \n\n'],
  ['a comment', ': still here\n\n'],
  ['a named ping', 'event: ping\ndata: {"type":"ping"}\n\n'],
  ['fields only', 'id: 7\nretry: 3000\n\n'],
  ['null', 'data: null\n\n'],
]

const readers: readonly OwnCase[] = [
  ...beats.map(([name, beat]) =>
    situation(`heartbeat: ${name}`, 'wave-agent#1326', [frames(hel, beat, lo, done)], hello, alone),
  ),
  situation('[DONE] and a blank', 'openai-node', [frames(hel, lo, 'data: [DONE] \n\n')], hello, alone),
  situation('empty data after the finish', 'cadis#2329', [frames(hel, lo, 'data: \n\n')], hello, alone),
  situation(
    'an error after the finish',
    'gateways',
    [frames(hel, lo, data({ error: { message: 'upstream closed', code: 500 } }))],
    hello,
    alone,
  ),
  situation(
    'events apart by one line end',
    'line-based servers',
    [frames(...[hel, lo].map((frame) => frame.slice(0, -1)), done)],
    hello,
    alone,
  ),
  situation(
    'events as JSON',
    'openclaw#96497',
    [{ frames: [hel, lo, done], headers: { 'content-type': 'application/json' } }],
    hello,
    alone,
  ),
  situation(
    'events as text',
    'FLIT#71',
    [{ frames: [hel, lo, done], headers: { 'content-type': 'text/plain' } }],
    hello,
    alone,
  ),
  situation(
    'JSON as events',
    'mistral-vibe#619',
    [{ json: whole, headers: { 'content-type': 'text/event-stream' } }],
    hello,
    alone,
  ),
  situation(
    'whole JSON without a finish',
    'gateways',
    [{ json: { ...whole, choices: [{ ...whole.choices[0], finish_reason: null }] } }],
    hello,
    alone,
  ),
  situation('gzip, an answer', 'agent-vision-toolkit#36', [{ json: whole, gzip: true }], hello, alone),
  situation('gzip, a stream', 'agent-vision-toolkit#36', [{ ...says('hello'), gzip: true }], hello, alone),
  situation(
    'gzip, a refusal',
    'agent-vision-toolkit#36',
    [
      {
        status: 429,
        gzip: true,
        json: { error: { message: 'You exceeded your current quota', code: 'insufficient_quota' } },
      },
    ],
    { requests: { alpha: 1 }, failure: 'quota_exhausted', words: 'exceeded your current quota' },
    alone,
  ),
  situation(
    'a surrogate pair in two pieces',
    'rakazo#416',
    [frames(data(content('Hi \ud83d')), data(delta({ content: '\ude00!' }, 'stop', { usage: counts })), done)],
    { output: 'Hi 😀!' },
    alone,
  ),
]

const shapes: readonly (readonly [object, string])[] = [
  [{ code: 'InvalidParameter', message: 'The quota is gone', request_id: 'x' }, 'The quota is gone'],
  [{ detail: 'Rate limit reached' }, 'Rate limit reached'],
  [{ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }, 'Overloaded'],
  [{ error: 'model is overloaded, try later' }, 'model is overloaded, try later'],
]
const errors: readonly OwnCase[] = shapes.map(([shape, words]) =>
  situation(
    `an error in a stream: ${words}`,
    'gateways',
    [{ events: [shape] }],
    { words },
    { ...alone, config: { retry: { attempts: 1, patienceMs: 0 } } },
  ),
)

const words = [
  'content_filter',
  'tool_calls',
  'abort',
  'repetition_truncation',
  'malformed_function_call',
  'network_error',
]
const googleWords = ['MALFORMED_RESPONSE', 'OTHER', 'MODEL_ARMOR', 'SAFETY', 'MALFORMED_FUNCTION_CALL']
const gemini = { first: 'gemini' }
const endings: readonly OwnCase[] = [
  ...[...words, 'a_word_of_next_year'].map((word) =>
    situation(
      `the ending ${word} is no whole answer`,
      'flink-agents#1040',
      [says(beginning, counts, word)],
      { output: 'from beta' },
      { config: { retry: { baseMs: 5, perModel: 1 } } },
    ),
  ),
  ...googleWords.map((word) =>
    situation(
      `the ending ${word} of Gemini is no whole answer`,
      'Gemini',
      [
        google({
          candidates: [candidate(beginning, word)],
          usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 5 },
        }),
      ],
      { output: 'from beta' },
      { ...gemini, config: { retry: { baseMs: 5, perModel: 1 } } },
    ),
  ),
  situation(
    'an unknown ending is taken where the configuration says so',
    'option',
    [says('all of it', counts, 'a_word_of_next_year')],
    { output: 'all of it', requests: { alpha: 1 } },
    { config: { unknownFinish: 'accept' } },
  ),
  situation(
    'a half answer is fed to nobody',
    'pi#1750',
    [says('The parser has three faults. First, the', counts, 'abort'), says('whole'), says('summed up')],
    { outputs: { a: 'whole', b: 'summed up' } },
    { ...alone, plan: planOf(step('a'), step('b', ['a'], { description: 'Sum up: {{steps.a.output}}' })) },
  ),
  situation(
    'Gemini begins with a stop',
    'kelivo#1003',
    [
      google(
        { candidates: [candidate(undefined, 'STOP')], usageMetadata: { promptTokenCount: 5 } },
        { candidates: [candidate('Hello ')] },
        { candidates: [candidate('there', 'STOP')], usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 2 } },
      ),
    ],
    { output: 'Hello there', requests: { gemini: 1 } },
    gemini,
  ),
  situation(
    'Gemini ends without parts',
    'req_llm#638',
    [
      google(
        { candidates: [candidate('Hello')] },
        { candidates: [candidate(undefined, 'STOP')], usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 2 } },
      ),
    ],
    { output: 'Hello', requests: { gemini: 1 } },
    gemini,
  ),
  situation(
    'empty at the limit',
    'cora-code#536',
    [
      {
        events: [
          delta({ reasoning_content: 'thinking ' }),
          delta({ content: '' }, 'length', {
            usage: { prompt_tokens: 50, completion_tokens: 400, completion_tokens_details: { reasoning_tokens: 400 } },
          }),
          '[DONE]',
        ],
      },
    ],
    { widens: true, output: 'from beta' },
  ),
  situation(
    'empty at the limit, Gemini',
    'Decenza#1694',
    [
      google({
        candidates: [candidate(undefined, 'MAX_TOKENS')],
        usageMetadata: { promptTokenCount: 50, thoughtsTokenCount: 400, totalTokenCount: 450 },
      }),
    ],
    { widens: true, output: 'from beta' },
    gemini,
  ),
  situation(
    'cut at the limit',
    'control',
    [says('half', counts, 'length'), says('whole')],
    { widens: true, output: 'whole', requests: { alpha: 2 } },
    alone,
  ),
  situation(
    'nothing under a JSON mode',
    'DeepSeek docs',
    [says('', { prompt_tokens: 5, completion_tokens: 0 }), says('{"a":1}')],
    { requests: { deepseek: 2 }, output: '{"a":1}' },
    { first: 'deepseek', output: 'json' },
  ),
  situation(
    'all of it in the reasoning',
    'Qwen3 behind vLLM',
    [
      {
        events: [
          delta({ reasoning_content: 'hello reader' }),
          delta({ content: '' }, 'stop', { usage: counts }),
          '[DONE]',
        ],
      },
    ],
    { requests: { alpha: 2 }, failure: 'generation_failed', words: 'reasoning' },
    alone,
  ),
]

const more = 'from alpha and some more words for the count'
const zeros = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }
const long = 'word '.repeat(2000)
const usages: readonly OwnCase[] = [
  situation(
    'thought that only the total holds',
    'any-llm#1290',
    [says(more, { prompt_tokens: 20, completion_tokens: 198, total_tokens: 623 })],
    { costMicroUsd: 1226 },
    alone,
  ),
  situation(
    'reasoning beside no answer',
    'CLIProxyAPI#5733',
    [
      says(more, {
        prompt_tokens: 21,
        completion_tokens: 0,
        total_tokens: 81,
        completion_tokens_details: { reasoning_tokens: 60 },
      }),
    ],
    { costMicroUsd: 141 },
    alone,
  ),
  situation('zeros beside text', 'grob#454', [says(more, zeros)], { estimated: true, outputTokens: 5 }, alone),
  situation(
    'cached tokens on a chunk with choices',
    'litellm#36168',
    [
      says(more, {
        completion_tokens: 2,
        prompt_tokens: 16111,
        total_tokens: 16113,
        prompt_tokens_details: { cached_tokens: 15872 },
      }),
    ],
    { costMicroUsd: 1831 },
    alone,
  ),
  ...[
    ['zeros', zeros, { estimated: true }],
    ['counts', { prompt_tokens: 60, completion_tokens: 2000 }, { costMicroUsd: 4060 }],
  ].map(([name, said, more]) =>
    situation(
      `a ceiling of money under usage of ${name as string}`,
      'litellm#37924',
      [says(long, said as object)],
      { requests: { alpha: 1 }, outcome: 'budget_exhausted', ...(more as object) },
      {
        ...alone,
        config: { budget: { run: { usd: 0.006 }, ladder: ['stop'] } },
        plan: planOf(
          ...['a', 'b', 'c', 'd'].map((id, at, all) =>
            step(id, at > 0 ? [all[at - 1]!] : [], { estimated_tokens: 1000 }),
          ),
        ),
      },
    ),
  ),
  situation(
    'no usage beside hidden thought',
    'hermes-agent#12023',
    [
      {
        events: [
          ...Array.from({ length: 400 }, () => delta({ reasoning_content: 'thinking about it ' })),
          delta({ content: 'hello' }, 'stop'),
          '[DONE]',
        ],
      },
    ],
    { estimated: true, outputTokens: 1000 },
    alone,
  ),
]

const thought: readonly OwnCase[] = [
  situation(
    'thought before JSON',
    'gbrain#2559',
    [says('<think>\nThe user wants {json}. See [1].\n</think>\n\n{"a":1}')],
    { output: '{"a":1}', requests: { alpha: 1 } },
    { ...alone, output: 'json' },
  ),
  situation(
    'thought before text',
    'picoclaw#1233',
    [says('<think>\nI should be short.\n</think>\n\nHello reader.')],
    { output: 'Hello reader.' },
    alone,
  ),
  situation(
    'thought before code',
    'picoclaw#1233',
    [says('<think>\nUse a loop:\n```js\nfor(;;){}\n```\n</think>\n\n```js\nconsole.log(1)\n```')],
    { output: 'console.log(1)\n' },
    { ...alone, output: 'code' },
  ),
  situation(
    'thought before a fence',
    'gbrain#2559',
    [says('<think>Several [claims].</think>\n\n```json\n[{"x":1}]\n```')],
    { output: '[{"x":1}]' },
    { ...alone, output: 'json' },
  ),
]

export const replyCases: readonly OwnCase[] = [...readers, ...errors, ...endings, ...usages, ...thought]
