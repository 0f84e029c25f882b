/**
 * The embedder over an ONNX model: tokenise, run, pool. Web standards only; the runtime and the files are handed in.
 *
 *     embed ─▶ pieces ≤ window? ─▶ queue ─▶ session.run ─▶ pool ─▶ unit vector
 *                   │ no                (one text at a time; a text that waits already is not run twice)
 *                   ▼
 *               undefined
 */
import type { Embedder, Embedding } from '../../../bindings/cache/ports.js'
import { AetherflowError } from '../../../bindings/errors.js'
import { makeTokeniser, piecesWithin, type Tokenise, type TokenizerFiles } from './pieces.js'
import { meanPool, type Pool } from './pool.js'
import { modelError, text as messageOf, type ModelRuntime, type ModelSession } from './runtime.js'
import { usualWindow } from './settings.js'

interface CommonOptions {
  readonly name: string
  /** Most pieces of one text, [CLS] and [SEP] included; default 256. */
  readonly window?: number | undefined
  /** Default: known after `preload`, 0 until then. Another number than the model's is an error. */
  readonly dimensions?: number | undefined
  /** Default: in JavaScript. */
  readonly pool?: Pool | undefined
}

export interface OnnxEmbedderOptions extends CommonOptions {
  /** The model's file. Called at most once for the checksum and once for the runtime, and again after a failure. */
  readonly model: () => Promise<Uint8Array>
  readonly tokenizer: () => Promise<TokenizerFiles>
  readonly runtime: () => Promise<ModelRuntime>
  /** SHA-256 of the model's file in hex, when that is known without reading it. */
  readonly checksum?: (() => Promise<string>) | undefined
}

/** A loaded model, maybe used by other embedders too. */
export interface LoadedModel {
  readonly tokenise: Tokenise
  readonly session: ModelSession
  readonly runtime: string
}

/** What an embedder is made of when its parts are shared with others. */
export interface EmbedderParts extends CommonOptions {
  load(): Promise<LoadedModel>
  checksum(): Promise<string>
  /** Gives the model back: once for each `load` that succeeded, after the last run. */
  release(): Promise<void>
}

export function onnxEmbedder(options: OnnxEmbedderOptions): Embedder {
  const { name, window, dimensions, pool, model, tokenizer, runtime, checksum } = options
  let loaded: LoadedModel | undefined
  return embedderOf({
    name,
    window,
    dimensions,
    pool,
    checksum: checksum ?? (async () => sha256(await model())),
    async load() {
      const found = await runtime().catch((error: unknown) => {
        throw error instanceof AetherflowError ? error : new AetherflowError('cache.runtime', '', messageOf(error))
      })
      const tokenise = await makeTokeniser(await tokenizer())
      loaded = { tokenise, session: await found.open(await model()), runtime: found.name }
      return loaded
    },
    release: async () => loaded?.session.close(),
  })
}

export const embedderOf = (parts: EmbedderParts): Embedder => new OnnxEmbedder(parts)

class OnnxEmbedder implements Embedder {
  readonly name: string
  readonly #parts: EmbedderParts
  readonly #window: number
  readonly #load: () => Promise<LoadedModel>
  readonly #sum: () => Promise<string>
  readonly #waiting = new Map<string, Promise<Embedding | undefined>>()
  #loading: Promise<LoadedModel> | undefined
  #loaded: LoadedModel | undefined
  #dimensions: number
  #closed: Promise<void> | undefined

  constructor(parts: EmbedderParts) {
    this.name = parts.name
    this.#parts = parts
    this.#window = parts.window ?? usualWindow
    this.#dimensions = parts.dimensions ?? 0
    this.#load = once(() => (this.#loading = coded(this.#open())))
    this.#sum = once(() => coded(parts.checksum()))
  }

  get dimensions(): number {
    return this.#dimensions
  }

  get runtime(): string {
    return this.#loaded?.runtime ?? ''
  }

  async preload(): Promise<void> {
    this.#alive()
    await this.#load()
  }

  checksum(): Promise<string> {
    return this.#closed ? Promise.reject(new AetherflowError('host.disposed')) : this.#sum()
  }

  embed(text: string): Promise<Embedding | undefined> {
    if (this.#closed) return Promise.reject(new AetherflowError('host.disposed'))
    const same = this.#waiting.get(text)
    if (same) return same
    const embedding = this.#embed(text).finally(() => this.#waiting.delete(text))
    this.#waiting.set(text, embedding)
    return embedding
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    // What is in progress comes to its end; a load that fails has given its model back already.
    await Promise.allSettled([...this.#waiting.values(), this.#loading])
    if (this.#loaded) await this.#parts.release()
  }

  #alive(): void {
    if (this.#closed) throw new AetherflowError('host.disposed')
  }

  async #open(): Promise<LoadedModel> {
    const loaded = await this.#parts.load()
    try {
      this.#dimensions = await this.#probe(loaded)
    } catch (error) {
      await this.#parts.release()
      throw error
    }
    this.#loaded = loaded
    return loaded
  }

  /** One run at once: what the model takes and gives is known before the first text, and the first text finds it warm. */
  async #probe({ session, tokenise }: LoadedModel): Promise<number> {
    const { dimensions } = await session.run(Int32Array.from(tokenise('a')))
    const stated = this.#parts.dimensions ?? dimensions
    if (dimensions !== stated) throw modelError(`it gives ${dimensions} dimensions, its files say ${stated}`)
    return dimensions
  }

  async #embed(text: string): Promise<Embedding | undefined> {
    const { tokenise, session } = this.#loaded ?? (await this.#load())
    const begun = performance.now()
    const ids = piecesWithin(tokenise, text, this.#window)
    const tokenised = performance.now()
    if (ids === undefined || ids.length === 0) return undefined
    const { states, dimensions } = await coded(session.run(ids))
    const vector = (this.#parts.pool ?? meanPool)(states, ids.length, dimensions)
    if (!vector.every(Number.isFinite))
      throw modelError('its output has no direction: zeros, or numbers that are not finite')
    const pieces = ids.length
    return { vector, pieces, tokenizeMs: tokenised - begun, embedMs: performance.now() - tokenised }
  }
}

/** SHA-256 in hex, carried out beside the event loop. */
export async function sha256(bytes: Uint8Array): Promise<string> {
  const sum = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>)
  return [...new Uint8Array(sum)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** Shares one call and its result; after a failure the next call tries again. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined
      throw error
    })
    return made
  }
}

/** Whatever a host's function throws leaves as an error with a code. */
function coded<T>(work: Promise<T>): Promise<T> {
  return work.catch((error: unknown) => {
    throw error instanceof AetherflowError ? error : modelError(messageOf(error))
  })
}
