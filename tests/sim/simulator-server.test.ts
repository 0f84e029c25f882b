import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { startSimulatorServer, type SimulatorServer } from '../../node/simulator-server.js'
import { createSimulator, simulatorProfiles, type Simulator } from '../../web/standard/simulator/index.js'
import { groq } from '../../web/standard/providers/index.js'
import { failureOf, generate } from '../web/call.js'
import { FakeClock, settled } from './fake-clock.js'

/** Waits for what another side of a socket does, in turns of the event loop; fails when it never comes. */
async function eventually(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 20_000 && !condition(); turn++) await new Promise((resolve) => setImmediate(resolve))
  expect(condition()).toBe(true)
}

describe('over a real socket', () => {
  let simulator: Simulator
  let server: SimulatorServer
  beforeEach(async () => {
    simulator = createSimulator(simulatorProfiles.instant)
    server = await startSimulatorServer(simulator)
  })
  afterEach(() => server.close())

  test('the same answer as without one', async () => {
    const served = await generate(`${server.url}/groq/openai/v1`, { dialect: groq }, { model: 'm' })
    const direct = await generate(
      'http://sim.test/groq/openai/v1',
      { dialect: groq, fetch: createSimulator(simulatorProfiles.instant).fetch },
      { model: 'm' },
    )
    expect(served).toEqual(direct)
    expect(server.url.startsWith('http://127.0.0.1:')).toBe(true)
  })
  test('refusals keep status and headers', async () => {
    const response = await fetch(`${server.url}/groq/v1/chat/completions`, { method: 'POST', body: '{}' })
    expect(response.status).toBe(401)
    expect(response.headers.get('x-aetherflow-simulated')).toBe('1')
    await response.body?.cancel()
  })
  test('calls one after the other share a connection', async () => {
    for (let call = 0; call < 10; call++) {
      await generate(
        `${server.url}/groq/v1`,
        { dialect: groq },
        { model: 'm', user: `call ${call}`, stream: call % 2 === 0 },
      )
      for (let turn = 0; turn < 20; turn++) await settled()
    }
    expect(simulator.ledger.entries).toHaveLength(10)
    expect(server.connections()).toBeLessThan(4)
  })
})

test.each([true, false])('a client that goes away is noticed (streamed: %s)', async (stream) => {
  const clock = new FakeClock()
  const simulator = createSimulator(simulatorProfiles.mission, { clock })
  const server = await startSimulatorServer(simulator)
  try {
    const abort = new AbortController()
    const call = failureOf(
      generate(`${server.url}/groq/v1`, { dialect: groq }, { model: 'm', stream }, {}, abort.signal),
    )
    await eventually(() => simulator.ledger.inFlight('groq') === 1)
    abort.abort()
    expect(await call).toMatchObject({ kind: 'cancelled' })
    await eventually(() => simulator.ledger.inFlight('groq') === 0)
    expect(simulator.ledger.entries).toMatchObject([{ aborted: true, outTokens: 0 }])
    expect(clock.waiting).toBe(0)
  } finally {
    await server.close()
  }
})

test('a broken connection is one', async () => {
  const { providers } = simulatorProfiles.instant
  const unreachable = { ...providers.groq, failures: [{ kind: 'unreachable', share: 1 } as const] }
  const server = await startSimulatorServer(
    createSimulator({ ...simulatorProfiles.instant, providers: { ...providers, groq: unreachable } }),
  )
  try {
    expect(await failureOf(generate(`${server.url}/groq/v1`, { dialect: groq }))).toMatchObject({ kind: 'unreachable' })
  } finally {
    await server.close()
  }
})

test('a client that does not read is not sent everything, and a body nobody wants is cancelled', async () => {
  const partBytes = 256 * 1024
  const mostParts = 400
  let pulled = 0
  let cancelled = false
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (pulled++ < mostParts) controller.enqueue(new Uint8Array(partBytes))
      else controller.close()
    },
    cancel: () => void (cancelled = true),
  })
  const server = await startSimulatorServer({ handle: async () => new Response(body) })
  try {
    const reader = (await fetch(server.url)).body!.getReader()
    await reader.read()
    for (let turn = 0; turn < 500; turn++) await settled()
    // What is on its way fits into the buffers of two sockets, a few megabytes; the whole is a hundred.
    expect(pulled).toBeLessThan(mostParts / 2)
    await reader.cancel()
    await eventually(() => cancelled)
  } finally {
    await server.close()
  }
})
