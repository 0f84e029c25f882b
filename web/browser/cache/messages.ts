/** The words between a page and the worker that has its cache. */
import type { OpenOptions } from './open-options.js'
import type { ModelProgress } from './model-files.js'
import type { PlainError } from '../worker/messages.js'

/** By its name the worker knows what it is for. */
export const cacheWorkerName = 'aetherflow-cache'

/** What a cache can be asked. */
export const cacheMethods = [
  ...(['get', 'put', 'feedback', 'stats', 'list', 'read'] as const),
  ...(['clear', 'explain', 'preload', 'size', 'close'] as const),
]
export type CacheMethod = (typeof cacheMethods)[number]

export type ToCache =
  | { readonly does: 'open'; readonly options: OpenOptions }
  | { readonly does: 'abort' }
  /** Is it alive? */
  | { readonly does: 'ping' }
  | { readonly does: 'call'; readonly call: number; readonly method: CacheMethod; readonly of: readonly unknown[] }

export type FromCache =
  | { readonly is: 'ready' }
  | { readonly is: 'pong' }
  | { readonly is: 'opened' }
  | { readonly is: 'refused'; readonly error: PlainError }
  | { readonly is: 'progress'; readonly progress: Parameters<ModelProgress>[0] }
  | { readonly is: 'problem'; readonly problem: string }
  | { readonly is: 'value'; readonly call: number; readonly value: unknown }
  | { readonly is: 'failed'; readonly call: number; readonly error: PlainError }
