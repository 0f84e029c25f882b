/** `when`, `pattern` on a step, and what a journal keeps of plans that spread. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { CoreRun } from '../../bindings/core.js'
import { readJournal } from '../../bindings/journal/reader.js'
import type { StepCondition } from '../../bindings/plan.js'
import { checkPlan, explainPlan } from '../../node/index.js'
import { loadCore } from '../../node/loader.js'
import { replayJournal } from '../../web/standard/run/replay.js'
import { randomOf } from '../fixtures/random.js'
import { scratch } from './cli-process.js'
import { planOf, playedPlan, step } from './spread-play.js'

let folder = ''
let remove = (): void => {}
beforeAll(() => {
  ;({ folder, remove } = scratch())
})
afterAll(() => remove())

describe('when', () => {
  const answers: Record<string, string | undefined> = {
    json: '```json\n{"ok": true, "n": 7, "kind": {"name": "Bug"}, "list": [1]}\n```',
    text: ' **Yes**. ',
    number: '12.5',
    lost: undefined,
  }
  test.each<[StepCondition, boolean]>([
    [{ step: 'json', field: 'ok', is: true }, true],
    [{ step: 'json', field: 'ok', is: 'true' }, false],
    [{ step: 'json', field: 'ok', not: true }, false],
    [{ step: 'json', field: 'kind.name', is: 'bug' }, true],
    [{ step: 'json', field: 'kind', is: { name: 'Bug' } }, true],
    [{ step: 'json', field: 'list', is: [1] }, true],
    [{ step: 'json', field: 'kind.constructor', not: 1 }, true],
    [{ step: 'json', field: 'kind.constructor', is: null }, false],
    [{ step: 'json', field: 'n', above: 6 }, true],
    [{ step: 'json', field: 'n', above: 7 }, false],
    [{ step: 'json', field: 'n', below: 7.5 }, true],
    [{ step: 'json', field: 'kind', above: 0 }, false],
    [{ step: 'json', field: 'n', in: [6, 7] }, true],
    [{ step: 'json', field: 'n', in: [] }, false],
    [{ step: 'text', is: 'yes' }, true],
    [{ step: 'text', field: 'ok', is: 'yes' }, false],
    [{ step: 'number', above: 12 }, true],
    [{ step: 'text', above: 0 }, false],
    [{ step: 'json', state: 'done' }, true],
    [{ step: 'json', state: 'failed' }, false],
    [{ step: 'lost', state: 'failed' }, true],
    [{ step: 'lost', is: '' }, false],
    [{ step: 'lost', not: 'x' }, true],
    [{ step: 'json', verdict: 'passed' }, false],
  ])('%j holds: %s', async (when, holds) => {
    const plan = planOf(
      ...['json', 'text', 'number'].map((id) => step(id)),
      step('lost', { optional: true }),
      step('then', { when }),
    )
    const { states, outcome } = await playedPlan(plan, (id) => (id in answers ? answers[id] : 'done'))
    expect(states['then']).toBe(holds ? 'done' : 'skipped condition_not_met')
    expect(outcome).toBe('ok')
  })

  test('what an audit says', async () => {
    const plan = planOf(step('a'), step('good', { when: { step: 'a', verdict: 'passed' } }))
    const { states } = await playedPlan(plan, () => '{"verdict":"pass"}', { mode: 'double-check' })
    expect(states).toEqual({ a: 'done', good: 'done' })
  })

  test('all of several have to hold; dependents are skipped too, those of an optional step go on, and nothing failed', async () => {
    const both = [
      { step: 'a', is: 'x' },
      { step: 'b', is: 'y' },
    ]
    const plan = planOf(
      ...[step('a'), step('b'), step('c', { when: both }), step('d', { dependencies: ['c'] })],
      ...[step('e', { when: both, optional: true }), step('f', { dependencies: ['e'] })],
    )
    const { states, outcome, prompts } = await playedPlan(plan, (id) => (id === 'a' ? 'x' : 'z'))
    expect(states).toEqual({
      ...{ a: 'done', b: 'done', c: 'skipped condition_not_met', d: 'skipped condition_not_met' },
      ...{ e: 'skipped condition_not_met', f: 'done' },
    })
    expect([outcome, prompts.has('c')]).toEqual(['ok', false])
    const { range } = await explainPlan(plan, { config: {} })
    expect([range?.least.calls, range?.expected.calls, range?.most.calls]).toEqual([3, 6, 6])
  })

  test('a plan that streams is held until its condition is known', async () => {
    const plan = JSON.stringify(
      planOf(step('a'), step('b', { when: { step: 'a', is: 'x' } }), step('c', { dependencies: ['b'] })),
    )
    async function* pieces(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < plan.length; at += 7) {
        yield new TextEncoder().encode(plan.slice(at, at + 7))
        await Promise.resolve()
      }
    }
    const { states } = await playedPlan(pieces() as never, () => 'y')
    expect(states).toEqual({ a: 'done', b: 'skipped condition_not_met', c: 'skipped condition_not_met' })
  })
})

describe('a step that is a pattern', () => {
  const plan = planOf(
    step('ask'),
    step('vote', {
      description: 'Is {{steps.ask.output}} right? {{steps.s1.output}}',
      pattern: { kind: 'vote', samples: 3 },
    }),
    step('s1'),
    step('end', { description: 'Because of {{steps.vote.output}}' }),
  )

  test('expands in place: its parts are steps, their answer is its output', async () => {
    const answers: Record<string, string> = { 'vote.s1': 'No', 'vote.s2': 'yes', 'vote.s3': 'Yes.' }
    const { outcome, states, outputs, prompts } = await playedPlan(plan, (id) => answers[id] ?? `said ${id}`)
    expect([outcome, outputs.get('vote')]).toEqual(['ok', 'yes'])
    expect(states).toMatchObject({ 'vote.s1': 'done', 'vote.judge': 'skipped settled', vote: 'done' })
    expect(prompts.get('vote.s2')).toContain('said ask')
    // A step of the plan with the name of a part is that step.
    expect(prompts.get('vote.s2')).toContain('said s1')
    expect(prompts.get('end')).toContain('yes')
    expect(prompts.get('end')).not.toContain('said ask')
  })

  test.each(['debate', 'consensus', 'vote', 'best-of', 'revise'] as const)(
    '%s, by itself and for each item',
    async (kind) => {
      const both = planOf(
        step('one', { pattern: { kind } }),
        step('many', { description: 'Of {{item}}', for_each: ['x', 'y'], pattern: { kind } }),
        step('end', { dependencies: ['one', 'many'] }),
      )
      const { outcome, outputs, prompts } = await playedPlan(both, (id) =>
        /agree$/.test(id)
          ? '{"same": false}'
          : /critique$/.test(id)
            ? '{"issues": ["x"]}'
            : kind === 'best-of' && /judge$/.test(id)
              ? '{"why": "w", "best": 2}'
              : `answer of ${id}`,
      )
      expect(outcome).toBe('ok')
      const last = { debate: 'judge', consensus: 'judge', vote: 'judge', 'best-of': 's2', revise: 'revision' }[kind]
      expect(outputs.get('one')).toBe(`answer of one.${last}`)
      expect(outputs.get('many[1]')).toBe(`answer of many[1].${last}`)
      expect(
        [...prompts.entries()].some(([id, prompt]) => id.startsWith('many[1].') && prompt.includes('<item>y</item>')),
      ).toBe(true)
      expect((await checkPlan(both)).spread.map(({ step: id }) => id)).toEqual(['one', 'many'])
    },
  )

  test('without an answer it is skipped, and its dependents with it', async () => {
    const { states, outcome } = await playedPlan(plan, (id) => (/^vote\./.test(id) ? undefined : id))
    expect([states['vote'], states['end'], outcome]).toEqual([
      'skipped dependency_failed',
      'skipped dependency_failed',
      'steps_failed',
    ])
  })

  test('is explained as a range: settled at once, as expected, all of it', async () => {
    const consensus = planOf(step('ask', { pattern: { kind: 'consensus' } }))
    const { range } = await explainPlan(consensus, { config: {} })
    const [least, expected, most] = [range?.least, range?.expected, range?.most].map((one) => one?.costMicroUsd ?? 0)
    expect([range?.least.calls, range?.most.calls]).toEqual([2, 6])
    expect(least).toBeLessThan(expected ?? 0)
    expect(expected).toBeLessThan(most ?? 0)
  })
})

describe('a journal', () => {
  const plan = planOf(
    step('list', { output: 'json' }),
    step('gate', { when: { step: 'list', state: 'done' } }),
    step('never', { when: { step: 'list', state: 'failed' }, optional: true }),
    step('each', {
      description: '{{item}}',
      for_each: { step: 'list', allow_failures: true },
      pattern: { kind: 'vote' },
    }),
    step('end', { dependencies: ['each', 'never'] }),
  )
  const answer = (id: string): string | undefined =>
    id === 'list' ? '["a","b"]' : id === 'each[0].s2' ? undefined : /s\d$/.test(id) ? 'same' : `said ${id}`

  test('cut anywhere, the run goes on to the same end and repeats no answer', async () => {
    const dir = join(folder, 'whole')
    const whole = await playedPlan(plan, answer, { journal: dir })
    expect(whole.outcome).toBe('ok')
    const lines = readFileSync(join(dir, 'journal.jsonl'), 'utf8').trimEnd().split('\n')
    const calls = new Map(
      whole.events.flatMap((event) => (event.type === 'call' ? [[event.call, event.step] as const] : [])),
    )
    for (let cut = 3; cut <= lines.length; cut += 1) {
      const copy = join(folder, `cut-${cut}`)
      mkdirSync(copy)
      writeFileSync(join(copy, 'journal.jsonl'), `${lines.slice(0, cut).join('\n')}\n`)
      const resumed = await playedPlan(
        lines.slice(0, cut).some((line) => line.includes('"planEnd"')) ? (undefined as never) : plan,
        answer,
        { journal: copy, resume: true },
      )
      const answered = lines
        .slice(0, cut)
        .map((line) => JSON.parse(line) as { e?: string; v?: number[] })
        .flatMap(({ e, v }) => (e === 'succeeded' ? [calls.get(v?.[0] ?? -1)] : []))
      expect([cut, resumed.outcome, resumed.states]).toEqual([cut, 'ok', whole.states])
      expect([cut, resumed.outputs.get('end')]).toEqual([cut, whole.outputs.get('end')])
      expect([cut, answered.filter((id) => id !== undefined && resumed.prompts.has(id))]).toEqual([cut, []])
    }
  })

  test('is replayed with the same decisions', async () => {
    const dir = join(folder, 'replayed')
    const { states } = await playedPlan(plan, answer, { journal: dir })
    const core = new CoreRun(await loadCore())
    // Throws where a command differs from the one that was written.
    const { steps } = replayJournal(core, readJournal(readFileSync(join(dir, 'journal.jsonl')))).state
    core.dispose()
    const replayed = Object.fromEntries(steps.map(({ id, state }) => [id, state]))
    expect(replayed).toEqual(Object.fromEntries(Object.entries(states).map(([id, state]) => [id, state.split(' ')[0]])))
  })
})

test('random plans come to an end, whatever fails in them, and every step is told once', async () => {
  const { below, of, chance } = randomOf(19)
  for (let round = 0; round < 150; round += 1) {
    const ids = Array.from({ length: 2 + below(6) }, (_, at) => `s${at}`)
    const steps = ids.map((id, at) => {
      const before = ids.slice(0, at)
      const from = before.length > 0 ? of(before) : undefined
      const when =
        from !== undefined && chance(0.3)
          ? {
              when: of([
                { step: from, is: 'x' },
                { step: from, state: 'done' as const },
              ]),
            }
          : {}
      const each = chance(0.4)
        ? {
            for_each: of([
              ['a', 'b'],
              [],
              from === undefined ? ['c'] : { step: from, allow_failures: chance(0.5), max_items: 2 },
            ]),
          }
        : {}
      const pattern = chance(0.2) ? { pattern: { kind: of(['vote', 'best-of', 'revise', 'consensus'] as const) } } : {}
      return step(id, {
        description: 'for_each' in each ? 'do {{item}}' : 'do',
        dependencies: before.filter(() => chance(0.3)),
        optional: chance(0.3),
        ...when,
        ...each,
        ...pattern,
      })
    })
    const { outcome, events, report } = await playedPlan(planOf(...steps), () =>
      of([undefined, 'x', '["p","q"]', '[1,2,3]', '{"same":true}']),
    )
    expect(['ok', 'steps_failed']).toContain(outcome)
    const ended = events.flatMap((event) =>
      ['done', 'failed', 'skipped', 'cancelled'].includes(event.type) ? [(event as { step: string }).step] : [],
    )
    expect([round, [...ended].sort()]).toEqual([round, report.steps.map(({ id }) => id).sort()])
  }
})
