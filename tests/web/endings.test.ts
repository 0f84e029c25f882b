import { describe, expect, test } from '@jest/globals'
import type { Fetch } from '../../bindings/ports.js'
import { FakeClock, settled } from '../sim/fake-clock.js'
import { openStream, writeParts, type Script } from '../sim/scripted-server.js'
import { chunk, done, failureOf, generate, withScript } from './call.js'

const url = 'http://127.0.0.1:1'
const bytes = (text: string) => new TextEncoder().encode(text)

/** A fetch whose reply is fed by hand. It ignores its signal: the client must not depend on it. */
function deaf(): { fetch: Fetch; send: (text: string) => void; answer: () => void; cancelled: () => boolean } {
  let controller: ReadableStreamDefaultController<Uint8Array>
  let cancelled = false
  const body = new ReadableStream<Uint8Array>({
    start: (given) => void (controller = given),
    cancel: () => void (cancelled = true),
  })
  let answer: () => void = () => undefined
  const headers = new Promise<Response>((resolve) => {
    answer = () => resolve(new Response(body, { headers: { 'content-type': 'text/event-stream' } }))
  })
  const send = (text: string) => {
    if (!cancelled) controller.enqueue(bytes(text))
  }
  return { fetch: () => headers, send, answer, cancelled: () => cancelled }
}

describe('time-outs, on a clock that is moved by hand', () => {
  test('no headers', async () => {
    const clock = new FakeClock()
    const { fetch, answer, cancelled } = deaf()
    const call = failureOf(generate(url, { fetch, clock, timeouts: { connectMs: 1000, totalMs: 9000 } }))
    await clock.advance(999)
    await clock.advance(1)
    expect(await call).toMatchObject({ kind: 'timeout_connect' })
    expect(clock.waiting).toBe(0)
    answer()
    await settled()
    expect(cancelled()).toBe(true)
  })

  test('no first token, however many comments come', async () => {
    const clock = new FakeClock()
    const { fetch, answer, send, cancelled } = deaf()
    const call = failureOf(
      generate(url, { fetch, clock, timeouts: { connectMs: 500, firstTokenMs: 2000, idleMs: 600 } }),
    )
    answer()
    for (let at = 0; at < 4; at++) {
      await clock.advance(500)
      send(': keep-alive\n\n')
    }
    expect(await call).toMatchObject({ kind: 'timeout_first_token' })
    expect(cancelled()).toBe(true)
    expect(clock.waiting).toBe(0)
  })

  test('a stream that stands still; comments do not hide it, pieces move it', async () => {
    const clock = new FakeClock()
    const { fetch, answer, send } = deaf()
    const call = failureOf(generate(url, { fetch, clock, timeouts: { firstTokenMs: 2000, idleMs: 1000 } }))
    answer()
    await clock.advance(0)
    send(chunk({ content: 'Hi' }))
    for (let at = 0; at < 10; at++) {
      await clock.advance(900)
      send(chunk({ content: '.' }))
    }
    await clock.advance(500)
    send(': keep-alive\n\n')
    await clock.advance(499)
    expect(clock.waiting).toBe(1)
    await clock.advance(1)
    expect(await call).toMatchObject({ kind: 'timeout_idle' })
  })

  test('one byte a second ends with the whole call`s time', async () => {
    const clock = new FakeClock()
    const { fetch, answer, send } = deaf()
    const call = failureOf(generate(url, { fetch, clock, timeouts: { idleMs: 2000, totalMs: 10_000 } }))
    answer()
    for (const letter of chunk({ content: 'Hi' }).slice(0, 10)) {
      await clock.advance(1000)
      send(letter)
    }
    expect(await call).toMatchObject({ kind: 'timeout_total' })
  })

  test('a call that ends in time leaves no timer of its own', async () => {
    const clock = new FakeClock()
    const { fetch, answer, send } = deaf()
    const call = generate(url, { fetch, clock, timeouts: { connectMs: 1, firstTokenMs: 2, idleMs: 3, totalMs: 4 } })
    answer()
    await settled()
    send(chunk({ content: 'Hi' }) + chunk({}, 'stop') + done)
    expect(await call).toMatchObject({ text: 'Hi' })
    // What is left waits for the end of the body, so that the connection can be used again, and then closes it.
    expect(clock.waiting).toBe(1)
    await clock.advance(250)
    expect(clock.waiting).toBe(0)
  })
})

describe('cancelling', () => {
  const silent: Script = (out) => openStream(out)
  const talking: Script = async (out) => {
    openStream(out)
    await writeParts(out, [chunk({ content: 'Hi' })])
  }

  test.each([
    ['before the headers', () => undefined, 'started'],
    ['before the first token', silent, 'started'],
    ['after the first token', talking, 'text'],
  ])('%s closes the socket', async (_, script, moment) => {
    await withScript(script as Script, async (server) => {
      const abort = new AbortController()
      const observer = { [moment]: () => setImmediate(() => abort.abort(new Error('a reason of the caller'))) }
      expect(await failureOf(generate(server.url, {}, {}, observer, abort.signal))).toMatchObject({
        kind: 'cancelled',
        message: 'the call was cancelled',
      })
      if (server.received.length > 0) await server.clientLeft()
    })
  })

  test('before it began no request leaves', async () => {
    let calls = 0
    const counting: Fetch = async () => {
      calls++
      return new Response()
    }
    expect(await failureOf(generate(url, { fetch: counting }, {}, {}, AbortSignal.abort()))).toMatchObject({
      kind: 'cancelled',
    })
    expect(calls).toBe(0)
  })

  test('a fetch that ignores its signal does not hold the call, and no text follows', async () => {
    const { fetch, answer, send, cancelled } = deaf()
    const abort = new AbortController()
    const seen: string[] = []
    const call = failureOf(generate(url, { fetch }, {}, { text: (piece) => seen.push(piece) }, abort.signal))
    answer()
    await settled()
    send(chunk({ content: 'one' }))
    await settled()
    abort.abort()
    expect(await call).toMatchObject({ kind: 'cancelled' })
    expect(cancelled()).toBe(true)
    expect(seen).toEqual(['one'])
  })

  test('after the end it changes nothing', async () => {
    const abort = new AbortController()
    const script: Script = async (out) => {
      openStream(out)
      await writeParts(out, [chunk({ content: 'Hi' }), chunk({}, 'stop'), done])
      out.end()
    }
    await withScript(script, async (server) => {
      expect(await generate(server.url, {}, {}, {}, abort.signal)).toMatchObject({ text: 'Hi' })
      abort.abort()
      await settled()
    })
  })
})
