/** A key goes to the origin that was configured for it, and to no other, whatever a reply says. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { redirect } from '../faults/catalogue.js'
import { FaultServer } from '../faults/fault-server.js'
import { canary, once, plan, run, step } from '../faults/host.js'
import { digestOf } from '../faults/ledger.js'
import { eventStream, type Fault } from '../faults/wire.js'

let server: FaultServer
let elsewhere: FaultServer
beforeAll(async () => void ([server, elsewhere] = await Promise.all([FaultServer.start(), FaultServer.start()])))
afterAll(() => Promise.all([server.close(), elsewhere.close()]))
beforeEach(() => {
  server.ledger.entries.length = 0
  elsewhere.ledger.entries.length = 0
})

const targets: readonly (readonly [string, (asked: { origin: string }) => string])[] = [
  ['another host', () => `${elsewhere.origin}/taken`],
  ['the same host', ({ origin }) => `${origin}/taken`],
  ['the same host by another name', ({ origin }) => `${origin.replace('127.0.0.1', 'localhost')}/taken`],
  ['a relative address', () => '/taken'],
  ['an address without a scheme', () => `${elsewhere.origin.slice('http:'.length)}/taken`],
  ['another scheme', () => 'file:///etc/passwd'],
  ['what is no address', () => 'http://['],
]
const formats = [
  ['generic', digestOf(`Bearer ${canary}`)],
  ['deepseek', digestOf(`Bearer ${canary}`)],
  ['gemini', digestOf(canary)],
] as const

describe.each(formats)('%s', (dialect, credential) => {
  test.each(targets)('a redirect to %s takes the key nowhere', async (_, to) => {
    for (const status of [300, 301, 302, 303, 305, 307, 308, 399]) {
      const fault: Fault = (asked) => redirect(status, to(asked))(asked)
      server.script([{ fault }])
      const ran = await run(server, plan(step('a')), { policy: once, providers: { alpha: { dialect } } })
      expect(ran.report.steps[0]?.failure).toBe('not_found')
    }
    expect(elsewhere.ledger.entries).toEqual([])
    expect(server.ledger.entries.map(({ path }) => path).filter((path) => !path.startsWith('/alpha/'))).toEqual([])
    expect(new Set(server.ledger.entries.map((entry) => entry.credential))).toEqual(new Set([credential]))
    expect(server.ledger.entries.length).toBe(8)
  })
})

test.each([
  ['refresh', () => ({ refresh: `0; url=${elsewhere.origin}/taken` })],
  ['link', () => ({ link: `<${elsewhere.origin}/taken>; rel="preload"` })],
  ['alt-svc', () => ({ 'alt-svc': `h2="${elsewhere.origin.slice('http://'.length)}"; persist=1` })],
  ['content-location', () => ({ 'content-location': `${elsewhere.origin}/taken` })],
  ['set-cookie', () => ({ 'set-cookie': 'track=me; Domain=127.0.0.1' })],
])('a reply’s header %s leads no one anywhere', async (_, headers) => {
  const fault: Fault = (asked) => ({
    headers: { ...eventStream, ...headers() },
    parts: [`data: {"choices":[{"delta":{"content":"${asked.step}"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n`],
  })
  server.script([{ fault }])
  const ran = await run(server, plan(step('a'), step('b', { dependencies: ['a'] })), { policy: once })
  expect(ran.outcome).toBe('ok')
  expect(elsewhere.ledger.entries).toEqual([])
  expect(server.ledger.entries.length).toBe(2)
})

test('each provider gets its own key and no other’s', async () => {
  server.script([])
  const keys = { alpha: 'key-of-alpha-1', beta: 'key-of-beta-2', gamma: 'key-of-gamma-3' }
  const providers = Object.fromEntries(Object.entries(keys).map(([id, key]) => [id, { key }]))
  const steps = Object.keys(keys).map((provider) => step(provider, { provider }))
  await run(server, plan(...steps), { policy: once, providers })
  const seen = server.ledger.entries.map(({ provider, credential }) => [provider, credential]).sort()
  expect(seen).toEqual(Object.entries(keys).map(([id, key]) => [id, digestOf(`Bearer ${key}`)]))
})
