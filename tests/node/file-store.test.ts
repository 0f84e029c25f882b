import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { FileStore } from '../../node/stores/file.js'
import { cacheStoreContract } from '../contract/cache-store.js'

cacheStoreContract('a folder', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'aetherflow-store-'))
  return Promise.resolve({
    store: () => new FileStore(folder),
    end: () => Promise.resolve(rmSync(folder, { recursive: true })),
  })
})
