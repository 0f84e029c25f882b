/** The embedder that a cache is opened with, by what people call it. */
import { existsSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Embedder } from '../bindings/cache-ports.js'
import { AetherflowError } from '../bindings/errors.js'
import { onnxEmbedder } from '../web/standard/embed/onnx.js'
import type { Pool } from '../web/standard/embed/pool.js'
import type { ModelRuntime } from '../web/standard/embed/runtime.js'
import { settingsOf } from '../web/standard/embed/settings.js'
import { userCacheFolder } from './cache-config.js'
import { WorkerSession } from './embed/worker-session.js'

/** Files of a folder in the order in which they are preferred. */
const preferred = ['model_w8.onnx', 'model.onnx', 'model_fp16.onnx', 'model_quantized.onnx']

/**
 * `model`: a folder, an .onnx file, the name of a pulled model, or an embedder; undefined and `lexical`: the built-in one, which
 * is no object. Fails: cache.model. The model itself is loaded with the first text.
 */
export async function openModel(model: string | Embedder | undefined, pool: Pool): Promise<Embedder | undefined> {
  if (model === undefined || model === 'lexical') return undefined
  if (typeof model !== 'string') return model
  const file = fileOf(model)
  const folder = dirname(file)
  const json = async (name: string): Promise<object> => {
    try {
      return JSON.parse(await readFile(join(folder, name), 'utf8')) as object
    } catch (error) {
      throw new AetherflowError('cache.model', folder, `${name} cannot be read: ${String(error)}`)
    }
  }
  const maybe = (name: string): Promise<object | undefined> => json(name).catch(() => undefined)
  const settings = settingsOf({
    config: await maybe('config.json'),
    tokenizerConfig: await maybe('tokenizer_config.json'),
    sentenceConfig: await maybe('sentence_bert_config.json'),
  })
  const tokenizer = await json('tokenizer.json')
  return onnxEmbedder({
    ...settings,
    name: basename(folder),
    pool,
    model: () => readFile(file),
    tokenizer: async () => ({ tokenizer, config: (await maybe('tokenizer_config.json')) ?? {} }),
    runtime: () => Promise.resolve(threadRuntime()),
  })
}

function fileOf(model: string): string {
  const pulled = userCacheFolder(process.env, 'models', model)
  const place = existsSync(model) ? resolve(model) : pulled
  if (!existsSync(place))
    throw new AetherflowError('cache.model', model, 'there is no such folder, file or pulled model')
  if (!statSync(place).isDirectory()) return place
  const name = preferred.find((file) => existsSync(join(place, file)))
  if (name === undefined) throw new AetherflowError('cache.model', model, 'the folder has no .onnx file that is known')
  return join(place, name)
}

function threadRuntime(): ModelRuntime {
  const candidates = ['onnxruntime-node', 'onnxruntime-web'].flatMap((name) => {
    for (const from of [import.meta.url, pathToFileURL(join(process.cwd(), '_')).href]) {
      try {
        return [{ name, module: pathToFileURL(createRequire(from).resolve(name)).href }]
      } catch {
        // Not there.
      }
    }
    return []
  })
  let session: WorkerSession | undefined
  return {
    get name() {
      return session?.runtime ?? ''
    },
    async open(model) {
      if (candidates.length === 0) throw new AetherflowError('cache.runtime')
      session = await WorkerSession.open({ candidates, threads: 1 }, Uint8Array.from(model))
      return session
    },
  }
}
