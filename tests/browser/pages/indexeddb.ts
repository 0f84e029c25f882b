/** A page that has the store in IndexedDB at hand, as `stores`. */
import * as database from '../../../web/browser/indexeddb/database.js'
import * as rows from '../../../web/browser/indexeddb/rows.js'
import * as store from '../../../web/browser/indexeddb/store.js'

const { cacheSchema } = rows
/** Version 2, as it might be one day: each entry has a colour. */
const nextSchema: database.DatabaseSchema = {
  version: cacheSchema.version + 1,
  upgrade(opened, transaction, from) {
    cacheSchema.upgrade(opened, transaction, from)
    const heads = transaction.objectStore('heads')
    heads.createIndex('colour', 'colour')
    void database.walk(heads.openCursor(), (cursor) => {
      cursor.update({ ...cursor.value, colour: 'red' })
      return true
    })
  },
}

const key = (number: number): string => number.toString(16).padStart(32, '0')
const entry = (number: number, answer = `answer ${number}`) => ({
  key: key(number),
  scope: key(1_000_000),
  label: '',
  createdAt: 1_000_000 + number,
  expiresAt: 9_000_000_000_000,
  bytes: 10 + answer.length,
  space: '',
  vector: '',
  worth: { tokens: 1, microUsd: 2, ms: 3 },
  prompt: `question ${number}`.slice(0, 10),
  answer,
})
const code = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'ok',
    (error: { code?: string; detail?: string }) => `${error.code}: ${error.detail}`,
  )

const exposed = { ...database, ...rows, ...store, nextSchema, key, entry, code }
declare global {
  var stores: typeof exposed
}
globalThis.stores = exposed
