/** Glue and module of the shared limits as scripts alone; see embedded.ts. */
import create from '../core/aetherflow_limits.mjs'
import bytes from '../core/aetherflow_limits.bytes.js'
import type { LimitsModule } from './module.js'
import { opened } from './opened.js'

export const openLimits = (): Promise<LimitsModule> => opened(create, bytes)
