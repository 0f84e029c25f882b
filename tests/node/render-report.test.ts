import { describe, expect, test } from '@jest/globals'
import type { CallReport, CallTotals, RunReport, StepReport } from '../../bindings/events.js'
import { gantt, providerLetters } from '../../node/cli/gantt.js'
import { paint } from '../../node/cli/colour.js'
import { summaryLines } from '../../node/cli/summary.js'
import { displayWidth } from '../../node/cli/terminal-text.js'
import { markdownText } from '../../web/standard/format.js'
import { remedies } from '../../node/cli/advice.js'
import { reportHtml } from '../../web/standard/report/html.js'
import { reportMarkdown } from '../../web/standard/report/markdown.js'
import { timeline } from '../../web/standard/report/timeline.js'

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
    promptCache: { hitRate: 0.4, sharedTokens: 500, savedMicroUsd: 60, savedMs: 40 },
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
  route: {
    ...{ id, provider: 'groq', model: 'm', rule: 'easy', why: 'easy work wants speed', alternatives: [] },
    ...{ tokensPerSecond: 500, microUsdPerMtok: 600_000 },
  },
  ...more,
})
const report: RunReport = {
  ...{
    taskId: 'shop',
    description: 'improve it',
    outcome: 'steps_failed',
    mode: 'build',
    assumedPrices: [{ provider: 'p', model: 'm', inMicroUsdPerMtok: 10e6, outMicroUsdPerMtok: 50e6 }],
    pricesAsOf: '2026-11-21',
  },
  counts: { total: 3, done: 1, failed: 1, skipped: 1, cancelled: 0 },
  ...{ successRate: 0.3333, makespanMs: 8000, sumOfStepsMs: 12_000, speedup: 1.5, totals },
  ...{ connectionReuseRate: 0.5, connectionSetupMs: 12, connectionSetupSavedMs: 12, breakers: [] },
  criticalPath: ['one', hostile],
  promptCacheTarget: 0.6,
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
        'In short',
        'What to do next',
        'What did not succeed',
        'Steps',
        'Attempts',
        'Targets',
        'Critical path',
        'By provider',
        'By type',
        'Times of calls',
        'Prompt caches',
        'Saved by stripping',
        'Warnings',
        'All figures',
      ].map((name) => `## ${name}`),
    ])
  })

  test('the summary has every figure with its unit and the date of the prices', () => {
    expect(row('In short', 'outcome')[1]).toBe('some steps failed: 1 of 3 steps done, 1 failed, 1 skipped')
    expect(row('All figures', 'makespan')[1]).toBe('8.0 s')
    expect(row('All figures', 'sum of step times')[1]).toBe('12.0 s')
    expect(row('All figures', 'parallel speed-up')[1]).toBe('1.50×')
    expect(row('All figures', 'success rate')[1]).toBe('33.3 %')
    expect(row('All figures', 'tokens in')[1]).toBe('1,000, of them cached 400')
    expect(row('All figures', 'tokens out')[1]).toBe('2,000, of them reasoning 50')
    expect(row('All figures', 'cost')[1]).toBe(
      '$0.004213 at prices of 2026-11-21; price of p m unknown, assumed $10.00 in and $50.00 out per million tokens',
    )
    expect(row('All figures', 'connections reused')[1]).toBe('50 %; set-up took 12 ms, reuse saved 12 ms')
  })

  test('each target stands beside what was measured, and who missed it, worst first', () => {
    const [, target, median, worst, verdict, who] = row('Targets', 'time to first token')
    expect([target, median, worst, verdict]).toEqual(['&lt; 2.0 s', '2.5 s', '2.5 s', 'missed by 2 steps'])
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

  test('what a person asks comes first: time and cost against what was expected, and the steps that made them', () => {
    const costMicroUsd = { low: 1000, expected: 4000, high: 9000 }
    const expected = { makespanMs: 10_000, costMicroUsd, steps: new Map([['one', 2000]]) }
    const outputs = { one: 'step_outputs/one.md', [hostile]: 'step_outputs/a%7Cb.md' }
    const first = reportMarkdown(report, { expected, outputs }).split('## What to do next')[0] ?? ''
    expect(first).toContain('| time | 8.0 s for 12.0 s of work, 1.5× in parallel; 10.0 s expected, so 20 % less |')
    expect(first).toContain(
      '| cost | \\~$0.0042 at prices of 2026-11-21; price of p m unknown, assumed $10.00 in and $50.00 out per million tokens; $0.0040 expected, within $0.0010 to $0.0090 |',
    )
    expect(first).toContain(
      '| slowest step | [one](step_outputs/one.md): 4.0 s on groq m, in 2 calls; 2.0 s expected |',
    )
    expect(first).toContain('| most expensive step | [one](step_outputs/one.md): $0.0042, 100 % of the cost |')
    const whole = reportMarkdown(report, { outputs })
    // A name of a file is no address of its own: its percents are encoded once more.
    expect(whole).toContain(`[${markdownText(hostile)}](step_outputs/a%257Cb.md)`)
    expect(row('What to do next', 'auth').slice(1)).toEqual([
      ...['1 step', 'the provider refused the key', 'check the key of the provider'],
    ])
    // A host names its own flags and commands.
    expect(reportMarkdown(report, { remedies })).toContain(
      '| auth | 1 step | the provider refused the key | aetherflow providers tells which keys are accepted |',
    )
    expect(reportMarkdown(report, { targetsFrom: 'those of mine.json' })).toContain(
      'Per call. They are those of mine.json.',
    )
  })

  test('shares of calls are told only of enough calls for a share to be some', () => {
    const columns = (count: number): string => {
      const many = { ...report.totals.responseMs, count }
      const text = reportMarkdown({ ...report, totals: { ...report.totals, responseMs: many } })
      return /## Times of calls\n\n(.*)\n/.exec(text)?.[1] ?? ''
    }
    expect(columns(8)).toBe('|  | calls | median | worst |')
    expect(columns(20)).toBe('|  | calls | median | p90 | worst |')
    expect(columns(200)).toBe('|  | calls | median | p90 | p99 | worst |')
  })

  test('a long plan is folded, and a very long one says where the rest is', () => {
    const steps = Array.from({ length: 2100 }, (_, i) => step(`s${i}`, {}))
    const long = { ...report, steps, criticalPath: steps.slice(0, 300).map(({ id }) => id) }
    const text = reportMarkdown(long)
    const [open = '', folded = ''] = text.split('## Steps')[1]?.split('</details>') ?? []
    expect(open.split('<details>')[0]?.match(/^\| s\d/gm)).toHaveLength(50)
    expect(open).toContain('<details><summary>2050 more steps, the first 1950 of them here; run.json has all</summary>')
    expect(folded).not.toContain('| s')
    expect(text.match(/^\| s\d+ /gm)).toHaveLength(2000)
    expect(text).toContain('s5 → … 288 more … → s294')
  })

  test('a real run carries no label', () => {
    expect(reportMarkdown(report)).not.toContain('imulated')
  })
})

describe('report.html and the timeline', () => {
  const extras = {
    ...{ simulated: 'default', picture: 'timeline.svg', messages: new Map([[hostile, '"><script>x()</script>']]) },
    outputs: { one: 'step_outputs/a "b".md' },
  }
  const page = reportHtml(report, extras)

  test('loads nothing, runs nothing, and shows a stranger`s text as text', () => {
    expect(page).not.toMatch(
      /<(script|img|link|iframe|object|embed|form)|<[^>]*\s(on\w+|src)=|url\(|@import|javascript:/i,
    )
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'`)
    expect(page).toContain('&#60;img src=x&#62;')
    expect(page).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/)
    const links = [...page.matchAll(/href="([^"]*)"/g)].map(([, link]) => link)
    expect(new Set(links)).toEqual(new Set(['step_outputs/a%20%22b%22.md']))
  })

  test('has every part of the Markdown, and the drawing in itself with its words', () => {
    const headings = [...page.matchAll(/<h2>([^<]*)<\/h2>/g)].map(([, text]) => text)
    const same = [...reportMarkdown(report, extras).matchAll(/^## (.*)$/gm)].map(([, text]) => text)
    expect(headings).toEqual(same)
    expect(headings).toContain('Timeline')
    expect(page).toMatch(/<svg [^>]*role="img" aria-label="Timeline of 2 steps over 8.0 s/)
    expect(page).toContain('prefers-color-scheme: dark')
    expect(page).toContain('@media print')
  })

  test('the drawing has a bar a call, of its provider, where it was', () => {
    const drawn = timeline(report)
    const bars = [
      ...(drawn?.svg ?? '').matchAll(/<rect class="provider-(\w+)( x)?" x="([\d.]+)" y="\d+" width="([\d.]+)"/g),
    ]
    // Behind those of the legend.
    expect(bars.slice(2).map(([, colour, lost = '', x, width]) => [colour, lost, Number(x), Number(width)])).toEqual([
      ...[
        ['groq', '', 190, 350],
        ['gemini', '', 540, 350],
        ['groq', ' x', 190, 350],
      ],
    ])
    const many = { ...report, steps: Array.from({ length: 1500 }, (_, i) => step(`s${i}`, {})) }
    expect(timeline(many)?.words).toContain('1,500 steps over 8.0 s, the first 1000 of them drawn')
    expect(timeline({ ...report, steps: [] })).toBeUndefined()
  })
})

describe('on the terminal', () => {
  const colours = paint({ write: () => true }, {})

  test('the summary: outcome, speed-up, cost, failures, missed targets, places', () => {
    const lines = summaryLines(report, { simulated: 'default', folder: 'out' }, colours)
    const id = 'a|b`c`<img src=x>␛[31m�_x_ [y](http://z) # h'
    expect(lines).toEqual([
      '✗ 1 of 3 steps done, 1 failed, 1 skipped in 8.0 s, ~$0.0042 at assumed prices (simulated: default)',
      '  12.0 s of work in 8.0 s: 1.5× in parallel',
      '  1,000 tokens in (40 % from prompt caches, <$0.0001 saved), 2,000 out, ~$0.0042 at prices of 2026-11-21; price of p m unknown, assumed $10.00 in and $50.00 out per million tokens',
      `  critical path: one → ${id}`,
      '  1 call failed or cancelled: 1 auth',
      `  failed: ${id} (auth)`,
      `  missed: time to first token < 2.0 s by ${id} (3.0 s), one (2.5 s); prompt tokens from caches > 60 % (40 %)`,
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
