/** The suite that every store obeys, over IndexedDB, for a page: bundled with a stand-in of the test library. */
import { cacheDatabase, IndexedDbStore } from '../../../web/browser/indexeddb-store.js'
import { cacheStoreContract } from '../../contract/cache-store.js'
import { cases } from './jest-globals.js'

let places = 0
cacheStoreContract('IndexedDB', async () => {
  const name = `contract-${++places}-${Math.random()}`
  return {
    store: () => new IndexedDbStore(name),
    end: () =>
      new Promise<void>((resolve, reject) => {
        const request = indexedDB.deleteDatabase(cacheDatabase(name))
        request.onsuccess = () => resolve()
        request.onerror = () => reject(request.error ?? new Error('not deleted'))
      }),
  }
})

export const names = [...cases.keys()]
/** Undefined: it held. */
export async function runCase(name: string): Promise<string | undefined> {
  try {
    await cases.get(name)?.()
    return cases.has(name) ? undefined : 'there is no such case'
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}\n${error.stack}` : String(error)
  }
}

/** All of them in a worker: what failed. */
export function runInWorker(): Promise<unknown> {
  const worker = new Worker(import.meta.url, { type: 'module' })
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data)
    worker.onerror = ({ message }) => reject(new Error(message))
  }).finally(() => worker.terminate())
}

Object.assign(globalThis, { runCase, runInWorker, ready: true })
if (typeof document === 'undefined' && typeof indexedDB !== 'undefined') {
  const failed: string[] = []
  for (const name of names) {
    const why = await runCase(name)
    if (why !== undefined) failed.push(`${name}: ${why}`)
  }
  postMessage({ ran: names.length, failed })
}
