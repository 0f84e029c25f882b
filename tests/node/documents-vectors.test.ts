/** The index with vectors, by an embedder of our own that knows a few words' meaning; and what `preload` shows of one. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Embedder } from '../../bindings/cache/ports.js'
import { openDocs } from '../../node/documents/open.js'
import { preload } from '../../node/preload.js'
import { memoize } from '../../web/standard/preload/memoize.js'

/** Two words of one line mean the same; a text is what it means, counted. Refuses texts of more than 60 words. */
const meanings = [
  ['auto', 'car', 'vehicle'],
  ['fast', 'quick', 'speedy'],
  ['plan', 'scheme'],
  ['water', 'sea'],
]
class Meaning implements Embedder {
  readonly name: string = 'meaning'
  readonly dimensions = meanings.length + 1
  readonly runtime = 'test'
  readonly texts: string[] = []
  closed = false

  constructor(readonly sum = 'a'.repeat(64)) {}
  preload = (): Promise<void> => Promise.resolve()
  checksum = (): Promise<string> => Promise.resolve(this.sum)
  embed(text: string) {
    const words = text.toLowerCase().split(/\W+/)
    if (words.length > 60) return Promise.resolve(undefined)
    this.texts.push(text)
    const vector = new Float32Array([...meanings.map((set) => words.filter((word) => set.includes(word)).length), 0.1])
    const length = Math.hypot(...vector)
    return Promise.resolve({ vector: vector.map((x) => x / length), pieces: words.length, tokenizeMs: 0, embedMs: 0 })
  }
  close(): Promise<void> {
    this.closed = true
    return Promise.resolve()
  }
}

let root = ''
let dir = ''
let keep = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'aetherflow-vectors-'))
  ;[dir, keep] = [join(root, 'docs'), join(root, 'kept')]
  mkdirSync(dir)
  write('a.md', '# Roads\n\nA quick vehicle is parked.\n\n# Sea\n\nThe water is deep.\n')
  write('b.md', '# Schemes\n\nEvery scheme has steps.\n')
})
afterEach(() => rmSync(root, { recursive: true, force: true }))
let clock = 1_700_000_000
const write = (path: string, text: string): void => {
  writeFileSync(join(dir, path), text)
  utimesSync(join(dir, path), clock, ++clock)
}

describe('with vectors', () => {
  test('finds by meaning what no word of the question says', async () => {
    const words = await openDocs({ dir, keep: false })
    expect(await words.search('speedy car')).toMatchObject({ sections: [], abstained: 'nothing' })
    await words.close()
    const docs = await openDocs({ dir, keep: false, model: new Meaning() })
    const { sections, confidence } = await docs.search('speedy car')
    expect(sections[0]?.reference).toBe('a.md:Roads.1')
    expect(confidence).toBeGreaterThan(0.5)
    await docs.close()
  })

  test('embeds only sections that are new, keeps the vectors, and closes its model', async () => {
    const first = new Meaning()
    await (await openDocs({ dir, keep, model: first })).close()
    expect([first.texts.length, first.closed]).toEqual([3, true])
    write('a.md', '# Roads\n\nA quick vehicle is parked.\n\n# Sea\n\nThe water is not deep.\n')
    const second = new Meaning()
    const docs = await openDocs({ dir, keep, model: second })
    expect(second.texts).toEqual(['Sea\n# Sea The water is not deep.'])
    expect(docs.stats()).toMatchObject({ vectors: 3, embedder: 'meaning' })
    await docs.close()
    const third = new Meaning()
    await (await openDocs({ dir, keep, model: third })).close()
    expect(third.texts).toEqual([])
  })

  test('vectors of another model, and damaged ones, are made anew', async () => {
    await (await openDocs({ dir, keep, model: new Meaning() })).close()
    const other = new Meaning('b'.repeat(64))
    await (await openDocs({ dir, keep, model: other })).close()
    expect(other.texts).toHaveLength(3)
    const newest =
      readdirSync(keep)
        .filter((name) => name.endsWith('.vectors'))
        .sort()
        .at(-1) ?? ''
    writeFileSync(join(keep, newest), readFileSync(join(keep, newest)).subarray(0, 30))
    const again = new Meaning('b'.repeat(64))
    await (await openDocs({ dir, keep, model: again })).close()
    expect(again.texts).toHaveLength(3)
  })

  test('long sections are embedded in windows, halved where a window is too long for the model', async () => {
    write('b.md', `# Long\n\n${'word '.repeat(400)} the speedy car ${'word '.repeat(100)}\n`)
    const model = new Meaning()
    const docs = await openDocs({ dir, keep: false, model })
    expect(model.texts.length).toBeGreaterThan(10)
    expect(Math.max(...model.texts.map((text) => text.split(/\W+/).length))).toBeLessThanOrEqual(60)
    expect((await docs.search('fast auto')).sections.map(({ path }) => path).slice(0, 2)).toContain('b.md')
    await docs.close()
  })
})

test('preload pays for the model, and says what is kept and reused', async () => {
  const prompts = memoize((of: string) => Promise.resolve(of))
  await prompts('p')
  const model = new Meaning()
  const ready = await preload({ model, prompts, connections: { most: 7, http2: false } })
  expect(ready.embedding?.gainMs).toBeCloseTo((ready.embedding?.firstMs ?? 0) - (ready.embedding?.keptMs ?? 0), 9)
  expect(model.texts).toHaveLength(1)
  await Promise.all([ready.embedder?.embed('a car'), ready.embedder?.embed('a car')])
  expect(ready.stats()).toMatchObject({
    modelsLoaded: 1,
    embeddings: { kept: 2, embedded: 2, reused: 2 },
    prompts: { entries: 1, misses: 1 },
    connections: { most: 7, http2: false, requests: 0 },
    docs: null,
    cacheEntries: null,
  })
  await ready.close()
  expect(model.closed).toBe(true)
  const bare = await preload()
  expect([bare.embedding, bare.stats().modelsLoaded, bare.stats().connections.most]).toEqual([null, 0, 200])
  await bare.close()
})
