/** The suite that every store obeys, over IndexedDB: in a page by `runSuite`, in a worker at once. */
import { given } from '../../../web/browser/indexeddb/database.js'
import { cacheDatabase, IndexedDbStore } from '../../../web/browser/indexeddb/store.js'
import { cacheStoreContract } from '../../contract/cache-store.js'
import type {} from './suite.js'

let places = 0
cacheStoreContract('IndexedDB', async () => {
  const name = `contract-${++places}-${Math.random()}`
  return {
    store: () => new IndexedDbStore(name),
    end: async () => void (await given(indexedDB.deleteDatabase(cacheDatabase(name)))),
  }
})

if (typeof document === 'undefined') postMessage(await runSuite())
