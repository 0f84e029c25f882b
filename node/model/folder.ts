/** Where models that were pulled lie. */
import { userCacheFolder } from '../cache/config.js'

/** Variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>

/** `$XDG_CACHE_HOME/aetherflow/models`, else below `~/.cache`. */
export const modelsFolder = (env: Environment = process.env): string => userCacheFolder(env, 'models')
