/** What a run without a cache too says of one; lookups.ts, which asks it, is loaded by runs that have one. */
import type { DeliverCommand } from './commands.js'
import { AetherflowError } from './errors.js'
import type { RunEvent } from './events.js'
import type { RunTexts } from './run-texts.js'

export function noCache(): AetherflowError {
  return new AetherflowError('host.usage', 'cache', 'the run asks a cache, and none was handed over')
}

/** A `deliver` command whose output came from the cache, or from an identical step. */
export function hitEvent(
  texts: RunTexts,
  command: DeliverCommand,
  at: number,
): (RunEvent & { type: 'hit' }) | undefined {
  const kind = command.origin
  const step = texts.steps[command.step]?.id
  if (step === undefined || (kind !== 'exact' && kind !== 'semantic' && kind !== 'shared')) return undefined
  const { savedTokens, savedMicroUsd, savedMs } = command
  const saved = { savedTokens, savedMicroUsd, savedMs }
  if (kind !== 'shared') return { type: 'hit', at, step, kind, score: command.score / 1e6, ...saved }
  return { type: 'hit', at, step, kind, score: 1, ...saved, of: texts.steps[command.from]?.id ?? '' }
}
