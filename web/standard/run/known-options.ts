/** Misspelt options would be none: they are refused with what they were meant to be. */
import { AetherflowError } from '../../../bindings/errors.js'
import { meant } from '../nearest.js'
import type { CacheSettings, PlanSettings } from './setup.js'

/** What every host knows; the type holds the list to the interfaces. */
export const sharedOptions: Readonly<Record<keyof PlanSettings | keyof CacheSettings, true>> = {
  mode: true,
  concurrency: true,
  config: true,
  simulate: true,
  strip: true,
  optimize: true,
  policy: true,
  promptCache: true,
  draft: true,
  seed: true,
  cache: true,
  cacheModes: true,
  tenant: true,
}

/** Members that are undefined count as absent. Fails: host.usage. */
export function mustKnowOptions(options: object, known: Readonly<Record<string, true>>): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || Object.hasOwn(known, name)) continue
    throw new AetherflowError('host.usage', name, `there is no option '${name}'${meant(name, Object.keys(known))}`)
  }
}
