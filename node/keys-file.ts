/** Keys from a file of variables. Only names that hold keys: a repository's .env may set proxies, options of Node, addresses. */
import { readFile } from 'node:fs/promises'
import { parseEnv } from 'node:util'
import { AetherflowError } from '../bindings/errors.js'
import { errorCode } from './error-code.js'

/**
 * Sets in `env` the variables of `file` that `known` names and that are not set yet. Tells the names that it took, and how many others
 * the file has. Fails: host.usage when the file cannot be read.
 */
export async function takeKeysFile(
  file: string,
  known: ReadonlySet<string>,
  env: Record<string, string | undefined>,
): Promise<{ taken: string[]; left: number }> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new AetherflowError('host.usage', '--keys-file', `${file} cannot be read: ${errorCode(error)}`)
  })
  const entries = Object.entries(parseEnv(text))
  const keys = entries.filter(([name]) => known.has(name))
  const taken: string[] = []
  for (const [name, value] of keys) {
    // An empty variable is an unset one.
    if ((env[name] ?? '').trim() !== '') continue
    env[name] = value
    taken.push(name)
  }
  return { taken, left: entries.length - keys.length }
}
