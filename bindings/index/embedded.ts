/** The index's glue, module and data as scripts alone; see ../embedded.ts. */
import bytes from '../../core/aetherflow_index.bytes.js'
import data from '../../core/aetherflow_index.data.js'
import create from '../../core/aetherflow_index.mjs'
import { opened } from '../opened.js'
import type { IndexData, IndexModule } from './module.js'

export async function openIndexParts(): Promise<{ module: IndexModule; data: IndexData }> {
  return { module: await opened(create, bytes), data }
}
