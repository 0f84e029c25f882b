import { describe, expect, test } from '@jest/globals'
import { createOpenAiCompatible, deepseek, groq, openai } from '../../web/standard/providers/index.js'
import { json, openStream, writeParts, type Script } from '../sim/scripted-server.js'
import {
  canaryKey,
  chunk,
  done,
  failureOf,
  generate,
  modelRequest,
  promptCanary,
  withScript,
  type ConfigChanges,
} from './call.js'

const usage = {
  prompt_tokens: 1412,
  completion_tokens: 30,
  prompt_cache_hit_tokens: 1344,
  prompt_tokens_details: { cached_tokens: 1344 },
}
const counted = { input: 1412, cached: 1344, output: 30, reasoning: 0 }
const whole = {
  choices: [{ index: 0, message: { role: 'assistant', content: 'Paris.' }, finish_reason: 'stop' }],
  usage,
}

function playing(parts: readonly string[]): Script {
  return async (reply) => {
    openStream(reply)
    await writeParts(reply, parts)
    reply.end()
  }
}
const reply = (script: Script, config?: ConfigChanges, request?: object) =>
  withScript(script, (server) => generate(server.url, config, request))
const failure = (script: Script, config?: ConfigChanges, request?: object) => failureOf(reply(script, config, request))

describe('whole replies', () => {
  test('text, usage, finish; the request as it was sent', async () => {
    await withScript(
      (out) => json(out, 200, whole),
      async (server) => {
        expect(await generate(`${server.url}/v1/`, {}, { stream: false })).toEqual({
          text: 'Paris.',
          usage: counted,
          finish: 'stop',
        })
        const [request] = server.received
        expect(request).toMatchObject({
          path: '/v1/chat/completions',
          headers: { authorization: `Bearer ${canaryKey}`, 'content-type': 'application/json' },
        })
        expect(JSON.parse(request!.body)).toMatchObject({ model: 'deepseek-flash', stream: false })
      },
    )
  })
  test('five blank lines before the JSON', async () => {
    const script: Script = async (out) => {
      out.writeHead(200, { 'content-type': 'application/json' })
      await writeParts(out, ['\n', '\n', '\n', '\n', '\n', JSON.stringify(whole)])
      out.end()
    }
    expect(await reply(script, {}, { stream: false })).toMatchObject({ text: 'Paris.' })
  })
  test('a host that answers a streaming request with a whole reply is understood', async () => {
    const seen: string[] = []
    await withScript(
      (out) => json(out, 200, whole),
      (server) =>
        generate(server.url, {}, {}, { firstToken: () => seen.push('first'), text: (piece) => seen.push(piece) }),
    )
    expect(seen).toEqual(['first', 'Paris.'])
  })
  test('thinking parts are no answer', async () => {
    const content = [
      { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] },
      { type: 'text', text: 'Paris.' },
    ]
    expect(
      await reply(
        (out) => json(out, 200, { choices: [{ message: { content }, finish_reason: 'stop' }] }),
        {},
        { stream: false },
      ),
    ).toEqual({
      text: 'Paris.',
      usage: undefined,
      finish: 'stop',
      reasoned: 1,
    })
  })
})

describe('streams', () => {
  test('DeepSeek: comments, usage on the chunk with the finish', async () => {
    const parts = [
      ': keep-alive\n\n',
      chunk({ role: 'assistant', content: '' }, null, { usage: null }),
      chunk({ content: 'Par' }),
      ': keep-alive\n\n',
      chunk({ content: 'is.' }),
    ]
    expect(await reply(playing([...parts, chunk({ content: '' }, 'stop', { usage }), done]))).toEqual({
      text: 'Paris.',
      usage: counted,
      finish: 'stop',
    })
  })
  test('DeepSeek thinking: reasoning apart from text, and a first token all the same', async () => {
    const order: string[] = []
    const parts = [
      chunk({ content: null, reasoning_content: '' }),
      chunk({ content: null, reasoning_content: 'We' }),
      chunk({ content: 'Hi', reasoning_content: null }),
    ]
    const counts = { ...usage, completion_tokens_details: { reasoning_tokens: 20 } }
    const result = await withScript(
      playing([...parts, chunk({ content: '' }, 'stop', { usage: counts }), done]),
      (server) =>
        generate(
          server.url,
          {},
          {},
          {
            started: () => order.push('started'),
            firstToken: () => order.push('first'),
            text: (piece) => order.push(piece),
          },
        ),
    )
    expect(result).toMatchObject({ text: 'Hi', usage: { reasoning: 20, output: 30 } })
    expect(order).toEqual(['started', 'first', 'Hi'])
  })
  test('Groq: usage twice counts once, times become provider ms, an error in x_groq is raised', async () => {
    const times = { ...usage, queue_time: 0.04, total_time: 0.019 }
    const last = chunk({}, 'stop', { x_groq: { id: 'r', usage: times }, usage: times })
    const result = await reply(playing([chunk({ content: 'Hi' }), last, done]), { dialect: groq })
    expect(result).toMatchObject({ usage: { input: 1412, output: 30 } })
    expect(result.providerMs).toBeCloseTo(59, 6)
    const stopped = chunk({}, null, { x_groq: { id: 'r', error: 'stopped early' } })
    expect(await failure(playing([chunk({ content: 'Hi' }), stopped]), { dialect: groq })).toMatchObject({
      kind: 'server_error',
      message: 'stopped early',
    })
  })
  test('OpenAI: usage in a chunk without choices, or unknown and never zero', async () => {
    const parts = [
      chunk({ content: 'Hi' }, null, { usage: null, obfuscation: 'k3' }),
      chunk({}, 'stop', { usage: null }),
    ]
    const extra = `data: ${JSON.stringify({ choices: [], usage })}\n\n`
    expect(await reply(playing([...parts, extra, done]), { dialect: openai })).toMatchObject({ usage: counted })
    expect((await reply(playing([...parts, done]), { dialect: openai })).usage).toBeUndefined()
  })
  test('[DONE] without a finish reason is a success, so is a finish reason without [DONE]', async () => {
    expect(await reply(playing([chunk({ content: 'Hi' }), done]))).toMatchObject({ text: 'Hi', finish: 'stop' })
    expect(await reply(playing([chunk({ content: 'Hi' }), chunk({}, 'length')]))).toMatchObject({
      text: 'Hi',
      finish: 'length',
    })
  })
  test('usage numbers that are no counts are no usage', async () => {
    const wrong = { prompt_tokens: -4, completion_tokens: 1.5 }
    expect(
      (await reply(playing([chunk({ content: 'Hi' }), chunk({}, 'stop', { usage: wrong }), done]))).usage,
    ).toBeUndefined()
  })
  test('after [DONE] a socket kept open neither hangs the call nor stays open', async () => {
    await withScript(
      async (out) => {
        openStream(out)
        await writeParts(out, [chunk({ content: 'Hi' }), chunk({}, 'stop'), done])
      },
      async (server) => {
        expect(await generate(server.url)).toMatchObject({ text: 'Hi' })
        await server.clientLeft()
      },
    )
  })
  test('a finished stream leaves its connection for the next call', async () => {
    // The end of the body comes some packets after [DONE]: left at once, the connection would be lost.
    const script = playing([chunk({ content: 'Hi' }), chunk({}, 'stop'), done])
    await withScript(script, async (server) => {
      for (let call = 0; call < 5; call++) {
        await generate(server.url)
        // The rest of the body is read in the background: some turns of the loop, and the connection is free.
        for (let turn = 0; turn < 40; turn++) await new Promise((resolve) => setImmediate(resolve))
      }
      expect(server.received).toHaveLength(5)
      expect(server.connections()).toBe(1)
    })
  })
})

describe('broken replies', () => {
  test('the end of the body before a finish signal', async () => {
    expect(await failure(playing([': keep-alive\n\n', chunk({ content: 'Par' })]))).toMatchObject({ kind: 'truncated' })
    expect(await failure(playing([]))).toMatchObject({ kind: 'truncated' })
  })
  test('a reset in the middle', async () => {
    const script: Script = async (out) => {
      openStream(out)
      await writeParts(out, [chunk({ content: 'Par' })])
      out.socket!.resetAndDestroy()
    }
    expect(await failure(script)).toMatchObject({ kind: 'truncated' })
  })
  test('a reset before the headers, and nobody there', async () => {
    expect(await failure((out) => void out.socket!.resetAndDestroy())).toMatchObject({ kind: 'unreachable' })
    const url = await withScript(
      () => undefined,
      async (server) => server.url,
    )
    expect(await failureOf(generate(url))).toMatchObject({ kind: 'unreachable' })
  })
  test('an error object inside a 200 stream, with the usage so far', async () => {
    const error = `data: ${JSON.stringify({ error: { message: 'Overloaded', type: 'service_unavailable_error', code: 'server_is_overloaded' } })}\n\n`
    expect(await failure(playing([chunk({ content: 'Hi' }, null, { usage }), error]))).toMatchObject({
      kind: 'overloaded',
      usage: counted,
    })
    expect(
      await failure(playing(['event: error\ndata: {"message":"slow","type":"rate_limit_error"}\n\n'])),
    ).toMatchObject({ kind: 'rate_limited' })
    expect(await failure(playing(['event: error\ndata: plain words\n\n']))).toMatchObject({ kind: 'server_error' })
    expect(
      await failure(
        (out) => json(out, 200, { error: { message: 'x', code: 'insufficient_quota' } }),
        {},
        { stream: false },
      ),
    ).toMatchObject({ kind: 'quota_exhausted' })
  })
  test.each([
    ['a complete stream without text', [chunk({ content: '' }, 'stop'), done], 'malformed', 'empty answer'],
    ['only white space', [chunk({ content: ' \n' }, 'stop'), done], 'malformed', 'empty answer'],
    [
      'only tool calls',
      [chunk({ tool_calls: [{}] }, 'tool_calls'), done],
      'generation_failed',
      'the model stopped with tool_calls',
    ],
    [
      'all tokens spent on thinking',
      [chunk({ reasoning: 'hm' }), chunk({}, 'length'), done],
      'limit_reached',
      'the token limit was reached before the answer began',
    ],
    [
      'a refusal',
      [chunk({ refusal: 'I cannot' }), chunk({}, 'stop'), done],
      'content_blocked',
      'the model refused to answer',
    ],
    ['a filter', [chunk({}, 'content_filter'), done], 'content_blocked', 'the model refused to answer'],
    [
      'no resources',
      [chunk({ content: 'Hi' }, 'insufficient_system_resource'), done],
      'overloaded',
      'the model stopped with insufficient_system_resource',
    ],
    ['garbage', ['data: {oops}\n\n'], 'malformed', 'an event of the stream is not JSON'],
    ['a list', ['data: []\n\n'], 'malformed', 'the reply is not an object'],
    [
      'ten megabytes in one event',
      ['data: ' + 'x'.repeat(10_000_000)],
      'malformed',
      'an event is longer than 1048576 characters',
    ],
  ])('%s', async (_, parts, kind, message) => expect(await failure(playing(parts))).toMatchObject({ kind, message }))
  test('HTML with status 200 and with 502', async () => {
    const page =
      (status: number): Script =>
      (out) =>
        void out.writeHead(status, { 'content-type': 'text/html' }).end('<html>hello</html>')
    expect(await failure(page(200))).toMatchObject({ kind: 'malformed', message: 'the reply was an HTML page' })
    expect(await failure(page(502))).toMatchObject({ kind: 'server_error', status: 502 })
  })
  test('half a whole reply', async () => {
    expect(
      await failure((out) => json(out, 200, JSON.stringify(whole).slice(0, 60)), {}, { stream: false }),
    ).toMatchObject({ kind: 'truncated' })
  })
  test('a redirect is not followed, so the key goes nowhere else', async () => {
    await withScript(
      (out) => json(out, 200, whole),
      async (other) => {
        const script: Script = (out) => void out.writeHead(307, { location: `${other.url}/chat/completions` }).end()
        expect(await failure(script)).toMatchObject({ kind: 'not_found', status: 307 })
        expect(other.received).toEqual([])
      },
    )
  })
  test('a refusal with its wait', async () => {
    const body = {
      error: {
        message: `Rate limit reached for ${promptCanary}. Please try again in 7.5s.`,
        type: 'tokens',
        code: 'rate_limit_exceeded',
      },
    }
    const seen = await failure((out) => json(out, 429, body), { dialect: groq })
    expect(seen).toMatchObject({
      kind: 'rate_limited',
      status: 429,
      retryAfterMs: 7500,
      message: '429 rate_limit_exceeded',
    })
  })
  test('exactly one request, whatever happens', async () => {
    await withScript(
      (out) => json(out, 429, {}, { 'retry-after': '0' }),
      async (server) => {
        await failureOf(generate(server.url))
        expect(server.received).toHaveLength(1)
      },
    )
  })
})

describe('keys and addresses', () => {
  test.each([
    ['none', () => ''],
    ['one with a line break', () => `${canaryKey}\nx`],
    ['one that cannot be read', () => Promise.reject(new Error(canaryKey))],
  ])('%s is an auth failure that does not tell it', async (_, key) => {
    const seen = await failureOf(generate('http://127.0.0.1:1', { key }))
    expect(seen.kind).toBe('auth')
    expect(`${seen.message}${seen.stack}${JSON.stringify(seen)}`).not.toContain(canaryKey)
  })
  test('a provider that echoes key and prompt cannot make a failure tell them', async () => {
    const echo: Script = (out, request) =>
      json(out, 400, { error: { message: `bad: ${request.headers.authorization} ${request.body}` } })
    const seen = await failure(echo)
    const told = `${seen.message}${seen.stack}${JSON.stringify(seen)}`
    for (const secret of [canaryKey, promptCanary]) expect(told).not.toContain(secret)
  })
  test.each(['ftp://x', 'https://user:pw@x', 'https://x/?key=1', 'nonsense'])('%s is no base URL', (baseUrl) => {
    expect(() => createOpenAiCompatible({ fetch, baseUrl, key: () => 'k', dialect: deepseek })).toThrow(/URL/)
  })
})

test('hundreds of calls at once do not mix', async () => {
  const script: Script = async (out, request) => {
    const { messages } = JSON.parse(request.body) as { messages: { content: string }[] }
    await playing([chunk({ content: messages.at(-1)!.content }), chunk({}, 'stop'), done])(out, request)
  }
  await withScript(script, async (server) => {
    const client = createOpenAiCompatible({ fetch, baseUrl: server.url, key: () => 'k', dialect: deepseek })
    const call = (number: number) =>
      client.generate(modelRequest({ user: `call ${number}` }), new AbortController().signal)
    const calls = Array.from({ length: 200 }, (_, number) => call(number))
    expect((await Promise.all(calls)).map(({ text }) => text)).toEqual(calls.map((_, number) => `call ${number}`))
  })
})
