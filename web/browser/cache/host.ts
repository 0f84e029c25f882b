/** The worker's side of a cache. */
import { AetherflowError } from '../../../bindings/errors.js'
import { cacheMethods, type FromCache, type ToCache } from './messages.js'
import type { SemanticCacheBase } from '../../standard/cache/semantic-cache.js'
import type { OpenHooks, OpenOptions } from './open-options.js'
import { plainError } from '../worker/messages.js'

/** The part of a worker's global scope that is used. */
interface Scope {
  postMessage(message: FromCache): void
  addEventListener(type: 'message', listener: (event: { readonly data: ToCache }) => void): void
}

type Method = (...of: readonly unknown[]) => unknown

export function serveCache(open: (options: OpenOptions, hooks: OpenHooks) => Promise<SemanticCacheBase>): void {
  const scope = globalThis as unknown as Scope
  const aborted = new AbortController()
  let cache: SemanticCacheBase | undefined

  async function opens(options: OpenOptions): Promise<void> {
    const onProblem = (problem: string): void => scope.postMessage({ is: 'problem', problem })
    const progress: OpenHooks['progress'] = (progress) => scope.postMessage({ is: 'progress', progress })
    try {
      cache = await open({ ...options, onProblem }, { progress, signal: aborted.signal })
      scope.postMessage({ is: 'opened' })
    } catch (error) {
      scope.postMessage({ is: 'refused', error: plainError(error) })
    }
  }

  async function calls({ call, method, of }: ToCache & { readonly does: 'call' }): Promise<void> {
    try {
      if (cache === undefined || !cacheMethods.includes(method)) throw new AetherflowError('host.usage', method)
      const value = await (cache[method] as Method).apply(cache, [...of])
      scope.postMessage({ is: 'value', call, value })
    } catch (error) {
      scope.postMessage({ is: 'failed', call, error: plainError(error) })
    }
  }

  scope.postMessage({ is: 'ready' })
  scope.addEventListener('message', ({ data }) => {
    if (data.does === 'open') void opens(data.options)
    else if (data.does === 'abort') aborted.abort()
    else if (data.does === 'ping') scope.postMessage({ is: 'pong' })
    else void calls(data)
  })
}
