/** What people see of retries, waits, breakers and budgets. */
import { describe, expect, test } from '@jest/globals'
import { runPlan } from '../../node/index.js'
import { policyOf } from '../../node/cli/policy-flags.js'
import { RunView } from '../../node/cli/run-view.js'
import type { RunEvent } from '../../bindings/events.js'
import { reasonWords } from '../../bindings/generated/wire.js'
import { reportMarkdown } from '../../web/standard/report/markdown.js'
import { plan } from './cli-process.js'
import { aetherflow } from './commands.js'

const note = (reason: string, more: object): RunEvent =>
  ({ type: 'note', at: 5, reason, words: 'words', ...more }) as RunEvent
const info = { step: 0, id: 'a', type: 'analysis', complexity: 0.5, estimatedTokens: 1, output: 'text' } as const
const steps: RunEvent = {
  ...{ type: 'steps', at: 0 },
  steps: [{ ...info, optional: false, priority: 0, files: [], dependencies: [] }],
}
const call: RunEvent = {
  ...{
    type: 'call',
    at: 1,
    step: 'a',
    call: 0,
    purpose: 'main',
    attempt: 0,
    provider: 'groq',
    model: 'm',
    estimateMs: 1,
    reason: 'routed',
    why: 'speed',
  },
}

describe('a row of the live table', () => {
  const view = () => {
    const made = new RunView()
    for (const event of [steps, call]) made.apply(event)
    return made
  }

  test('waits while its call is tried again, and says why and how long', () => {
    const seen = view()
    seen.apply({ type: 'progress', at: 2, step: 'a', call: 0, purpose: 'main', outputTokens: 40 })
    seen.apply(note('retrying', { step: 'a', detail: 'the provider failed; again in 0.6 s', provider: 'groq' }))
    expect(seen.row('a')).toMatchObject({
      state: 'waiting',
      note: 'again: the provider failed; again in 0.6 s',
      tokens: 0,
    })
    expect(seen.running.size).toBe(0)
    seen.apply(call)
    expect(seen.row('a')?.state).toBe('running')
  })

  test('says that the answer starts over after a broken stream', () => {
    const seen = view()
    seen.apply({ type: 'progress', at: 2, step: 'a', call: 0, purpose: 'main', outputTokens: 40 })
    seen.apply({ type: 'restart', at: 3, step: 'a', call: 0 })
    expect(seen.row('a')).toMatchObject({ tokens: 0, note: reasonWords.restarted })
  })

  test('says what limit it waits for', () => {
    const seen = view()
    seen.apply(note('waiting_for_limit', { step: 'a', detail: 'groq m tokens_per_minute, until 61.0 s of the run' }))
    expect(seen.row('a')?.note).toBe('limit: groq m tokens_per_minute, until 61.0 s of the run')
  })

  test('a provider whose breaker opened is named until it is well', () => {
    const seen = view()
    seen.apply(note('breaker_opened', { provider: 'groq' }))
    expect([...seen.unwell]).toEqual([['groq', 'paused']])
    seen.apply(note('breaker_probing', { provider: 'groq' }))
    expect([...seen.unwell]).toEqual([['groq', 'probing']])
    seen.apply(note('breaker_closed', { provider: 'groq' }))
    expect(seen.unwell.size).toBe(0)
  })
})

describe('flags of a policy', () => {
  test('become the part of a configuration that they override', () => {
    expect(policyOf({})).toEqual({})
    const flags = { budget: 0.5, maxTokens: 9000, stepBudget: 0.1, attempts: 2, deadline: 90_000, hedge: 0.05 }
    expect(policyOf({ ...flags, interrupt: 'continue' })).toEqual({
      budget: { run: { usd: 0.5, tokens: 9000 }, step: { usd: 0.1 } },
      retry: { attempts: 2, deadlineMs: 90_000 },
      hedge: { share: 0.05 },
      interrupt: 'continue',
    })
  })

  test.each([
    ['--budget', 'much'],
    ['--deadline', '5 minutes'],
    ['--hedge', '120%'],
    ['--attempts', '0'],
    ['--interrupt', 'maybe'],
  ])('%s %s is refused', async (flag, value) => {
    const { code, stderr } = await aetherflow(['run', plan('diamond'), '--simulate', 'instant', flag, value])
    expect([code, stderr.split('\n')[0]]).toEqual([2, expect.stringContaining(`error host.usage: option '${flag}`)])
  })

  test('a budget that does not suffice stops the run, and explain says so before', async () => {
    const small = ['--budget', '0.0005']
    const explained = await aetherflow(['explain', plan('code-base'), ...small])
    expect(explained.stdout).toMatch(/budget +\$0\.000\d of \$0\.0005, does not suffice: \d+ steps left out/)
    const { code, stdout } = await aetherflow(['run', plan('code-base'), '--simulate', 'instant', ...small])
    expect(code).toBe(1)
    expect(stdout).toMatch(
      /the rest of the budget is less than the next call may cost: nothing more is started: \S+ may need \$0\.\d+, \$0\.\d+ is left; raise budget\.run\.usd/,
    )
    expect(stdout).toMatch(/budget: .* of \$0\.0005/)
  })
})

describe('the report', () => {
  test('tells attempts, lost money and budget of a run whose providers stumble (simulated)', async () => {
    const simulate = 'flaky'
    const policy = { budget: { run: { usd: 5 } }, retry: { baseMs: 1, capMs: 5 } }
    const { report, simulated } = await runPlan(await readPlan('code-base'), {
      simulate,
      seed: 7,
      policy,
      config: {},
      folder: 'examples/plans',
    })
    const text = reportMarkdown(report, { simulated })
    const lost = report.totals.calls - report.totals.succeeded
    expect(lost).toBeGreaterThan(0)
    expect(Object.values(report.totals.failures).reduce((sum, count) => sum + count, 0)).toBe(lost)
    expect(text).toContain(`## Attempts\n\n${lost} of ${report.totals.calls} calls did not succeed`)
    expect(text).toMatch(/## Budget\n\n.*\n.*\n\| whole run \| \$5\.0+ \| – \| \$0\.0/)
    expect(report.budget?.spentMicroUsd).toBe(report.totals.costMicroUsd)
  }, 60_000)

  test('a connection is opened for what is under way at once, and no more; in a long plan four of five calls find one', async () => {
    const steps = Array.from({ length: 240 }, (_, at) => ({
      id: `s${at}`,
      type: 'analysis',
      description: `look at part ${at}`,
    }))
    const long = JSON.stringify({ task_id: 'long', description: 'many steps', steps })
    const examples = await Promise.all(['code-base', 'diamond', 'five-files', 'review'].map(readPlan))
    for (const text of [...examples, long]) {
      const underWay = new Map<string, number>()
      const most = new Map<string, number>()
      const { report } = await runPlan(text, {
        simulate: 'instant',
        config: {},
        folder: 'examples/plans',
        onEvent: (event) => {
          if (event.type !== 'call' && event.type !== 'callEnd') return
          const now = (underWay.get(event.provider) ?? 0) + (event.type === 'call' ? 1 : -1)
          underWay.set(event.provider, now)
          most.set(event.provider, Math.max(most.get(event.provider) ?? 0, now))
        },
      })
      const { calls } = report.totals
      const opened = Math.round((1 - report.connectionReuseRate!) * calls)
      expect(opened).toBeLessThanOrEqual([...most.values()].reduce((sum, count) => sum + count, 0))
      if (text === long) expect(report.connectionReuseRate).toBeGreaterThan(0.8)
    }
  }, 60_000)
})

async function readPlan(name: string): Promise<string> {
  const { readFile } = await import('node:fs/promises')
  return readFile(plan(name), 'utf8')
}
