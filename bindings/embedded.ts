/** Glue and module as scripts alone: for hosts that have no address to load a module from, such as a bundle for Node. */
import create from '../core/aetherflow_core.mjs'
import bytes from '../core/aetherflow_core.bytes.js'
import type { CoreModule } from './module.js'
import { opened } from './opened.js'
import { withSessions } from './session.js'

export const openCore = (): Promise<CoreModule> => withSessions(opened(create, bytes))
