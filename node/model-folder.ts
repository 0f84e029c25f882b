/** Where models that were pulled lie. */
import { homedir } from 'node:os'
import { join } from 'node:path'

/** `$XDG_CACHE_HOME/aetherflow/models`, else below `~/.cache`. A relative variable does not count, as its specification says. */
export function modelsFolder(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const caches = env['XDG_CACHE_HOME']
  return join(caches?.startsWith('/') ? caches : join(homedir(), '.cache'), 'aetherflow', 'models')
}
