import { describe, expect, test } from '@jest/globals'
import type { CallReport, CallTotals, RunReport, StepReport } from '../../bindings/events.js'
import { gantt, providerLetters } from '../../node/cli/gantt.js'
import { paint } from '../../node/cli/colour.js'
import { summaryLines } from '../../node/cli/summary.js'
import { displayWidth } from '../../node/cli/terminal-text.js'
import { markdownText } from '../../web/standard/format.js'
import { reportMarkdown } from '../../web/standard/report/markdown.js'

const hostile = 'a|b`c`<img src=x>\u001b[31m\u202e_x_ [y](http://z)\n# h'
const spread = (value: number | null) => ({ count: 1, p50: value, p90: value, p99: value, max: value })
const tokens = { input: 1000, cached: 400, output: 2000, reasoning: 50, strippedEstimate: 120 }
const nothing = { tokens: { input: 0, output: 0 }, costMicroUsd: 0 }
const totals: CallTotals = {
  ...{
    calls: 3,
    succeeded: 2,
    hedges: 0,
    withheld: 0,
    failures: { auth: 1 },
    tokens,
    costMicroUsd: 4213,
    workMs: 9000,
  },
  ...{ lost: nothing, cancelled: nothing },
  ...{ queueMs: spread(10), firstTokenMs: spread(2500), responseMs: spread(4000), networkMs: spread(null) },
}
const call = (more: Partial<CallReport>): CallReport => ({
  ...{ call: 0, purpose: 'main', attempt: 0, provider: 'groq', model: 'm', outcome: 'ok' },
  ...{ readyAt: 0, dispatchedAt: 0, endedAt: 4000, queueMs: 10, firstTokenMs: 2500, responseMs: 4000, networkMs: null },
  ...{ tokens: { ...tokens, estimated: false }, costMicroUsd: 4213, priceKnown: true, ...more },
})
const step = (id: string, more: Partial<StepReport>): StepReport => ({
  ...{ id, type: 'analysis', state: 'done', startedAt: 0, settledAt: 4000, costMicroUsd: 4213, calls: [call({})] },
  route: { id, provider: 'groq', model: 'm', rule: 'easy', why: 'easy goes to Groq', alternatives: [] },
  ...more,
})
const report: RunReport = {
  ...{ taskId: 'shop', description: 'improve it', outcome: 'steps_failed', mode: 'build', pricesAsOf: '2026-11-21' },
  counts: { total: 3, done: 1, failed: 1, skipped: 1, cancelled: 0 },
  ...{ successRate: 0.3333, makespanMs: 8000, sumOfStepsMs: 12_000, speedup: 1.5, totals },
  ...{ connectionReuseRate: 0.5, connectionSetupMs: 12, connectionSetupSavedMs: 12, breakers: [] },
  criticalPath: ['one', hostile],
  targets: [
    {
      metric: 'firstToken',
      targetMs: 2000,
      measured: 2,
      missedBy: [
        { id: 'one', ms: 2500 },
        { id: hostile, ms: 3000 },
      ],
    },
    { metric: 'response', targetMs: 30_000, measured: 2, missedBy: [] },
    { metric: 'queue', targetMs: 1000, measured: 2, missedBy: [] },
    { metric: 'network', targetMs: 500, measured: 0, missedBy: [] },
  ],
  byProvider: [{ name: 'groq', ...totals }],
  byType: [{ name: 'analysis', ...totals }],
  steps: [
    step('one', {
      ...{ audit: 'issues', repaired: true },
      calls: [
        call({ overflowed: true, finish: 'length' }),
        call({ purpose: 'repair', provider: 'gemini', dispatchedAt: 4000, endedAt: 8000 }),
      ],
    }),
    step(hostile, {
      state: 'failed',
      failure: 'auth',
      calls: [call({ outcome: 'auth', priceKnown: false, responseMs: 100 })],
    }),
    step('three', {
      state: 'skipped',
      reason: 'dependency_failed',
      cause: hostile,
      startedAt: null,
      settledAt: 900,
      calls: [],
    }),
  ],
}

describe('report.md', () => {
  const text = reportMarkdown(report, {
    ...{ simulated: 'default', plan: 'shop.json', messages: new Map([[hostile, 'key | refused <b>']]) },
    warnings: [{ code: 'plan.unknown_type', where: '/steps/0/type', detail: hostile }],
  })
  const cells = (line: string): string[] => line.split(/(?<!\\)\|/).map((cell) => cell.trim())
  const row = (heading: string, first: string): string[] => {
    const part = text.split(`## ${heading}\n`)[1]?.split('\n## ')[0] ?? ''
    return cells(part.split('\n').find((line) => line.startsWith(`| ${first} |`)) ?? '').slice(1, -1)
  }

  test('has its parts, in order, labelled as simulated', () => {
    const headings = [...text.matchAll(/^#+ .*$/gm)].map(([heading]) => heading)
    expect(headings).toEqual([
      '# shop (simulated: default)',
      ...[
        'Summary',
        'What did not succeed',
        'Attempts',
        'Targets',
        'Critical path',
        'By provider',
        'By type',
        'Percentiles',
        'Steps',
      ].map((name) => `## ${name}`),
      ...['## Saved by stripping', '## Warnings'],
    ])
  })

  test('the summary has every figure with its unit and the date of the prices', () => {
    expect(row('Summary', 'steps')[1]).toBe('1 of 3 done, 1 failed, 1 skipped')
    expect(row('Summary', 'makespan')[1]).toBe('8.0 s')
    expect(row('Summary', 'sum of step times')[1]).toBe('12.0 s')
    expect(row('Summary', 'parallel speed-up')[1]).toBe('1.50×')
    expect(row('Summary', 'success rate')[1]).toBe('33.3 %')
    expect(row('Summary', 'tokens in')[1]).toBe('1,000, of them cached 400')
    expect(row('Summary', 'tokens out')[1]).toBe('2,000, of them reasoning 50')
    expect(row('Summary', 'cost')[1]).toBe(
      '$0.004213 at prices of 2026-11-21; no price is known of m: the configured worst case is counted',
    )
    expect(row('Summary', 'connections reused')[1]).toBe('50 %; set-up took 12 ms, reuse saved 12 ms')
  })

  test('each target stands beside what was measured, and who missed it, worst first', () => {
    const [, target, median, worst, verdict, who] = row('Targets', 'time to first token')
    expect([target, median, worst, verdict]).toEqual(['< 2.0 s', '2.5 s', '2.5 s', 'missed by 2 steps'])
    expect(who).toBe(`${markdownText(hostile)} (3.0 s), one (2.5 s)`)
    expect(row('Targets', 'time to response')[4]).toBe('met')
    expect(row('Targets', 'network overhead')[4]).toBe('not measured')
  })

  test('failures come with kind, words, cause and what the provider said', () => {
    expect(text).toContain('| failed | auth: the provider refused the key; key \\| refused &lt;b&gt; |')
    expect(row('What did not succeed', 'three')[2]).toContain('a step it depends on did not succeed; because of')
    expect(row('Steps', 'one').at(-1)).toBe(
      'its preferred provider was full; cut at its answer limit; the audit found issues; the repair replaced the first answer',
    )
  })

  test('every table keeps its columns, whatever the ids hold', () => {
    let expected = 0
    let tables = 0
    const lines = text.split('\n')
    lines.forEach((line, i) => {
      if (!line.startsWith('|')) return
      if (!lines[i - 1]?.startsWith('|')) {
        expected = cells(line).length
        tables += 1
      }
      expect(cells(line)).toHaveLength(expected)
    })
    expect(tables).toBeGreaterThan(7)
  })

  test('untrusted text shows and does nothing', () => {
    expect(markdownText(hostile)).toBe('a\\|b\\`c\\`&lt;img src=x&gt;␛\\[31m�\\_x\\_ \\[y\\](http\\://z) \\# h')
    expect(markdownText('snake_case &amp; www.x.org')).toBe('snake_case &amp;amp; www\\.x.org')
    expect(text).not.toMatch(/<img|[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/)
  })

  test('a real run carries no label', () => {
    expect(reportMarkdown(report)).not.toContain('imulated')
  })
})

describe('on the terminal', () => {
  const colours = paint({ write: () => true }, {})

  test('the summary: outcome, speed-up, cost, failures, missed targets, places', () => {
    const lines = summaryLines(report, { simulated: 'default', folder: 'out' }, colours)
    const id = 'a|b`c`<img src=x>␛[31m�_x_ [y](http://z) # h'
    expect(lines).toEqual([
      '✗ 1 of 3 steps done, 1 failed, 1 skipped in 8.0 s, $0.0042 (simulated: default)',
      '  12.0 s of work in 8.0 s: 1.5× in parallel',
      '  1,000 tokens in (400 cached), 2,000 out, $0.0042 at prices of 2026-11-21',
      `  critical path: one → ${id}`,
      '  1 call failed or cancelled: 1 auth',
      `  failed: ${id} (auth)`,
      `  missed: time to first token < 2.0 s by ${id} (3.0 s), one (2.5 s)`,
      '  outputs in out/step_outputs, report in out/report.md',
    ])
  })

  test('the chart: a bar from start to end, letters told apart, other purposes small', () => {
    const lines = gantt(report, 61, 10)
    expect(lines[0]).toMatch(/^one +G{19}e{19}$/)
    expect(lines.at(-2)).toMatch(/ 0 +8\.0 s$/)
    expect(lines.at(-1)?.trim()).toBe('G groq  E gemini')
    expect([...providerLetters(report).values()]).toEqual(['G', 'E'])
    for (const columns of [10, 40, 80, 100, 300]) {
      for (const line of gantt(report, columns, 10))
        expect(displayWidth(line)).toBeLessThanOrEqual(Math.max(20, Math.min(100, columns - 1)))
    }
  })

  test('a chart of many steps is cut and says so', () => {
    const many = { ...report, steps: Array.from({ length: 50 }, (_, i) => step(`s${i}`, {})) }
    const lines = gantt(many, 80, 10)
    expect(lines).toHaveLength(13)
    expect(lines[10]).toBe('… and 40 more')
  })
})
