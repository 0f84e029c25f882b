/** What the command line's words mean, before commander sees them and after. */
import { InvalidArgumentError } from 'commander'

/**
 * Makes two things that people write unambiguous. `--simulate` has an optional profile: a plan, a path or a prompt behind it is
 * not one. `--concurrency` may take several pairs: `--concurrency groq=2 deepseek=4`.
 */
export function unambiguous(words: readonly string[]): string[] {
  const result: string[] = []
  let pairs = false
  for (let at = 0; at < words.length; ++at) {
    const word = words[at] ?? ''
    const next = words[at + 1]
    if (word === '--') return [...result, ...words.slice(at)]
    if (pairs && /^[^-=][^=]*=[^=]*$/.test(word) && words[at - 1] !== '--concurrency') result.push('--concurrency')
    if (word === '--concurrency') pairs = true
    else if (!/^[^-=][^=]*=[^=]*$/.test(word)) pairs = false
    // Names of profiles are plain words.
    const profile = next !== undefined && /^[A-Za-z][\w-]*$/.test(next)
    result.push(word === '--simulate' && !profile ? '--simulate=default' : word)
  }
  return result
}

/** Collects the values of an option that may be repeated. */
export const collect = (value: string, before: readonly string[] = []): string[] => [...before, value]

/** Collects `P=N`. */
export function concurrency(pair: string, known: Readonly<Record<string, number>> = {}): Record<string, number> {
  const [, provider = '', number = ''] = /^([^=]+)=(\d{1,6})$/.exec(pair) ?? []
  if (provider === '' || Number(number) < 1) {
    throw new InvalidArgumentError('expected PROVIDER=NUMBER with a number of at least 1, such as groq=4')
  }
  return { ...known, [provider]: Number(number) }
}

/** A seed: a whole number that a double holds exactly. */
export function seed(text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value))
    throw new InvalidArgumentError('expected a whole number from 0')
  return value
}

/** Runs of a benchmark: 1 to 1000. */
export function runs(text: string): number {
  const value = Number(text)
  if (!/^\d{1,4}$/.test(text) || value < 1 || value > 1000)
    throw new InvalidArgumentError('expected a whole number from 1 to 1000')
  return value
}

/** `always`, `never`, or ms. */
export function sync(text: string): 'always' | 'never' | number {
  if (text === 'always' || text === 'never') return text
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('expected always, never, or milliseconds such as 50')
  return Number(text)
}

/** A number of a record, from 0. */
export function record(text: string): number {
  if (!/^\d{1,12}$/.test(text)) throw new InvalidArgumentError('expected the number of a record')
  return Number(text)
}

/** A TCP port; 0: any that is free. */
export function port(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
    throw new InvalidArgumentError('expected a port from 0 to 65535')
  return Number(text)
}
