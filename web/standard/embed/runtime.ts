/** A model that runs: what an embedder asks of it, and ONNX Runtime as one. The runtime itself is handed in. */
import { AetherflowError } from '../../../bindings/errors.js'

/** What carries models out. */
export interface ModelRuntime {
  /** For people: `onnxruntime-node`, `onnxruntime-web (wasm)`. */
  readonly name: string
  /** Takes the file's bytes over. Rejects with cache.model when it cannot run them. */
  open(model: Uint8Array): Promise<ModelSession>
}

export interface ModelSession {
  /**
   * The states of one text's pieces, row-major [pieces × dimensions]. Calls at once are carried out one after the other, each
   * text alone: 8-bit models scale their activations over the whole batch, so neighbours would change a text's vector.
   */
  run(ids: Int32Array): Promise<PieceStates>
  close(): Promise<void>
}

export interface PieceStates {
  readonly states: Float32Array
  readonly dimensions: number
}

/** What is used of `onnxruntime-web`, `onnxruntime-node` and `onnxruntime-common`. */
export interface OrtLike {
  readonly InferenceSession: { create(model: Uint8Array, options?: object): Promise<OrtSession> }
  readonly Tensor: new (type: 'int64', values: BigInt64Array, shape: readonly number[]) => unknown
  readonly env?: { readonly wasm?: { numThreads?: number | undefined } }
}
export interface OrtSession {
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
  run(feeds: Record<string, unknown>, outputs: readonly string[]): Promise<Record<string, unknown>>
  release?(): Promise<void>
}
interface OrtTensor {
  readonly data: unknown
  readonly dims: readonly number[]
  dispose?(): void
}

/** ONNX Runtime with one thread, unless told otherwise: a run has better uses for the others. */
export function ortRuntime(ort: OrtLike, name: string, threads = 1): ModelRuntime {
  return {
    name,
    async open(model) {
      const wasm = ort.env?.wasm
      if (wasm) wasm.numThreads = threads
      // Severity 3: errors. What it warns of (unknown processors, unused weights) is no news for a user.
      const options = { intraOpNumThreads: threads, interOpNumThreads: 1, logSeverityLevel: 3 }
      const session = await ort.InferenceSession.create(model, options).catch((error: unknown) => {
        throw modelError(`not a model that ${name} can run: ${text(error)}`)
      })
      return new OnnxSession(ort, session)
    },
  }
}

/** Inputs of encoder models, each filled for one text alone. */
const inputs: Readonly<Record<string, (ids: Int32Array) => BigInt64Array>> = {
  input_ids: (ids) => BigInt64Array.from(ids, BigInt),
  attention_mask: (ids) => new BigInt64Array(ids.length).fill(1n),
  token_type_ids: (ids) => new BigInt64Array(ids.length),
  position_ids: (ids) => BigInt64Array.from(ids, (_, at) => BigInt(at)),
}

class OnnxSession implements ModelSession {
  readonly #ort: OrtLike
  readonly #session: OrtSession
  readonly #output: string
  #last: Promise<unknown> = Promise.resolve()
  #closed: Promise<void> | undefined

  constructor(ort: OrtLike, session: OrtSession) {
    this.#ort = ort
    this.#session = session
    const strange = session.inputNames.find((name) => !Object.hasOwn(inputs, name))
    if (strange !== undefined) throw modelError(`it wants the input '${strange}', which no text encoder has`)
    const known = ['last_hidden_state', 'token_embeddings'].find((name) => session.outputNames.includes(name))
    this.#output = known ?? session.outputNames[0] ?? ''
  }

  run(ids: Int32Array): Promise<PieceStates> {
    if (this.#closed) return Promise.reject(new AetherflowError('host.disposed'))
    const result = this.#last.then(() => this.#run(ids))
    this.#last = result.catch(() => {})
    return result
  }

  close(): Promise<void> {
    this.#closed ??= this.#last.then(() => this.#session.release?.())
    return this.#closed
  }

  async #run(ids: Int32Array): Promise<PieceStates> {
    const pieces = ids.length
    const feeds: Record<string, unknown> = {}
    for (const name of this.#session.inputNames) {
      feeds[name] = new this.#ort.Tensor('int64', inputs[name]!(ids), [1, pieces])
    }
    const results = await this.#session.run(feeds, [this.#output]).catch((error: unknown) => {
      throw modelError(`the model failed: ${text(error)}`)
    })
    const tensor = results[this.#output] as OrtTensor
    const [batch, rows, dimensions = 0] = tensor.dims
    if (tensor.dims.length !== 3 || batch !== 1 || rows !== pieces) {
      throw modelError(`its output '${this.#output}' is [${tensor.dims.join(' × ')}], not a state for each piece`)
    }
    if (!isFloats(tensor.data)) throw modelError('its output is not of 32-bit floats')
    const states = tensor.data
    tensor.dispose?.()
    return { states, dimensions }
  }
}

/** By its tag: arrays of another realm are no instances of ours. */
function isFloats(data: unknown): data is Float32Array {
  return Object.prototype.toString.call(data) === '[object Float32Array]'
}

export const modelError = (detail: string): AetherflowError => new AetherflowError('cache.model', '', detail)
export const text = (error: unknown): string => (error instanceof Error ? error.message : String(error))
