/**
 * The page's own provider clients against a host that fails, over real cross-origin sockets: what a browser makes of a fault is not
 * what Node makes of it, for it hides headers and reasons, and repeats requests by itself.
 */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { faults, rateLimited } from '../faults/catalogue.js'
import { FaultServer, mark, type Rule } from '../faults/fault-server.js'
import { answer, answerOf, type Fault } from '../faults/wire.js'
import { describeInBrowser, openPage, type OpenPage } from './chromium.js'
import { PageServer } from './page-server.js'
import type {} from './pages/api.js'
import { goodKey } from './provider-server.js'

const letIn = { 'access-control-allow-origin': '*', 'access-control-allow-headers': '*, authorization' }
/** As a provider that lets pages in. */
const open =
  (fault: Fault, more: Readonly<Record<string, string>> = {}): Fault =>
  (asked) => {
    const reply = fault(asked)
    return { ...reply, headers: { ...reply.headers, ...letIn, ...more } }
  }
const once = (fault: Fault): Rule => ({ step: 'a', times: 1, fault })
const plan = {
  task_id: 'faulty',
  description: 'd',
  steps: [
    {
      id: 'a',
      type: 'analysis',
      description: `Do ${mark('a')}.`,
      complexity: 0.5,
      dependencies: [],
      provider: 'openai',
    },
  ],
}

describeInBrowser('faults of providers, as a page meets them', () => {
  let pages: PageServer
  let server: FaultServer
  let page: OpenPage['page']
  beforeAll(async () => {
    pages = await PageServer.start()
    page = (await openPage(pages.page('api'))).page
  }, 60_000)
  beforeEach(async () => void (server = await FaultServer.start()))
  afterEach(() => server?.close())
  afterAll(() => pages?.close())

  /** One step at the server, whose first answers are as the rules say. */
  const run = async (rules: readonly Rule[], policy: object = {}) => {
    // A preflight has no body, and so names no step.
    const preflight: Rule = { step: '', fault: () => ({ status: 204, headers: letIn, committed: false }) }
    server.script([...rules, preflight, { fault: open(answer()) }])
    const told = await page.evaluate(
      async ([plan, baseUrl, key, policy]) => {
        const notes: string[] = []
        const messages: string[] = []
        const { outcome, outputs, report } = await api.runPlan(plan as Record<string, unknown>, {
          config: { providers: { openai: { baseUrl } }, retry: { attempts: 2, baseMs: 50, capMs: 100 }, ...policy },
          keys: (provider) => (provider === 'openai' ? key : ''),
          onEvent: (event) => {
            if (event.type === 'note') notes.push(`${event.reason} ${event.detail ?? ''}`)
            if (event.type === 'failed') messages.push(event.message)
          },
        })
        const { calls, failures } = report.totals
        return { outcome, output: outputs.get('a'), calls, failures, notes: notes.join('\n'), message: messages.join() }
      },
      [plan, server.at('openai'), goodKey, policy] as const,
    )
    return { ...told, asked: server.ledger.of('a') }
  }
  const fine = { outcome: 'ok', output: answerOf('a') }

  test('a kept connection that breaks: the browser asks again by itself, under the same idempotency key', async () => {
    const { asked, ...told } = await run([once(faults.resetAfterEffect)])
    expect(told).toMatchObject({ ...fine, calls: 1, failures: {} })
    expect(asked.map(({ committed }) => committed)).toEqual([true, true])
    expect(asked[0]?.idempotencyKey).toMatch(/^[\da-f]{32}$/)
    expect(asked[1]?.idempotencyKey).toBe(asked[0]?.idempotencyKey)
  })

  test('connections that always break: tried as often as the policy says, and told as far as a page can know', async () => {
    const { asked, ...told } = await run([{ step: 'a', fault: faults.resetBeforeHeaders }])
    expect(told).toMatchObject({ outcome: 'steps_failed', calls: 2, failures: { unreachable: 2 } })
    expect(told.message).toContain('a network error or a wrong key')
    expect(asked.length).toBeGreaterThanOrEqual(2)
    expect(new Set(asked.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1)
  })

  test.each([
    ['hidden', {}, false],
    ['exposed', { 'access-control-expose-headers': 'retry-after' }, true],
  ] as const)('429 with a Retry-After that is %s', async (_, headers, known) => {
    const refused = open(rateLimited({ 'retry-after': '2' }), headers)
    const { asked, ...told } = await run([once(refused)])
    expect(told).toMatchObject({ ...fine, calls: 2, failures: { rate_limited: 1 } })
    expect(asked.map(({ status }) => status)).toEqual([429, 200])
    // The back-off alone would be a tenth of a second.
    const toldToWait = /until [2-9](?:\.\d)? s of the run/
    if (known) expect(told.notes).toMatch(toldToWait)
    else expect(told.notes).not.toMatch(toldToWait)
  })

  test.each(['garbage', 'html', 'binary'] as const)('a reply that is none (%s): once more, and fine', async (name) => {
    const { asked, ...told } = await run([once(open(faults[name]))])
    expect(told).toMatchObject({ ...fine, calls: 2 })
    expect(Object.keys(told.failures)).toEqual([expect.stringMatching(/^(?:malformed|truncated)$/)])
    expect(asked.length).toBe(2)
  })

  test('a stream that breaks in its middle: nothing of its half stays in the answer', async () => {
    const { asked, ...told } = await run([once(open(faults.resetInBody))])
    expect(told).toMatchObject({ ...fine, calls: 2 })
    expect(asked.map(({ sentBytes }) => sentBytes > 0)).toEqual([true, true])
  })

  test('a first byte that does not come: the page goes, and asks again', async () => {
    const { asked, ...told } = await run([once(faults.headersNever)], { timeouts: { firstTokenMs: 400 } })
    expect(told).toMatchObject({ ...fine, calls: 2, failures: { timeout_first_token: 1 } })
    expect(asked.length).toBe(2)
    await server.until((ledger) => ledger.of('a')[0]?.left === true)
  })
})
