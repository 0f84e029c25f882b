/**
 * The generated glue as a plain import, which bundlers follow; the module's address stands in it as
 * `new URL('aetherflow_core.wasm', import.meta.url)`. Hosts that read files load it themselves.
 */
import create from '../core/aetherflow_core.mjs'
import type { CreateCore } from './module.js'
import { withSessions } from './session.js'

export const createCore: CreateCore = (options) => withSessions(create(options))
