/** Entry of the dedicated worker: core, driver and provider calls, away from the thread that draws. */
import type { FromWorker, ToWorker } from './messages.js'
import { WorkerHost } from './worker-host.js'

/** The part of a worker's global scope that is used; the types of pages and of workers cannot be loaded together. */
interface Scope {
  postMessage(messages: readonly FromWorker[]): void
  addEventListener(type: 'message', listener: (event: { readonly data: ToWorker }) => void): void
  addEventListener(type: 'unhandledrejection', listener: (event: { readonly reason: unknown }) => void): void
}
const scope = globalThis as unknown as Scope

const host = new WorkerHost((messages) => scope.postMessage(messages))
scope.addEventListener('message', ({ data }) => host.take(data))
scope.addEventListener('unhandledrejection', ({ reason }) => host.crashed(reason))
