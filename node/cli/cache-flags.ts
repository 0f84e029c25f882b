/** The flags that say which cache a command means. */
import { InvalidArgumentError, Option } from 'commander'

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
  folder: () =>
    new Option('--cache <dir>', 'folder of the cache, or redis://…; default: the configured one, else the user’s own'),
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
