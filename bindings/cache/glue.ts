/** The cache's glue as a plain import, for hosts that hand over the module's bytes; see glue.ts. */
import create from '../../core/aetherflow_cache.mjs'
import type { CreateCache } from './module.js'

export const createCache: CreateCache = create
