/** Which failures go to another model, which never do, and what is said of it. */
import { describe, expect, test } from '@jest/globals'
import { faults, rateLimited } from './catalogue.js'
import { notes, plan, runVirtually, step, withVirtualServer, type HostOptions } from './host.js'
import { answer, answerOf, jsonType, refusal, whole, type Fault } from './wire.js'

const timeouts = { connectMs: 5000, firstTokenMs: 20_000, idleMs: 30_000, totalMs: 300_000 }
const policy = (retry: object = {}, more: object = {}): HostOptions => ({ policy: { timeouts, retry, ...more } })

const blocked: Fault = (asked) => ({
  headers: jsonType,
  parts: [whole(asked, '', { choices: [{ index: 0, message: { content: '' }, finish_reason: 'content_filter' }] })],
})

describe('by kind', () => {
  test.each<[string, Fault, number, number]>([
    // What the first model can never do goes to the next one at once.
    ['an empty account', refusal(402), 1, 1],
    ['a quota that is gone', refusal(429, { error: { message: 'no', code: 'insufficient_quota' } }), 1, 1],
    ['an unknown model', refusal(404), 1, 1],
    ['a prompt that is too large', refusal(413), 1, 1],
    ['blocked content', blocked, 1, 1],
    // What it may do later is tried there first.
    ['a full limit', rateLimited({}), 2, 1],
    ['no capacity', refusal(529), 2, 1],
    ['a fault of the server', refusal(500), 2, 1],
    ['no connection', faults.resetBeforeHeaders, 2, 1],
    ['silence', faults.headersNever, 2, 1],
    ['a stream that stands still', faults.stalls, 2, 1],
    ['a cut stream', faults.resetInBody, 2, 1],
    ['garbage', faults.garbage, 2, 1],
    // Refused for a reason that nobody knows: one try elsewhere.
    ['a malformed request', refusal(400), 1, 1],
    ['an unprocessable request', refusal(422), 1, 1],
    // What another would refuse as well, or hide a mistake by taking it, goes nowhere.
    ['a refused key', refusal(401), 1, 0],
    ['a key without rights', refusal(403), 1, 0],
  ])('%s: %#', async (_, fault, atAlpha, atBeta) => {
    await withVirtualServer(async (server, clock) => {
      server.script([{ provider: 'alpha', fault }])
      const ran = await runVirtually(server, clock, plan(step('a')), policy({ perModel: 2 }, { overflow: 'never' }))
      expect([server.ledger.to('alpha').length, server.ledger.to('beta').length]).toEqual([atAlpha, atBeta])
      expect(server.ledger.to('gamma')).toEqual([])
      expect(ran.outcome).toBe(atBeta === 1 ? 'ok' : 'steps_failed')
      expect(notes(ran, 'fell_back').length).toBe(atBeta)
      if (atBeta === 1) expect(ran.outputs.get('a')).toBe(answerOf('a'))
    })
  })

  test('when all of them fail the attempts are still counted over all', async () => {
    await withVirtualServer(async (server, clock) => {
      server.script([{ fault: refusal(500) }])
      const ran = await runVirtually(server, clock, plan(step('a')), policy({ attempts: 4, perModel: 2 }))
      expect(ran.outcome).toBe('steps_failed')
      const asked = server.ledger.entries.map(({ provider }) => provider)
      expect(asked).toEqual(['alpha', 'alpha', 'beta', 'beta'])
    })
  })

  test('a model that asks for more patience than there is loses the step to the next', async () => {
    await withVirtualServer(async (server, clock) => {
      server.script([{ provider: 'alpha', fault: rateLimited({ 'retry-after': '100000' }) }])
      const ran = await runVirtually(server, clock, plan(step('a')), policy())
      expect([ran.outcome, clock.now() < 60_000]).toEqual(['ok', true])
      expect(server.ledger.entries.map(({ provider }) => provider)).toEqual(['alpha', 'beta'])
    })
  })

  test('when every model is cooling the earliest is waited for', async () => {
    await withVirtualServer(async (server, clock) => {
      server.script([
        { provider: 'alpha', fault: rateLimited({ 'retry-after': '300' }) },
        { provider: 'beta', times: 1, fault: rateLimited({ 'retry-after': '40' }) },
        { provider: 'gamma', times: 1, fault: rateLimited({ 'retry-after': '120' }) },
      ])
      const ran = await runVirtually(server, clock, plan(step('a')), policy({ attempts: 9 }))
      expect(ran.outcome).toBe('ok')
      const [refused, answered] = server.ledger.to('beta')
      expect((answered?.at ?? 0) - (refused?.at ?? 0)).toBeGreaterThanOrEqual(40_000)
      expect(answered?.at).toBeLessThan(120_000)
    })
  })

  test('a provider that a step names is not left, whatever the overflow', async () => {
    await withVirtualServer(async (server, clock) => {
      server.script([{ provider: 'alpha', fault: refusal(402) }])
      const ran = await runVirtually(server, clock, plan(step('a', { provider: 'alpha' })), policy())
      expect([ran.outcome, server.ledger.entries.length]).toEqual(['steps_failed', 1])
    })
  })
})

describe('the output constraint', () => {
  const schema = {
    type: 'object',
    properties: { n: { type: 'integer' } },
    required: ['n'],
    additionalProperties: false,
  }
  const wanting = step('a', { output: schema })
  const json = (): Fault => answer('{"n":1}')
  const strict = { alpha: { dialect: 'openai', json: 'schema' }, beta: { json: 'none' }, gamma: { json: 'none' } }

  test('refused as a schema, then as an object, then left to the prompt: each step down is told', async () => {
    await withVirtualServer(async (server, clock) => {
      const tooMuch = refusal(400, { error: { message: 'response_format is not supported' } })
      server.script([{ times: 2, fault: tooMuch }, { fault: json() }])
      const ran = await runVirtually(server, clock, plan(wanting), { ...policy(), providers: strict })
      expect(ran.outcome).toBe('ok')
      expect(server.ledger.entries.map(({ provider, format }) => [provider, format])).toEqual([
        ['alpha', 'json_schema'],
        ['alpha', 'json_object'],
        ['alpha', ''],
      ])
      expect(notes(ran, 'constraint_relaxed').length).toBe(2)
      expect(JSON.parse(ran.outputs.get('a') ?? '')).toEqual({ n: 1 })
      // The schema is asked for in words once it is not enforced.
      expect(server.ledger.entries.at(-1)?.prompt).toContain('"integer"')
    })
  })

  test('a request that is malformed for another reason is tried once elsewhere, and then fails', async () => {
    await withVirtualServer(async (server, clock) => {
      server.script([{ fault: refusal(400) }])
      const ran = await runVirtually(server, clock, plan(wanting), { ...policy(), providers: strict })
      expect(ran.report.steps[0]?.failure).toBe('bad_request')
      expect([server.ledger.to('beta').length, server.ledger.to('gamma').length]).toEqual([1, 0])
      expect(server.ledger.to('alpha').length).toBe(3)
      expect(notes(ran, 'refused_elsewhere')).toHaveLength(1)
    })
  })

  test('a fallback to a looser provider is told, and the answer is checked here', async () => {
    await withVirtualServer(async (server, clock) => {
      server.script([
        { provider: 'alpha', fault: refusal(402) },
        { provider: 'beta', times: 1, fault: answer('sure! n is one') },
        { fault: json() },
      ])
      const ran = await runVirtually(server, clock, plan(wanting), { ...policy(), providers: strict })
      expect(ran.outcome).toBe('ok')
      expect(notes(ran, 'fell_back').length).toBeGreaterThanOrEqual(1)
      expect(notes(ran, 'constraint_relaxed').length).toBeGreaterThanOrEqual(1)
      expect(notes(ran, 'constraint_broken').length + notes(ran, 'repair_started').length).toBeGreaterThanOrEqual(1)
      expect(ran.outputs.get('a')).toBe('{"n":1}')
    })
  })
})

describe('audits', () => {
  // The audit of a double-check run is the second model's work.
  const modes = {
    'double-check': { rules: [{ name: 'all', use: ['alpha'], why: 'x' }], audit: ['beta'] },
  }
  const checked = { ...policy({ attempts: 3, perModel: 3 }, { modes }), mode: 'double-check' }
  const pass = answer('{"verdict":"pass","issues":[]}')

  test('one that cannot be done costs its attempts and no answer', async () => {
    await withVirtualServer(async (server, clock) => {
      server.script([{ provider: 'beta', fault: refusal(500) }])
      const ran = await runVirtually(server, clock, plan(step('a')), checked)
      expect([ran.outcome, ran.outputs.get('a')]).toEqual(['ok', answerOf('a')])
      expect([server.ledger.to('alpha').length, server.ledger.to('beta').length]).toEqual([1, 3])
      expect(ran.report.steps[0]?.audit).toBe('undone')
    })
  })

  test('one that fails at first is tried again by itself: the work is not done twice', async () => {
    await withVirtualServer(async (server, clock) => {
      server.script([
        { provider: 'beta', times: 1, fault: faults.resetInBody },
        { provider: 'beta', times: 1, fault: rateLimited({ 'retry-after': '5' }) },
        { provider: 'beta', fault: pass },
      ])
      const ran = await runVirtually(server, clock, plan(step('a')), checked)
      expect(ran.report.steps[0]?.audit).toBe('passed')
      expect([server.ledger.to('alpha').length, server.ledger.to('beta').length]).toEqual([1, 3])
      const times = server.ledger.to('beta').map(({ at }) => at)
      expect((times[2] ?? 0) - (times[1] ?? 0)).toBeGreaterThanOrEqual(5000)
    })
  })
})
