/** A run with a cache, as the library and its reports show it. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { paint } from '../../node/cli/colour.js'
import { PlainRenderer } from '../../node/cli/render/plain.js'
import { RunView } from '../../node/cli/run-view.js'
import { summaryLines } from '../../node/cli/summary.js'
import { runPlan, SemanticCache, type AnswerCache, type PlanSource, type RunEvent } from '../../node/index.js'
import { reportMarkdown } from '../../web/standard/report/markdown.js'
import { MapCache } from '../bindings/map-cache.js'

const step = (id: string, type: string, more: object = {}) => ({ id, type, description: `do ${id}`, ...more })
const planOf = (...steps: object[]) => ({ task_id: 't', description: 'd', steps })
const folder = () => mkdtempSync(join(tmpdir(), 'aetherflow-cache-'))

/** Runs on the simulator, and remembers what was told. */
async function run(plan: PlanSource, more: object) {
  const events: RunEvent[] = []
  const onEvent = (event: RunEvent) => void events.push(event)
  const result = await runPlan(plan, { simulate: 'instant', config: {}, onEvent, ...more })
  return { ...result, events }
}

describe('runPlan with a cache', () => {
  const plan = planOf(step('a', 'analysis'), step('b', 'testing', { dependencies: ['a'] }), step('c', 'analysis'))

  test('calls nothing again, and says what that saved', async () => {
    const cache = new MapCache()
    const first = await run(plan, { cache })
    expect(first.report.cache).toMatchObject({ looked: 3, misses: 3, stored: 3 })
    expect(cache.asked.find(({ prompt }) => prompt.includes('do a'))?.mode).toBe('semantic')
    expect(cache.asked.find(({ prompt }) => prompt.includes('do b'))?.mode).toBe('exact')
    const second = await run(plan, { cache })
    expect(second.report.totals.calls).toBe(0)
    expect(second.outputs).toEqual(first.outputs)
    expect(second.report.cache).toMatchObject({ exact: 3, hitRate: 1 })
    expect(second.report.cache?.savedMicroUsd).toBe(first.report.totals.costMicroUsd)
  })

  test('uses it as far as it is told to', async () => {
    const cache = new MapCache()
    const { report } = await run(plan, { cache, cacheModes: { '*': 'off', analysis: 'exact' } })
    expect(report.cache).toMatchObject({ looked: 2, stored: 2 })
    expect(new Set(cache.asked.map(({ mode }) => mode))).toEqual(new Set(['exact']))
    const refused = run(plan, { cache, cacheModes: { analyses: 'exact' } })
    await expect(refused).rejects.toMatchObject({ code: 'options.invalid', where: '/cache' })
  })

  test('knows a context file by what stands in it', async () => {
    const cache = new MapCache()
    const files = folder()
    const path = join(files, 'notes.txt')
    const reading = planOf(step('a', 'testing', { context: { files: ['notes.txt'] } }))
    const calls = async (text: string): Promise<number> => {
      writeFileSync(path, text)
      return (await run(reading, { cache, folder: files })).report.totals.calls
    }
    expect([await calls('one'), await calls('one'), await calls('two'), await calls('one')]).toEqual([1, 0, 1, 0])
  })

  test('is resumed with a cache, and its hits are kept by the journal', async () => {
    const cache = new MapCache()
    await run(plan, { cache })
    const journal = folder()
    const interruption = new AbortController()
    const stopping: AnswerCache = {
      get(question) {
        if (question.prompt.includes('do b')) interruption.abort()
        return cache.get(question)
      },
      put: (put) => cache.put(put),
    }
    const stopped = await run(plan, { cache: stopping, journal, signal: interruption.signal })
    expect(stopped.outcome).toBe('cancelled')
    await expect(run(plan, { journal, resume: true })).rejects.toMatchObject({ code: 'host.usage', where: 'cache' })
    const { report, outcome } = await run(plan, { cache, journal, resume: true })
    expect([outcome, report.totals.calls, report.cache?.exact]).toEqual(['ok', 0, 3])
  })
})

describe('answers by meaning in a run', () => {
  const pairs = [
    ['List the limits of the plan reader', 'List the limits of the journal reader'],
    ['Describe what happens when the disk is full', 'Describe what happens when the disk is not full'],
    ['Summarise the rules for naming files', 'Summarise the rules for deleting files'],
    ['Explain how to enable compression in the web server', 'Explain how to disable compression in the web server'],
    [
      'Explain how the retry policy waits between two attempts',
      'Explain how the retry policy waits between 2 attempts',
    ],
    ['Summarise the rules for naming files', 'Please summarise the rules for naming files.'],
  ] as const
  const described = (task: string, more: object = {}) => ({
    ...{ task_id: 't', description: 'A long description that all steps of this plan share. '.repeat(20) },
    steps: [step('a', 'analysis', { description: task, ...more })],
  })
  const options = { cacheModes: { '*': 'semantic' }, strip: false } as const

  test.each(pairs)('whatever stands around them, "%s" and "%s" are as alike as by themselves', async (asked, other) => {
    const alone = await SemanticCache.open()
    await alone.put({ prompt: asked, answer: 'x' })
    const { kind } = await alone.get({ prompt: other })
    await alone.close()
    const files = folder()
    writeFileSync(join(files, 'notes.txt'), 'What every step of the plan reads. '.repeat(200))
    const cache = await SemanticCache.open()
    const reading = { context: { files: ['notes.txt'] } }
    await run(described(asked, reading), { cache, folder: files, ...options })
    const { report } = await run(described(other, reading), { cache, folder: files, ...options })
    expect(report.cache?.semantic).toBe(kind === 'semantic' ? 1 : 0)
    await cache.close()
  })

  test('the pairs are of both kinds', async () => {
    const kinds = new Set<string>()
    for (const [asked, other] of pairs) {
      const alone = await SemanticCache.open()
      await alone.put({ prompt: asked, answer: 'x' })
      kinds.add((await alone.get({ prompt: other })).kind)
      await alone.close()
    }
    expect([...kinds].sort()).toEqual(['miss', 'semantic'])
  })

  test('other words around the same task, or an output within it, are another request', async () => {
    const cache = await SemanticCache.open()
    const plan = described('Summarise the rules for naming files')
    await run(plan, { cache, ...options })
    const { report } = await run({ ...plan, description: `${plan.description} Else.` }, { cache, ...options })
    expect(report.cache).toMatchObject({ misses: 1 })
    const asked = new MapCache()
    const taking = (words: string) =>
      planOf(
        step('a', 'analysis'),
        step('b', 'analysis', { dependencies: ['a'], description: `${words} {{steps.a.output}}` }),
      )
    await run(taking('Summarise'), { cache: asked, ...options })
    const of = (start: string) => asked.asked.find(({ prompt }) => prompt.startsWith(start))?.mode
    expect([of('do a'), of('Summarise')]).toEqual(['semantic', 'exact'])
    await cache.close()
  })
})

describe('what people see of hits', () => {
  const same = { description: 'the same' }
  const plan = planOf(step('a', 'testing', same), step('b', 'testing', same), step('c', 'testing'))

  test('the report and the summary: kinds, rate, what was saved, what was kept', async () => {
    const cache = new MapCache()
    const { report } = await run(plan, { cache })
    const markdown = reportMarkdown(report)
    expect(markdown).toContain('## Cache')
    expect(markdown).toContain('1 of 3 steps without a call (1 shared)')
    expect(markdown).toContain('an identical step had the answer: a')
    const [, ...lines] = summaryLines(
      report,
      { simulated: 'instant', folder: undefined },
      paint({ write: () => true }, {}),
    )
    expect(lines.join('\n')).toMatch(
      /cache: 1 of 3 steps without a call \(1 shared\); saved .* tokens, .* of work; 2 kept/,
    )
    const again = await run(plan, { cache })
    expect(reportMarkdown(again.report)).toContain('answered from the cache')
    const without = await run(plan, {})
    expect(reportMarkdown(without.report)).not.toContain('Cache')
  })

  test('a row of the live table and a line of plain text', async () => {
    const cache = new MapCache()
    await run(planOf(step('a', 'testing', same)), { cache })
    const { events } = await run(planOf(step('a', 'testing', same), step('c', 'testing')), { cache })
    const view = new RunView()
    let text = ''
    const plain = new PlainRenderer({ write: (piece: string) => void (text += piece) } as never)
    for (const event of events) {
      view.apply(event)
      plain.event(event)
    }
    expect(view.row('a')).toMatchObject({ state: 'done', note: 'cached', costMicroUsd: 0 })
    expect(text).toMatch(/cached {2}a \(exact\), saved [\d.,k]+ tokens, <?\$/)
    expect(text).toMatch(/done {4}a, cached/)
  })
})
