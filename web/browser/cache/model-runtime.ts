/** onnxruntime-web as the page has it: WebGPU where there is one, else WebAssembly. */
import { AetherflowError } from '../../../bindings/errors.js'
import { unanswered, within } from '../patience.js'
import { ortRuntime, type ModelRuntime, type OrtLike, type OrtSession } from '../../standard/embed/runtime.js'

/** An address of one of its ES modules, or what imports it. */
export type RuntimeSource = string | (() => Promise<unknown>)

/** Threads beyond these gain little for one short text. */
const mostThreads = 4
/** How long a graphics driver may take to answer, ms. */
const gpuMs = 5_000
/** How long the runtime may take to arrive, and to make a model ready, ms: slow machines compile 90 MB for a while. */
const [importMs, sessionMs] = [60_000, 120_000] as const

/** Fails: cache.runtime. */
export async function loadRuntime(source: RuntimeSource | undefined): Promise<ModelRuntime> {
  if (source === undefined) {
    const detail = 'a model needs `runtime`: the address of onnxruntime-web, or a function that imports it'
    throw new AetherflowError('cache.runtime', 'runtime', detail)
  }
  const where = typeof source === 'string' ? source : ''
  try {
    const importing = typeof source === 'string' ? imports(source) : source()
    const imported = await within(importMs, importing, () => unanswered('the address of onnxruntime-web', importMs))
    const found = imported as { readonly default?: unknown }
    const given = isRuntime(found) ? found : isRuntime(found.default) ? found.default : undefined
    const ort = given && timed(given)
    if (ort === undefined) throw new Error('it has no InferenceSession')
    // Shared memory, which threads need, is given to isolated pages alone.
    const threads = globalThis.crossOriginIsolated ? Math.min(mostThreads, navigator.hardwareConcurrency) : 1
    const gpu = await hasGpu()
    return gpu ? ortRuntime(onGpu(ort), 'onnxruntime-web', threads) : ortRuntime(ort, 'onnxruntime-web (wasm)', threads)
  } catch (error) {
    if (error instanceof AetherflowError) throw error
    throw new AetherflowError('cache.runtime', where, error instanceof Error ? error.message : String(error))
  }
}

const imports = (address: string): Promise<unknown> => import(/* @vite-ignore */ /* webpackIgnore: true */ address)

function isRuntime(value: unknown): value is OrtLike {
  return typeof value === 'object' && value !== null && 'InferenceSession' in value && 'Tensor' in value
}

interface Gpu {
  requestAdapter(): Promise<unknown>
}

async function hasGpu(): Promise<boolean> {
  const { gpu } = navigator as { readonly gpu?: Gpu }
  if (gpu === undefined) return false
  const asked = within(gpuMs, gpu.requestAdapter(), () => unanswered('WebGPU', gpuMs))
  return ((await asked.catch(() => null)) ?? null) !== null
}

/** A runtime that never gets ready is one that fails: a cache that waits for it is gone without. */
function timed(ort: OrtLike): OrtLike {
  const { InferenceSession, Tensor, env } = ort
  const late = (): unknown => unanswered('onnxruntime-web', sessionMs)
  const create = (model: Uint8Array, options?: object): Promise<OrtSession> =>
    within(sessionMs, InferenceSession.create(model, options), late)
  return { InferenceSession: { create }, Tensor, ...(env === undefined ? {} : { env }) }
}

/** Builds of onnxruntime-web without WebGPU refuse it, and so do models with operators that it lacks: then WebAssembly it is. */
function onGpu(ort: OrtLike): OrtLike {
  const { InferenceSession, Tensor, env } = ort
  const create = async (model: Uint8Array, options?: object): Promise<OrtSession> => {
    try {
      return await InferenceSession.create(model.slice(), { ...options, executionProviders: ['webgpu'] })
    } catch {
      return await InferenceSession.create(model, options)
    }
  }
  return { InferenceSession: { create }, Tensor, ...(env === undefined ? {} : { env }) }
}
