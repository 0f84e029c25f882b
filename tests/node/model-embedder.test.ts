/** `openEmbedder`: real model and runtime where they are there, and runtimes that fail on purpose. */
import { afterAll, afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Embedder } from '../../bindings/cache/ports.js'
import { openEmbedder, type OpenEmbedderOptions } from '../../node/embed/index.js'
import { runtimeCandidates } from '../../node/embed/runtimes.js'
import { projectPath, sharedPath } from '../fixtures/paths.js'
import { FileServer } from './file-server.js'

jest.setTimeout(120_000)

const real = sharedPath('models/all-MiniLM-L6-v2')
const there = existsSync(real)
if (!there) console.warn(`skipped: no development model in ${real}`)
/** A folder whose node_modules have onnxruntime-node; it is no dependency of ours. */
const modulesFrom = process.env['AETHERFLOW_MODULES']
const installed = ((): boolean => {
  try {
    return runtimeCandidates({ runtime: 'onnxruntime-node', modulesFrom }).length > 0
  } catch {
    return false
  }
})()
if (!installed)
  console.warn('skipped: onnxruntime-node is not installed; AETHERFLOW_MODULES names a folder that has it')

let folder = ''
let open: Embedder[] = []
beforeEach(() => void (folder = mkdtempSync(path.join(tmpdir(), 'aetherflow-embed-'))))
afterEach(async () => {
  await Promise.all(open.map((each) => each.close()))
  open = []
  rmSync(folder, { recursive: true, force: true })
})

async function opened(where: string, options: OpenEmbedderOptions = {}): Promise<Embedder> {
  const embedder = await openEmbedder(where, options)
  open.push(embedder)
  return embedder
}
const code = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'resolved',
    (error: unknown) => String((error as { code?: unknown }).code),
  )
const sha256 = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex')
const cosine = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0)
const vector = async (embedder: Embedder, text: string): Promise<Float32Array> => (await embedder.embed(text))!.vector

;(there ? describe : describe.skip)('the real model', () => {
  const web: OpenEmbedderOptions = { runtime: 'onnxruntime-web' }
  // Loaded once for all of these: anyone who opens it again shares it.
  let kept: Embedder | undefined
  afterAll(() => kept?.close())

  test('in a folder with both: the one with exact arithmetic, known before it is loaded', async () => {
    const embedder = await opened(real, web)
    expect([embedder.name, embedder.dimensions, embedder.runtime]).toEqual(['all-MiniLM-L6-v2', 384, ''])
    expect(await embedder.checksum()).toBe(sha256(path.join(real, 'model_w8.onnx')))
    kept = await openEmbedder(real, web)
    await kept.preload()
    expect(kept.runtime).toBe('onnxruntime-web (wasm)')
  })

  test('gives the cosine that its README has, whoever asks beside', async () => {
    const embedder = await opened(path.join(real, 'model_w8.onnx'), web)
    const texts = ['Generate a REST API', 'Create a REST API endpoint', 'What is the capital of France?']
    const [a, b, c] = (await Promise.all(texts.map((text) => vector(embedder, text)))) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ]
    expect(Math.abs(cosine(a, b) - 0.79)).toBeLessThan(0.015)
    expect(cosine(a, c)).toBeLessThan(0.3)
    expect(Math.abs(cosine(a, a) - 1)).toBeLessThan(1e-6)
    expect(await vector(embedder, texts[0]!)).toEqual(a)
  })

  test('256 pieces are embedded, 257 are not; the loop goes on meanwhile', async () => {
    const embedder = await opened(real, web)
    await embedder.preload()
    let turns = 0
    const timer = setInterval(() => turns++, 1)
    const longest = await embedder.embed('word '.repeat(254))
    clearInterval(timer)
    expect(longest!.pieces).toBe(256)
    expect(await embedder.embed('word '.repeat(255))).toBeUndefined()
    // On this thread not one timer would have come between.
    expect(turns).toBeGreaterThan(5)
  })

  test('does not hold a process that has nothing else to do, nor one that forgot to close it', () => {
    const script = `
      import { openEmbedder } from ${JSON.stringify(pathToFileURL(projectPath('dist/node/embed/index.js')).href)}
      const embedder = await openEmbedder(${JSON.stringify(real)}, { runtime: 'onnxruntime-web' })
      const { pieces } = (await embedder.embed('hello there'))
      console.log(pieces)`
    const file = path.join(folder, 'ends.mjs')
    writeFileSync(file, script)
    const { status, stdout, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8', timeout: 60_000 })
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '4\n', stderr: '' })
  })

  ;(installed ? test : test.skip)('a process that is ended in the middle of a text ends as it was told', () => {
    const script = `
      import { openEmbedder } from ${JSON.stringify(pathToFileURL(projectPath('dist/node/embed/index.js')).href)}
      const embedder = await openEmbedder(${JSON.stringify(real)}, { modulesFrom: ${JSON.stringify(modulesFrom)} })
      await embedder.preload()
      for (let i = 0; i < 9; i++) embedder.embed('word '.repeat(200) + i).catch(() => {})
      setTimeout(() => process.exit(5), 30)`
    const file = path.join(folder, 'ends.mjs')
    writeFileSync(file, script)
    const { status, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8', timeout: 60_000 })
    expect({ status, stderr }).toEqual({ status: 5, stderr: '' })
  })

  test('a pulled one is found by its name, before a folder of that name', async () => {
    const models = path.join(folder, 'models')
    mkdirSync(models)
    symlinkSync(real, path.join(models, 'mine'))
    const embedder = await opened('mine', { ...web, models })
    expect([embedder.name, embedder.dimensions]).toEqual(['mine', 384])
    expect(await code(openEmbedder('mine', { ...web, models: folder }))).toBe('cache.model')
  })

  test('at an address: fetched once, of the folder or of one file', async () => {
    const server = await FileServer.start()
    try {
      for (const name of ['tokenizer.json', 'tokenizer_config.json', 'config.json'])
        server.files.set(`/own/${name}`, readFileSync(path.join(real, name)))
      server.files.set('/own/onnx/model_quantized.onnx', readFileSync(path.join(real, 'model_quantized.onnx')))
      const models = path.join(folder, 'models')
      const both = await Promise.all([1, 2].map(() => opened(`${server.url}/own`, { ...web, models })))
      expect(await both[0]!.checksum()).toBe(sha256(path.join(real, 'model_quantized.onnx')))
      expect((await both[1]!.embed('hello'))!.pieces).toBe(3)
      const asked = server.served.length
      await opened(`${server.url}/own`, { ...web, models })
      expect(server.served).toHaveLength(asked)
      const one = await opened(`${server.url}/own/onnx/model_quantized.onnx`, { ...web, models })
      expect(await one.checksum()).toBe(await both[0]!.checksum())
      expect(await code(openEmbedder(`${server.url}/nothing`, { ...web, models }))).toBe('cache.download_failed')
    } finally {
      await server.close()
    }
  })

  ;(installed ? test : test.skip)('native and wasm agree, and native is taken when it is there', async () => {
    const native = await opened(real, { modulesFrom })
    const wasm = await opened(real, web)
    const text = 'How do I rotate a log file without losing lines?'
    const [a, b] = [await vector(native, text), await vector(wasm, text)]
    expect(native.runtime).toBe('onnxruntime-node')
    expect(1 - cosine(a, b)).toBeLessThan(1e-5)
  })
})

const tokenizer = {
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: { type: 'BertPreTokenizer' },
  post_processor: null,
  decoder: null,
  model: { type: 'WordPiece', unk_token: 'u', continuing_subword_prefix: '##', vocab: { u: 0, a: 1, b: 2, exit: 3 } },
}

describe('what is no model', () => {
  test('is told as cache.model, before anything is loaded', async () => {
    expect(await code(openEmbedder(path.join(folder, 'none')))).toBe('cache.model')
    expect(await code(openEmbedder(folder))).toBe('cache.model')
    expect(await code(openEmbedder(path.join(folder, 'x.onnx')))).toBe('cache.model')
    writeFileSync(path.join(folder, 'a.onnx'), '')
    expect(await code(openEmbedder(path.join(folder, 'a.onnx')))).toBe('cache.model')
    writeFileSync(path.join(folder, 'b.onnx'), '')
    await expect(openEmbedder(folder)).rejects.toMatchObject({ detail: 'name one of its files: a.onnx, b.onnx' })
    expect(await code(openEmbedder(''))).toBe('host.usage')
  })

  test('also when only the runtime or the tokenizer sees it; the next try may succeed', async () => {
    writeFileSync(path.join(folder, 'model.onnx'), 'not onnx')
    writeFileSync(path.join(folder, 'tokenizer.json'), '{')
    const own = await opened(folder, { runtime: 'onnxruntime-web' })
    expect(await code(own.preload())).toBe('cache.model')
    writeFileSync(path.join(folder, 'tokenizer.json'), '{}')
    expect(await code(own.embed('a'))).toBe('cache.model')
  })

  test('a file that was replaced since it was opened: vectors of two files never meet', async () => {
    writeFileSync(path.join(folder, 'model.onnx'), 'one')
    writeFileSync(path.join(folder, 'tokenizer.json'), JSON.stringify(tokenizer))
    const own = await opened(folder)
    expect(await own.checksum()).toBe(sha256(path.join(folder, 'model.onnx')))
    writeFileSync(path.join(folder, 'model.onnx'), 'another')
    await expect(own.preload()).rejects.toMatchObject({
      code: 'cache.model',
      detail: expect.stringContaining('replaced') as unknown,
    })
  })
})

describe('a runtime', () => {
  /** A package of that name in the folder, whose text is `source`. */
  function install(name: string, source: string): void {
    const place = path.join(folder, 'node_modules', name)
    mkdirSync(place, { recursive: true })
    writeFileSync(path.join(place, 'package.json'), JSON.stringify({ name, main: 'index.js' }))
    writeFileSync(path.join(place, 'index.js'), source)
  }
  /** The state of a piece is (1, its id); the word `exit` ends its thread. Each load leaves a letter in the file `loads`. */
  const ids = `
    exports.Tensor = class { constructor(type, data) { this.data = data } }
    exports.InferenceSession = { create: async () => {
      require('node:fs').appendFileSync(__dirname + '/loads', 'x')
      return {
        inputNames: ['input_ids'],
        outputNames: ['token_embeddings'],
        run: async ({ input_ids: { data } }) => {
          if (data[0] === 3n) process.exit(7)
          const states = Float32Array.from([...data].flatMap((id) => [1, Number(id)]))
          return { token_embeddings: { data: states, dims: [1, data.length, 2] } }
        },
      }
    } }`
  const loads = (): number => readFileSync(path.join(folder, 'node_modules/onnxruntime-node/loads'), 'utf8').length
  beforeEach(() => {
    writeFileSync(path.join(folder, 'model.onnx'), 'm')
    writeFileSync(path.join(folder, 'tokenizer.json'), JSON.stringify(tokenizer))
  })

  test('in the folder that is named is taken, and its dimensions are those of its output', async () => {
    install('onnxruntime-node', ids)
    const own = await opened(folder, { modulesFrom: folder })
    expect(own.dimensions).toBe(0)
    expect([...(await vector(own, 'b'))]).toEqual([1, 2].map((x) => Math.fround(x / Math.sqrt(5))))
    expect([own.dimensions, own.runtime]).toEqual([2, 'onnxruntime-node'])
  })

  test('carries a model once for all who open its file, until the last has closed it', async () => {
    install('onnxruntime-node', ids)
    const both = await Promise.all(
      [folder, path.join(folder, 'model.onnx')].map((where) => opened(where, { modulesFrom: folder })),
    )
    const [first, second] = both as [Embedder, Embedder]
    expect(existsSync(path.join(folder, 'node_modules/onnxruntime-node/loads'))).toBe(false)
    const [a, again] = await Promise.all(both.map((each) => vector(each, 'a')))
    expect(again).toEqual(a)
    await first.close()
    expect(await code(first.embed('b'))).toBe('host.disposed')
    expect(await vector(second, 'a')).toEqual(a)
    expect(loads()).toBe(1)
    await second.close()
    expect(await vector(await opened(folder, { modulesFrom: folder }), 'a')).toEqual(a)
    expect(loads()).toBe(2)
  })

  test('whose thread dies fails that text, and is started again for the next', async () => {
    install('onnxruntime-node', ids)
    const own = await opened(folder, { modulesFrom: folder })
    const a = await vector(own, 'a')
    const all = await Promise.all(['exit', 'b'].map((text) => code(own.embed(text))))
    expect(all[0]).toBe('cache.model')
    expect(await vector(own, 'a')).toEqual(a)
    expect(loads()).toBe(2)
  })

  test('that does not load makes way for the next; when none is left: cache.runtime', async () => {
    install('onnxruntime-node', "throw new Error('no such processor')")
    install('onnxruntime-web', ids)
    const own = await opened(folder, { modulesFrom: folder })
    await own.preload()
    expect(own.runtime).toBe('onnxruntime-web (wasm)')
    if (installed) return
    const none = await opened(folder, { modulesFrom: folder, runtime: 'onnxruntime-node' })
    await expect(none.preload()).rejects.toMatchObject({
      code: 'cache.runtime',
      detail: expect.stringContaining('no such processor') as unknown,
    })
    rmSync(path.join(folder, 'node_modules'), { recursive: true })
    expect(await code(openEmbedder(folder, { runtime: 'onnxruntime-node' }))).toBe('cache.runtime')
  })

  test('in the working folder alone is never run', () => {
    install('onnxruntime-node', ids)
    const { stdout } = spawnSync(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { runtimeCandidates } from ${JSON.stringify(pathToFileURL(projectPath('dist/node/embed/runtimes.js')).href)}
         console.log(JSON.stringify(runtimeCandidates()))`,
      ],
      { encoding: 'utf8', cwd: folder },
    )
    expect(stdout).toContain('onnxruntime-web')
    expect(stdout).not.toContain(folder)
  })
})
