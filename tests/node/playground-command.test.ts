/** `aetherflow playground` as a process: what it hands out, what it refuses, and how it ends. */
import { request } from 'node:http'
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import { Process } from './cli-process.js'

let program: Process
let url: URL
beforeAll(async () => {
  program = new Process(['playground', '--port', '0'])
  await program.until('/\n')
  url = new URL(program.stdout.trim())
})
afterAll(() => Process.endAll())
const others: Process[] = []
afterEach(() => others.splice(0).forEach(({ child }) => child.kill('SIGKILL')))

interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

/** A path as it stands, which fetch would tidy. */
function ask(path: string, headers: Readonly<Record<string, string>> = {}, method = 'GET'): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = url
    request({ hostname, port, path, method, headers, agent: false }, (reply) => {
      let body = ''
      reply.setEncoding('utf8').on('data', (text: string) => (body += text))
      reply.on('end', () => resolve({ status: reply.statusCode ?? 0, headers: reply.headers, body }))
    })
      .on('error', reject)
      .end()
  })
}

test('the page and its files come under one strict policy, on the loopback alone', async () => {
  expect(url.hostname).toBe('127.0.0.1')
  for (const [path, type] of [
    ['/', 'text/html'],
    ['/main.js', 'text/javascript'],
    ['/page.css', 'text/css'],
    ['/core/aetherflow_core.wasm', 'application/wasm'],
    ['/examples/diamond.json', 'application/json'],
    ['/licences.txt', 'text/plain'],
  ] as const) {
    const { status, headers } = await ask(path)
    expect([path, status]).toEqual([path, 200])
    expect(headers['content-type']).toContain(type)
    const policy = String(headers['content-security-policy'])
    expect(policy).toContain("default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self';")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toMatch(/unsafe-inline|unsafe-eval'(?<!wasm-unsafe-eval')/)
    // One's own providers and relays may be anywhere; scripts and styles may not.
    expect(policy).toContain("connect-src 'self' https: http://localhost:* http://127.0.0.1:*;")
    expect(policy.replace(/connect-src [^;]*;/, '')).not.toMatch(/\*|https?:/)
    expect(headers['x-content-type-options']).toBe('nosniff')
  }
})

test('the licences of what is bundled go with it', async () => {
  const { body } = await ask('/licences.txt')
  for (const name of ['@codemirror/view', '@codemirror/state', '@lezer/json', '@dagrejs/dagre'])
    expect(body).toContain(`${name} `)
  expect(body.match(/Permission is hereby granted/g)?.length).toBeGreaterThan(8)
})

test.each([
  '/../package.json',
  '/..%2f..%2fpackage.json',
  '/%2e%2e/%2e%2e/package.json',
  '//etc/passwd',
  '/examples/../../../package.json',
  '/examples',
  '/%00',
  '/%zz',
  '/absent.js',
])('%s is not found', async (path) => {
  expect((await ask(path)).status).toBe(404)
})

test('other names for this machine, and other methods, are refused', async () => {
  expect((await ask('/', { host: 'evil.example' })).status).toBe(403)
  expect((await ask('/', { host: 'evil.example:80' })).status).toBe(403)
  expect((await ask('/', { host: `localhost:${url.port}` })).status).toBe(200)
  expect((await ask('/', {}, 'POST')).status).toBe(405)
  const head = await ask('/', {}, 'HEAD')
  expect([head.status, head.body]).toEqual([200, ''])
})

test('a port that is taken fails, one that is none is wrong usage', async () => {
  const taken = new Process(['playground', '--port', url.port])
  others.push(taken)
  const { code, stderr } = await taken.exit()
  expect(code).toBe(1)
  expect(stderr).toContain('the port is taken')
  const wrong = new Process(['playground', '--port', '70000'])
  others.push(wrong)
  expect((await wrong.exit()).code).toBe(2)
})

test('an interruption ends it in order', async () => {
  const other = new Process(['playground', '--port', '0'])
  others.push(other)
  await other.until('/\n')
  other.child.kill('SIGINT')
  const { code, stderr } = await other.exit()
  expect([code, stderr]).toEqual([0, 'The playground is open at this address; Ctrl-C ends it.\n'])
})
