import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import {
  constants,
  createSecureServer,
  createServer as createPlain,
  type Http2SecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type Settings,
} from 'node:http2'
import { createServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { describe, expect, jest, test } from '@jest/globals'
import type { ConnectionInfo, TransportReply } from '../../bindings/ports.js'
import { pooledTransport, type PooledTransport, type PooledTransportOptions } from '../../node/transport/transport.js'
import { rejection, requestTo, Stop, textOf, turns } from '../contract/transport.js'
import { PausingClock } from '../faults/pausing-clock.js'
import { projectPath } from '../fixtures/paths.js'
import { canaryKey, chunk, done, failureOf, generate } from '../web/call.js'

// A busy machine takes its time for so many handshakes.
jest.setTimeout(60_000)

const pem = (name: string) => readFileSync(projectPath(`tests/fixtures/tls/${name}.pem`), 'utf8')
const [cert, key] = [pem('certificate'), pem('key')]

interface Server {
  readonly url: string
  readonly sockets: Set<Socket>
  readonly sessions: ServerHttp2Session[]
  /** Bodies of the requests that were received whole. */
  readonly received: string[]
}
type Answer = (reply: Http2ServerResponse, body: string) => void

/** A server on loopback with the tests' certificate; `http1`: it offers nothing newer. */
async function over<T>(
  answer: Answer,
  use: (transport: PooledTransport, server: Server) => Promise<T>,
  { http1 = false, trusted = true, ...options }: { http1?: boolean; trusted?: boolean } & PooledTransportOptions = {},
): Promise<T> {
  const received: string[] = []
  const [sockets, sessions] = [new Set<Socket>(), [] as ServerHttp2Session[]]
  const listener = async (incoming: Http2ServerRequest, reply: Http2ServerResponse) => {
    let body = ''
    try {
      for await (const part of incoming) body += String(part)
    } catch {
      return
    }
    received.push(body)
    answer(reply, body)
  }
  const server = http1
    ? (createServer({ cert, key }, listener as never) as unknown as Http2SecureServer)
    : createSecureServer({ cert, key, allowHTTP1: true }, (incoming, reply) => void listener(incoming, reply))
  server.on('secureConnection', (socket: Socket) => void sockets.add(socket))
  server.on('session', (session: ServerHttp2Session) => void sessions.push(session))
  server.on('tlsClientError', () => undefined)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const url = `https://localhost:${(server.address() as AddressInfo).port}`
  const transport = pooledTransport({ http2: true, ...(trusted && { ca: cert }), ...options })
  try {
    return await use(transport, { url, sockets, sessions, received })
  } finally {
    await transport.close()
    for (const socket of sockets) socket.destroy()
    server.close()
  }
}

const echo: Answer = (reply, body) => void reply.writeHead(200, { 'content-type': 'text/plain' }).end(body)
const many = (count: number, each: (body: string) => Promise<unknown>) =>
  Promise.all(Array.from({ length: count }, (_, number) => each(String(number))))

describe('HTTP/2, where it is asked for and offered', () => {
  test('many requests at once share one connection, also before it stands', async () => {
    await over(echo, async (transport, { url, sockets, sessions }) => {
      const seen: ConnectionInfo[] = []
      const onSent = (info: ConnectionInfo) => void seen.push(info)
      const texts = await many(30, async (body) => textOf(await transport.send(requestTo(url, { body, onSent }))))
      expect(texts).toEqual(Array.from({ length: 30 }, (_, number) => String(number)))
      expect([sockets.size, sessions.length]).toEqual([1, 1])
      expect(seen.filter(({ reused }) => reused)).toHaveLength(29)
      expect(seen[0]).toMatchObject({ reused: false })
      expect(transport.stats()).toMatchObject({ requests: 30, reused: 29 })
    })
  })

  test('a client streams over it', async () => {
    const stream: Answer = (reply) => {
      reply.writeHead(200, { 'content-type': 'text/event-stream' })
      for (const part of [chunk({ content: 'Hi' }), chunk({}, 'stop'), done]) reply.write(part)
      reply.end()
    }
    await over(stream, async (transport, { url }) => {
      expect(await generate(url, { transport })).toMatchObject({ text: 'Hi', finish: 'stop' })
    })
  })

  test('stopping one request ends its stream and no other', async () => {
    const held = new Map<string, Http2ServerResponse>()
    const left: string[] = []
    const hold: Answer = (reply, body) => {
      held.set(body, reply)
      reply.stream.on('close', () => {
        if (!reply.writableEnded) left.push(body)
      })
      reply.writeHead(200).write('begun')
    }
    await over(hold, async (transport, { url, sockets }) => {
      const signal = new Stop()
      const stopped = await transport.send(requestTo(url, { body: 'stopped', signal }))
      const other = await transport.send(requestTo(url, { body: 'other' }))
      await stopped.body.read()
      const pending = rejection(stopped.body.read())
      signal.stop()
      await pending
      while (left.length === 0) await turns(1)
      held.get('other')!.end(' and ended')
      expect(await textOf(other)).toBe('begun and ended')
      expect([left, sockets.size]).toEqual([['stopped'], 1])
    })
  })

  test.each([
    ['the socket is cut', ({ sockets }: Server) => sockets.forEach((socket) => socket.destroy())],
    ['the session is destroyed', ({ sessions }: Server) => sessions.forEach((session) => session.destroy())],
    ['the server says it goes away', ({ sessions }: Server) => sessions.forEach((session) => session.goaway(2))],
  ])('%s under ten requests: each fails once, none is sent again', async (_, cut) => {
    await over(
      () => undefined,
      async (transport, server) => {
        const failed = many(10, (body) => rejection(transport.send(requestTo(server.url, { body }))))
        while (server.received.length < 10) await turns(1)
        cut(server)
        expect(await failed).toHaveLength(10)
        await turns(100)
        expect(new Set(server.received).size).toBe(server.received.length)
        expect(server.received).toHaveLength(10)
        expect(transport.stats().requests).toBe(10)
      },
    )
  })

  test('after that a new connection serves, and counts as one', async () => {
    await over(echo, async (transport, { url, sockets, sessions }) => {
      expect(await textOf(await transport.send(requestTo(url, { body: 'one' })))).toBe('one')
      sessions[0]!.destroy()
      await turns(100)
      expect(await textOf(await transport.send(requestTo(url, { body: 'two' })))).toBe('two')
      expect(sockets.size).toBe(2)
      expect(transport.stats()).toMatchObject({ requests: 2, reused: 0 })
    })
  })

  test('is not used unless it is asked for', async () => {
    const use = async (transport: PooledTransport, { url, sessions }: Server) => {
      expect(await textOf(await transport.send(requestTo(url)))).toBe('hello')
      expect(sessions).toEqual([])
    }
    await over(echo, use, { http2: undefined })
  })
})

describe('TLS', () => {
  test('HTTP/1.1 where nothing newer is offered: several connections, never two requests on one at once', async () => {
    let [now, most] = [0, 0]
    const slow: Answer = (reply, body) => {
      most = Math.max(most, ++now)
      setImmediate(() => {
        now--
        reply.end(body)
      })
    }
    const use = async (transport: PooledTransport, { url, sockets }: Server) => {
      const texts = await many(40, async (body) => textOf(await transport.send(requestTo(url, { body }))))
      expect(new Set(texts).size).toBe(40)
      expect(sockets.size).toBeGreaterThan(1)
      expect(sockets.size).toBeLessThanOrEqual(4)
      expect(most).toBeLessThanOrEqual(sockets.size)
      expect(transport.stats()).toMatchObject({ requests: 40, reused: 40 - sockets.size })
    }
    await over(slow, use, { http1: true, connections: 4 })
  })

  test('a certificate that nobody vouches for is refused before the key leaves', async () => {
    const use = async (transport: PooledTransport, { url, received }: Server) => {
      const seen = await failureOf(generate(url, { transport }))
      const message = 'the certificate of the host is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT)'
      expect(seen).toMatchObject({ kind: 'certificate', message })
      expect(`${seen.message}${seen.stack}`).not.toContain(canaryKey)
      expect(received).toEqual([])
    }
    await over(echo, use, { trusted: false })
  })

  test('a certificate of another name is refused too', async () => {
    const use = async (transport: PooledTransport, { url, received }: Server) => {
      const other = url.replace('localhost', 'other.localhost')
      expect(await failureOf(generate(other, { transport }))).toMatchObject({ kind: 'certificate' })
      expect(received).toEqual([])
    }
    await over(echo, use)
  })
})

describe('a connection that goes away', () => {
  /** Sessions and streams in the order in which they came; answers by hand. */
  async function raw<T>(
    onStream: (stream: ServerHttp2Stream, number: number, session: number) => void,
    use: (transport: PooledTransport, url: string, seen: { streams: number; sessions: number }) => Promise<T>,
    settings: Settings = {},
  ): Promise<T> {
    const seen = { streams: 0, sessions: 0 }
    const sessions = new Map<unknown, number>()
    const server = createSecureServer({ cert, key, settings })
    server.on('session', (session: ServerHttp2Session) => {
      session.on('error', () => undefined)
      sessions.set(session, ++seen.sessions)
    })
    server.on('stream', (stream: ServerHttp2Stream) => {
      stream.on('error', () => undefined)
      stream.resume()
      onStream(stream, ++seen.streams, sessions.get(stream.session)!)
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const transport = pooledTransport({ http2: true, ca: cert })
    try {
      return await use(transport, `https://localhost:${(server.address() as AddressInfo).port}`, seen)
    } finally {
      await transport.close()
      for (const session of sessions.keys()) (session as ServerHttp2Session).destroy()
      server.close()
    }
  }
  const say = (stream: ServerHttp2Stream, text: string) => {
    if (stream.destroyed) return
    stream.respond({ ':status': 200 })
    stream.end(text)
  }
  const ask = async (transport: PooledTransport, url: string, body: string) =>
    textOf(await transport.send(requestTo(url, { body })))

  test('a graceful GOAWAY lets its streams finish; what comes after takes a new connection', async () => {
    const held: ServerHttp2Stream[] = []
    const onStream = (stream: ServerHttp2Stream, number: number, session: number) => {
      if (session > 1) return say(stream, `late ${number}`)
      held.push(stream)
      if (held.length < 6) return
      stream.session!.goaway(0, stream.id)
      setImmediate(() => held.forEach((one, at) => say(one, `kept ${at}`)))
    }
    await raw(onStream, async (transport, url, seen) => {
      const texts = await many(6, async (body) => ask(transport, url, body))
      expect(texts).toEqual(['kept 0', 'kept 1', 'kept 2', 'kept 3', 'kept 4', 'kept 5'])
      expect(await ask(transport, url, 'after')).toBe('late 7')
      expect(seen).toEqual({ streams: 7, sessions: 2 })
    })
  })

  test('a stream above the last one was never processed: it goes out again, and nobody is told of a failure', async () => {
    const onStream = (stream: ServerHttp2Stream, number: number, session: number) => {
      if (session > 1) say(stream, 'again')
      else if (number === 1) setTimeout(() => say(stream, 'first'), 50)
      else stream.session!.goaway(0, 1)
    }
    await raw(onStream, async (transport, url, seen) => {
      const [first, second] = await Promise.all([ask(transport, url, 'a'), ask(transport, url, 'b')])
      expect([first, second]).toEqual(['first', 'again'])
      expect(seen.sessions).toBe(2)
      expect(transport.stats().requests).toBe(2)
    })
  })

  test('a refused stream goes out again; one that is refused each time is told as never processed', async () => {
    const refuse = (until: number) => (stream: ServerHttp2Stream, number: number) =>
      number <= until ? stream.close(constants.NGHTTP2_REFUSED_STREAM) : say(stream, 'taken')
    await raw(refuse(2), async (transport, url) => expect(await ask(transport, url, 'a')).toBe('taken'))
    await raw(refuse(99), async (transport, url, seen) => {
      expect(await failureOf(generate(url, { transport }))).toMatchObject({ kind: 'unprocessed' })
      expect(seen.streams).toBe(4)
    })
  })

  test('the limit of streams of the other side is kept, over further connections', async () => {
    let most = 0
    const now = new Map<number, number>()
    const onStream = (stream: ServerHttp2Stream, number: number, session: number) => {
      now.set(session, (now.get(session) ?? 0) + 1)
      most = Math.max(most, now.get(session)!)
      setTimeout(() => {
        now.set(session, now.get(session)! - 1)
        say(stream, String(number))
      }, 20)
    }
    await raw(
      onStream,
      async (transport, url, seen) => {
        expect(new Set(await many(8, async (body) => ask(transport, url, body))).size).toBe(8)
        expect(most).toBeLessThanOrEqual(2)
        expect(seen.sessions).toBeLessThanOrEqual(8)
      },
      { maxConcurrentStreams: 2 },
    )
  })

  test('after a silence nothing goes to the connections of before', async () => {
    const onStream = (stream: ServerHttp2Stream, number: number, session: number) => {
      if (session > 1 || number === 1) say(stream, `connection ${session}`)
    }
    await raw(onStream, async (transport, url) => {
      expect(await ask(transport, url, 'a')).toBe('connection 1')
      const signal = new Stop(true)
      const pending = rejection(transport.send(requestTo(url, { body: 'b', signal })))
      await turns(200)
      signal.stop()
      await pending
      expect(await ask(transport, url, 'c')).toBe('connection 2')
    })
  })
})

describe('a pause of the process, after which timers fire before any socket is read', () => {
  test('a connection that is being asked whether it stands, and has answered, is kept', async () => {
    const clock = new PausingClock()
    await over(
      echo,
      async (transport, { url, sessions }) => {
        expect(await textOf(await transport.send(requestTo(url, { body: 'first' })))).toBe('first')
        // Its answer lies in the socket when the clock jumps.
        sessions[0]!.once('ping', () => setImmediate(() => clock.pause(70_000, true)))
        clock.pause(10_000, true)
        expect(await textOf(await transport.send(requestTo(url, { body: 'second' })))).toBe('second')
        expect(sessions).toHaveLength(1)
        expect(clock.now()).toBeGreaterThan(80_000)
      },
      { clock },
    )
  })

  test('a stream whose words lie in the socket stays on its connection', async () => {
    const clock = new PausingClock()
    let pings = 0
    await over(
      (reply) => {
        reply.writeHead(200).write('one ')
        reply.stream.session!.on('ping', () => (pings += 1))
        setImmediate(() => {
          reply.end('two')
          setImmediate(() => clock.pause(70_000, true))
        })
      },
      async (transport, { url, sessions }) => {
        expect(await textOf(await transport.send(requestTo(url)))).toBe('one two')
        expect([sessions.length, pings]).toEqual([1, 0])
        expect(clock.now()).toBeGreaterThan(70_000)
      },
      { clock },
    )
  })

  test('a connection that has come about meanwhile is used', async () => {
    const clock = new PausingClock()
    const server = createPlain((_, reply) => void reply.end('there'))
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const transport = pooledTransport({ cleartextHttp2: true, clock })
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
      // The first request of a process loads the client, which takes turns.
      const first = pooledTransport({ cleartextHttp2: true })
      expect(await textOf(await first.send(requestTo(url)))).toBe('there')
      await first.close()
      // In a turn of its own: the connection is there for the next one.
      const reply = await new Promise<TransportReply>((resolve, reject) =>
        setImmediate(() => {
          transport.send(requestTo(url)).then(resolve, reject)
          clock.pause(70_000, true)
        }),
      )
      expect(await textOf(reply)).toBe('there')
    } finally {
      await transport.close()
      server.close()
    }
  })
})
