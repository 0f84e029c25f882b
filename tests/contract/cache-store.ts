/** The published suite of cache stores, with this project's test library. A page gets a stand-in for that. */
import { describe, expect, test } from '@jest/globals'
import { cacheStoreContract as contract, type StorePlace } from '../../web/standard/testing/index.js'

export const cacheStoreContract = (name: string, make: () => Promise<StorePlace>): void =>
  contract(name, make, { describe, expect, test })
