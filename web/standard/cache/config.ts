/** The cache's part of a configuration. */
import type { CacheMode } from '../../../bindings/cache/ports.js'
import { AetherflowError } from '../../../bindings/errors.js'
import { wrongShares } from './options.js'

/** Nothing is kept of any run unless `dir` is here, or the run is told to. */
export interface CacheConfig {
  /** Folder of the answers; `~/` is the home folder, other relative ones begin in the working folder. */
  readonly dir?: string
  /** As SemanticCacheOptions.model; `lexical` for the built-in one. */
  readonly model?: string
  /** By type of step, `*` for the others: off, exact or semantic. Default: analysis and documentation semantic, the others exact. */
  readonly types?: Readonly<Record<string, CacheMode>>
  /** Of the answers served by meaning, the share that may be wrong: 0.002–0.05; default 0.01. */
  readonly maxWrongShare?: number
  /** How long an answer is good; default 168. */
  readonly ttlHours?: number
  /** Of all prompts and answers; default 256. */
  readonly maxMb?: number
  /** `auto`: candidates that are too doubtful to be served are put to a cheap model; in Node. Default: off. */
  readonly judge?: 'auto' | 'off'
  /** Whose answers: those of one tenant are never given to another. */
  readonly tenant?: string
}

const members = {
  dir: 'text',
  model: 'text',
  tenant: 'text',
  types: 'modes',
  maxWrongShare: 'share',
  ttlHours: 'positive',
  maxMb: 'positive',
  judge: 'judge',
} as const
const kinds = {
  text: { holds: (value: unknown) => typeof value === 'string' && value !== '', words: 'must be text' },
  share: {
    holds: (value: unknown) => typeof value === 'number' && value >= wrongShares.least && value <= wrongShares.most,
    words: `must be a number from ${wrongShares.least} to ${wrongShares.most}`,
  },
  positive: {
    holds: (value: unknown) => typeof value === 'number' && value > 0 && value <= 1e6,
    words: 'must be a number above 0',
  },
  judge: {
    holds: (value: unknown) => value === 'auto' || value === 'off',
    words: "must be 'auto' or 'off'",
  },
  modes: {
    holds: (value: unknown) => isObject(value) && Object.values(value).every((mode) => modes.has(mode)),
    words: 'must say off, exact or semantic by type of step',
  },
}
const modes = new Set<unknown>(['off', 'exact', 'semantic'])

/** Fails: host.config. */
export function checkCacheConfig(value: unknown, where: string): void {
  if (value === undefined) return
  if (!isObject(value)) throw new AetherflowError('host.config', where, "'cache' must be an object")
  for (const [name, given] of Object.entries(value)) {
    const kind = Object.hasOwn(members, name) ? members[name as keyof typeof members] : undefined
    if (kind === undefined) throw new AetherflowError('host.config', where, `unknown member '${name}' of 'cache'`)
    if (!kinds[kind].holds(given))
      throw new AetherflowError('host.config', where, `'${name}' of 'cache' ${kinds[kind].words}`)
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
