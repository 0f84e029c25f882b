/** `for_each`: what a step spreads into, what its dependents get, and what is refused. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { readJournal } from '../../bindings/journal/reader.js'
import { checkPlan, explainPlan } from '../../node/index.js'
import { planOf, playedPlan, step } from './spread-play.js'

const answered = (id: string): string => `answer of ${id}`

describe('a step for each of a list', () => {
  test('is carried out for every item, and its dependent gets their outputs in order', async () => {
    const plan = planOf(
      step('each', { description: 'Look at {{item}} and {{ item }}', for_each: ['a.ts', 'b.ts'] }),
      step('end', { description: 'Sum up: {{steps.each.output}}' }),
    )
    const { outcome, prompts, outputs, states } = await playedPlan(plan, answered)
    expect(outcome).toBe('ok')
    expect(Object.keys(states)).toEqual(['each', 'end', 'each[0]', 'each[1]'])
    expect([...prompts.keys()]).toEqual(['each[0]', 'each[1]', 'end'])
    expect(prompts.get('each[1]')).toContain('Look at <item>b.ts</item> and <item>b.ts</item>')
    expect(outputs.get('each')).toBe('[each[0]: a.ts]\nanswer of each[0]\n\n[each[1]: b.ts]\nanswer of each[1]\n')
    expect(prompts.get('end')).toContain('answer of each[0]')
  })

  test('members of items, whole items, and files and names made of them', async () => {
    const items = [{ path: 'src/x y.ts', note: { why: 'old' } }]
    const plan = planOf(
      step('each', {
        description: '{{item.note.why}}: {{item}}',
        for_each: { items },
        context: { files: ['{{item.path}}'] },
        output_file: '{{item.path}}.md',
      }),
    )
    const { prompts, events } = await playedPlan(plan, answered)
    expect(prompts.get('each[0]')).toContain(`<item>old</item>: <item>${JSON.stringify(items[0])}</item>`)
    const parts = events
      .flatMap((event) => (event.type === 'steps' ? event.steps : []))
      .filter(({ id }) => id === 'each[0]')
    expect(parts).toMatchObject([{ files: ['src/x y.ts'], outputFile: '0-src-x-y.ts.md', partOf: 0 }])
  })

  test.each([
    '{{steps.secret.output}}',
    '{steps.secret.output}',
    "{{'{{'}}steps.secret.output}}",
    '`{{item}}',
    '{',
    '</item> {{item}} <item>',
    '{{unknown}}',
  ])('nothing in an item is taken for a template: %s', async (item) => {
    const plan = planOf(
      step('secret'),
      step('list'),
      step('each', { description: 'Of `code` {{{item}}} or {{item}}', for_each: { step: 'list' } }),
    )
    const { prompts, outcome, warnings } = await playedPlan(plan, (id) =>
      id === 'list' ? JSON.stringify([item]) : id === 'secret' ? 'the secret' : answered(id),
    )
    expect([outcome, warnings]).toEqual(['ok', []])
    expect(prompts.get('each[0]')).toContain(item)
    expect(prompts.get('each[0]')).not.toContain('the secret')
  })

  test('without items there is nothing to do', async () => {
    const { outcome, outputs, states } = await playedPlan(
      planOf(step('each', { for_each: [] }), step('end', { dependencies: ['each'] })),
      answered,
    )
    expect([outcome, outputs.get('each'), states]).toEqual(['ok', '', { each: 'done', end: 'done' }])
  })

  test('one that fails takes the step with it, and the others are done all the same', async () => {
    const plan = planOf(step('each', { for_each: ['a', 'b', 'c'] }), step('end', { dependencies: ['each'] }))
    const { outcome, states } = await playedPlan(plan, (id) => (id === 'each[1]' ? undefined : answered(id)))
    expect(outcome).toBe('steps_failed')
    expect(states).toEqual({
      ...{ each: 'skipped dependency_failed', end: 'skipped dependency_failed' },
      ...{ 'each[0]': 'done', 'each[1]': 'failed', 'each[2]': 'done' },
    })
  })

  test('allow_failures: its place says that there is none', async () => {
    const plan = planOf(
      step('each', { for_each: { items: ['a', 'b'], allow_failures: true } }),
      step('end', { dependencies: ['each'] }),
    )
    const { outcome, outputs } = await playedPlan(plan, (id) => (id === 'each[0]' ? undefined : answered(id)))
    expect([outcome, outputs.get('each')]).toEqual([
      'ok',
      '[each[0]: a]\n(no output)\n\n[each[1]: b]\nanswer of each[1]\n',
    ])
  })

  test('as JSON the outputs are a list, which another step spreads over', async () => {
    const plan = planOf(
      step('each', { for_each: { items: ['a', 'b'], allow_failures: true }, output: 'json' }),
      step('next', { description: '{{item.n}}', for_each: { step: 'each' }, when: { step: 'each', not: '[]' } }),
    )
    const { outcome, outputs, prompts } = await playedPlan(plan, (id) => `{"n": "from ${id}"}`)
    expect(outcome).toBe('ok')
    expect(JSON.parse(outputs.get('each') ?? '')).toEqual([{ n: 'from each[0]' }, { n: 'from each[1]' }])
    expect(prompts.get('next[1]')).toContain('<item>from each[1]</item>')
    // What each item is asked is not asked of their list.
    expect(prompts.get('next[1]')).not.toContain('from each[0]')
  })

  test('outputs are cut to the budget of tokens, the longest first', async () => {
    const plan = planOf(
      step('each', { for_each: { items: ['short', 'long', 'longer'], gather_tokens: 200 } }),
      step('end', { dependencies: ['each'] }),
    )
    const lengths: Record<string, number> = { 'each[0]': 3, 'each[1]': 400, 'each[2]': 4000 }
    const { outputs, warnings, events } = await playedPlan(plan, (id) => 'word '.repeat(lengths[id] ?? 1))
    const parts = (outputs.get('each') ?? '').split('\n\n')
    expect(parts[0]).toBe('[each[0]: short]\nword word word\n'.trimEnd())
    expect(parts.slice(1).every((part) => part.trimEnd().endsWith(' …'))).toBe(true)
    expect((outputs.get('each') ?? '').length).toBeLessThan(200 * 6)
    expect(warnings).toEqual([])
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'warning', code: 'plan.too_large', where: '/steps/0/for_each' }),
    )
  })

  test.each<[string, string, object]>([
    ['plan.wrong_type', '/steps/0/for_each', { for_each: 'a' }],
    ['plan.wrong_type', '/steps/0/for_each', { for_each: { items: [], glob: '*' } }],
    ['plan.wrong_type', '/steps/0/for_each/limit', { for_each: { items: [], limit: 5 } }],
    ['plan.out_of_range', '/steps/0/for_each/max_items', { for_each: { items: [], max_items: 10_001 } }],
    ['plan.too_large', '/steps/0/for_each', { for_each: { items: [1, 2], max_items: 1 } }],
    ['plan.bad_template', '/steps/0/for_each', { description: '{{item.x}}', for_each: [{ y: 1 }] }],
    ['plan.wrong_type', '/steps/0/system', { system: 'You are {{item}}', for_each: ['a'] }],
    ['plan.bad_template', '/steps/0/description', { description: '{{item}}' }],
    ['plan.unknown_dependency', '/steps/0', { for_each: { step: 'nobody' } }],
    ['plan.cycle', '/steps/0', { for_each: { step: 'each' } }],
    ['plan.wrong_type', '/steps/0/pattern/kind', { pattern: { kind: 'quarrel' } }],
    ['plan.wrong_type', '/steps/0/pattern', { pattern: { kind: 'debate', rounds: 9 } }],
    ['plan.wrong_type', '/steps/0/pattern', { pattern: { kind: 'debate', roles: 5 } }],
    ['plan.wrong_type', '/steps/0/when', { when: { step: 'b', is: 1, not: 2 } }],
    ['plan.wrong_type', '/steps/0/when/state', { when: { step: 'b', state: 'fine' } }],
    ['plan.unknown_dependency', '/steps/0', { when: { step: 'nobody', is: 1 } }],
  ])('%s at %s: refused before the first call, by check as by a run: %j', async (code, where, more) => {
    const plan = planOf(step('each', more), step('b'))
    await expect(checkPlan(JSON.stringify(plan))).rejects.toMatchObject({ code, where })
    const asked: string[] = []
    await expect(
      playedPlan(plan, (id) => {
        asked.push(id)
        return ''
      }),
    ).rejects.toMatchObject({ code, where })
    expect(asked).toEqual([])
  })
})

test('what the files of parts weigh is known before one of them leaves', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'aetherflow-spread-'))
  try {
    for (const [name, words] of [
      ['a', 50],
      ['b', 5000],
    ] as const)
      writeFileSync(join(folder, `${name}.txt`), 'word '.repeat(words))
    const plan = planOf(
      step('each', {
        description: 'Of {{item}}',
        for_each: ['a.txt', 'b.txt', 'none.txt'],
        context: { files: ['{{item}}'] },
      }),
    )
    const journal = join(folder, 'out')
    await playedPlan(plan, answered, { folder, journal })
    const { records } = readJournal(readFileSync(join(journal, 'journal.jsonl')))
    const told = records.flatMap((record) => ('v' in record && record.e === 'weighed' ? [record.v] : []))
    expect(told).toEqual([
      [1, expect.any(Number)],
      [2, expect.any(Number)],
      [3, 0],
    ])
    expect(told[0]?.[1]).toBeGreaterThan(40)
    expect(told[1]?.[1]).toBeGreaterThan(4000)
    const order = records.map(({ e }) => e as string)
    expect(order.lastIndexOf('weighed')).toBeLessThan(order.findIndex((e) => e === 'prompted' || e === 'succeeded'))
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.each(['../*', '/etc/*', 'C:/x', 'src/../../x', '..\\x'])(
  'files are those below the folder alone: %s',
  async (glob) => {
    const plan = planOf(step('each', { description: 'Of {{item}}', for_each: { glob } }))
    await expect(checkPlan(JSON.stringify(plan), { folder: tmpdir() })).rejects.toMatchObject({
      code: 'host.file_refused',
      where: '/steps/0/for_each',
    })
    const { outcome, prompts, states } = await playedPlan(plan, answered)
    expect([outcome, prompts.size, states]).toEqual(['steps_failed', 0, { each: 'skipped not_spread' }])
  },
)

describe('a step for each of what another answers', () => {
  const plan = planOf(
    step('list', { output: 'json' }),
    step('each', { description: 'Do {{item}}', for_each: { step: 'list', field: 'all.files', max_items: 3 } }),
    step('end', { dependencies: ['each'] }),
    step('beside'),
  )
  const said = (list: string) => (id: string) => (id === 'list' ? list : answered(id))

  test('spreads when the list is there', async () => {
    const { outcome, events, outputs } = await playedPlan(plan, said('{"all":{"files":["x","y"]}}'))
    expect([outcome, [...outputs.keys()]]).toEqual(['ok', ['list', 'each', 'end', 'beside', 'each[0]', 'each[1]']])
    const listed = events.findIndex((event) => event.type === 'done' && event.step === 'list')
    const spread = events.findIndex((event) => event.type === 'steps' && event.steps.some(({ id }) => id === 'each[0]'))
    expect(spread).toBeGreaterThan(-1)
    expect(events.findIndex((event) => event.type === 'call' && event.step === 'each[0]')).toBeGreaterThan(
      Math.max(listed, spread),
    )
  })

  test.each([
    ['more than the plan allows', '{"all":{"files":[1,2,3,4]}}', 'plan.too_large'],
    ['no list', '{"all":{"files":"x"}}', 'plan.wrong_type'],
    ['nothing there', '{"all":[]}', 'plan.wrong_type'],
  ])('%s: the step is skipped and says why, the rest of the run goes on', async (_, list, code) => {
    const { outcome, states, events } = await playedPlan(plan, said(list))
    expect(outcome).toBe('steps_failed')
    expect(states).toEqual({
      list: 'done',
      each: 'skipped not_spread',
      end: 'skipped dependency_failed',
      beside: 'done',
    })
    expect(events).toContainEqual(expect.objectContaining({ type: 'warning', code, where: '/steps/1/for_each' }))
  })

  test('a part with the id of another step of the plan is refused with its step, not with the run', async () => {
    const { states } = await playedPlan(planOf(step('each', { for_each: ['a'] }), step('each[0]')), answered)
    expect(states).toEqual({ each: 'skipped not_spread', 'each[0]': 'done' })
  })

  test('a list step that fails skips it', async () => {
    const { states } = await playedPlan(plan, (id) => (id === 'list' ? undefined : answered(id)))
    expect(states).toMatchObject({ each: 'skipped dependency_failed', end: 'skipped dependency_failed' })
  })

  test('is explained as a range', async () => {
    const { range, report } = await explainPlan(plan, { config: {} })
    expect([range?.least.calls, range?.expected.calls, range?.most.calls]).toEqual([3, 6, 6])
    expect(range?.most.costMicroUsd).toBeGreaterThan(range?.least.costMicroUsd ?? Infinity)
    expect(report.counts.total).toBe(7)
    const checked = await checkPlan(JSON.stringify(plan), { folder: tmpdir() })
    expect(checked.spread).toEqual([{ step: 'each', least: 0, most: 3 }])
  })
})

describe('many', () => {
  const place = mkdtempSync(join(tmpdir(), 'af-spread-'))
  beforeAll(() => {
    for (let at = 0; at < 1000; at += 1) {
      const folder = join(place, `src/part${at % 10}`)
      mkdirSync(folder, { recursive: true })
      writeFileSync(join(folder, `file${at}.ts`), `export const n = ${at}\n`)
    }
  })
  afterAll(() => rmSync(place, { recursive: true }))

  test('"add the licence header to a thousand files" is three lines of plan', async () => {
    const plan = {
      steps: [
        {
          ...{ id: 'licence', type: 'refactoring', for_each: { glob: 'src/**/*.ts' } },
          ...{
            description: 'Add the licence header to {{item}}',
            target: '{{item}}',
            context: { files: ['{{item}}'] },
          },
        },
      ],
    }
    const options = { config: {}, folder: place }
    expect((await checkPlan(plan, options)).spread).toEqual([{ step: 'licence', least: 1000, most: 1000 }])
    const { outcome, events, prompts, report } = await playedPlan(
      plan,
      () => '// SPDX-License-Identifier: MIT\n',
      options,
    )
    const parts = events.flatMap((event) =>
      event.type === 'steps' ? event.steps.slice(event.steps[0]?.step === 0 ? 1 : 0) : [],
    )
    expect([outcome, report.counts.done, prompts.size]).toEqual(['ok', 1001, 1000])
    expect(new Set(parts.map(({ placing }) => placing?.target)).size).toBe(1000)
    expect(parts.every(({ placing, files }) => files.length === 1 && placing?.target === files[0])).toBe(true)
    expect(prompts.get('licence[0]')).toContain('<item>src/part0/file0.ts</item>')
  })

  test('ten thousand items, each answered once, joined in order', async () => {
    const items = Array.from({ length: 10_000 }, (_, at) => `item ${at}`)
    const plan = planOf(
      step('each', { description: '{{item}}', for_each: { items, max_items: 10_000, gather_tokens: 1_000_000 } }),
    )
    let calls = 0
    const { outcome, outputs } = await playedPlan(plan, (id) => {
      calls += 1
      return id
    })
    expect([outcome, calls]).toEqual(['ok', 10_000])
    const heads = [...(outputs.get('each') ?? '').matchAll(/^\[each\[(\d+)\]: item (\d+)\]$/gm)]
    expect(heads.map(([, number]) => Number(number))).toEqual(items.map((_, at) => at))
  })
})
