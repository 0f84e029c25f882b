/** Which file sets the targets that a report measures against. */
import { basename } from 'node:path'
import { readConfig } from '../config.js'
import { projectConfigName, readProjectConfig } from '../project-config.js'

/** In words that follow “They are”; undefined: nobody sets any. `config`: as `--config` names it. Never rejects: the run is over. */
export async function targetsFrom(config: string | undefined): Promise<string | undefined> {
  const set = async (read: () => Promise<object | undefined>): Promise<boolean> => {
    const { targets } = ((await read().catch(() => undefined)) ?? {}) as { readonly targets?: object }
    return targets !== undefined && Object.keys(targets).length > 0
  }
  if (config === undefined && (await set(() => readProjectConfig('.')))) return `those of ${projectConfigName}`
  // Never the folders: a report may be passed on, and they tell about the machine.
  const name = config === undefined ? 'the user’s own configuration' : basename(config)
  return (await set(() => readConfig(config))) ? `those of ${name}` : undefined
}
