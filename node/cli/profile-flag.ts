/** `--simulate`: a profile by its name, or one of the user's own from a file. */
import { readFileSync } from 'node:fs'
import { AetherflowError, simulatedProfile, type SimulatorProfile } from '../index.js'
import { checkProfile } from '../../web/standard/simulator/own-profile.js'
import { errorCode } from '../error-code.js'

/** What stands behind `--simulate`; a word with a dot or a slash is a file. Fails: host.usage. */
export function profileOfFlag(word: string | true): SimulatorProfile {
  if (word === true || !/[./\\]/.test(word)) return simulatedProfile(word)
  let text: string
  try {
    text = readFileSync(word, 'utf8')
  } catch (error) {
    throw new AetherflowError('host.usage', '--simulate', `${word} cannot be read: ${errorCode(error)}`)
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new AetherflowError('host.usage', '--simulate', `${word} is not valid JSON`)
  }
  return checkProfile(value, word)
}

/** What is to be said of times that pass faster than they are told: `default, played 10× as fast as it tells`. */
export function profileWords({ name, timeScale }: SimulatorProfile): string {
  if (timeScale === 1) return name
  const factor = timeScale < 1 ? 1 / timeScale : timeScale
  const shown = Number(factor.toFixed(1))
  return timeScale < 1
    ? `${name}, played ${shown}× as fast as it tells`
    : `${name}, played ${shown}× slower than it tells`
}
