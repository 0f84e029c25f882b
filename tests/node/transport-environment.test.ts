// What the environment says: proxies, packed bodies, silence, names of this machine.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import { lookupBoth, proxyFor } from '../../node/transport/environment.js'
import { pooledTransport } from '../../node/transport/transport.js'
import { rejection, requestTo, Stop, textOf, turns } from '../contract/transport.js'
import type { Script } from '../sim/scripted-server.js'
import { failureOf, generate, withScript } from '../web/call.js'

describe('the proxy for an origin', () => {
  const proxy = 'http://proxy.test:3128'
  test.each([
    ['https://api.test', { HTTPS_PROXY: proxy }, proxy],
    ['https://api.test', { HTTP_PROXY: proxy }, proxy],
    ['http://api.test', { HTTPS_PROXY: proxy }, undefined],
    ['http://api.test', { http_proxy: proxy, HTTP_PROXY: 'http://other.test' }, proxy],
    ['https://api.test', { HTTPS_PROXY: 'proxy.test:3128' }, proxy],
    ['https://api.test', { HTTPS_PROXY: proxy, NO_PROXY: 'api.test' }, undefined],
    ['https://eu.api.test', { HTTPS_PROXY: proxy, NO_PROXY: 'x.test, .api.test' }, undefined],
    ['https://eu.api.test', { HTTPS_PROXY: proxy, NO_PROXY: '*.api.test' }, undefined],
    ['https://notapi.test', { HTTPS_PROXY: proxy, NO_PROXY: 'api.test' }, proxy],
    ['https://api.test:8443', { HTTPS_PROXY: proxy, NO_PROXY: 'api.test:443' }, proxy],
    ['https://api.test', { HTTPS_PROXY: proxy, NO_PROXY: '*' }, undefined],
    ['https://localhost:1', { HTTPS_PROXY: proxy }, undefined],
    ['http://[::1]:1', { HTTP_PROXY: proxy }, undefined],
    ['https://api.test', {}, undefined],
    ['https://api.test', { HTTPS_PROXY: 'http://%%' }, undefined],
  ])('%s with %j', (origin, env, expected) => expect(proxyFor(origin, env)).toBe(expected))
})

test('requests go through it: whole addresses for http, tunnels for https, and its refusal is named', async () => {
  const seen: string[] = []
  const server = createServer((incoming, reply) => {
    seen.push(`${incoming.method} ${incoming.url}`)
    incoming.resume()
    reply.end('by the proxy')
  })
  server.on('connect', (incoming, socket: Socket) => {
    seen.push(`CONNECT ${incoming.url}`)
    socket.end('HTTP/1.1 502 no\r\n\r\n')
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const proxy = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const transport = pooledTransport({ env: { HTTP_PROXY: proxy, HTTPS_PROXY: proxy } })
  try {
    expect(await textOf(await transport.send(requestTo('http://api.test/v1/x')))).toBe('by the proxy')
    const refused = await failureOf(generate('https://api.test/v1', { transport }))
    expect(refused.message).toContain('the proxy refused the connection with 502')
    expect(seen).toEqual(['POST http://api.test/v1/x', 'CONNECT api.test:443'])
  } finally {
    await transport.close()
    server.close()
  }
})

describe('packed bodies', () => {
  const text = 'hello, reader. '.repeat(5000)
  const send = async (script: Script) => {
    const transport = pooledTransport()
    try {
      return await withScript(script, async ({ url }) => textOf(await transport.send(requestTo(url))))
    } finally {
      await transport.close()
    }
  }
  test.each([
    ['gzip', gzipSync(text)],
    ['x-gzip', gzipSync(text)],
    ['deflate', deflateSync(text)],
    ['deflate', deflateRawSync(text)],
    ['br', brotliCompressSync(text)],
    ['deflate, gzip', gzipSync(deflateSync(text))],
    ['GZIP', gzipSync(text)],
    ['identity', Buffer.from(text)],
    ['unheard-of', Buffer.from(text)],
  ])('%s', async (packing, bytes) => {
    const whole: Script = (out) => void out.writeHead(200, { 'content-encoding': packing }).end(bytes)
    expect(await send(whole)).toBe(text)
    const pieces: Script = async (out) => {
      out.writeHead(200, { 'content-encoding': packing })
      for (let at = 0; at < bytes.length; at += Math.ceil(bytes.length / 7)) {
        out.write(bytes.subarray(at, at + Math.ceil(bytes.length / 7)))
        await turns(2)
      }
      out.end()
    }
    expect(await send(pieces)).toBe(text)
  })

  test('one that is none rejects; one that ends early gives what there is', async () => {
    const none = rejection(send((out) => void out.writeHead(200, { 'content-encoding': 'gzip' }).end('plain text')))
    expect(await none).toMatchObject({ code: 'ERR_CONTENT_DECODING' })
    const bytes = gzipSync(text)
    const half = await send(
      (out) => void out.writeHead(200, { 'content-encoding': 'gzip' }).end(bytes.subarray(0, bytes.length / 2)),
    )
    expect(text.startsWith(half)).toBe(true)
  })
})

test('after a silence no request goes to the connections of before; what they carry is finished', async () => {
  const connections: unknown[] = []
  let letGo = (): void => undefined
  const script: Script = async (out, { body }) => {
    connections.push(out.socket)
    if (body === 'silent') return
    if (body === 'slow') await new Promise<void>((resolve) => (letGo = resolve))
    out.end(body)
  }
  const transport = pooledTransport()
  await withScript(script, async ({ url }) => {
    const send = async (body: string, signal = new Stop()) =>
      textOf(await transport.send(requestTo(url, { body, signal })))
    expect(await send('first')).toBe('first')
    const slow = send('slow')
    const signal = new Stop(true)
    const silent = rejection(send('silent', signal))
    while (connections.length < 3) await turns(1)
    signal.stop()
    await silent
    expect(await send('after')).toBe('after')
    expect(connections.slice(0, 3)).not.toContain(connections[3])
    letGo()
    expect(await slow).toBe('slow')
  })
  await transport.close()
})

test('calls that follow on each other’s heels share a connection', async () => {
  const transport = pooledTransport()
  await withScript(
    (out, { body }) => void out.end(body),
    async ({ url, connections }) => {
      for (let call = 0; call < 20; call++) await textOf(await transport.send(requestTo(url)))
      expect(connections()).toBe(1)
    },
  )
  await transport.close()
})

test('requests name their sender and say what they take', async () => {
  const transport = pooledTransport()
  await withScript(
    (out) => void out.end(),
    async ({ url, received }) => {
      await transport.send(requestTo(url))
      expect(received[0]!.headers).toMatchObject({
        'user-agent': expect.stringMatching(/^aetherflow\/\d/),
        accept: 'application/json',
        'accept-encoding': 'gzip, deflate, br',
      })
    },
  )
  await transport.close()
})

test('a name of this machine is both of its addresses', async () => {
  const server = createServer((_, reply) => void reply.end())
  await once(server.listen(0, '::1'), 'listening')
  const { port } = server.address() as AddressInfo
  const socket = connect({ host: 'localhost', port, lookup: lookupBoth as never })
  await once(socket, 'connect')
  expect(socket.remoteAddress).toBe('::1')
  socket.destroy()
  server.close()
})
