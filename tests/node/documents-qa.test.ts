/** The index on docs-qa: a hundred questions on 232 sections of documentation. Nothing of the index was fitted to them. */
import { expect, jest, test } from '@jest/globals'
import { existsSync, readFileSync } from 'node:fs'
import { evaluateSet, readEvaluationFiles } from '../../node/documents/evaluate.js'
import { openDocs } from '../../node/documents/open.js'
import { readEvaluationSet, sectionSource } from '../../web/standard/documents/evaluation.js'
import { sharedPath } from '../fixtures/paths.js'

jest.setTimeout(60_000)

const folder = sharedPath('data/rag/docs-qa')
const withData = existsSync(folder) ? test : test.skip
if (!existsSync(folder)) console.warn(`docs-qa is not tested: there is no ${folder}`)

withData('by words alone: recall@3 ≥ .70, MRR@3 ≥ .82', async () => {
  const result = await evaluateSet(await readEvaluationFiles([folder]))
  expect(result.questions).toBe(100)
  expect(result.recall.value).toBeGreaterThanOrEqual(0.7)
  expect(result.mrr.value).toBeGreaterThanOrEqual(0.82)
  expect(result.hit['3'].value).toBeGreaterThanOrEqual(0.9)
  expect(result.recall.low).toBeLessThan(result.recall.value)
  // Confidence means something: where it is high the first one is right more often than where it is low.
  const share = (from: number, to: number): number => {
    const inside = result.trust.filter((row) => row.from >= from && row.from < to)
    const [right, all] = inside.reduce(([r, a], row) => [r + row.right, a + row.questions], [0, 0])
    return right / all
  }
  expect(share(0.4, 1)).toBeGreaterThan(share(0, 0.4) + 0.15)
})

withData('what the documents know nothing of is answered with less confidence, or with nothing', async () => {
  const set = await readEvaluationFiles([folder])
  const { source } = sectionSource(set.sections)
  const strangers = readFileSync(sharedPath('data/cache/banking77-test.csv'), 'utf8').split('\n').slice(1)
  const foreign = strangers.filter((line, at) => line !== '' && at % 30 === 0)
  await using docs = await openDocs({ source, keep: false, leastConfidence: 0 })
  const confidences = async (questions: readonly string[]): Promise<number[]> => {
    const all: number[] = []
    for (const question of questions) all.push((await docs.search(question)).confidence)
    return all
  }
  const own = await confidences(set.questions.map(({ question }) => question))
  const others = await confidences(foreign.map((line) => line.slice(0, line.lastIndexOf(','))))
  expect(others.length).toBeGreaterThan(80)
  // How often a question of the documents' own is asked with more confidence than a stranger's.
  const ahead = own.flatMap((one) => others.map((other) => Number(one > other) + Number(one === other) / 2))
  expect(ahead.reduce((sum, each) => sum + each, 0) / ahead.length).toBeGreaterThan(0.8)
  // At the usual bar nearly no question of its own is left without, and a good part of the strangers' is.
  const kept = (all: readonly number[]): number => all.filter((each) => each >= 0.25).length / all.length
  expect(kept(own)).toBeGreaterThanOrEqual(0.95)
  expect(kept(others)).toBeLessThan(0.65)
})

test('a set of one’s own, with its sections or without', async () => {
  const sections = ['red', 'green', 'blue'].map((name) => ({
    chunk_link: `paint/${name}`,
    chunk_heading: `Paint ${name}`,
    text: `How to paint something ${name}.`,
  }))
  const questions = [{ question: 'painting it green', correct_chunks: ['paint/green'] }]
  const result = await evaluateSet(readEvaluationSet(JSON.stringify([...sections, ...questions]), 'own'))
  expect(result).toMatchObject({ questions: 1, recall: { value: 1 }, mrr: { value: 1 }, hit: { '1': { value: 1 } } })
})

test.each([
  ['{}', 'own'],
  ['[', 'own'],
  ['[{"question":"q"}]', 'own[0]'],
  ['[{"question":"q","correct_chunks":[]}]', 'own[0]'],
  ['[{"chunk_link":"a","text":"b"},7]', 'own[1]'],
])('what is no set: %s', (text, where) => {
  expect(() => readEvaluationSet(text, 'own')).toThrow(expect.objectContaining({ code: 'host.usage', where }))
})
