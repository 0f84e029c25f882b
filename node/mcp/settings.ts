/** What the person who starts the server decides, and no client can change. */
import { realpath, stat } from 'node:fs/promises'
import { AetherflowError } from '../../bindings/errors.js'
import type { SimulatorProfile } from '../../web/standard/simulator/index.js'
import { readConfig } from '../config.js'
import type { Environment } from '../folders.js'
import { readProjectConfig, withProject } from '../project-config.js'

export interface McpSettings {
  /** Folder that everything a client names lies below, without links in its path. */
  readonly root: string
  readonly env: Environment
  /** Words that start this package's command line in a process of its own. */
  readonly program: readonly string[]
  /** Most money of a run, beside what the configuration says. */
  readonly budgetUsd: number | undefined
  /** Most runs at once. */
  readonly maxRuns: number
  readonly mode: string | undefined
  /** The profile that plays the providers, and how the command line is told of it. */
  readonly simulate: { readonly word: string; readonly profile: SimulatorProfile } | undefined
  readonly configFile: string | undefined
  /** Runs tell OpenTelemetry of themselves. */
  readonly otel: boolean
}

/** Fails: host.usage when it is no folder. */
export async function rootOf(dir: string): Promise<string> {
  const found = await stat(dir).catch(() => undefined)
  if (found?.isDirectory() !== true) throw new AetherflowError('host.usage', '--root', `${dir} is no folder`)
  return realpath(dir)
}

/** The lowest of what the server, the user and the project allow a run to spend, USD; undefined: none says. Fails: host.config. */
export async function ceilingOf({ budgetUsd, configFile, root }: McpSettings): Promise<number | undefined> {
  const user = await readConfig(configFile)
  const project = configFile === undefined ? await readProjectConfig(root) : undefined
  const config = project === undefined ? user : withProject(user, project)
  const all = [budgetUsd, config.budget?.run?.usd].filter((usd) => usd !== undefined)
  return all.length === 0 ? undefined : Math.min(...all)
}
