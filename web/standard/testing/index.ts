/**
 * What every store, and every client of a provider, must do, as suites for the tests of your own:
 *
 *   import { describe, expect, test } from 'vitest'
 *   import { runStoreContract } from '@aetherflow/aetherflow/testing'
 *   runStoreContract('runs in Redis', () => openPlace(), { describe, expect, test })
 *
 * @packageDocumentation
 */
export { cacheStoreContract, type StorePlace } from './cache-store.js'
export type { TestLibrary } from './library.js'
export { modelClientContract, type ClientBehaviour, type ClientPlace } from './model-client.js'
export { runStoreContract, type RunStorePlace } from './run-store.js'
export { KeptJournal, type OwnedRun, type RunStore } from '../run/run-store.js'
export type { CacheStore } from '../../../bindings/cache/ports.js'
export { JournalLines, type JournalHeader, type JournalWriter } from '../../../bindings/journal/journal.js'
export type { CallFailureInfo, CallObserver, ModelClient, ModelReply, ModelRequest } from '../../../bindings/ports.js'
