// Hosts that people run themselves cut prompts that their context does not hold: those are refused here, in words, and never taken for answered.
import { describe, expect, test } from '@jest/globals'
import { createOpenAiCompatible, generic } from '../../web/standard/providers/index.js'
import { withinContext } from '../../web/standard/providers/local-context.js'
import { json } from '../sim/scripted-server.js'
import { failureOf, modelRequest, withScript } from './call.js'

const hosts: readonly (readonly [preset: string, path: string, told: (context: number) => object])[] = [
  ['llamacpp', '/props', (context) => ({ total_slots: 2, default_generation_settings: { n_ctx: context } })],
  [
    'ollama',
    '/api/ps',
    (context) => ({ models: [{ name: 'other:1b' }, { name: 'm:latest', context_length: context }] }),
  ],
  [
    'lmstudio',
    '/api/v0/models',
    (context) => ({ data: [{ id: 'm', state: 'loaded', loaded_context_length: context }] }),
  ],
  [
    'vllm',
    '/v1/models',
    (context) => ({
      data: [
        { id: 'x', max_model_len: 9 },
        { id: 'm', max_model_len: context },
      ],
    }),
  ],
]

interface Setting {
  /** What the host says of itself, the n-th time it is asked. */
  readonly told: (asked: number) => unknown
  readonly input?: number
}

/** Calls the host with a prompt of so many tokens, one call after another. */
async function call(preset: string | undefined, prompts: readonly number[], { told, input = 50 }: Setting) {
  let asked = 0
  return withScript(
    (reply, { path }) => {
      if (!path.endsWith('/chat/completions')) return json(reply, 200, told(asked++))
      const usage = { prompt_tokens: input, completion_tokens: 10 }
      return json(reply, 200, { choices: [{ message: { content: 'hi' }, finish_reason: 'stop' }], usage })
    },
    async ({ url, received }) => {
      const config = { fetch, baseUrl: `${url}/v1`, key: () => '', keyless: true }
      const client = withinContext(createOpenAiCompatible({ ...config, dialect: generic }), config, preset)
      const ended: unknown[] = []
      for (const tokens of prompts) {
        const request = modelRequest({ model: 'm', system: '', user: 'word'.repeat(tokens), stream: false })
        ended.push(
          await client.generate(request, new AbortController().signal).then(
            ({ text }) => text,
            async (error: unknown) => (await failureOf(Promise.reject(error))).message,
          ),
        )
      }
      return { ended, paths: received.map(({ path }) => path) }
    },
  )
}
const chat = '/v1/chat/completions'

describe.each(hosts)('%s', (preset, path, told) => {
  test('is asked once; what it does not hold is not sent, what it holds is', async () => {
    const { ended, paths } = await call(preset, [90, 101, 100], { told: () => told(100) })
    expect(ended).toEqual(['hi', expect.stringContaining('about 101 tokens, and the host holds 100'), 'hi'])
    expect(paths).toEqual([path, chat, chat])
  })

  test.each([undefined, null, 'text', [], {}, told(-1), { models: 5, data: [null], default_generation_settings: 7 }])(
    'that says %j is called all the same',
    async (odd) => expect((await call(preset, [1000], { told: () => odd })).ended).toEqual(['hi']),
  )
})

test('Ollama says it once the model is loaded: an answer to a prompt that was cut does not count', async () => {
  const told = (asked: number): object => (asked === 0 ? { models: [] } : hosts[1]![2](100))
  const cut = await call('ollama', [400, 400], { told, input: 90 })
  expect(cut.ended).toEqual([
    expect.stringContaining('the host read 90 of about 400 tokens, as it holds 100'),
    expect.stringContaining('about 400 tokens, and the host holds 100'),
  ])
  expect(cut.paths).toEqual(['/api/ps', chat, '/api/ps'])
  // A model whose tokens are longer read it all.
  expect((await call('ollama', [400], { told, input: 60 })).ended).toEqual(['hi'])
})

test.each([undefined, 'openrouter', 'constructor'])('preset %j: nobody is asked', async (preset) => {
  expect(await call(preset, [1000], { told: () => ({}) })).toEqual({ ended: ['hi'], paths: [chat] })
})
