/** The published suite of run stores, with this project's test library. A page gets a stand-in for that. */
import { describe, expect, test } from '@jest/globals'
import { runStoreContract as contract, type RunStorePlace } from '../../web/standard/testing/index.js'

export const runStoreContract = (name: string, open: () => Promise<RunStorePlace>): void =>
  contract(name, open, { describe, expect, test })
