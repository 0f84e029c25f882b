import { describe, expect, test } from '@jest/globals'
import type { StopSignal, Transport, TransportReply, TransportRequest } from '../../bindings/ports.js'
import { json, writeParts, type Script, type ScriptedServer } from '../sim/scripted-server.js'
import { canaryKey, withScript } from '../web/call.js'

/** A signal that is stopped by hand. */
export class Stop implements StopSignal {
  stopped = false
  /** `silent`: it is stopped because nothing came. */
  constructor(readonly silent = false) {}
  #listener: () => void = () => undefined

  onStop(listener: () => void): void {
    this.#listener = listener
    if (this.stopped) listener()
  }

  stop(): void {
    this.stopped = true
    this.#listener()
  }
}

export function requestTo(url: string, more: Partial<TransportRequest> = {}): TransportRequest {
  return { url, method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'hello', signal: new Stop(), ...more }
}

export async function textOf({ body }: TransportReply): Promise<string> {
  const parts: Uint8Array[] = []
  for (let part = await body.read(); part !== undefined; part = await body.read()) parts.push(part)
  return Buffer.concat(parts).toString()
}

/** Resolves to what a promise rejects with. */
export const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => Promise.reject(new Error('it did not reject')),
    (error: unknown) => error,
  )

/** Lets the event loop turn: packets on loopback need some turns, not time. */
export async function turns(count = 40): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve))
}

const begun: Script = async (out) => {
  out.writeHead(200, { 'content-type': 'text/plain' })
  await writeParts(out, ['begun'])
}

type Over = <T>(script: Script, use: (transport: Transport, server: ScriptedServer) => Promise<T>) => Promise<T>

/** What every transport must do. `open` makes one for each test, `close` ends it. */
export function transportContract(open: () => { transport: Transport; close: () => Promise<void> }): void {
  const over: Over = (script, use) =>
    withScript(script, async (server) => {
      const { transport, close } = open()
      try {
        return await use(transport, server)
      } finally {
        await close()
      }
    })
  describe('an exchange', () => {
    carries(over)
    keepsApart(over)
  })
  describe('stopping', () => {
    stopsAtOnce(over)
    stopsInTheBody(over)
  })
  describe('broken connections', () => breaks(over))
  test('a body that is not read is not fetched', () => waits(over))
}

function carries(over: Over): void {
  test('carries method, headers and body, and brings back status, headers and bytes', async () => {
    const script: Script = (out) => {
      out.writeHead(201, { 'content-type': 'text/plain', 'x-two': ['one', 'two'] })
      out.end('é'.repeat(100_000))
    }
    await over(script, async (transport, server) => {
      const reply = await transport.send(requestTo(`${server.url}/a?b=c`, { body: 'grüße' }))
      expect([reply.status, reply.header('content-type'), reply.header('x-two')]).toEqual([
        201,
        'text/plain',
        'one, two',
      ])
      expect(reply.header('x-none')).toBeNull()
      expect(await textOf(reply)).toBe('é'.repeat(100_000))
      expect(server.received).toMatchObject([{ path: '/a?b=c', body: 'grüße' }])
      expect(await reply.body.read()).toBeUndefined()
    })
  })

  test('without a body is a plain GET', async () => {
    await over(
      (out) => json(out, 200, []),
      async (transport, server) => {
        const { url } = server
        const reply = await transport.send({ url, method: 'GET', headers: {}, signal: new Stop() })
        expect(await textOf(reply)).toBe('[]')
        expect(server.received[0]).toMatchObject({ body: '' })
      },
    )
  })

  test('tells that it was sent, once, before the reply', async () => {
    const order: string[] = []
    await over(begun, async (transport, server) => {
      const reply = await transport.send(requestTo(server.url, { onSent: () => order.push('sent') }))
      order.push('reply')
      reply.body.cancel()
    })
    expect(order).toEqual(['sent', 'reply'])
  })
}

function keepsApart(over: Over): void {
  test('does not follow a redirect, so no key reaches another host', async () => {
    await over(
      (out) => json(out, 200, {}),
      async (transport, other) => {
        const away: Script = (out) => void out.writeHead(307, { location: other.url }).end()
        await withScript(away, async (server) => {
          const headers = { authorization: `Bearer ${canaryKey}` }
          const reply = await transport.send(requestTo(server.url, { headers }))
          expect([0, 307]).toContain(reply.status)
          reply.body.cancel()
          expect(server.received).toHaveLength(1)
          expect(other.received).toEqual([])
        })
      },
    )
  })

  test('hundreds at once do not mix', async () => {
    await over(
      (out, { body }) => void out.end(body),
      async (transport, { url }) => {
        const numbers = Array.from({ length: 300 }, (_, number) => String(number))
        const replies = numbers.map(async (body) => textOf(await transport.send(requestTo(url, { body }))))
        expect(await Promise.all(replies)).toEqual(numbers)
      },
    )
  })
}

function stopsAtOnce(over: Over): void {
  test('before it began: nothing leaves', async () => {
    await over(begun, async (transport, server) => {
      const signal = new Stop()
      signal.stop()
      await rejection(transport.send(requestTo(server.url, { signal })))
      await turns()
      expect(server.received).toEqual([])
    })
  })

  test('before the headers closes the socket', async () => {
    await over(
      () => undefined,
      async (transport, server) => {
        const signal = new Stop()
        const reply = rejection(transport.send(requestTo(server.url, { signal })))
        while (server.received.length === 0) await turns(1)
        signal.stop()
        await reply
        await server.clientLeft()
      },
    )
  })
}

function stopsInTheBody(over: Over): void {
  test('in the body closes the socket and ends a pending read', async () => {
    await over(begun, async (transport, server) => {
      const signal = new Stop()
      const { body } = await transport.send(requestTo(server.url, { signal }))
      expect(Buffer.from((await body.read())!).toString()).toBe('begun')
      const pending = body.read().then(
        (part) => part,
        () => undefined,
      )
      signal.stop()
      expect(await pending).toBeUndefined()
      await server.clientLeft()
    })
  })

  test('cancelling the body does the same', async () => {
    await over(begun, async (transport, server) => {
      const { body } = await transport.send(requestTo(server.url))
      body.cancel()
      await server.clientLeft()
    })
  })

  test('after the end it changes nothing', async () => {
    await over(
      (out) => void out.end('x'),
      async (transport, { url }) => {
        const signal = new Stop()
        const reply = await transport.send(requestTo(url, { signal }))
        expect(await textOf(reply)).toBe('x')
        signal.stop()
        reply.body.cancel()
        expect(await textOf(await transport.send(requestTo(url)))).toBe('x')
      },
    )
  })
}

function breaks(over: Over): void {
  test('a reset before the headers', async () => {
    await over(
      (out) => void out.socket!.resetAndDestroy(),
      async (transport, { url }) => {
        expect(await rejection(transport.send(requestTo(url)))).toHaveProperty('message')
      },
    )
  })

  test.each([
    ['reset', (out) => out.socket!.resetAndDestroy()],
    ['ended', (out) => out.socket!.end()],
  ] satisfies [string, (out: Parameters<Script>[0]) => unknown][])(
    '%s in the body: what came is read',
    async (_, end) => {
      const script: Script = async (out) => {
        out.writeHead(200, { 'content-length': '1000' })
        await writeParts(out, ['half'])
        end(out)
      }
      await over(script, async (transport, { url }) => {
        const { body } = await transport.send(requestTo(url))
        expect(Buffer.from((await body.read())!).toString()).toBe('half')
        expect(await rejection(body.read())).toHaveProperty('message')
      })
    },
  )
}

async function waits(over: Over): Promise<void> {
  const total = 256 * 1024 * 1024
  let written = 0
  const endless: Script = async (out) => {
    out.writeHead(200)
    const part = Buffer.alloc(1024 * 1024)
    out.on('close', () => (written = Math.min(written, total)))
    while (written < total && !out.destroyed) {
      written += part.length
      if (!out.write(part))
        await Promise.race([new Promise((go) => out.once('drain', go)), new Promise((go) => out.once('close', go))])
    }
  }
  await over(endless, async (transport, { url }) => {
    const { body } = await transport.send(requestTo(url))
    for (let last = -1; written !== last; await turns(200)) last = written
    // What both kernels hold of a connection is some megabytes.
    expect(written).toBeLessThan(total / 4)
    body.cancel()
  })
}
