/** The semantic cache of a page with a real model: onnxruntime-web under a strict policy, files kept by the Cache API. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { Page } from 'playwright-core'
import { projectPath, sharedPath } from '../fixtures/paths.js'
import { describeInBrowser, openPage } from './chromium.js'
import { PageServer, strictPolicy, type PageServerOptions } from './page-server.js'
import type {} from './pages/api.js'
import type {} from './pages/indexeddb.js'

const folder = sharedPath('models/all-MiniLM-L6-v2')
const there = existsSync(folder)
if (!there) console.warn(`SKIPPED the cache with a model in a browser: no ${folder}`)
const describeWithModel = there ? describeInBrowser : describe.skip

const file = 'model_w8.onnx'
const options = {
  model: '/models/all-MiniLM-L6-v2/',
  runtime: '/onnxruntime/ort.wasm.bundle.min.mjs',
  maxWrongShare: 0.05,
}
const texts = [
  'How do I enable dark mode?',
  'Où est la gare ?',
  'Explain the water cycle to a child, as an e\u0301tude',
]

/** Opens the cache, asks, and reads the vectors out of its database. */
const use = (page: Page) =>
  page.evaluate(
    async ([texts, options]) => {
      const progress: { file: string; bytes: number; total: number }[] = []
      const begun = performance.now()
      const cache = await api.SemanticCache.open({
        name: 'm',
        ...options,
        onProgress: (some) => progress.push(some),
      })
      const opened = performance.now() - begun
      for (const prompt of texts) await cache.put({ prompt, answer: `A: ${prompt}` })
      const found = async (prompt: string) => {
        const { kind, score, why } = await cache.get({ prompt })
        return { kind, score, why }
      }
      const reworded = await found('How can I turn on dark mode?')
      const opposite = await found('How can I disable dark mode?')
      const vectors: number[][] = []
      const store = new stores.IndexedDbStore('m')
      await cache.close()
      await store.open()
      const heads = (await store.changes()).put
      for (const prompt of texts) {
        const entries = await Promise.all(heads.map(({ key }) => store.read(key)))
        const entry = entries.find((entry) => entry?.prompt === prompt)
        vectors.push([...((await store.embedding(entry?.vector ?? '')) ?? [])])
      }
      await store.close()
      return { progress, opened, reworded, opposite, vectors, thread: cache.thread }
    },
    [texts, options] as const,
  )

describeWithModel('a cache with a model in a page', () => {
  const servers: PageServer[] = []
  let server: PageServer
  const start = async (more: PageServerOptions = {}) => {
    const started = await PageServer.start({ roots: { models: sharedPath('models') }, ...more })
    servers.push(started)
    return started
  }
  beforeAll(async () => void (server = await start()), 60_000)
  beforeEach(() => void (server.asked.length = 0))
  afterAll(() => Promise.all(servers.map((one) => one.close())))
  const asked = () => server.asked.filter((url) => url.startsWith('/models/'))
  const ready = async (page: Page) => {
    await page.waitForFunction(() => globalThis.ready)
    return page
  }

  test('embeds as Node does, finds the same question in other words, tells its opposite from it, and fetches its files once', async () => {
    const { page, complaints, context } = await openPage(server.page('cache'))
    const first = await use(page)
    const node = JSON.parse(
      execFileSync(process.execPath, [projectPath('tests/browser/embed-in-node.mjs'), folder, file], {
        input: JSON.stringify(texts),
        env: { ...process.env, NODE_OPTIONS: '' },
        encoding: 'utf8',
      }),
    ) as number[][]
    first.vectors.forEach((vector, at) => {
      expect(vector.length).toBe(384)
      const error = Math.max(...vector.map((value, i) => Math.abs(value - (node[at]?.[i] ?? NaN))))
      expect(error).toBeLessThan(1e-4)
    })
    expect(first.thread).toBe('worker')
    expect(first.reworded).toMatchObject({ kind: 'semantic' })
    expect(first.opposite).toMatchObject({ kind: 'miss' })
    expect(asked().sort()).toEqual(
      ['config.json', file, 'tokenizer.json', 'tokenizer_config.json'].map((name) => `${options.model}${name}`).sort(),
    )
    const model = first.progress.filter((some) => some.file === file)
    expect(model.length).toBeGreaterThan(3)
    expect(model.at(0)?.bytes).toBe(0)
    expect(model.every(({ total }) => total > 20e6)).toBe(true)
    expect(model.at(-1)?.bytes).toBe(model.at(-1)?.total)
    expect(complaints).toEqual([])

    server.asked.length = 0
    const second = await context.newPage()
    await second.goto(server.page('cache'))
    const again = await use(await ready(second))
    expect(asked()).toEqual([])
    expect(again.progress).toEqual([])
    expect(again.vectors).toEqual(first.vectors)
    console.log(`opened: first ${first.opened.toFixed(0)} ms, again ${again.opened.toFixed(0)} ms`)
  }, 120_000)

  test('a file that is damaged where the browser keeps it is fetched anew', async () => {
    const { page } = await openPage(server.page('cache'))
    const told = await page.evaluate(async (options) => {
      const problems: string[] = []
      const open = async () => {
        const cache = await api.SemanticCache.open({ ...options, onProblem: (problem) => problems.push(problem) })
        const { admission } = await cache.put({ prompt: 'How do I enable dark mode?', answer: 'A' })
        await cache.close()
        return admission
      }
      const first = await open()
      const kept = await caches.open('aetherflow-models')
      const request = (await kept.keys()).find(({ url }) => url.endsWith('.onnx'))!
      const reply = (await kept.match(request))!
      const bytes = new Uint8Array(await reply.arrayBuffer())
      bytes[1_000_000]! ^= 1
      await kept.put(request, new Response(bytes, { headers: reply.headers }))
      return { first, second: await open(), third: await open(), problems }
    }, options)
    expect(told).toMatchObject({ first: 'stored', second: 'stored', third: 'stored' })
    expect(told.problems).toEqual([expect.stringContaining('was damaged')])
    expect(asked().filter((url) => url.endsWith('.onnx')).length).toBe(2)
  }, 120_000)

  test('a download can be aborted, what is missing is said, and nothing of it is kept', async () => {
    const { page } = await openPage(server.page('cache'))
    const told = await page.evaluate(async (options) => {
      const code = (more: object) =>
        api.SemanticCache.open({ ...options, ...more }).then(
          () => 'ok',
          (error) => error.code as string,
        )
      const abort = new AbortController()
      const codes = {
        aborted: await code({
          signal: abort.signal,
          onProgress: ({ bytes }: { bytes: number }) => bytes > 0 && abort.abort(),
        }),
        folder: await code({ model: '/models/absent/' }),
        file: await code({ model: '/models/all-MiniLM-L6-v2/absent.onnx' }),
        server: await code({ model: 'http://127.0.0.1:9/models/' }),
      }
      const files = (await (await caches.open('aetherflow-models')).keys()).length
      const problems: string[] = []
      const cache = await api.SemanticCache.open({
        ...options,
        runtime: '/absent.mjs',
        onProblem: (one) => problems.push(one),
      })
      const { admission } = await cache.put({ prompt: 'How do I enable dark mode?', answer: 'A' })
      const exact = (await cache.get({ prompt: 'How do I enable dark mode?' })).kind
      return { codes, files, admission, exact, problems }
    }, options)
    expect(told.codes).toEqual({
      aborted: 'host.disposed',
      folder: 'cache.model',
      file: 'cache.model',
      server: 'cache.download_failed',
    })
    expect(told.files).toBe(0)
    // Without its runtime the cache finds exact answers, and says why no others.
    expect(told).toMatchObject({ admission: 'stored', exact: 'exact' })
    expect(told.problems).toEqual([expect.stringContaining('cache.runtime')])
  }, 60_000)

  test.each([
    ['in the page, imported by a function', {}, false],
    [
      'with threads, in an isolated page',
      { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' },
      true,
    ],
  ] as const)(
    'works %s',
    async (_, headers, isolated) => {
      const own = await start({ headers, policy: strictPolicy })
      const { page, complaints } = await openPage(own.page('cache'))
      const told = await page.evaluate(
        async ([options, isolated]) => {
          const runtime = isolated ? options.runtime : () => import(options.runtime)
          const cache = await api.SemanticCache.open({ ...options, model: `${options.model}model_w8.onnx`, runtime })
          await cache.put({ prompt: 'How do I enable dark mode?', answer: 'A' })
          const { kind } = await cache.get({ prompt: 'How can I turn on dark mode?' })
          await cache.close()
          return { kind, thread: cache.thread, isolated: crossOriginIsolated }
        },
        [options, isolated] as const,
      )
      expect(told).toEqual({ kind: 'semantic', thread: isolated ? 'worker' : 'page', isolated })
      expect(complaints).toEqual([])
    },
    60_000,
  )

  test('without `wasm-unsafe-eval` no WebAssembly runs, the core included: that one word is all it needs', async () => {
    const own = await start({ policy: strictPolicy.replace(" 'wasm-unsafe-eval'", '') })
    const { page } = await openPage(own.page('cache'))
    const code = await page.evaluate(
      (options) =>
        api.SemanticCache.open(options).then(
          () => 'ok',
          (error) => String(error.code ?? error),
        ),
      options,
    )
    expect(code).not.toBe('ok')
  }, 60_000)
})
