/** An index of documents in a page: from a list and from a folder of the origin, kept over a reload, under a strict policy. */
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { describeInBrowser, openPage } from './chromium.js'
import { PageServer } from './page-server.js'
import type {} from './pages/api.js'

describeInBrowser('documents in a page', () => {
  let server: PageServer
  beforeAll(async () => void (server = await PageServer.start()), 60_000)
  afterAll(() => server?.close())

  test('a list: found, changed, kept for the next visit; the module is loaded with the first index', async () => {
    const { page, context, complaints } = await openPage(server.page('cache'))
    const ofIndex = () => server.asked.filter((address) => address.includes('aetherflow_index'))
    expect(ofIndex()).toEqual([])
    const told = await page.evaluate(async () => {
      let text = '# Install\n\n## Linux\n\nUse apt-get to fetch the toolchain.\n'
      const documents = () => Promise.resolve([{ path: 'guide.md', text }])
      const docs = await api.openDocs({ documents, name: 'guides' })
      const first = await docs.search('fetch the toolchain on Linux')
      text = `New.\n\n${text}`
      const { changed } = await docs.update()
      const { reference = '', mark = '' } = first.sections[0] ?? {}
      const now = await docs.resolve(reference, mark)
      const { parts } = await docs.retrieve('toolchain on Linux', { tokens: 100 })
      await docs.close()
      return { reference, changed, state: now.state, first: now.section?.first, text: parts.at(-1)?.text }
    })
    expect(told).toEqual({
      ...{ reference: 'guide.md:Install › Linux.3', changed: 1, state: 'moved', first: 5 },
      text: '## Linux\n\nUse apt-get to fetch the toolchain.\n',
    })
    expect(ofIndex().length).toBeGreaterThan(0)
    await page.reload()
    await page.waitForFunction(() => globalThis.ready)
    const kept = await page.evaluate(async () => {
      const text = 'New.\n\n# Install\n\n## Linux\n\nUse apt-get to fetch the toolchain.\n'
      const docs = await api.openDocs({ documents: [{ path: 'guide.md', text }], name: 'guides' })
      const { read, files } = await docs.update()
      await docs.close()
      return { read, files }
    })
    expect(kept).toEqual({ read: 0, files: 1 })
    expect(complaints).toEqual([])
    await context.close()
  }, 60_000)

  test('a folder, without what is ignored', async () => {
    const { page, context, complaints } = await openPage(server.page('cache'))
    const told = await page.evaluate(async () => {
      const root = await navigator.storage.getDirectory()
      const write = async (folder: FileSystemDirectoryHandle, name: string, text: string) => {
        const stream = await (await folder.getFileHandle(name, { create: true })).createWritable()
        await stream.write(text)
        await stream.close()
      }
      const below = await root.getDirectoryHandle('docs', { create: true })
      await write(below, 'a.md', '# Cache\n\nIt is cleared by hand.\n')
      await write(below, 'draft.md', '# Draft\n')
      await write(below, 'c.ts', 'export class Store {}\n')
      await write(root, '.gitignore', 'draft.md\n')
      const docs = await api.openDocs({ documents: root })
      const found = await docs.search('how is the cache cleared')
      const files = docs.files().map(({ path, guessed }) => ({ path, guessed }))
      await docs.close()
      return { files, reference: found.sections[0]?.reference }
    })
    expect(told).toEqual({
      files: [
        { path: 'docs/a.md', guessed: false },
        { path: 'docs/c.ts', guessed: true },
      ],
      reference: 'docs/a.md:Cache.1',
    })
    expect(complaints).toEqual([])
    await context.close()
  }, 60_000)

  test('steps of a plan get theirs, in a worker and in the page; without an index they are refused (simulated)', async () => {
    const { page, context, complaints } = await openPage(server.page('cache'))
    const told = await page.evaluate(async () => {
      const documents = [
        { path: 'guide.md', text: '# Install\n\n## Linux\n\nUse apt-get to fetch the toolchain.\n' },
        { path: 'cache.md', text: '# Cache\n\nIt is cleared by hand.\n' },
      ]
      const docs = await api.openDocs({ documents })
      const ask = { query: 'fetch the toolchain on Linux', tokens: 100 }
      const step = (id: string, wanted: object) => ({
        id,
        type: 'analysis',
        description: id,
        context: { documents: wanted },
      })
      const plan = { steps: [step('a', ask), step('b', { query: 'xyzzy plugh' })] }
      const run = async (worker: boolean, more: object = {}) => {
        const found: unknown[] = []
        const result = await api.runPlan(plan, {
          ...{ worker, simulate: 'instant', simulateSpeed: 1000, documents: docs },
          onEvent: (event) => {
            if (event.type === 'retrieved') found.push([event.step, event.references, event.abstained])
          },
          ...more,
        })
        return { found, outcome: result.outcome, thread: result.thread, report: result.report.documents?.sections }
      }
      const refused = await run(true, { documents: undefined }).catch((error: { code: string; where: string }) => ({
        code: error.code,
        where: error.where,
      }))
      const misspelt = await api
        .runPlan({ steps: [step('a', { paths: ['guide.md', 'gude.md'] })] }, { simulate: 'instant', documents: docs })
        .result.catch((error: { code: string; where: string }) => ({ code: error.code, where: error.where }))
      const explained = await api.explainPlan(plan, { simulate: 'instant', documents: docs })
      const ran = [await run(true), await run(false)]
      await docs.close()
      return {
        ran,
        refused,
        misspelt,
        explained: explained.documents.map(({ step: id, references }) => [id, references]),
      }
    })
    const found = [
      ['a', ['guide.md:Install.1', 'guide.md:Install › Linux.3'], undefined],
      ['b', [], 'nothing'],
    ]
    expect(told.ran).toEqual([
      { found, outcome: 'ok', thread: 'worker', report: 2 },
      { found, outcome: 'ok', thread: 'page', report: 2 },
    ])
    expect(told.explained).toEqual(found.map(([id, references]) => [id, references]))
    expect(told.refused).toEqual({ code: 'docs.none', where: '/steps/0/context/documents' })
    expect(told.misspelt).toEqual({ code: 'docs.no_path', where: '/steps/0/context/documents/paths/1' })
    expect(complaints).toEqual([])
    await context.close()
  }, 60_000)

  test('programs have outlines by grammar where the page says where those are, under the same policy', async () => {
    const { page, context, complaints } = await openPage(server.page('cache'))
    const told = await page.evaluate(async () => {
      const documents = [
        { path: 'store.ts', text: 'export class Store {\n  clear(): void {\n    drop()\n  }\n}\n' },
        { path: 'store.py', text: 'class Store:\n    def clear(self):\n        drop()\n' },
      ]
      const outlines = async (assets: object) => {
        const docs = await api.openDocs({ documents, assets })
        const of = docs
          .files()
          .map(({ path, guessed }) => ({ path, guessed, titles: docs.outline(path)?.map(({ titles }) => titles) }))
        await docs.close()
        return of
      }
      return {
        by: await outlines({ grammars: '/package/grammars' }),
        without: await outlines({ grammars: '/nowhere/' }),
      }
    })
    expect(told.by.map(({ guessed }) => guessed)).toEqual([false, false])
    expect(told.by.flatMap(({ titles }) => titles)).toEqual(expect.arrayContaining([expect.stringContaining('clear')]))
    expect(told.without.map(({ guessed }) => guessed)).toEqual([true, true])
    // What was not there is the browser's own complaint, and the only one.
    expect(complaints.filter((complaint) => !complaint.includes('404') && !complaint.includes('nowhere'))).toEqual([])
    await context.close()
  }, 60_000)

  test('a model compares by meaning there too, and searches of other engines go in batches', async () => {
    const { page, context, complaints } = await openPage(server.page('cache'))
    const told = await page.evaluate(async () => {
      // Stands for a model: words of one kind point the same way.
      const kinds = [/\b(car|vehicle|automobile)s?\b/i, /\b(river|stream|brook)s?\b/i, /\b(bread|loaf|bake)\b/i]
      const vector = (text: string) => {
        const weights = kinds.map((kind) => (kind.test(text) ? 1 : 0.01))
        const norm = Math.hypot(...weights)
        return Float32Array.from(weights, (weight) => weight / norm)
      }
      const embedder = {
        ...{ name: 'kinds', dimensions: 3, runtime: 'none' },
        preload: () => Promise.resolve(),
        checksum: () => Promise.resolve('0'.repeat(64)),
        embed: (text: string) =>
          Promise.resolve({ vector: vector(text), pieces: text.split(' ').length, tokenizeMs: 0, embedMs: 0 }),
        close: () => Promise.resolve(),
      }
      const documents = [
        { path: 'a.md', text: '# Rivers\n\nA brook becomes a stream.\n' },
        { path: 'b.md', text: '# Garage\n\nThe automobile stands there.\n' },
      ]
      const docs = await api.openDocs({ documents, embedder })
      const { sections } = await docs.search('where is my vehicle')
      const vectors = docs.stats().vectors
      await docs.close()
      let requests = 0
      const fetch = (_: string, init?: RequestInit) => {
        requests += 1
        const { queries } = JSON.parse(String(init?.body)) as { queries: { q: string }[] }
        const results = queries.map(({ q }) => ({ hits: [{ id: q, _rankingScore: 0.5 }] }))
        return Promise.resolve(new Response(JSON.stringify({ results })))
      }
      const search = await api.openSearch(api.meilisearch({ url: 'http://engine', fetch }))
      const ngrams = ['clear the cache', 'the cache', 'cache', 'toolchain']
      const { report } = await search.searchNgrams({ ngrams, indexes: ['docs', 'help'], strategy: 'seed' })
      const { kept } = await api.optimizeQueries(ngrams, { strategy: 'seed' })
      return { first: sections[0]?.path, vectors, sent: report.sent, requests, kept: kept.length }
    })
    expect(told).toMatchObject({ first: 'b.md', requests: 1 })
    expect(told.vectors).toBeGreaterThan(0)
    expect(told.sent).toBe(2 * told.kept)
    expect(complaints).toEqual([])
    await context.close()
  }, 60_000)
})
