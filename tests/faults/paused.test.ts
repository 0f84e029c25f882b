/** A pause of the process is no time-out: what came meanwhile is read before any timer decides. */
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, jest, test } from '@jest/globals'
import { lateMs } from '../../bindings/late.js'
import { runPlan, type RunEvent } from '../../node/index.js'
import { configOf, plan, step, type Policy } from './host.js'
import { PausingClock } from './pausing-clock.js'

jest.setTimeout(30_000)

const event = (delta: object, more: object = {}): string =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta, ...more }] })}\n\n`
const words = event({ content: 'said before the pause was over' }, { finish_reason: 'stop' })

/** Two steps are asked at once, and time stands still where timers fire: both answers lie in their sockets when the process goes on after 70 s. */
async function paused(policy: Policy, timersFirst: boolean, begun: boolean) {
  const clock = new PausingClock()
  const replies: ServerResponse[] = []
  const events: RunEvent[] = []
  let [asked, arrived] = [0, 0]
  const strike = (): void => {
    for (const reply of replies) reply.end(`${words}data: [DONE]\n\n`)
    clock.pause(70_000, timersFirst)
  }
  const server = createServer((incoming, reply) => {
    incoming.resume()
    asked += 1
    reply.writeHead(200, { 'content-type': 'text/event-stream' })
    reply.flushHeaders()
    if (begun) reply.write(event({ content: 'It was ' }))
    if (asked <= 2 && replies.push(reply) === 2 && !begun) setTimeout(strike, 0)
    if (asked > 2) reply.end(`${words}data: [DONE]\n\n`)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  try {
    const result = await runPlan(plan(step('a'), step('b')), {
      clock,
      config: configOf({ at: (provider) => `${origin}/${provider}` }, { policy }),
      onEvent(one) {
        events.push(one)
        if (begun && one.type === 'firstToken' && ++arrived === 2) setTimeout(strike, 0)
      },
    })
    return { result, asked, events }
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

const timeouts = { connectMs: 60_000, firstTokenMs: 60_000, idleMs: 60_000, totalMs: 600_000 }
describe.each([
  ['timers first', true],
  ['sockets first', false],
])('after a pause, %s', (_, timersFirst) => {
  test.each<[string, Policy, begun: boolean]>([
    ['silence before the first token', { timeouts }, false],
    ['silence within the answer', { timeouts }, true],
    ['the whole time of a call', { timeouts: { ...timeouts, totalMs: 30_000 } }, false],
    ['a deadline of the step', { timeouts, retry: { deadlineMs: 30_000 } }, false],
    ['a late first token', { timeouts, hedge: { share: 1 } }, false],
    ['a floor of speed', { timeouts, floor: { tokensPerSecond: 20, afterMs: 1000 } }, true],
  ])('%s: the answer that lies there is taken, and nothing is asked again', async (_, policy, begun) => {
    const { result, asked, events } = await paused(policy, timersFirst, begun)
    expect([result.outcome, asked]).toEqual(['ok', 2])
    const finish = events.find(({ type }) => type === 'finish')
    expect(finish!.at).toBeGreaterThan(70_000 - lateMs)
    expect(events.filter(({ type }) => type === 'restart' || type === 'failed')).toEqual([])
  })
})
