/** Misspelt options would be none: they are refused with what they were meant to be. */
import { AetherflowError } from '../../../bindings/errors.js'
import { meant } from '../nearest.js'
import type { CacheSettings, PlanSettings } from './setup.js'

/** Plain data, that crosses to wherever a run is carried out; the type holds the list to the interface. */
export const planSettings: Readonly<Record<keyof PlanSettings, true>> = {
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
}

/** What every host knows. */
export const sharedOptions: Readonly<Record<keyof PlanSettings | keyof CacheSettings, true>> = {
  ...planSettings,
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
