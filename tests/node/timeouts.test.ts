/** The time-outs of the built-in table hold when the configuration names none. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from '@jest/globals'
import type { Clock } from '../../bindings/ports.js'
import { runPlan } from '../../node/index.js'
import { mergedTimeouts } from '../../web/standard/config.js'

/** Stands still until `asked`, so that it does not matter how long a connection takes here; then a hundred times as fast as time. */
function clockFrom(asked: Promise<unknown>): Clock {
  let began: number | undefined
  void asked.then(() => (began = performance.now()))
  return {
    now: () => (began === undefined ? 0 : (performance.now() - began) * 100),
    after(ms, callback) {
      let over = false
      let timer: NodeJS.Timeout | undefined
      void asked.then(() => {
        if (!over) timer = setTimeout(callback, ms / 100)
      })
      return () => {
        over = true
        clearTimeout(timer)
      }
    },
  }
}
const plan = {
  task_id: 't',
  description: 'd',
  steps: [{ id: 'a', type: 'analysis', description: 'wait', dependencies: [], provider: 'groq' }],
}

test.each([
  [{}, 'timeout_first_token'],
  [{ timeouts: { totalMs: 20_000 } }, 'timeout_total'],
])('a provider that never answers, with %j: %s', async (more, failure) => {
  const server = createServer().listen(0, '127.0.0.1')
  const clock = clockFrom(once(server, 'request'))
  await once(server, 'listening')
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
  const failures: string[] = []
  const config = { retry: { attempts: 1 }, providers: { groq: { baseUrl, key: 'k' } }, ...more }
  const { outcome } = await runPlan(plan, {
    config,
    clock,
    onEvent: (event) => event.type === 'failed' && failures.push(event.failure),
  })
  server.closeAllConnections()
  server.close()
  expect([outcome, failures]).toEqual(['steps_failed', [failure]])
})

test('a configuration overrides them one by one', () => {
  const defaults = { timeouts: { connectMs: 1, idleMs: 2 } }
  expect(mergedTimeouts(defaults, { timeouts: { idleMs: 3 } })).toEqual({ connectMs: 1, idleMs: 3 })
  expect(mergedTimeouts({}, {})).toEqual({})
})
