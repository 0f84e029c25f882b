import { version } from '../web/standard/version.js'

/** The package's version; no file is read for it, as a bundle lies beside none. */
export const packageVersion = (): string => version
