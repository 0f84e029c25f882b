/**
 * Clients that take their time: who reads nothing, who sends nothing on, and many who wait. None of them is another's trouble.
 * `AETHERFLOW_LOAD=1000` for the long proof (npm run test:load).
 */
import { afterEach, expect, jest, test } from '@jest/globals'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Clock } from '../../bindings/ports.js'
import { serve, type ServeHandle, type ServeOptions } from '../../node/serve/serve.js'
import { configOf, ScriptedProvider } from './scripted-provider.js'

jest.setTimeout(240_000)

const long = process.env['AETHERFLOW_LOAD'] !== undefined
const many = Number(process.env['AETHERFLOW_LOAD'] ?? 50)
const token = 'afk_test_0123456789abcdef'
const open: { close(): Promise<void> | void }[] = []
const sockets = new Set<Socket>()
afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  sockets.clear()
  for (const each of open.splice(0).reverse()) await each.close()
})

async function start(options: ServeOptions = {}): Promise<{ server: ServeHandle; provider: ScriptedProvider }> {
  const provider = new ScriptedProvider()
  const { providers, ...config } = configOf(await provider.open())
  open.push(provider)
  const local = { ...providers!['local'], concurrency: 2000 }
  const keys = [{ name: 'test', token }]
  const server = await serve({ port: 0, keys, config: { ...config, providers: { local } }, graceMs: 0, ...options })
  open.push(server)
  return { server, provider }
}

const headers = (length: number): string =>
  [
    'POST /v1/chat/completions HTTP/1.1',
    'Host: localhost',
    `Authorization: Bearer ${token}`,
    'Content-Type: application/json',
    `Content-Length: ${length}`,
    '\r\n',
  ].join('\r\n')
const bodyOf = (content: string): string =>
  JSON.stringify({ model: 'auto', stream: true, messages: [{ role: 'user', content }] })
const requestOf = (content: string): string => {
  const body = bodyOf(content)
  return headers(Buffer.byteLength(body)) + body
}

async function client({ url }: ServeHandle, text: string): Promise<Socket> {
  const { port, hostname } = new URL(url)
  const socket = connect(Number(port), hostname)
  sockets.add(socket)
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  socket.write(text)
  return socket
}

const quick = async ({ url }: ServeHandle): Promise<number> => {
  const reply = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: bodyOf('say hello'),
  })
  expect(await reply.text()).toContain('[DONE]')
  return reply.status
}

test('whoever does not read is cut off before the answer fills the memory, and the provider stops', async () => {
  const { server, provider } = await start()
  const piece = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: 'x'.repeat(1 << 16) } }] })}\n\n`
  let written = 0
  const stopped = new Promise<void>((resolve) => {
    provider.before = (asked, response) => {
      if (!JSON.stringify(asked).includes('flood')) return false
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const pour = (): void => {
        while (!response.destroyed && written < 1 << 28 && response.write(piece)) written += piece.length
      }
      response.on('drain', pour).once('close', () => resolve())
      pour()
      return true
    }
  })
  const socket = await client(server, requestOf('flood'))
  socket.pause()
  await stopped
  // Far less than there was to come: what waits for a reader is bounded, here and in the sockets between.
  expect(written).toBeLessThan(1 << 27)
  expect(await quick(server)).toBe(200)
})

test('whoever does not send on holds up nobody', async () => {
  const { server } = await start()
  const half = [
    // Nothing, half a head, half a body.
    ...Array.from({ length: 20 }, () => ''),
    ...Array.from({ length: 20 }, () => 'POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nX-A: '),
    ...Array.from({ length: 20 }, () => `${headers(1000)}{"model":`),
  ]
  await Promise.all(half.map((text) => client(server, text)))
  for (let round = 0; round < 3; ++round) expect(await quick(server)).toBe(200)
})

test('a body that comes byte by byte is as good as another', async () => {
  const { server } = await start()
  const body = bodyOf('say slowly')
  const socket = await client(server, headers(Buffer.byteLength(body)))
  let text = ''
  socket.setEncoding('utf8').on('data', (piece: string) => (text += piece))
  for (const byte of Buffer.from(body)) {
    socket.write(Buffer.of(byte))
    await new Promise((resolve) => setImmediate(resolve))
  }
  while (!text.includes('[DONE]')) await once(socket, 'data')
  expect(text).toContain('200 OK')
})

;(long ? test : test.skip)('what does not come at all is given up', async () => {
  const { server } = await start()
  const socket = await client(server, 'POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nX-A: ')
  let text = ''
  socket.setEncoding('utf8').on('data', (piece: string) => (text += piece))
  await once(socket, 'close')
  expect(text).toContain('408')
})

/** A clock that stands until it is moved. */
class HandClock implements Clock {
  #now = 0
  readonly #timers = new Set<{ readonly at: number; readonly callback: () => void }>()
  now(): number {
    return this.#now
  }
  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, callback }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }
  move(ms: number): void {
    this.#now += ms
    for (const timer of [...this.#timers]) if (timer.at <= this.#now && this.#timers.delete(timer)) timer.callback()
  }
}

test(`${many} streams that wait are told that they are alive, and each comes to its end`, async () => {
  const clock = new HandClock()
  const { server, provider } = await start({ clock })
  const texts = new Map<Socket, string>()
  const seen = (text: string): Promise<unknown> =>
    Promise.all(
      [...texts.keys()].map(
        (socket) =>
          new Promise<void>((resolve) => {
            const look = (): void => {
              if (texts.get(socket)?.includes(text) !== true) return
              socket.off('data', look)
              resolve()
            }
            socket.on('data', look)
            look()
          }),
      ),
    )
  for (let at = 0; at < many; ++at) {
    const socket = await client(server, requestOf('hold'))
    texts.set(socket, '')
    socket.setEncoding('utf8').on('data', (piece: string) => texts.set(socket, `${texts.get(socket)}${piece}`))
  }
  await provider.holds(many)
  await seen('"content":"held"')
  const before = process.memoryUsage.rss()
  clock.move(15_000)
  await seen('\n: \n\n')
  clock.move(15_000)
  expect(await quick(server)).toBe(200)
  console.log(
    `${many} idle streams: ${((before - baseline) / many / 1024).toFixed(1)} KB each, both sides and the provider in one process`,
  )
  provider.releaseAll()
  await seen('[DONE]')
})
const baseline = process.memoryUsage.rss()
