/** The embedder that a cache is opened with, by what people call it. */
import type { Embedder } from '../bindings/cache-ports.js'
import { AetherflowError } from '../bindings/errors.js'

/** From the states of word pieces to the vector of a text: the core's. */
export type Pool = (states: Float32Array, pieces: number, dimensions: number) => Float32Array

/**
 * `model`: a folder, an .onnx file, an address, the name of a pulled model, or an embedder; undefined and `lexical`: the built-in
 * one, which is no object. Fails: cache.model. The model itself is loaded with the first text.
 */
export async function openModel(model: string | Embedder | undefined, pool: Pool): Promise<Embedder | undefined> {
  if (model === undefined || model === 'lexical') return undefined
  if (typeof model !== 'string') return model
  void pool
  throw new AetherflowError('cache.model', model, 'models are not supported yet')
}
