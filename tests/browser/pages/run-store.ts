/** The suite that every run store obeys, over IndexedDB: in a page by `runSuite`, in a worker at once. */
import { journalDatabase, removeRun } from '../../../web/browser/run/journal-database.js'
import { IndexedDbRunStore } from '../../../web/browser/run/run-store.js'
import { runStoreContract } from '../../contract/run-store.js'
import type {} from './suite.js'

let places = 0
runStoreContract('runs in IndexedDB', () => {
  const name = `contract-${++places}-${Math.random()}`
  const stores: IndexedDbRunStore[] = []
  return Promise.resolve({
    store: () => {
      const store = new IndexedDbRunStore(name)
      stores.push(store)
      return store
    },
    end: async () => {
      for (const store of stores) store.close()
      const database = journalDatabase()
      await removeRun(database, name)
      database.close()
    },
  })
})

if (typeof document === 'undefined') postMessage(await runSuite())
