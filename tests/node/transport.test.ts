import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { describe, expect, test } from '@jest/globals'
import type { ConnectionInfo } from '../../bindings/ports.js'
import { pooledTransport, type PooledTransport, type PooledTransportOptions } from '../../node/transport/transport.js'
import { PooledExchange } from '../../node/transport/exchange.js'
import { rejection, requestTo, Stop, textOf, transportContract, turns } from '../contract/transport.js'
import { FakeClock } from '../sim/fake-clock.js'
import { json, openStream, writeParts, type Script, type ScriptedServer } from '../sim/scripted-server.js'
import { canaryKey, chunk, done, failureOf, generate, withScript } from '../web/call.js'

transportContract(() => {
  const transport = pooledTransport()
  return { transport, close: () => transport.close() }
})

async function over<T>(
  script: Script,
  use: (transport: PooledTransport, server: ScriptedServer) => Promise<T>,
  options?: PooledTransportOptions,
): Promise<T> {
  const transport = pooledTransport(options)
  try {
    return await withScript(script, (server) => use(transport, server))
  } finally {
    await transport.close()
  }
}

const echo: Script = (out, { body }) => void out.end(body)

describe('connections', () => {
  test('are used again, and each request knows whether its own was', async () => {
    await over(echo, async (transport, { url, connections }) => {
      const seen: ConnectionInfo[] = []
      for (let call = 0; call < 5; call++) {
        expect(await textOf(await transport.send(requestTo(url, { onSent: (info) => seen.push(info) })))).toBe('hello')
        await turns(4)
      }
      expect(connections()).toBe(1)
      expect(seen.map(({ reused }) => reused)).toEqual([false, true, true, true, true])
      expect(seen[0]!.setupMs).toBeGreaterThan(0)
      expect(seen.slice(1).every(({ setupMs }) => setupMs === 0)).toBe(true)
      const { requests, reused, setupMs, savedMs } = transport.stats()
      expect([requests, reused]).toEqual([5, 4])
      expect(setupMs).toBe(seen[0]!.setupMs)
      expect(savedMs).toBeCloseTo(4 * setupMs, 9)
    })
  })

  test('are never more than allowed; the rest waits', async () => {
    const use = async (transport: PooledTransport, { url, connections }: ScriptedServer) => {
      const calls = Array.from({ length: 12 }, async () => textOf(await transport.send(requestTo(url))))
      expect(new Set(await Promise.all(calls))).toEqual(new Set(['hello']))
      expect(connections()).toBeLessThanOrEqual(3)
      expect(transport.stats()).toMatchObject({ requests: 12, reused: 12 - connections() })
    }
    await over(echo, use, { connections: 3 })
  })

  test('beyond those that are kept are let go when the rush is over', async () => {
    const waiting: (() => void)[] = []
    const sockets = new Set<Socket>()
    const server = createHttpServer((_, reply) => {
      waiting.push(() => reply.end('hello'))
      if (waiting.length === 6) for (const answer of waiting) answer()
    })
    let left = (): void => {}
    const twoLeft = new Promise<void>((resolve) => (left = resolve))
    server.on('connection', (socket) => {
      sockets.add(socket)
      socket.on('close', () => {
        sockets.delete(socket)
        if (sockets.size === 2) left()
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const transport = pooledTransport({ connections: 6, kept: 2 })
    try {
      const calls = Array.from({ length: 6 }, async () => textOf(await transport.send(requestTo(url))))
      await Promise.all(calls)
      expect(waiting).toHaveLength(6)
      await twoLeft
      expect(transport.stats()).toMatchObject({ requests: 6, open: 2 })
      // Those that are kept are the ones that are used.
      const next = transport.send(requestTo(url))
      while (waiting.length < 7) await turns(1)
      waiting[6]?.()
      await textOf(await next)
      expect(transport.stats()).toMatchObject({ requests: 7, reused: 1, open: 2 })
    } finally {
      await transport.close()
      server.close()
    }
  })

  test('of Node`s own fetch and of other transports are not counted', async () => {
    await over(echo, async (transport, { url }) => {
      const other = pooledTransport()
      const own = async (number: number) => {
        const reply = number % 2 === 0 ? transport.send(requestTo(url)) : other.send(requestTo(url))
        await textOf(await reply)
        await (await fetch(url, { method: 'POST', body: 'x' })).text()
      }
      await Promise.all(Array.from({ length: 20 }, (_, number) => own(number)))
      expect(transport.stats().requests).toBe(10)
      expect(other.stats().requests).toBe(10)
      await other.close()
    })
  })

  test('closing ends them all, and what is under way', async () => {
    await over(
      () => undefined,
      async (transport, server) => {
        const pending = rejection(transport.send(requestTo(server.url)))
        while (server.received.length === 0) await turns(1)
        await transport.close()
        expect(await pending).toMatchObject({ code: 'UND_ERR_DESTROYED' })
        await server.clientLeft()
        expect(await rejection(transport.send(requestTo(server.url)))).toMatchObject({ code: 'UND_ERR_CLOSED' })
      },
    )
  })
})

test('what undici would send a second time is refused', () => {
  const settle = { resolve: () => undefined, reject: () => undefined }
  const exchange = new PooledExchange(settle, undefined)
  exchange.onConnect(() => undefined)
  expect(() => exchange.onConnect(() => undefined)).toThrow('not sent twice')
})

describe('a client over it', () => {
  const answer: Script = async (out) => {
    openStream(out)
    await writeParts(out, [chunk({ content: 'Hi' }), chunk({}, 'stop'), done])
    out.end()
  }

  test('tells its observer of the connection; the next call has it again', async () => {
    await over(answer, async (transport, { url, connections }) => {
      const seen: ConnectionInfo[] = []
      for (let call = 0; call < 3; call++) {
        await generate(url, { transport }, {}, { started: (info) => seen.push(info) })
        await turns()
      }
      expect(seen.map(({ reused }) => reused)).toEqual([false, true, true])
      expect(connections()).toBe(1)
    })
  })

  test('after [DONE] a socket kept open neither hangs the call nor stays open', async () => {
    const open: Script = async (out) => {
      openStream(out)
      await writeParts(out, [chunk({ content: 'Hi' }), chunk({}, 'stop'), done])
    }
    await over(open, async (transport, server) => {
      expect(await generate(server.url, { transport })).toMatchObject({ text: 'Hi' })
      await server.clientLeft()
    })
  })

  test('a key goes to its own origin only, whatever other clients share the pool', async () => {
    await over(answer, async (transport, one) => {
      await withScript(answer, async (two) => {
        await Promise.all([
          generate(one.url, { transport, key: () => 'key-one' }),
          generate(two.url, { transport, key: () => 'key-two' }),
        ])
        expect(one.received.map(({ headers }) => headers.authorization)).toEqual(['Bearer key-one'])
        expect(two.received.map(({ headers }) => headers.authorization)).toEqual(['Bearer key-two'])
      })
    })
  })

  test('sends an idempotency key only where it is told a header for it', async () => {
    await over(answer, async (transport, server) => {
      const request = { idempotencyKey: 'abc' }
      await generate(server.url, { transport }, request)
      await generate(server.url, { transport, idempotencyHeader: 'idempotency-key' }, request)
      expect(server.received.map(({ headers }) => headers['idempotency-key'])).toEqual([undefined, 'abc'])
    })
  })

  test.each([
    ['headers that are none', 'HTTP/1.1 nonsense\r\n\r\n', 'malformed'],
    ['half of the headers', 'HTTP/1.1 200 OK\r\ncontent-ty', 'unreachable'],
    [
      'a body shorter than said',
      'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: 99\r\n\r\ndata:',
      'truncated',
    ],
  ])('%s', async (_, bytes, kind) => {
    const server = createServer(
      (socket) => void socket.on('error', () => undefined).once('data', () => socket.end(bytes)),
    )
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const transport = pooledTransport()
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const seen = await failureOf(generate(url, { transport }))
    expect(seen).toMatchObject({ kind })
    expect(`${seen.message}${seen.stack}`).not.toContain(canaryKey)
    await transport.close()
    server.close()
  })

  test('nobody there, and no such name', async () => {
    await over(echo, async (transport, { url, close }) => {
      await close().catch(() => undefined)
      expect(await failureOf(generate(url, { transport }))).toMatchObject({
        kind: 'unreachable',
        message: 'no reply (ECONNREFUSED)',
      })
      expect(await failureOf(generate('http://nobody.invalid', { transport }))).toMatchObject({ kind: 'unresolved' })
    }).catch((error: unknown) => {
      // The server was closed above: closing it again is no fault of the test.
      if ((error as { code?: string }).code !== 'ERR_SERVER_NOT_RUNNING') throw error
    })
  })

  test('a refusal comes with what its headers teach', async () => {
    const refuse: Script = (out) =>
      json(out, 429, { error: { message: 'slow down' } }, { 'x-ratelimit-remaining-tokens': '0', 'retry-after': '2' })
    await over(refuse, async (transport, { url }) => {
      const seen: unknown[] = []
      const call = generate(
        url,
        { transport, dialect: { name: 'own', body: () => ({ stream: true }) } },
        {},
        { limits: (all) => seen.push(...all) },
      )
      expect(await failureOf(call)).toMatchObject({ kind: 'rate_limited', retryAfterMs: 2000 })
      expect(seen).toEqual([{ window: 'tokens_per_minute', remaining: 0 }])
    })
  })
})

describe('the connection`s time-out', () => {
  test('is over once the connection stands, whatever the first byte takes', async () => {
    await over(
      () => undefined,
      async (transport, server) => {
        const clock = new FakeClock()
        const timeouts = { connectMs: 1000, firstTokenMs: 5000 }
        const call = failureOf(generate(server.url, { transport, clock, timeouts }))
        while (server.received.length === 0) await turns(1)
        await clock.advance(4999)
        await clock.advance(1)
        expect(await call).toMatchObject({ kind: 'timeout_first_token' })
        await server.clientLeft()
      },
    )
  })

  test('ends a call whose connection never stands: a server that does not answer the TLS greeting', async () => {
    const silent = createServer((socket) => void socket.on('error', () => undefined))
    await once(silent.listen(0, '127.0.0.1'), 'listening')
    const transport = pooledTransport()
    const clock = new FakeClock()
    const url = `https://127.0.0.1:${(silent.address() as AddressInfo).port}`
    const sent: unknown[] = []
    const observer = { started: (info: unknown) => sent.push(info) }
    const call = failureOf(
      generate(
        url,
        { transport, clock, timeouts: { connectMs: 1000, firstTokenMs: 5000 } },
        { stream: false },
        observer,
      ),
    )
    await turns()
    await clock.advance(1000)
    expect(await call).toMatchObject({ kind: 'timeout_connect' })
    expect(sent).toEqual([])
    await transport.close()
    silent.close()
  })

  test('a request that was stopped while it waited for a connection never leaves', async () => {
    const holding: (() => void)[] = []
    const script: Script = (out) => void holding.push(() => out.end('x'))
    await over(
      script,
      async (transport, server) => {
        const first = transport.send(requestTo(server.url, { body: 'first' }))
        const signal = new Stop()
        const second = rejection(transport.send(requestTo(server.url, { body: 'second', signal })))
        const third = transport.send(requestTo(server.url, { body: 'third' }))
        while (holding.length === 0) await turns(1)
        signal.stop()
        await second
        holding[0]!()
        await textOf(await first)
        while (holding.length === 1) await turns(1)
        holding[1]!()
        await textOf(await third)
        expect(server.received.map(({ body }) => body)).toEqual(['first', 'third'])
        // The one that was stopped did not cost the others their connection.
        expect(server.connections()).toBe(1)
      },
      { connections: 1 },
    )
  })
})
