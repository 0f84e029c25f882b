/** What each fault of the wire makes of a single call: through sockets, clients and the core to the report. */
import { describe, expect, test } from '@jest/globals'
import { cutAt, cutBytes, cutText, dripping, faults, redirect, type FaultName } from './catalogue.js'
import { once, plan, run, runVirtually, step, withServer, withVirtualServer, type Ran } from './host.js'
import { answerOf, refusal, type Fault } from './wire.js'

const timeouts = { connectMs: 5000, firstTokenMs: 20_000, idleMs: 30_000, totalMs: 300_000 }

interface Single {
  readonly ran: Ran
  readonly calls: number
  readonly left: boolean
  readonly sentBytes: number
}

/** One step, one call, in virtual time. */
function single(fault: Fault, policy: object = {}): Promise<Single> {
  return withVirtualServer(async (server, clock) => {
    server.script([{ fault }])
    const ran = await runVirtually(server, clock, plan(step('a')), { policy: { timeouts, ...once, ...policy } })
    await server.until(({ entries }) => entries.every(({ endedAt }) => endedAt !== undefined))
    const [entry] = server.ledger.entries
    return { ran, calls: server.ledger.entries.length, left: entry?.left === true, sentBytes: entry?.sentBytes ?? 0 }
  })
}

describe('what ends a call, and as what', () => {
  test.each<[FaultName, RegExp]>([
    ['resetBeforeHeaders', /^unreachable$/],
    ['closeBeforeHeaders', /^unreachable$/],
    ['resetAfterEffect', /^unreachable$/],
    ['headersNever', /^timeout_(connect|first_token)$/],
    ['resetInBody', /^truncated$/],
    ['endInBody', /^truncated$/],
    ['endOfConnection', /^truncated$/],
    ['resetBeforeFirstToken', /^truncated$/],
    ['noFinish', /^truncated$/],
    ['errorAtOnce', /^server_error$/],
    ['errorInStream', /^server_error$/],
    ['errorInWhole', /^server_error$/],
    ['stalls', /^timeout_idle$/],
    ['stallsBeforeFirstToken', /^timeout_first_token$/],
    ['onlyComments', /^timeout_first_token$/],
    ['hugeEvent', /^malformed$/],
    ['hugeLine', /^malformed$/],
    ['endlessAnswer', /^malformed$/],
    ['endlessComments', /^timeout_first_token$/],
    ['endlessRefusal', /^server_error$/],
    ['hugeHeaders', /^(unreachable|malformed)$/],
    ['noHttp', /^(unreachable|malformed)$/],
    ['noContent', /^truncated$/],
    ['shortBody', /^truncated$/],
    ['garbage', /^malformed$/],
    ['binary', /^(malformed|truncated)$/],
    ['html', /^malformed$/],
    ['emptyBody', /^truncated$/],
    ['emptyAnswer', /^malformed$/],
  ])('%s: %s', async (name, kind) => {
    const { ran, calls } = await single(faults[name])
    expect([ran.outcome, calls]).toEqual(['steps_failed', 1])
    expect(ran.report.steps[0]?.failure).toMatch(kind)
    expect(ran.report.steps[0]?.calls.map(({ outcome }) => outcome)).toEqual([ran.report.steps[0]?.failure])
    // Nothing partial is passed off as whole.
    expect([...ran.outputs]).toEqual([])
  })

  test.each<FaultName>(['stalls', 'onlyComments', 'headersNever', 'hugeLine'])(
    '%s: the socket is closed',
    async (name) => {
      expect((await single(faults[name])).left).toBe(true)
    },
  )

  test.each<FaultName>(['endlessAnswer', 'endlessRefusal', 'hugeLine'])('%s is not read to its end', async (name) => {
    const { left, sentBytes } = await single(faults[name])
    expect(left).toBe(true)
    expect(sentBytes).toBeLessThan(24 << 20)
  })

  test('a body that was packed unasked is unpacked or refused, never passed on as it is', async () => {
    const { ran } = await single(faults.compressed)
    expect(ran.outputs.get('a') ?? 'none').toMatch(new RegExp(`^(none|${answerOf('a')})$`))
  })

  test.each<FaultName>([
    'earlyHints',
    'wholeInsteadOfStream',
    'streamWithoutType',
    'doneWithoutFinish',
    'finishWithoutDone',
    'neverCloses',
    'usageNegative',
    'usageHuge',
    'usageLargest',
    'usageFractional',
    'usageMissing',
  ])('%s: an answer all the same', async (name) => {
    const { ran, calls } = await single(faults[name])
    expect([ran.outcome, calls]).toEqual(['ok', 1])
    expect(ran.outputs.get('a')).toBe(answerOf('a'))
    const { costMicroUsd, tokens } = ran.report.totals
    for (const figure of [costMicroUsd, tokens.input, tokens.output]) expect(Number.isSafeInteger(figure)).toBe(true)
    expect(costMicroUsd).toBeGreaterThanOrEqual(0)
  })

  test('counts that make no sense are estimated and marked, never zero', async () => {
    for (const name of ['usageNegative', 'usageFractional', 'usageMissing'] as const) {
      const { ran } = await single(faults[name])
      expect(ran.report.steps[0]?.calls[0]?.tokens).toMatchObject({ estimated: true })
      expect(ran.report.steps[0]?.calls[0]?.tokens.output).toBeGreaterThan(0)
      expect(ran.report.steps[0]?.costMicroUsd).toBeGreaterThan(0)
    }
  })

  test('byte by byte', async () => {
    const { ran } = await single(dripping(0, 1))
    expect([ran.outputs.get('a'), ran.shown.get('a')]).toEqual([answerOf('a'), answerOf('a')])
  })

  test('a slow stream is no dead one: pieces further apart than nothing but the time-outs', async () => {
    const { ran } = await single(dripping(15_000, 100), {
      timeouts: { ...timeouts, firstTokenMs: 200_000, totalMs: 3_000_000 },
    })
    expect(ran.outputs.get('a')).toBe(answerOf('a'))
    expect(ran.report.makespanMs).toBeGreaterThan(60_000)
  })

  test('the whole call has its limit, however lively the stream', async () => {
    const { ran, left } = await single(dripping(15_000, 20), {
      timeouts: { ...timeouts, firstTokenMs: 200_000, totalMs: 100_000 },
    })
    expect([ran.report.steps[0]?.failure, left]).toEqual(['timeout_total', true])
  })
})

describe('refusals', () => {
  test.each([
    [400, 'bad_request'],
    [401, 'auth'],
    [402, 'quota_exhausted'],
    [403, 'auth'],
    [404, 'not_found'],
    [408, 'server_error'],
    [409, 'server_error'],
    [413, 'too_large'],
    [422, 'bad_request'],
    [429, 'rate_limited'],
    [500, 'server_error'],
    [502, 'server_error'],
    [503, 'overloaded'],
    [529, 'overloaded'],
  ])('%i is %s, as JSON, as a page and as nothing', async (status, kind) => {
    for (const body of [{ error: { message: 'no' } }, '<html>Bad day</html>', '']) {
      const { ran, calls } = await single(refusal(status, body))
      // A page with 403 is a firewall's, not the word of an API on a key.
      const meant = status === 403 && body.toString().startsWith('<') ? 'denied' : kind
      expect([ran.report.steps[0]?.failure, calls]).toEqual([meant, 1])
    }
  })

  test.each([301, 302, 303, 307, 308])('%i is not followed', async (status) => {
    const { ran, calls } = await single((asked) => redirect(status, `${asked.origin}/alpha/elsewhere`)(asked))
    expect([ran.report.steps[0]?.failure, calls]).toEqual(['not_found', 1])
  })
})

describe('a stream cut at every byte', () => {
  test.each([
    ['LF', { lineEnd: '\n' }],
    ['CR', { lineEnd: '\r' }],
    ['CRLF', { lineEnd: '\r\n' }],
    ['CRLF after a byte order mark', { lineEnd: '\r\n', mark: true }],
  ])('%s', async (_, options) => {
    const cuts = cutBytes(options).length + 1
    const ids = Array.from({ length: cuts }, (_none, at) => `cut-${at}`)
    const fault: Fault = (of) => cutAt(Number(of.step.slice(4)), options)(of)
    await withServer(async (server) => {
      server.script([{ fault }])
      const many = { alpha: { concurrency: 32 } }
      const ran = await run(server, plan(...ids.map((id) => step(id))), { policy: once, providers: many })
      expect(server.ledger.entries.length).toBe(cuts)
      const wrong = ids.filter((id) => ran.outputs.get(id) !== cutText || ran.shown.get(id) !== cutText)
      expect(wrong).toEqual([])
    })
  })
})
