/** Where models that were pulled lie. */
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'

/** `$XDG_CACHE_HOME/aetherflow/models`, else below `~/.cache`. A relative variable does not count, as its specification says. */
export function modelsFolder(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const told = env['XDG_CACHE_HOME'] ?? ''
  const caches = isAbsolute(told) ? told : join(env['HOME'] ?? homedir(), '.cache')
  return join(caches, 'aetherflow', 'models')
}
