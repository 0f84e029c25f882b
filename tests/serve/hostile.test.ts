/** What strangers send: wrong names, wrong origins, bodies without end. Coded errors, no text of theirs in a log, memory as before. */
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { serve, type ServeHandle } from '../../node/serve/serve.js'
import { configOf, ScriptedProvider } from './scripted-provider.js'

jest.setTimeout(60_000)

const token = 'afk_test_0123456789abcdef'
/** `AETHERFLOW_LOAD=1000` for the long proof. */
const rounds = process.env['AETHERFLOW_LOAD'] === undefined ? 300 : 10_000
const provider = new ScriptedProvider()
const failures: string[] = []
let server: ServeHandle

beforeAll(async () => {
  server = await serve({
    port: 0,
    config: configOf(await provider.open()),
    keys: [{ name: 'test', token, models: ['auto', 'local/*'] }],
    corsOrigins: ['https://app.example'],
    onFailure: (error) => void failures.push(String(error)),
  })
})
afterAll(async () => {
  provider.close()
  await server.close()
})

interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly text: string
}

function ask(
  path: string,
  {
    method = 'GET',
    headers = {},
    body,
  }: { method?: string; headers?: Record<string, string>; body?: string | Buffer } = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(server.url)
    const sent = httpRequest({ hostname, port, path, method, agent: false, headers }, (reply) => {
      let text = ''
      reply.setEncoding('utf8').on('data', (piece: string) => (text += piece))
      reply.on('end', () => resolve({ status: reply.statusCode ?? 0, headers: reply.headers, text }))
      reply.on('error', reject)
    })
    // A server that has refused a body may close before all of it is there.
    sent.on('error', (error: NodeJS.ErrnoException) => (error.code === 'EPIPE' ? undefined : reject(error)))
    sent.end(body)
  })
}

const own = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
const post = (body: string | Buffer, headers: Record<string, string> = {}): Promise<Reply> =>
  ask('/v1/chat/completions', { method: 'POST', headers: { ...own, ...headers }, body })
const codeOf = ({ text }: Reply): unknown => (JSON.parse(text) as { error: { code: unknown } }).error.code

test.each(['evil.example', 'evil.example:80', '127.0.0.1.evil.example', 'localhost@evil.example', '[::2]'])(
  'a request that calls this machine %p is refused before its key is looked at',
  async (host) => {
    const reply = await ask('/v1/models', { headers: { ...own, host } })
    expect([reply.status, codeOf(reply)]).toEqual([403, 'unknown_host'])
  },
)

test.each(['localhost', '127.0.0.1:99', '[::1]:4748', 'LocalHost'])('the name %p is ours', async (host) => {
  expect((await ask('/v1/models', { headers: { ...own, host } })).status).toBe(200)
})

test('pages of other origins are refused, of those that were named let in, of ours as before', async () => {
  const from = (origin: string, method = 'GET') => ask('/v1/models', { method, headers: { ...own, origin } })
  expect(codeOf(await from('https://evil.example'))).toBe('unknown_origin')
  expect(codeOf(await from('null'))).toBe('unknown_origin')
  const named = await from('https://app.example')
  expect(named.headers).toMatchObject({ 'access-control-allow-origin': 'https://app.example', vary: 'Origin' })
  expect(String(named.headers['access-control-expose-headers'])).toContain('x-aetherflow-cost-usd')
  expect((await from(server.url)).headers).not.toHaveProperty('access-control-allow-origin')
  const preflight = await ask('/v1/chat/completions', {
    method: 'OPTIONS',
    headers: { origin: 'https://app.example', 'access-control-request-headers': 'authorization, x-stainless-os' },
  })
  expect(preflight.status).toBe(204)
  expect(preflight.headers['access-control-allow-headers']).toBe('authorization, x-stainless-os')
  expect(
    (await ask('/v1/chat/completions', { method: 'OPTIONS', headers: { origin: 'https://evil.example' } })).status,
  ).toBe(403)
})

test('keys: none, a wrong one, one in the wrong place; health asks for none', async () => {
  for (const headers of [
    {},
    { authorization: 'Bearer x' },
    { authorization: token },
    { cookie: `aetherflow_session=${token}` },
  ]) {
    const reply = await ask('/v1/models', { headers: headers as Record<string, string> })
    expect([reply.status, codeOf(reply), reply.headers['www-authenticate']]).toEqual([401, 'invalid_api_key', 'Bearer'])
  }
  expect((await ask('/metrics')).status).toBe(401)
  expect(await ask('/health')).toMatchObject({ status: 200, text: '{"status":"ok"}' })
  expect((await ask(`/v1/models?key=${token}`)).status).toBe(401)
  const fast = await post(JSON.stringify({ model: 'fast', messages: [{ role: 'user', content: 'x' }] }))
  expect([fast.status, codeOf(fast)]).toEqual([403, 'model_not_allowed'])
})

test('a link signs a page in once', async () => {
  const link = new URL(server.signInLink())
  const first = await ask(link.pathname + link.search)
  const cookie = String(first.headers['set-cookie'])
  expect(first.status).toBe(303)
  expect(cookie).toMatch(/HttpOnly; SameSite=Strict/)
  expect((await ask('/v1/models', { headers: { cookie: cookie.split(';')[0] ?? '' } })).status).toBe(200)
  expect((await ask(link.pathname + link.search)).status).toBe(403)
})

test.each([
  ['no JSON', '{', 400],
  ['no object', '[]', 400],
  ['no UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 400],
  ['deep', '['.repeat(100_000), 400],
  ['deep in a member', `{"messages":${'['.repeat(1000)}${']'.repeat(1000)}}`, 400],
  ['no model', '{"messages":[{"role":"user","content":"x"}]}', 400],
  ['no messages', '{"model":"auto"}', 400],
  ['the other interface', '{"model":"auto","input":"x"}', 400],
  ['a role of its own', '{"model":"auto","messages":[{"role":"root","content":"x"}]}', 400],
  ['too large', Buffer.alloc(11 * 1024 * 1024, 0x20), 413],
])('a body that is %s', async (_name, body, status) => {
  const reply = await post(body)
  expect(reply.status).toBe(status)
  expect(typeof codeOf(reply)).toBe('string')
})

test('bodies of another type, addresses and methods that there are not', async () => {
  expect((await post('{}', { 'content-type': 'text/plain' })).status).toBe(415)
  expect((await ask('/v1/nothing', { headers: own })).status).toBe(404)
  expect(await ask('/v1/models', { method: 'DELETE', headers: own })).toMatchObject({
    status: 405,
    headers: { allow: 'GET' },
  })
  expect((await ask('/v1/models/%E0%A4%A', { headers: own })).status).toBe(400)
  expect((await ask('/../../etc/passwd')).status).toBe(404)
  expect((await ask('/v1/models', { headers: { ...own, 'x-flood': 'x'.repeat(20_000) } })).status).toBe(431)
})

test('a body without end is cut off', async () => {
  const { hostname, port } = new URL(server.url)
  const socket = connect(Number(port), hostname)
  const head = `POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`
  socket.write(head)
  const piece = `${(1 << 20).toString(16)}\r\n${' '.repeat(1 << 20)}\r\n`
  let text = ''
  socket.setEncoding('utf8').on('data', (part: string) => (text += part))
  const closed = new Promise<void>((resolve) => socket.on('close', () => resolve()).on('error', () => undefined))
  const pour = (): void => {
    while (!socket.destroyed && socket.write(piece));
  }
  socket.on('drain', pour)
  pour()
  await closed
  expect(text === '' || text.includes('413')).toBe(true)
})

test('random bodies: always a coded refusal, nothing of them in a log, no call', async () => {
  let seed = 1
  const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below
  const words = [
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '"model"',
    '"auto"',
    '"messages"',
    '"role"',
    '"user"',
    'null',
    '1e99',
    '"\\u0000"',
    '-',
  ]
  for (let round = 0; round < rounds; ++round) {
    const body = Array.from({ length: 1 + random(30) }, () => words[random(words.length)]).join('')
    const reply = await post(`{"model":"auto","secret":"PROMPT-${round}","messages":${body}}`)
    expect(reply.status).toBe(400)
    expect(reply.text).not.toContain('PROMPT')
  }
  expect(provider.calls).toBe(0)
  expect(failures).toEqual([])
})

test('good bodies that were spoilt at a random place: an answer, or a refusal with a code, and never a failure of ours', async () => {
  let seed = 7
  const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below
  const good = JSON.stringify({
    model: 'auto',
    messages: [
      { role: 'system', content: 'be brief' },
      { role: 'user', content: [{ type: 'text', text: 'PROMPT-é' }] },
    ],
    max_tokens: 5,
    temperature: 0.5,
    stop: ['x'],
    stream: false,
    tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }],
    response_format: { type: 'json_object' },
    aetherflow: { cache: 'no-store', 'budget-usd': 1 },
  })
  const pieces = [
    '',
    'null',
    '-1',
    '1e999',
    '"',
    '[]',
    '{}',
    '\\u0000',
    ',',
    ':',
    'true',
    '\ud800',
    '{"a":',
    '9'.repeat(400),
  ]
  const statuses = new Map<number, number>()
  provider.calls = 0
  for (let round = 0; round < rounds / 2; ++round) {
    const [from, cut] = [random(good.length), random(12)]
    const body = good.slice(0, from) + (pieces[random(pieces.length)] ?? '') + good.slice(from + cut)
    const { status, text } = await post(body)
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
    expect([200, 400, 402, 403, 404]).toContain(status)
    if (status !== 200) expect(JSON.parse(text)).toMatchObject({ error: { code: expect.any(String) } })
    if (status === 400) expect(text).not.toContain('PROMPT')
  }
  // Neither all refused nor all let in.
  expect(statuses.get(200)).toBeGreaterThan(0)
  expect(statuses.get(400)).toBeGreaterThan(0)
  expect(failures).toEqual([])
})

test('many headers, and many of one name, are no trouble', async () => {
  const flood = Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`x-h${at}`, '1']))
  const reply = await ask('/v1/models', { headers: { ...own, ...flood } })
  expect([200, 400, 401, 431]).toContain(reply.status)
  expect((await ask('/v1/models', { headers: own })).status).toBe(200)
})
