import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from '@jest/globals'
import type { Embedder } from '../../bindings/cache/ports.js'
import { evaluatePairs, readPairsFile } from '../../node/cache/evaluate.js'
import { Evaluation, wilson } from '../../web/standard/cache/evaluation.js'
import type { JudgedPair } from '../../web/standard/cache/pair-judge.js'
import { readPairs, spread, type Pair } from '../../web/standard/cache/pairs.js'
import { sharedPath } from '../fixtures/paths.js'
import { knownSum, TestCache, ToldEmbedder } from './open.js'

const folder = mkdtempSync(join(tmpdir(), 'aetherflow-evaluate-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Rewordings, opposites, numbers, names, fresh things and equal texts, in every combination of some things. */
function builtPairs(): Pair[] {
  const things = ['the web server', 'a Redis cluster', 'the build pipeline', 'la base de données']
  const patterns: readonly (readonly [boolean, string, string, string])[] = [
    [true, 'rewording', 'How do I configure logging in X?', 'How can I configure logging in X?'],
    [true, 'equal', 'Explain the architecture of X.', '  Explain the architecture of X.\r\n'],
    [false, 'opposite', 'How do I enable compression in X?', 'How do I disable compression in X?'],
    [false, 'number', 'Give X 4 retries before it fails.', 'Give X 40 retries before it fails.'],
    [false, 'name', 'Deploy X to Frankfurt with Ansible.', 'Deploy X to Dublin with Ansible.'],
    [false, 'fresh', 'What is the status of X today?', 'What is the status of X right now?'],
    [false, 'negation', 'When should X be restarted?', 'When should X not be restarted?'],
    [true, 'order', 'Describe X and its monitoring.', 'Describe the monitoring of X, and X itself.'],
    [false, 'unrelated', 'Write tests for X.', 'Bake a cake with cherries and cream.'],
    [true, 'wordless', '?!', '!?'],
  ]
  return things.flatMap((thing) =>
    patterns.map(([same, category, a, b]) => ({ same, category, a: a.replace('X', thing), b: b.replace('X', thing) })),
  )
}

/** What the cache itself does: put, then get. */
async function byCache({ a, b }: Pair, maxWrongShare: number, embedder?: Embedder) {
  const cache = await TestCache.over(undefined, { maxWrongShare }, embedder)
  await cache.put({ prompt: a, answer: 'A' })
  const { kind, score, why } = await cache.get({ prompt: b })
  await cache.close()
  return { kind, score, why }
}

async function mustAgree(pairs: readonly Pair[], maxWrongShare: number, embedder?: () => Embedder) {
  const judged: JudgedPair[] = []
  await evaluatePairs(pairs, { maxWrongShare, model: embedder?.(), onPair: (_, verdict) => judged.push(verdict) })
  expect(judged).toHaveLength(pairs.length)
  const kinds = new Set<string>()
  for (const [at, pair] of pairs.entries()) {
    const { kind, score, why } = await byCache(pair, maxWrongShare, embedder?.())
    const ours = judged[at]
    kinds.add(kind)
    expect([pair, ours?.kind]).toEqual([pair, kind])
    // A cache knows of the stored prompt only that nothing is found.
    if (why !== 'empty') expect([pair, ours?.why]).toEqual([pair, why])
    else expect(ours?.why).toMatch(/^exact\./)
    // 0: nothing was compared.
    if (kind !== 'exact' && score !== 0) expect(Number(ours?.score.toFixed(6))).toBe(score)
  }
  return kinds
}

describe('what is computed for pairs is what a cache does', () => {
  test('built pairs, the built-in embedder', async () => {
    const kinds = await mustAgree(builtPairs(), 0.05)
    expect(kinds).toContain('exact')
    expect(kinds).toContain('miss')
  })

  test('pairs with told vectors, some of them too long for the window', async () => {
    const pairs = builtPairs()
    const told = Object.fromEntries(
      pairs
        .filter((_, at) => at % 7 !== 0)
        .flatMap(({ a, b }, at) => [
          [a, [1, 0, at / 50]],
          [b, [1, 0.1, at / 50]],
        ]),
    )
    const kinds = await mustAgree(pairs, 0.05, () => new ToldEmbedder(told, knownSum))
    expect([...kinds].sort()).toEqual(['exact', 'miss', 'semantic'])
  })

  const data = sharedPath('data/cache')
  const there = existsSync(data)
  if (!there) console.warn(`skipped: no pairs in ${data}`)
  const onShared = there ? test : test.skip
  onShared(
    'some of the development pairs, the built-in embedder',
    async () => {
      const files = readdirSync(data).filter((name) => name.endsWith('.tsv'))
      const pairs = await Promise.all(files.map((name) => readPairsFile(join(data, name))))
      const some = pairs.flatMap((of) => spread(of, 80))
      expect(some.length).toBeGreaterThanOrEqual(300)
      await mustAgree(some, 0.02)
    },
    60_000,
  )
})

describe('counts', () => {
  test('every cell is counted from its pairs, thresholds on the same vectors', () => {
    const evaluation = new Evaluation([0.05])
    const verdict = (kind: JudgedPair['kind'], why: string, score: number) => ({
      kind,
      why,
      score,
      eta: 0,
      closed: false,
    })
    const pair = (same: boolean, category: string) => ({ same, category, a: 'a', b: 'b' })
    // `also`: what another share does with it.
    const add = (same: boolean, category: string, verdictOf: JudgedPair, also: JudgedPair = verdictOf) =>
      evaluation.add(pair(same, category), verdictOf, [also])
    add(true, 'x', verdict('semantic', 'clear', 0.91))
    const narrower = 'escalate.qualifier: fast'
    add(true, 'x', verdict('miss', narrower, 0.85), verdict('semantic', narrower, 0.85))
    add(false, 'x', verdict('miss', 'veto.polarity: enable/disable', 0.95))
    add(false, 'y', verdict('semantic', 'clear', 0.96))
    add(true, 'y', verdict('miss', 'exact.window', NaN))
    add(true, 'y', verdict('exact', 'exact', 1))
    const { categories, pooled, thresholds, reasons, outcomes, shares } = evaluation.result()
    expect(pooled).toMatchObject({ mustMiss: 2, wrong: 1, shouldHit: 4, hits: 2 })
    expect(categories['x']).toMatchObject({ mustMiss: 1, wrong: 0, shouldHit: 2, hits: 1 })
    expect(categories['y']).toMatchObject({ mustMiss: 1, wrong: 1, shouldHit: 2, hits: 1 })
    expect(Object.keys(thresholds)).toEqual(['0.60', '0.80', '0.85', '0.86', '0.90', '0.92', '0.95'])
    expect(thresholds['0.85']?.pooled).toMatchObject({ mustMiss: 2, wrong: 2, shouldHit: 4, hits: 3 })
    expect(thresholds['0.95']?.categories['x']).toMatchObject({ mustMiss: 1, wrong: 1, shouldHit: 2, hits: 0 })
    expect(reasons['clear']).toEqual({
      ...{ mustMiss: 1, shouldHit: 1 },
      outcomes: { served: { mustMiss: 1, shouldHit: 1 } },
    })
    expect(outcomes).toEqual({
      served: { mustMiss: 1, shouldHit: 2 },
      bar: { mustMiss: 0, shouldHit: 1 },
      vetoed: { mustMiss: 1, shouldHit: 0 },
      text: { mustMiss: 0, shouldHit: 1 },
    })
    expect(shares['0.05']).toMatchObject({ mustMiss: 2, wrong: 1, shouldHit: 4, hits: 3 })
    expect(reasons['veto.polarity']).toMatchObject({ mustMiss: 1, shouldHit: 0 })
    expect(pooled.precision?.value).toBeCloseTo(2 / 3, 12)
  })

  test('Wilson’s interval, against figures of a textbook', () => {
    expect(wilson(0, 0)).toBeNull()
    // Brown, Cai and DasGupta 2001: 10 of 20 gives 0.299–0.701, 0 of 20 gives 0–0.161.
    expect(wilson(10, 20)?.low).toBeCloseTo(0.299, 3)
    expect(wilson(10, 20)?.high).toBeCloseTo(0.701, 3)
    expect(wilson(0, 20)).toMatchObject({ value: 0, low: 0 })
    expect(wilson(0, 20)?.high).toBeCloseTo(0.161, 3)
  })

  test('a limit takes pairs from everywhere; an aborted evaluation stops', async () => {
    expect(spread([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 4)).toEqual([0, 2, 5, 7])
    expect((await evaluatePairs(builtPairs(), { limit: 8 })).pairs).toBe(8)
    await expect(evaluatePairs(builtPairs(), { signal: AbortSignal.abort() })).rejects.toThrow(/abort/)
  })

  test('a text is embedded once, over evaluations too when they are kept', async () => {
    const pairs = builtPairs()
    const told = Object.fromEntries(
      pairs.flatMap(({ a, b }, at) => [
        [a, [1, at]],
        [b, [1, at + 1]],
      ]),
    )
    const texts = new Set(pairs.flatMap(({ a, b }) => [a.trim(), b.trim()]))
    const [first, second] = [new ToldEmbedder(told, knownSum), new ToldEmbedder(told, knownSum)]
    const one = await evaluatePairs(pairs, { model: first, keep: join(folder, 'kept') })
    const two = await evaluatePairs(pairs, { model: second, keep: join(folder, 'kept') })
    expect(first.embedded.length).toBe(texts.size)
    expect(new Set(first.embedded.map((text) => text.trim()))).toEqual(texts)
    expect(second.embedded).toEqual([])
    expect(two).toEqual(one)
    expect(one).toMatchObject({ model: 'told', checksum: knownSum, runtime: 'test', maxWrongShare: 0.01 })
  })
})

describe('files of pairs', () => {
  test('byte order mark, CR LF and blank lines are fine', () => {
    const text = '\ufefflabel\tcategory\ttext_a\ttext_b\r\n1\tx\tHow?\tIn "what" way?\r\n\r\n0\ty\té\tè\r\n'
    expect(readPairs(text, 'f')).toEqual([
      { same: true, category: 'x', a: 'How?', b: 'In "what" way?' },
      { same: false, category: 'y', a: 'é', b: 'è' },
    ])
  })

  const head = 'label\tcategory\ttext_a\ttext_b\n'
  test.each([
    ['', 'f:1'],
    ['1\tx\ta\tb\n', 'f:1'],
    [`${head}1\tx\ta\tb\n2\tx\ta\tb\n`, 'f:3'],
    [`${head}1\tx\ta\n`, 'f:2'],
    [`${head}1\tx\ta\tb\tc\n`, 'f:2'],
    [`${head}1\tx\ta\t \n`, 'f:2'],
  ])('a bad line is told by its number: %j', (text, where) => {
    expect(() => readPairs(text, 'f')).toThrow(expect.objectContaining({ code: 'cache.pairs', where }))
  })

  test('a file that is not there or no text is told', async () => {
    await expect(readPairsFile(join(folder, 'none.tsv'))).rejects.toMatchObject({ code: 'host.usage' })
    writeFileSync(join(folder, 'bytes.tsv'), Buffer.from([0x6c, 0xff, 0xfe, 0x09]))
    await expect(readPairsFile(join(folder, 'bytes.tsv'))).rejects.toMatchObject({ code: 'cache.pairs' })
  })
})
