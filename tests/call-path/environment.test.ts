// What the environment does to the calls of a whole run: certificates, proxies, names, versions of HTTP. Real processes, as Node reads
// its certificates at its start.
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer as createPlainServer } from 'node:http'
import { createSecureServer } from 'node:http2'
import { createServer } from 'node:https'
import { connect, type AddressInfo, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { projectPath } from '../fixtures/paths.js'
import { aetherflow, jsonLines, Process, scratch } from '../node/cli-process.js'
import { onePlan } from './player.js'
import { says } from './shapes.js'

// Processes start slowly on a busy machine; no test waits for the clock.
jest.setTimeout(60_000)

const certificate = projectPath('tests/fixtures/tls/certificate.pem')
const tls = { cert: readFileSync(certificate), key: readFileSync(projectPath('tests/fixtures/tls/key.pem')) }
const hello = (says('hello').events ?? [])
  .map((event) => `data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`)
  .join('')

let folder = ''
let remove = (): void => {}
const servers: Server[] = []
const sockets = new Set<Socket>()
beforeEach(() => void ({ folder, remove } = scratch()))
afterEach(() => {
  Process.endAll()
  for (const socket of sockets) socket.destroy()
  for (const server of servers.splice(0)) server.close()
  remove()
})

async function listening(server: Server, host = '127.0.0.1'): Promise<number> {
  servers.push(server)
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
  })
  await once(server.listen(0, host), 'listening')
  return (server.address() as AddressInfo).port
}

let configs = 0
/** One step at a provider of that address. */
async function run(baseUrl: string, env: Readonly<Record<string, string>> = {}, more: object = {}) {
  const model = { in: 1, cached: 0.1, out: 2 }
  const alpha = { dialect: 'generic', baseUrl, key: 'k-alpha', default: 'm', models: { m: model } }
  const modes = { build: { rules: [{ name: 'all', use: ['alpha'], why: 'test' }] } }
  const config = join(folder, `config${configs++}.json`)
  writeFileSync(config, JSON.stringify({ providers: { alpha }, modes, retry: { baseMs: 1, capMs: 2 }, ...more }))
  const words = ['run', '-', '--no-output', '--json', '--config', config]
  const { code, stdout } = await aetherflow(words, JSON.stringify(onePlan), { env, cwd: folder })
  const lines = jsonLines(stdout)
  const of = (type: string) => lines.filter((line) => line['type'] === type)
  return { code, calls: of('call').length, failed: of('failed'), outputs: lines.at(-1)?.['outputs'] }
}
const served = { code: 0, calls: 1, failed: [], outputs: { a: 'hello' } }

describe('a certificate that Node does not trust', () => {
  test('fails at once and names the variable; with it the call goes through', async () => {
    const seen: unknown[] = []
    const server = createServer(tls, (incoming, reply) => {
      seen.push(incoming.headers.authorization)
      incoming.resume()
      reply.writeHead(200, { 'content-type': 'text/event-stream' }).end(hello)
    })
    const address = `https://localhost:${await listening(server)}/v1`
    const [without, with_, other] = await Promise.all([
      run(address),
      run(address, { NODE_EXTRA_CA_CERTS: certificate }),
      run(address.replace('localhost', '[::ffff:127.0.0.1]'), { NODE_EXTRA_CA_CERTS: certificate }),
    ])
    expect(without).toMatchObject({ code: 1, calls: 1, failed: [{ failure: 'certificate' }] })
    expect(String(without.failed[0]?.['message'])).toMatch(/not trusted \(\w+\).*NODE_EXTRA_CA_CERTS/)
    expect(with_).toEqual(served)
    // Trusted, but of another name.
    expect(other).toMatchObject({ code: 1, calls: 1, failed: [{ failure: 'certificate' }] })
    expect(seen).toEqual(['Bearer k-alpha'])
  })
})

test('a name that does not resolve fails after one retry', async () => {
  const ended = await run('https://no-such-host.invalid/v1')
  expect(ended).toMatchObject({ code: 1, calls: 2, failed: [{ failure: 'unresolved' }] })
  expect(String(ended.failed[0]?.['message'])).toMatch(/ENOTFOUND|EAI_/)
})

describe('a proxy', () => {
  test('carries the call in a tunnel, and sees neither key nor prompt', async () => {
    const server = createServer(tls, (incoming, reply) => {
      incoming.resume()
      reply.writeHead(200, { 'content-type': 'text/event-stream' }).end(hello)
    })
    const port = await listening(server)
    const asked: unknown[] = []
    let passed = ''
    const proxy = createPlainServer((_, reply) => void reply.writeHead(400).end())
    proxy.on('connect', (incoming, socket: Socket) => {
      asked.push([incoming.url, incoming.headers.authorization])
      // The name resolves here alone; the certificate is of localhost, so that is who answers.
      const there = connect(port, '127.0.0.1', () => socket.write('HTTP/1.1 200 yes\r\n\r\n'))
      socket.on('data', (part: Buffer) => (passed += part.toString('latin1')))
      socket.pipe(there).pipe(socket)
      for (const end of [socket, there]) end.on('error', () => undefined)
    })
    const env = {
      HTTPS_PROXY: `http://127.0.0.1:${await listening(proxy)}`,
      NODE_EXTRA_CA_CERTS: certificate,
    }
    expect(await run('https://api.llm.test/v1', env)).toEqual(served)
    expect(asked).toEqual([['api.llm.test:443', undefined]])
    expect(passed.length).toBeGreaterThan(100)
    expect(passed).not.toMatch(/k-alpha|Say hello/)
  })
})

test('a host that speaks HTTP/2 alone: fails at once with the switch, and answers with it', async () => {
  const server = createSecureServer(tls)
  server.on('stream', (stream) => {
    stream.resume()
    stream.respond({ ':status': 200, 'content-type': 'text/event-stream' })
    stream.end(hello)
  })
  const address = `https://localhost:${await listening(server as unknown as Server)}/v1`
  const env = { NODE_EXTRA_CA_CERTS: certificate }
  const [plain, switched] = [await run(address, env), await run(address, env, { transport: { http2: true } })]
  expect(plain).toMatchObject({ code: 1, calls: 1, failed: [{ failure: 'unreachable' }] })
  expect(String(plain.failed[0]?.['message'])).toContain('"http2": true')
  expect(switched).toEqual(served)
})

test('an address of IPv6, https and by its literal', async () => {
  const server = createPlainServer((incoming, reply) => {
    incoming.resume()
    reply.writeHead(200, { 'content-type': 'text/event-stream' }).end(hello)
  })
  expect(await run(`http://[::1]:${await listening(server, '::1')}/v1`)).toEqual(served)
})
