/** The index's glue as a plain import, for hosts that hand over the module's bytes; see ../glue.ts. */
import create from '../../core/aetherflow_index.mjs'
import type { CreateIndex } from './module.js'

export const createIndex: CreateIndex = create
