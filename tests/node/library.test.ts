import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import type { CallTicket, Performer } from '../../bindings/performer.js'
import { explainPlan, runPlan, checkPlan, type RunEvent } from '../../node/index.js'
import { createSimulator, simulatorProfiles } from '../../web/standard/simulator/index.js'

const step = (id: string, dependencies: string[] = [], more: object = {}): Record<string, unknown> => ({
  id,
  type: 'testing',
  description: `do ${id}`,
  complexity: 0.5,
  estimated_tokens: 100,
  dependencies,
  ...more,
})
const plan = (...steps: object[]): Record<string, unknown> => ({ task_id: 't', description: 'd', steps })
const usage = { input: 10, cached: 0, output: 5, reasoning: 0 }

/** Answers at once, and remembers what it was asked. */
function recorder(answer: (ticket: CallTicket) => string = ({ step: { id } }) => `answer of ${id}`) {
  const tickets: CallTicket[] = []
  const performer: Performer = {
    perform(ticket) {
      tickets.push(ticket)
      return Promise.resolve({ text: answer(ticket), usage, finish: 'stop' })
    },
  }
  return { tickets, performer }
}

describe('runPlan', () => {
  test('resolves to outputs and a report, over a real socket', async () => {
    const result = await runPlan(plan(step('a'), step('b', ['a'])), { simulate: 'instant', config: {} })
    expect(result.outcome).toBe('ok')
    expect(result.simulated).toBe('instant')
    expect([...result.outputs.keys()]).toEqual(['a', 'b'])
    expect(result.report.counts).toMatchObject({ total: 2, done: 2 })
    expect(result.report.totals.costMicroUsd).toBeGreaterThan(0)
    expect(result.report.steps[1]?.calls[0]?.tokens.input).toBeGreaterThan(10)
  })

  test('hands the outputs of dependencies to a step, implied ones too', async () => {
    const { tickets, performer } = recorder()
    await runPlan(plan(step('a'), step('b', [], { description: 'use {{steps.a.output}}' })), { performer, config: {} })
    expect(tickets.map(({ step: { id } }) => id)).toEqual(['a', 'b'])
    expect(tickets[1]?.dependencies).toEqual([[0, 'answer of a']])
  })

  test('is an iterable of events that ends with finish', async () => {
    const types: string[] = []
    for await (const event of runPlan(plan(step('a')), { performer: recorder().performer, config: {} })) {
      types.push(event.type)
    }
    expect(types).toEqual(['steps', 'call', 'answer', 'callEnd', 'done', 'finish'])
  })

  test('takes text, bytes and chunks; a streamed step starts before the plan ends', async () => {
    const text = JSON.stringify(plan(step('a'), step('b')))
    const whole = await runPlan(text, { performer: recorder().performer, config: {} })
    const bytes = await runPlan(new TextEncoder().encode(text), { performer: recorder().performer, config: {} })
    expect([...whole.outputs]).toEqual([...bytes.outputs])

    const { tickets, performer } = recorder()
    async function* chunks(): AsyncIterable<string> {
      const cut = text.indexOf('{"id":"b"')
      yield text.slice(0, cut)
      await new Promise((resolve) => setImmediate(resolve))
      expect(tickets.map(({ step: { id } }) => id)).toEqual(['a'])
      yield text.slice(cut)
    }
    const streamed = await runPlan(chunks(), { performer, config: {} })
    expect([...streamed.outputs.keys()]).toEqual(['a', 'b'])
  })

  test.each([
    ['malformed JSON', '{"steps":[1,]}', 'json.malformed'],
    ['malformed JSON that is no plan either', '[1,]', 'json.malformed'],
    ['no plan', '[]', 'plan.not_object'],
    ['a cycle', plan(step('a', ['b']), step('b', ['a'])), 'plan.cycle'],
    ['an unknown provider', plan(step('a', [], { provider: 'nobody' })), 'route.unknown_provider'],
  ])('refuses %s before any call', async (_, source, code) => {
    const { tickets, performer } = recorder()
    await expect(runPlan(source, { performer, config: {} })).rejects.toMatchObject({ code })
    expect(tickets).toEqual([])
  })

  test('refuses to run without a configured provider', async () => {
    await expect(runPlan(plan(step('a')), { config: { providers: noKeys } })).rejects.toMatchObject({
      code: 'route.no_provider',
    })
  })

  test('a failed step skips its dependents and the rest goes on', async () => {
    const { performer } = recorder(({ step: { id } }) => {
      if (id === 'a') throw new Error('boom')
      return id
    })
    const events: RunEvent[] = []
    const result = await runPlan(plan(step('a'), step('b', ['a']), step('c')), {
      performer,
      config: {},
      policy: { retry: { attempts: 1 } },
      onEvent: (event) => events.push(event),
    })
    expect(result.outcome).toBe('steps_failed')
    expect(result.report.steps.map(({ state }) => state)).toEqual(['failed', 'skipped', 'done'])
    expect(events).toContainEqual(expect.objectContaining({ type: 'failed', step: 'a', message: 'boom' }))
    expect(events).toContainEqual(expect.objectContaining({ type: 'skipped', step: 'b', cause: 'a' }))
  })

  test('a signal cancels the run and reaches the calls; what is done is kept', async () => {
    const controller = new AbortController()
    let aborted = 0
    const performer: Performer = {
      perform: ({ step: { id }, signal }) =>
        id === 'a'
          ? Promise.resolve({ text: 'kept', usage, finish: 'stop' })
          : new Promise((_, reject) => {
              signal.addEventListener('abort', () => {
                aborted += 1
                reject(new Error('aborted'))
              })
            }),
    }
    const run = runPlan(plan(step('a'), step('b'), step('c', ['b'])), {
      performer,
      config: {},
      signal: controller.signal,
    })
    for await (const event of run) if (event.type === 'done') controller.abort()
    const result = await run
    expect(result.outcome).toBe('cancelled')
    expect(aborted).toBe(1)
    expect([...result.outputs]).toEqual([['a', 'kept']])
    expect(result.report.steps.map(({ state }) => state)).toEqual(['done', 'cancelled', 'cancelled'])
  })

  test('a run that was cancelled before it began calls nothing', async () => {
    const { tickets, performer } = recorder()
    const result = await runPlan(plan(step('a')), { performer, config: {}, signal: AbortSignal.abort() })
    expect(result.outcome).toBe('cancelled')
    expect(tickets).toEqual([])
  })

  test('an output that cannot be made durable stops the run with the host error', async () => {
    const { tickets, performer } = recorder()
    const full = new Error('disk full')
    const run = runPlan(plan(step('a'), step('b', ['a']), step('c', ['b'])), {
      performer,
      config: {},
      deliver: () => Promise.reject(full),
    })
    await expect(run).rejects.toBe(full)
    expect(tickets.length).toBeLessThan(3)
  })

  test('double-check audits each answer and repairs once on issues', async () => {
    const profile = { ...simulatorProfiles.instant, auditIssueShare: 1 }
    const result = await runPlan(plan(step('a')), { mode: 'double-check', simulate: profile, config: {} })
    const [report] = result.report.steps
    expect(report?.audit).toBe('issues')
    expect(report?.repaired).toBe(true)
    expect(report?.calls.map(({ purpose, provider }) => [purpose, provider])).toEqual([
      ['main', 'deepseek'],
      ['audit', 'gemini'],
      ['repair', 'deepseek'],
    ])
  })

  test('an injected fetch serves every provider call', async () => {
    const simulator = createSimulator(simulatorProfiles.instant)
    const config = { providers: { groq: { key: 'k', baseUrl: 'http://simulated.invalid/groq/v1' } } }
    const result = await runPlan(plan(step('a', [], { type: 'prototyping' })), { fetch: simulator.fetch, config })
    expect(result.outcome).toBe('ok')
    expect(simulator.ledger.entries.length).toBe(1)
  })

  test('context files come from the folder and from nowhere else', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'aetherflow-'))
    writeFileSync(join(folder, 'in.txt'), 'inside')
    const files = (...paths: string[]): object => ({ context: { files: paths } })
    const simulate = 'instant'
    const good = await runPlan(plan(step('a', [], files('in.txt'))), { simulate, folder, config: {} })
    expect(good.outcome).toBe('ok')
    const outside = JSON.stringify(plan(step('a', [], files('../../etc/passwd'))))
    // A whole plan is refused before it calls anything; of one that streams the step fails alone.
    await expect(runPlan(outside, { simulate, folder, config: {} })).rejects.toMatchObject({
      code: expect.stringMatching(/^host\.(file_refused|io_failed)$/),
      where: '/steps/0/context/files/0',
    })
    const streamed = (async function* () {
      yield new TextEncoder().encode(outside)
    })()
    const bad = await runPlan(streamed, { simulate, folder, config: {} })
    expect(bad.report.steps[0]).toMatchObject({ state: 'failed', failure: 'input' })
  })

  test('several runs at once do not mix', async () => {
    const runs = await Promise.all(
      [1, 2, 3, 4].map((n) =>
        runPlan(plan(step('a'), step('b', ['a'])), { performer: recorder(() => `run ${n}`).performer, config: {} }),
      ),
    )
    expect(runs.map(({ outputs }) => outputs.get('b'))).toEqual(['run 1', 'run 2', 'run 3', 'run 4'])
  })
})

const noKeys = Object.fromEntries(
  ['deepseek', 'gemini', 'groq', 'mistral', 'openai'].map((id) => [id, { keyEnv: 'AETHERFLOW_TEST_UNSET' }]),
)

describe('explainPlan and checkPlan', () => {
  test('explains without a call, equally each time', async () => {
    const source = plan(step('a'), step('b'), step('c', ['a', 'b']))
    const first = await explainPlan(source, { config: { providers: noKeys } })
    const second = await explainPlan(source, { config: { providers: noKeys } })
    expect(first).toEqual(second)
    expect(first.assumed.length).toBe(5)
    expect(first.report.criticalPath).toEqual(['a', 'c'])
    expect(first.report.makespanMs).toBeLessThan(first.report.sumOfStepsMs)
    const { low, expected, high } = first.costMicroUsd
    expect(low).toBeLessThanOrEqual(expected)
    expect(expected).toBeLessThan(high)
  })

  test('warns of an unknown type and routes it by the default rule', async () => {
    const source = plan(step('a', [], { type: 'poetry' }))
    const { warnings } = await checkPlan(source)
    expect(warnings).toContainEqual(expect.objectContaining({ code: 'plan.unknown_type', where: '/steps/0/type' }))
    const { routes } = await explainPlan(source, { config: {}, simulate: true })
    expect(routes[0]).toMatchObject({ provider: 'deepseek', rule: 'default' })
  })

  test('says when a rule has to do without its provider', async () => {
    const config = { providers: { ...noKeys, groq: { key: 'k' } } }
    const { routes } = await explainPlan(plan(step('a', [], { type: 'analysis' })), { config })
    expect(routes[0]?.provider).toBe('groq')
    expect(routes[0]?.why).toContain('Gemini')
    expect(routes[0]?.why).toContain('not configured')
  })
})
