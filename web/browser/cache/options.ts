/** How a page opens a cache. */
import type { AnswerCache } from '../../../bindings/cache/ports.js'
import type { CacheOptions } from '../../standard/cache/options.js'

export interface PageCacheOptions extends CacheOptions {
  /** Name of its database in the browser's IndexedDB, shared by all tabs of the origin. Absent: in memory. */
  readonly name?: string | undefined
  /**
   * What prompts are compared by: the address of a folder with tokenizer.json and an ONNX model (in it, or in its `onnx/`), or of such
   * a model's file. Fetched once, then kept by the browser. Absent: the built-in embedder, which knows words and spellings, and no
   * meanings. A model that has changed needs another address.
   */
  readonly model?: string | URL | undefined
  /**
   * onnxruntime-web, which a model needs: the address of one of its ES modules (`ort.webgpu.bundle.min.mjs`, `ort.wasm.bundle.min.mjs`;
   * its .wasm lies beside it), or a function that imports it, which cannot be handed to a worker. WebGPU is used where the browser and
   * the build have it, else WebAssembly: with threads in isolated pages.
   */
  readonly runtime?: string | URL | (() => Promise<unknown>) | undefined
  /** While files of the model are fetched: bytes so far, of so many; 0: the server does not say. */
  readonly onProgress?:
    ((progress: { readonly file: string; readonly bytes: number; readonly total: number }) => void) | undefined
  /** Aborts opening. */
  readonly signal?: AbortSignal | undefined
  /** False: in this thread. Default true; in this thread also where `runtime`, `now` or `shadow.same` is a function. */
  readonly worker?: boolean | undefined
  /** Addresses of the package's files, where they do not lie beside each other. */
  readonly assets?: CacheAssets | undefined
}

export interface CacheAssets {
  /** dist/browser/cache.js, dist/core/aetherflow_cache.wasm and .json. */
  readonly cache?: string | URL
  readonly cacheModule?: string | URL
  readonly cacheData?: string | URL
}

/** A cache that is open, or how a run opens one; runs with the same name and model share it. */
export type CacheChoice = AnswerCache | PageCacheOptions

export const isOpen = (cache: CacheChoice): cache is AnswerCache => 'get' in cache && typeof cache.get === 'function'
