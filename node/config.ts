/** The user's configuration file, and keys from the environment: trusted places only, never a plan. */
import { readFile } from 'node:fs/promises'
import { AetherflowError } from '../bindings/errors.js'
import { checkConfig, mergedEntries, type Config, type ProviderEntry } from '../web/standard/config.js'
import { errorCode } from './error-code.js'
import { userConfigPath } from './folders.js'

/** Reads `path`, or the user's file when there is one. Fails: host.config with the path and what is wrong. */
export async function readConfig(path?: string): Promise<Config> {
  const file = path ?? userConfigPath()
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    const code = errorCode(error)
    if (path === undefined && code === 'ENOENT') return {}
    throw new AetherflowError('host.config', file, `cannot be read: ${code}`)
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The parser's message quotes the text, and the text may hold a key.
    throw new AetherflowError('host.config', file, 'not valid JSON')
  }
  return checkConfig(value, file)
}

/** Built-in table and configuration, merged for the host; keys from the environment. `defaults`: the core's document. */
export const providerEntries = (defaults: unknown, config: Config): ProviderEntry[] =>
  mergedEntries(defaults, config, process.env)
