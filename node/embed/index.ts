/** `openEmbedder`: a model from a folder, a file, an address or the user's cache folder, as an Embedder. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Embedder } from '../../bindings/cache/ports.js'
import { AetherflowError } from '../../bindings/errors.js'
import { embedderOf } from '../../web/standard/embed/onnx.js'
import type { Pool } from '../../web/standard/embed/pool.js'
import { modelsFolder } from '../folders.js'
import { isModelName } from '../model/pull.js'
import { fetchedModel } from './fetched-model.js'
import { findModel } from './model-files.js'
import { runtimeCandidates, type RuntimeChoice } from './runtimes.js'
import { sharedModel } from './shared-model.js'

export type { RuntimeName } from './runtimes.js'

export interface OpenEmbedderOptions extends RuntimeChoice {
  /** From the states of word pieces to a vector; default: in JavaScript. A cache hands over its core's. */
  readonly pool?: Pool | undefined
  /** Of the runtime, default 1. */
  readonly threads?: number | undefined
  /** Where pulled models lie; default: see modelsFolder. */
  readonly models?: string | undefined
  /** Ends the download of an address. */
  readonly signal?: AbortSignal | undefined
}

/**
 * `where`: a folder with tokenizer.json and an .onnx file, such a file, an http(s) address of either (fetched once, into the
 * user's cache folder), or the name of a pulled model. Finds the files and reads how long the vectors are; the model itself is
 * loaded with the first text or by `preload`, in a thread of its own, once for all who open the same file.
 * Fails: cache.model, cache.runtime, host.io_failed; cache.download_failed for an address.
 */
export async function openEmbedder(where: string, options: OpenEmbedderOptions = {}): Promise<Embedder> {
  const found = await findModel(await placeOf(where, options))
  const { pool, threads = 1 } = options
  if (!Number.isSafeInteger(threads) || threads < 1)
    throw new AetherflowError('host.usage', 'threads', 'a whole number from 1')
  const model = sharedModel(found, { candidates: runtimeCandidates(options), threads })
  const { name, settings } = found
  return embedderOf({
    name,
    window: settings.window,
    dimensions: settings.dimensions,
    pool,
    load: () => model.acquire(),
    release: () => model.release(),
    checksum: () => model.checksum(),
  })
}

/** The path that is meant. A pulled model goes before a folder of the same bare name: `./name` is always the folder. */
async function placeOf(where: string, { models = modelsFolder(), signal }: OpenEmbedderOptions): Promise<string> {
  if (/^https?:\/\//i.test(where)) return fetchedModel(where, models, signal)
  if (where === '') throw new AetherflowError('host.usage', 'model', 'the name of a model is empty')
  const pulled = join(models, where)
  return isModelName(where) && existsSync(pulled) ? pulled : where
}
