/** The folders of a user, by the XDG convention. */
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'

/** Variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>

const home = (env: Environment): string => env['HOME'] ?? homedir()

/** The convention wants an absolute path, and anything else ignored. */
function root(env: Environment, variable: string, fallback: string): string {
  const told = env[variable] ?? ''
  return join(isAbsolute(told) ? told : join(home(env), fallback), 'aetherflow')
}

/** `$XDG_CACHE_HOME/aetherflow/…`, else below `~/.cache`. */
export const userCacheFolder = (env: Environment, ...below: string[]): string =>
  join(root(env, 'XDG_CACHE_HOME', '.cache'), ...below)

/** What has to be there before a state folder is made: the user's home, or anything when XDG_STATE_HOME says where. */
export const stateRoot = (env: Environment): string => (isAbsolute(env['XDG_STATE_HOME'] ?? '') ? '/' : home(env))

/** `$XDG_STATE_HOME/aetherflow/…`, else below `~/.local/state`: what programs remember and nobody edits. */
export const userStateFolder = (env: Environment, ...below: string[]): string =>
  join(root(env, 'XDG_STATE_HOME', join('.local', 'state')), ...below)

/** `$XDG_CONFIG_HOME/aetherflow/config.json`, else below `~/.config`. Never the working folder: a cloned repository is not trusted. */
export const userConfigPath = (env: Environment = process.env): string =>
  join(root(env, 'XDG_CONFIG_HOME', '.config'), 'config.json')

/** `$XDG_CACHE_HOME/aetherflow/models`, else below `~/.cache`: where models that were pulled lie. */
export const modelsFolder = (env: Environment = process.env): string => userCacheFolder(env, 'models')

/** A path with `~/` at its beginning as the user's own folder. */
export const expandHome = (path: string, env: Environment): string =>
  path.startsWith('~/') ? join(home(env), path.slice(2)) : path
