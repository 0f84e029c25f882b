/** `--reuse` of plans that spread: parts are known by what they are asked, and dependents by what the parts answered. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { RunEvent } from '../../bindings/events.js'
import type { Plan } from '../../bindings/plan.js'
import { runPlan } from '../../node/index.js'
import { createSimulator, simulatorProfiles } from '../../web/standard/simulator/index.js'
import { planOf, playedPlan, step, type Answers } from './spread-play.js'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'aetherflow-spread-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Ids of the steps that were called, sorted. */
async function called(plan: Plan, answers: Answers, reuse = true) {
  const ids: string[] = []
  const { outcome, outputs, states } = await playedPlan(
    plan,
    (id) => {
      ids.push(id)
      return answers(id)
    },
    { folder, journal: path.join(folder, 'out'), ...(reuse ? { reuse } : {}) },
  )
  return { called: ids.sort(), outcome, outputs, states }
}
const answered = (id: string): string => `answer of ${id}`
const but =
  (failing: string): Answers =>
  (id) =>
    id === failing ? undefined : answered(id)

const of = (items: unknown, more: object = {}): Plan =>
  planOf(
    step('each', { description: 'Look at {{item}}', for_each: items as never }),
    step('end', { description: 'Sum up: {{steps.each.output}}', ...more }),
  )

describe('with reuse', () => {
  test('of parts the one that failed is called, and what waits for all', async () => {
    expect((await called(of(['a', 'b', 'c']), but('each[1]'), false)).outcome).toBe('steps_failed')
    const again = await called(of(['a', 'b', 'c']), answered)
    expect([again.called, again.outcome]).toEqual([['each[1]', 'end'], 'ok'])
    expect(again.outputs.get('each')).toContain('answer of each[2]')
    expect(again.states).toMatchObject({ 'each[0]': 'done recalled', each: 'done' })
  })

  test('items may come, go and change places: those that were answered are not asked again', async () => {
    await called(of(['a', 'b', 'c']), answered, false)
    const { called: ids, outputs } = await called(of(['new', 'c', 'a']), answered)
    expect(ids).toEqual(['each[0]', 'end'])
    expect(outputs.get('each')).toBe(
      '[each[0]: new]\nanswer of each[0]\n\n[each[1]: c]\nanswer of each[2]\n\n[each[2]: a]\nanswer of each[0]\n',
    )
  })

  test('what waits for parts of which none has changed is known too; the changed step behind it is called', async () => {
    const chain = (words: string): Plan => {
      const { steps, ...rest } = of(['a', 'b'])
      return { ...rest, steps: [...steps, step('last', { description: words, dependencies: ['end'] })] }
    }
    await called(chain('at first'), answered, false)
    const again = await called(chain('otherwise'), answered)
    expect([again.called, again.outcome]).toEqual([['last'], 'ok'])
    expect(again.states).toMatchObject({ each: 'done', end: 'done recalled' })
  })

  test('a list that another step answers, nested spreading, a vote that was decided early, a condition', async () => {
    const plan = (words: string): Plan =>
      planOf(
        step('list'),
        step('each', { description: 'Of {{item}}', for_each: { step: 'list' }, output: 'json' }),
        step('next', { description: 'Then {{item.n}}', for_each: { step: 'each' } }),
        step('vote', { description: 'Yes or no? {{steps.next.output}}', pattern: { kind: 'vote', samples: 3 } }),
        step('then', { when: { step: 'vote', is: 'yes' } }),
        step('other', { when: { step: 'vote', is: 'no' } }),
        step('last', { description: words, dependencies: ['then'] }),
      )
    const answers: Answers = (id) =>
      id === 'list'
        ? '["a", "b"]'
        : id.startsWith('each')
          ? `{"n": "${id}"}`
          : id.startsWith('vote')
            ? 'yes'
            : answered(id)
    const first = await called(plan('at first'), answers, false)
    expect(first.outcome).toBe('ok')
    const again = await called(plan('otherwise'), answers)
    expect([again.called, again.outcome]).toEqual([['last'], 'ok'])
    expect(again.states).toMatchObject({
      then: 'done recalled',
      other: 'skipped condition_not_met',
      'each[1]': 'done recalled',
    })
    expect(again.outputs.get('vote')).toBe('yes')
  })

  test('a part whose file has changed is called; a file in front of the others moves them, and nothing more', async () => {
    mkdirSync(path.join(folder, 'src'))
    const write = (name: string, text: string): void => writeFileSync(path.join(folder, 'src', name), text)
    for (const name of ['b', 'c', 'd']) write(`${name}.txt`, `text of ${name}`)
    const plan = planOf(
      step('each', {
        description: 'Look at {{item}}',
        for_each: { glob: 'src/*.txt' },
        context: { files: ['{{item}}'] },
      }),
    )
    const simulator = createSimulator(simulatorProfiles.instant)
    const config = { providers: { groq: { key: 'k', baseUrl: 'http://simulated.invalid/groq/v1' } } }
    const callsOf = async (source: Plan, reuse: boolean): Promise<string[]> => {
      const ids: string[] = []
      const onEvent = (event: RunEvent): void => void (event.type === 'call' && ids.push(event.step))
      const journal = path.join(folder, 'out')
      await runPlan(source, { config, fetch: simulator.fetch, folder, journal, onEvent, ...(reuse ? { reuse } : {}) })
      return ids.sort()
    }
    expect(await callsOf(plan, false)).toEqual(['each[0]', 'each[1]', 'each[2]'])
    write('a.txt', 'new')
    write('c.txt', 'changed')
    expect(await callsOf({ ...plan, task_id: 'again' }, true)).toEqual(['each[0]', 'each[2]'])
  })

  test('wherever that run is interrupted, it goes on with what was known', async () => {
    const out = path.join(folder, 'out')
    await called(of(['a', 'b', 'c']), answered, false)
    const changed = of(['a', 'b', 'c', 'd'])
    const whole = await called(changed, answered)
    expect(whole.called).toEqual(['each[3]', 'end'])
    const lines = readFileSync(path.join(out, 'journal.jsonl'), 'utf8').split(/(?<=\n)/)
    const earlier = readFileSync(path.join(out, 'journal-1.jsonl'))
    for (let count = 1; count < lines.length; count += 1) {
      rmSync(out, { recursive: true })
      mkdirSync(out)
      writeFileSync(path.join(out, 'journal-1.jsonl'), earlier)
      writeFileSync(path.join(out, 'journal.jsonl'), lines.slice(0, count).join(''))
      const { called: ids, outcome, outputs } = await called(changed, answered)
      expect([count, outcome]).toEqual([count, 'ok'])
      expect(ids.filter((id) => !whole.called.includes(id))).toEqual([])
      expect(outputs).toEqual(whole.outputs)
    }
  })
})
