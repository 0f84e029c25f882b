/** The cache's glue, module and data as scripts alone; see ../embedded.ts. */
import bytes from '../../core/aetherflow_cache.bytes.js'
import data from '../../core/aetherflow_cache.data.js'
import create from '../../core/aetherflow_cache.mjs'
import { opened } from '../opened.js'
import type { CacheData, CacheModule } from './module.js'

export async function openCacheParts(): Promise<{ module: CacheModule; data: CacheData }> {
  return { module: await opened(create, bytes), data }
}
