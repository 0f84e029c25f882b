/**
 * `aetherflow.config.json` of a project. A cloned repository is a stranger: its file is read without being asked for, so it may say
 * how calls are made and bounded, and nothing about where they go, what they cost or where anything is kept.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AetherflowError } from '../bindings/errors.js'
import { checkConfig, withPolicy, type CeilingConfig, type Config } from '../web/standard/config.js'
import { errorCode } from './error-code.js'

export const projectConfigName = 'aetherflow.config.json'

const allowed = new Set([
  ...['$schema', 'modes', 'targets', 'timeouts', 'overflow', 'repairs', 'retry', 'breaker', 'hedge', 'floor'],
  ...['interrupt', 'budget', 'limits', 'providers'],
])
const allowedOfProvider = new Set(['concurrency', 'default'])

/** The file in `folder`; undefined if there is none. Fails: host.config with the place. */
export async function readProjectConfig(folder: string): Promise<Config | undefined> {
  const file = join(folder, projectConfigName)
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ENOENT') return undefined
    throw new AetherflowError('host.config', file, `cannot be read: ${code}`)
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new AetherflowError('host.config', file, 'not valid JSON')
  }
  return projectConfig(value, file)
}

/** Fails: host.config for what only the user's own configuration may say. */
export function projectConfig(value: unknown, file: string): Config {
  const isObject = (one: unknown): one is Record<string, unknown> =>
    typeof one === 'object' && one !== null && !Array.isArray(one)
  if (!isObject(value)) throw new AetherflowError('host.config', file, 'expected a JSON object')
  const own = (what: string): never => {
    const detail = `${what} belongs into the user's own configuration, not into a project's`
    throw new AetherflowError('host.config', file, detail)
  }
  for (const key of Object.keys(value)) if (!allowed.has(key)) own(`'${key}'`)
  if (isObject(value['providers']))
    for (const [id, provider] of Object.entries(value['providers']))
      for (const key of isObject(provider) ? Object.keys(provider) : [])
        if (!allowedOfProvider.has(key)) own(`'${key}' of provider '${id}'`)
  const { $schema: _schema, ...config } = value
  return checkConfig(config, file)
}

/** The project's settings over the user's; of two ceilings the lower one. */
export function withProject(user: Config, project: Config): Config {
  const merged = withPolicy(user, project)
  const budgets = (['run', 'step', 'attempt'] as const).map((scope) => {
    return [scope, stricter(user.budget?.[scope], project.budget?.[scope])] as const
  })
  const ceilings = Object.fromEntries(budgets.filter(([, ceiling]) => Object.keys(ceiling).length > 0))
  if (Object.keys(ceilings).length === 0) return merged
  return { ...merged, budget: { ...merged.budget, ...ceilings } }
}

function stricter(one: CeilingConfig = {}, other: CeilingConfig = {}): CeilingConfig {
  const least = (key: 'usd' | 'tokens'): Partial<CeilingConfig> => {
    const values = [one[key], other[key]].filter((value) => value !== undefined)
    return values.length === 0 ? {} : { [key]: Math.min(...values) }
  }
  return { ...least('usd'), ...least('tokens') }
}
