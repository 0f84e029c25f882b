/** Documents that steps ask for: looked for once, in the prompt as they were found, in the journal, and never looked for again. */
import { describe, expect, test } from '@jest/globals'
import { CoreRun } from '../../bindings/core.js'
import type { RunEventOf } from '../../bindings/events.js'
import { AetherflowError } from '../../bindings/errors.js'
import type { DocumentFinder, FoundDocuments } from '../../bindings/ports.js'
import { signalledDocuments } from '../../bindings/step-documents.js'
import { loadCore } from '../../node/loader.js'
import { replayEvents } from '../../web/standard/run/replay-events.js'
import { Answers, planOf, ran, resumed, step, type Ran } from './journalled.js'

const part = (name: string, text: string) => ({
  reference: `docs/${name}.md:${name}.1`,
  mark: `m-${name}`,
  tokens: 7,
  text,
})

/** Finds what the question says, and remembers what it was asked. */
class Finder implements DocumentFinder {
  readonly asked: { question: string; tokens: number; paths?: readonly string[] }[] = []
  constructor(readonly about: (question: string) => Partial<FoundDocuments> = () => ({})) {}
  async retrieve(question: string, options: { tokens: number; paths?: readonly string[] }): Promise<FoundDocuments> {
    this.asked.push({ question, ...options })
    await new Promise((resolve) => setImmediate(resolve))
    return {
      parts: [part('one', `about ${question}`), part('two', 'more')],
      confidence: 0.8,
      ms: 3.4,
      ...this.about(question),
    }
  }
}
const asks = (documents: object = {}): object => ({ context: { documents } })
const textFor = (question: string): string => `[docs/one.md:one.1]\nabout ${question}\n\n[docs/two.md:two.1]\nmore\n`
const found = ({ events }: Ran): RunEventOf<'retrieved'>[] =>
  events.filter((event): event is RunEventOf<'retrieved'> => event.type === 'retrieved')
const streamed = async function* (plan: Uint8Array): AsyncIterable<Uint8Array> {
  yield plan.subarray(0, plan.length / 2)
  yield plan.subarray(plan.length / 2)
}
async function refusal(work: Promise<unknown>): Promise<AetherflowError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(AetherflowError)
  return error as AetherflowError
}

describe('a plan whose steps ask for documents', () => {
  const plan = planOf(
    step('a', [], asks({ query: 'why?', tokens: 90, paths: ['docs'] })),
    step('b', ['a'], {
      ...asks(),
      description: 'Explain {{steps.a.output}} {{"{{"}} now'.replace('{{"{{"}}', "{{'{{'}}"),
    }),
    step('c', [], asks({ query: 'why?', tokens: 90, paths: ['docs'] })),
    step('d'),
  )

  test('gives them to each call, from one look for the same question', async () => {
    const finder = new Finder()
    const performer = new Answers()
    const run = await ran(plan, performer, { documents: finder })
    expect(run.result.outcome).toBe('ok')
    expect(finder.asked).toEqual([
      { question: 'why?', tokens: 90, paths: ['docs'] },
      { question: 'Explain  {{ now', tokens: 2000 },
    ])
    const given = Object.fromEntries(performer.tickets.map(({ step: { id }, documents }) => [id, documents]))
    expect(given).toEqual({
      a: textFor('why?'),
      b: textFor('Explain  {{ now'),
      c: textFor('why?'),
      d: undefined,
    })
    // Before the first call of the run.
    const types = run.events.map(({ type }) => type)
    expect(types.lastIndexOf('retrieved')).toBeLessThan(types.indexOf('call'))
  })

  test('says in events and report what went in', async () => {
    const run = await ran(plan, new Answers(), { documents: new Finder() })
    const references = ['docs/one.md:one.1', 'docs/two.md:two.1']
    const core = new CoreRun(await loadCore())
    const tokens = core.estimateTokens(textFor('why?'))
    core.dispose()
    expect(found(run)).toMatchObject([
      { step: 'a', references, tokens, confidence: 0.8, retrievalTimeMs: 3 },
      { step: 'b', references },
      { step: 'c', references, tokens, retrievalTimeMs: 0 },
    ])
    const { report } = run.result
    expect(report.documents).toMatchObject({ steps: 3, sections: 6, retrievalTimeMs: 6, abstained: 0 })
    expect(report.steps[0]?.documents).toMatchObject({ references, tokens, confidence: 0.8, retrievalTimeMs: 3 })
    expect(report.steps[3]?.documents).toBeUndefined()
  })

  test('has each text in its journal once', async () => {
    const { journal } = await ran(plan, new Answers(), { documents: new Finder() })
    const told = journal.records.filter(({ e }) => e === 'retrieved') as unknown as {
      v: number[]
      x?: string
      w: string
    }[]
    expect(told.map(({ x }) => x)).toEqual([textFor('why?'), textFor('Explain  {{ now'), undefined])
    expect(told[2]?.v[5]).toBe(0)
    expect(JSON.parse(told[0]?.w ?? '')).toEqual([
      ['docs/one.md:one.1', 'm-one', 7],
      ['docs/two.md:two.1', 'm-two', 7],
    ])
  })

  test('resumed at any record puts in what was found then, whatever is found now', async () => {
    const whole = await ran(plan, new Answers(), { documents: new Finder() })
    const now = new Finder((question) => ({ parts: [part('new', `other than ${question}`)] }))
    const planned = whole.journal.records.findIndex(({ e }) => e === 'planEnd') + 1
    for (let most = planned; most <= whole.journal.records.length; most++) {
      const kept = whole.journal.records.slice(0, most).filter(({ e }) => e === 'retrieved').length
      now.asked.length = 0
      const performer = new Answers()
      const again = await resumed(whole.bytes, performer, { most, options: { documents: now } })
      expect(again.result.outcome).toBe('ok')
      expect(now.asked.length).toBeLessThanOrEqual(2)
      for (const {
        step: { id, step: index },
        documents,
      } of performer.tickets) {
        const old = ['a', 'b', 'c'].indexOf(id) < kept
        const question = id === 'b' ? 'Explain  {{ now' : 'why?'
        if (index < 3) expect(documents).toBe(old ? textFor(question) : `[docs/new.md:new.1]\nother than ${question}\n`)
      }
      if (kept === 3) expect(now.asked).toEqual([])
    }
  })

  test('replays with the same events and no look', async () => {
    const whole = await ran(plan, new Answers(), { documents: new Finder() })
    const core = new CoreRun(await loadCore())
    const events: unknown[] = []
    replayEvents(core, whole.journal, whole.journal.records.length, (event) => {
      if (event.type === 'retrieved') events.push(event)
    })
    core.dispose()
    expect(events).toEqual(found(whole))
  })
})

describe('documents that cannot be had', () => {
  const plan = planOf(step('a'), step('b', [], asks({ paths: ['docs', 'dosc'] })))

  test('end a whole plan before its first call, at their place', async () => {
    const performer = new Answers()
    expect(await refusal(ran(plan, performer))).toMatchObject({
      code: 'docs.none',
      where: '/steps/1/context/documents',
    })
    const finder: DocumentFinder = {
      retrieve: () => Promise.reject(new AetherflowError('docs.no_path', 'dosc', 'no such')),
    }
    expect(await refusal(ran(plan, performer, { documents: finder }))).toMatchObject({
      code: 'docs.no_path',
      where: '/steps/1/context/documents/paths/1',
      detail: 'dosc: no such',
    })
    expect(performer.tickets).toEqual([])
  })

  test('fail their step alone when the plan streams, and are not tried again', async () => {
    const performer = new Answers()
    const run = await ran(streamed(plan) as never, performer)
    expect(run.result.outcome).toBe('steps_failed')
    expect(performer.ids).toEqual(['a'])
    expect(run.events.filter(({ type }) => type === 'failed')).toMatchObject([{ step: 'b', failure: 'input' }])
    expect(found(run)).toMatchObject([
      { step: 'b', references: [], tokens: 0, failure: expect.stringContaining('docs.none') },
    ])
    expect(run.result.report.steps[1]?.documents?.failure).toContain('docs.none')
  })

  test('are gone without when nothing is found that can be trusted', async () => {
    const performer = new Answers()
    const finder = new Finder(() => ({ parts: [], confidence: 0.1, abstained: 'unsure' }))
    const run = await ran(planOf(step('a', [], asks())), performer, { documents: finder })
    expect(run.result.outcome).toBe('ok')
    expect(performer.tickets[0]?.documents).toBe('')
    expect(found(run)).toMatchObject([{ references: [], tokens: 0, confidence: 0.1, abstained: 'unsure' }])
    expect(run.result.report.documents).toMatchObject({ sections: 0, abstained: 1 })
    const again = await resumed(run.bytes, new Answers(), { options: { documents: finder, journal: undefined } })
    expect(found(again)).toEqual(found(run))
  })
})

describe('documents that are looked for while other steps run', () => {
  test('hold up their own step alone', async () => {
    let find = (): void => {}
    const finder: DocumentFinder = {
      retrieve: (question) =>
        new Promise((resolve) => {
          find = () => resolve({ parts: [part('late', question)], confidence: 1, ms: 1 })
        }),
    }
    const performer = new Answers(({ step: { id } }) => {
      if (id === 'd') find()
      return id
    })
    const plan = planOf(step('a', [], asks({ query: 'q' })), step('b'), step('c', ['b']), step('d', ['c']))
    const run = await ran(streamed(plan) as never, performer, { documents: finder })
    expect(run.result.outcome).toBe('ok')
    expect(performer.ids).toEqual(['b', 'c', 'd', 'a'])
  })

  test('of a step that is cancelled meanwhile are not waited for', async () => {
    const finder: DocumentFinder = { retrieve: () => new Promise(() => {}) }
    const interruption = new AbortController()
    const performer = new Answers(({ step: { id } }) => {
      interruption.abort()
      return id
    })
    const plan = planOf(step('a', [], asks()), step('b'))
    const options = { documents: finder, signal: interruption.signal }
    const { result } = await ran(streamed(plan) as never, performer, options)
    expect(result.outcome).toBe('cancelled')
  })

  test.each([
    ['is found all the same', () => Promise.resolve({ parts: [part('late', 'x')], confidence: 1, ms: 1 })],
    ['is given up', () => Promise.reject(new DOMException('gone', 'AbortError'))],
  ] as const)('of a whole plan that is cancelled meanwhile end with it: what was asked for %s', async (_, end) => {
    const interruption = new AbortController()
    const finder: DocumentFinder = {
      retrieve: () => {
        interruption.abort()
        return end()
      },
    }
    const performer = new Answers()
    const options = { documents: finder, signal: interruption.signal }
    const { result, events } = await ran(planOf(step('a', [], asks()), step('b')), performer, options)
    expect(result.outcome).toBe('cancelled')
    expect(performer.tickets).toEqual([])
    expect(events.some(({ type }) => type === 'retrieved')).toBe(false)
  })

  test('are not looked for when the output of the step is known', async () => {
    const finder = new Finder()
    const recalled = new Map([['a', { text: 'kept' }]])
    const run = await ran(planOf(step('a', [], asks()), step('b', ['a'])), new Answers(), {
      documents: finder,
      recalled,
    })
    expect(run.result.outputs.get('a')).toBe('kept')
    expect(finder.asked).toEqual([])
  })
})

test('a journal of somebody else’s making gives documents of the right shape', () => {
  const none = (): undefined => undefined
  const odd = signalledDocuments([0, 5, 2, 1, 900, 77], { w: '[1,["a"],["a","b",3],null]' }, none)
  expect(odd).toEqual({
    ...{ text: '', tokens: 5, retrievalTimeMs: 1, confidence: 0.9 },
    sections: [{ reference: 'a', mark: 'b', tokens: 3 }],
  })
  expect(signalledDocuments([0], { w: 'why' }, none).failure).toBe('why')
  expect(signalledDocuments([0, 0, 0, 0, 0], { w: '{' }, none)).toMatchObject({ sections: [], confidence: 0 })
})
