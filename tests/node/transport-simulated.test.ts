import { describe, expect, test } from '@jest/globals'
import { startSimulatorServer } from '../../node/simulator-server.js'
import { simulatedProviders } from '../../node/providers.js'
import { pooledTransport, type PooledTransport } from '../../node/transport/transport.js'
import { simulatorProfiles } from '../../web/standard/simulator/index.js'
import { rejection, requestTo, Stop, textOf, turns } from '../contract/transport.js'
import { modelRequest } from '../web/call.js'

const entry = (id: string) => ({ id, name: id, dialect: id, baseUrl: '', keyEnv: '', key: undefined })

test('calls to the simulator use their connections again', async () => {
  const ids = ['deepseek', 'groq', 'openai']
  const providers = await simulatedProviders({ entries: ids.map(entry), profile: simulatorProfiles.instant })
  const reused: unknown[] = []
  const call = (id: string) =>
    providers
      .client(id)!
      .generate(modelRequest(), new AbortController().signal, { started: (info) => reused.push(info.reused) })
  for (let round = 0; round < 4; round++) {
    await Promise.all(ids.map(call))
    await turns(10)
  }
  expect(providers.connections()).toMatchObject({ requests: 12, reused: 9 })
  expect(reused.filter(Boolean)).toHaveLength(9)
  await providers.close()
})

describe.each([
  ['HTTP/1.1', false],
  ['HTTP/2', true],
])('the simulator`s server over %s', (_, cleartextHttp2) => {
  async function over(
    handle: (request: Request) => Promise<Response>,
    use: (transport: PooledTransport, url: string) => Promise<void>,
  ): Promise<void> {
    const server = await startSimulatorServer({ handle })
    const transport = pooledTransport({ cleartextHttp2 })
    try {
      await use(transport, server.url)
    } finally {
      await transport.close()
      await server.close()
    }
  }

  test('takes a request whole and answers it', async () => {
    const handle = async (request: Request) =>
      new Response(`${request.method} ${new URL(request.url).pathname} ${await request.text()}`, {
        status: 201,
        headers: { 'x-seen': request.headers.get('content-type') ?? '' },
      })
    await over(handle, async (transport, url) => {
      const reply = await transport.send(requestTo(`${url}/a/b`))
      expect([reply.status, reply.header('x-seen')]).toEqual([201, 'text/plain'])
      expect(await textOf(reply)).toBe('POST /a/b hello')
    })
  })

  test('hears of a client that leaves before its answer, and of none that has it whole', async () => {
    const left: string[] = []
    const handle = async (request: Request): Promise<Response> => {
      const body = await request.text()
      const gone = new Promise<void>((resolve) =>
        request.signal.addEventListener('abort', () => {
          left.push(body)
          resolve()
        }),
      )
      if (body === 'leaves') await gone
      return new Response('answer')
    }
    await over(handle, async (transport, url) => {
      expect(await textOf(await transport.send(requestTo(url, { body: 'stays' })))).toBe('answer')
      const signal = new Stop()
      const failed = rejection(transport.send(requestTo(url, { body: 'leaves', signal, onSent: () => undefined })))
      await turns()
      signal.stop()
      await failed
      while (left.length === 0) await turns(1)
      expect(left).toEqual(['leaves'])
    })
  })

  test('breaks off where the simulator does, before the headers and after', async () => {
    const broken = () =>
      new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(new TextEncoder().encode('half')),
        pull: (controller) => controller.error(new Error('injected')),
      })
    const handle = async (request: Request): Promise<Response> => {
      if ((await request.text()) === 'early') throw new Error('injected')
      return new Response(broken())
    }
    await over(handle, async (transport, url) => {
      expect(await rejection(transport.send(requestTo(url, { body: 'early' })))).toHaveProperty('message')
      const failed = rejection(transport.send(requestTo(url, { body: 'late' })).then(textOf))
      expect(await failed).toHaveProperty('message')
    })
  })
})
