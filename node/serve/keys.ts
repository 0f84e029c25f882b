/** The keys of the server's callers: a file that only its owner may read, made at the first start. */
import { randomBytes } from 'node:crypto'
import { open, readFile, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AetherflowError } from '../../bindings/errors.js'
import { errorCode } from '../error-code.js'
import { userConfigPath, type Environment } from '../folders.js'
import { makeFolder } from '../make-folder.js'
import { ioError } from '../run/outputs.js'

/** One caller. Absent limits: none. */
export interface ServeKey {
  /** Names it in metrics and in the file of money spent. */
  readonly name: string
  readonly token: string
  /** Whose answers and runs; default: the name. */
  readonly tenant?: string
  readonly budgetUsdPerDay?: number
  /** Of all keys of the tenant together; each of them states the same. */
  readonly tenantBudgetUsdPerDay?: number
  readonly requestsPerMinute?: number
  readonly tokensPerMinute?: number
  /** Requests at once. */
  readonly concurrency?: number
  /** Model words that it may use: `auto`, `groq/openai/gpt-oss-20b`, `groq/*`. */
  readonly models?: readonly string[]
}

/** `serve-keys.json` beside the user's configuration. */
export const keysPath = (env: Environment = process.env): string =>
  join(dirname(userConfigPath(env)), 'serve-keys.json')

const numbers = [
  'budgetUsdPerDay',
  'tenantBudgetUsdPerDay',
  'requestsPerMinute',
  'tokensPerMinute',
  'concurrency',
] as const
const members = new Set<string>(['name', 'token', 'tenant', 'models', ...numbers])

/** The keys of the file; when there is none, it is made with one key. Fails: host.config, host.io_failed. */
export async function readKeys(path: string): Promise<{ readonly keys: readonly ServeKey[]; readonly made: boolean }> {
  try {
    const text = await readFile(path, 'utf8')
    if (process.platform !== 'win32' && ((await stat(path)).mode & 0o077) !== 0)
      throw new AetherflowError(
        'host.config',
        path,
        'others may read this file of keys: chmod 600 it, and replace the keys',
      )
    return { keys: checkKeys(text, path), made: false }
  } catch (error) {
    if (error instanceof AetherflowError) throw error
    if (errorCode(error) !== 'ENOENT') throw ioError(path, error)
  }
  const keys = [{ name: 'default', token: newToken() }]
  await makeKeys(path, keys)
  return { keys, made: true }
}

export const newToken = (): string => `afk_${randomBytes(24).toString('base64url')}`

async function makeKeys(path: string, keys: readonly ServeKey[]): Promise<void> {
  try {
    await makeFolder(dirname(path), 0o700)
    const file = await open(path, 'wx', 0o600)
    await file.writeFile(`${JSON.stringify({ keys }, null, 2)}\n`).finally(() => file.close())
  } catch (error) {
    throw ioError(path, error)
  }
}

/** The parser's message is not passed on: it quotes the text. */
function checkKeys(text: string, path: string): readonly ServeKey[] {
  const wrong = (what: string): AetherflowError => new AetherflowError('host.config', path, what)
  let value: { keys?: unknown }
  try {
    value = JSON.parse(text) as { keys?: unknown }
  } catch {
    throw wrong('not valid JSON')
  }
  if (!Array.isArray(value?.keys) || value.keys.length === 0) throw wrong("'keys' must be a list of at least one key")
  const keys = value.keys as Record<string, unknown>[]
  keys.forEach((key, at) => checkKey(key, (what) => wrong(`key ${at}: ${what}`)))
  for (const unique of ['name', 'token'] as const)
    if (new Set(keys.map((key) => key[unique])).size !== keys.length) throw wrong(`two keys have the same '${unique}'`)
  const checked = keys as unknown as readonly ServeKey[]
  const stated = new Map<string, number | undefined>()
  for (const { name, tenant = name, tenantBudgetUsdPerDay: budget } of checked) {
    if (stated.has(tenant) && stated.get(tenant) !== budget)
      throw wrong(`the keys of tenant '${tenant}' must state the same 'tenantBudgetUsdPerDay'`)
    stated.set(tenant, budget)
  }
  return checked
}

function checkKey(key: unknown, wrong: (what: string) => AetherflowError): void {
  if (typeof key !== 'object' || key === null) throw wrong('must be an object')
  const known = key as Record<string, unknown>
  for (const name of Object.keys(known))
    if (!members.has(name)) throw wrong(`unknown member; there are ${[...members].join(', ')}`)
  if (typeof known['name'] !== 'string' || !/^[\w.-]{1,64}$/.test(known['name']))
    throw wrong("'name' must be 1 to 64 letters, digits, '.', '_', '-'")
  if (typeof known['token'] !== 'string' || !/^[\x21-\x7e]{16,256}$/.test(known['token']))
    throw wrong("'token' must be 16 to 256 printable characters without blanks")
  if (known['tenant'] !== undefined && (typeof known['tenant'] !== 'string' || known['tenant'] === ''))
    throw wrong("'tenant' must be text")
  for (const name of numbers) {
    const value = known[name]
    if (value !== undefined && !(typeof value === 'number' && value > 0 && Number.isFinite(value)))
      throw wrong(`'${name}' must be a number above 0`)
  }
  const models = known['models']
  if (models !== undefined && !(Array.isArray(models) && models.every((model) => typeof model === 'string')))
    throw wrong("'models' must be a list of texts")
}
