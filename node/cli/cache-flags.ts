/** Which cache a command means: its flags over the configuration over what is usual. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { InvalidArgumentError, Option } from 'commander'
import { oneLine } from '../../web/standard/format.js'
import type { CacheConfig } from '../../web/standard/cache/config.js'
import { cacheOptionsOf } from '../cache/config.js'
import { expandHome, modelsFolder, userCacheFolder } from '../folders.js'
import { readConfig } from '../config.js'
import { SemanticCache, type SemanticCacheOptions } from '../cache/semantic-cache.js'
import type { Host } from './host.js'

export interface CacheFlags {
  readonly cache?: string
  readonly cacheModel?: string
  readonly cacheShare?: number
  readonly tenant?: string
  readonly config?: string
}

/** `0.01` or `1%`, from 0.002 to 0.05. */
export function wrongShare(text: string): number {
  const value = text.endsWith('%') ? Number(text.slice(0, -1)) / 100 : Number(text)
  if (text === '' || !(value >= 0.002 && value <= 0.05))
    throw new InvalidArgumentError('expected a share from 0.2% to 5%, such as 1% or 0.01')
  return value
}

export function wholeNumber(text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < 1 || !Number.isSafeInteger(value))
    throw new InvalidArgumentError('expected a whole number from 1')
  return value
}

export const cacheOptions = {
  folder: () => new Option('--cache <dir>', 'folder of the cache; default: the configured one, else the user’s own'),
  model: () =>
    new Option(
      '--cache-model <model>',
      'what prompts are compared by: a pulled model, a folder, an address, or lexical (built in)',
    ),
  share: (flags = '--cache-share <share>') =>
    new Option(flags, 'of the answers served by meaning, the share that may be wrong; default 1%').argParser(
      wrongShare,
    ),
}

/** Where answers lie when neither flag nor configuration says so. */
export const usualFolder = (env: Host['env']): string => userCacheFolder(env, 'answers')

/** The configuration with the flags over it; `dir` is always there. */
export async function cacheConfig(flags: CacheFlags, host: Host): Promise<CacheConfig & { dir: string }> {
  const { cache: configured = {} } = await readConfig(flags.config)
  const { cache, cacheModel, cacheShare, tenant } = flags
  return {
    ...configured,
    ...(cacheModel === undefined ? {} : { model: cacheModel }),
    ...(cacheShare === undefined ? {} : { maxWrongShare: cacheShare }),
    ...(tenant === undefined ? {} : { tenant }),
    dir: expandHome(cache ?? configured.dir ?? usualFolder(host.env), host.env),
  }
}

/** The model that was pulled, the usual one first; undefined: none was. */
export function pulledModel(env: Host['env']): string | undefined {
  const usual = 'all-MiniLM-L6-v2'
  try {
    const there = readdirSync(modelsFolder(env), { withFileTypes: true })
    // One that is still on its way lacks one or the other.
    const whole = (name: string): boolean => {
      const files = readdirSync(join(modelsFolder(env), name), { recursive: true, encoding: 'utf8' })
      return files.includes('tokenizer.json') && files.some((file) => file.endsWith('.onnx'))
    }
    const names = there.filter((entry) => entry.isDirectory() && whole(entry.name)).map(({ name }) => name)
    return names.includes(usual) ? usual : names.sort()[0]
  } catch {
    return undefined
  }
}

/** To look at: whoever opens with limits of his own evicts what exceeds them. */
const noLimits = {
  bytes: Number.MAX_SAFE_INTEGER,
  entries: 2 ** 32 - 1,
  entryBytes: Number.MAX_SAFE_INTEGER,
} as const

/** The cache in a folder that is there, to be looked at; undefined: there is none, and none is made. */
export async function openToLook(
  config: CacheConfig & { dir: string },
  host: Host,
  more: SemanticCacheOptions = {},
): Promise<SemanticCache | undefined> {
  if (!existsSync(config.dir)) return undefined
  const { model: _model, limits, ...rest } = cacheOptionsOf(config)
  const onProblem = (problem: string): void => void host.stderr.write(`warning cache: ${oneLine(problem)}\n`)
  return SemanticCache.open({ ...rest, onProblem, ...more, dir: config.dir, limits: { ...limits, ...noLimits } })
}
