/**
 * Context files of steps. A plan is untrusted input, and what it names goes to a provider: only files inside one folder are read, and
 * of those none that holds the user's own secrets, unless the user names it.
 */
import { readFile, realpath, stat } from 'node:fs/promises'
import { basename, isAbsolute, relative, resolve, sep } from 'node:path'
import { AetherflowError } from '../../bindings/errors.js'
import type { FileReader } from '../../bindings/ports.js'
import { patiently } from '../patience.js'
import { contextPaths } from './context-paths.js'
import { ioError } from './outputs.js'

/** Largest context file, bytes. */
export const mostFileBytes = 8 << 20

export interface ContextOptions {
  /** Files and folders that may be read although they are hidden or look like keys; as plans name them, or absolute. */
  readonly allowed?: readonly string[] | undefined
  /** The user's configuration files. */
  readonly configs?: readonly string[] | undefined
  /** Keys: a file that holds one of them is a secret, whatever its name. */
  readonly keys?: readonly string[] | undefined
}

/** What programs call the files in which they keep keys and passwords. Hidden ones (.env, .netrc, .ssh/…) need no name here. */
const secretNames =
  /^id_(rsa|dsa|ecdsa|ed25519)(_sk)?$|\.(pem|key|p12|pfx|pkcs12|jks|keystore|kdbx|kdb|ppk|gpg|age|tfstate|tfvars|env)$|^(_netrc|kubeconfig|wallet\.dat|htpasswd|shadow|credentials?)$|^(credentials?|secrets?|service[-_]account|client[-_]secret)([-_.][\w.-]*)?\.(json|ya?ml|toml|ini|csv|txt)$/i
const privateKey = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----/

/**
 * Reads files below `folder`. Links are followed first and must still end inside it, and at no secret.
 * Fails: host.file_refused (outside, hidden, a key, no regular file, too large), host.io_failed.
 */
export function contextFiles(folder: string, options: ContextOptions = {}): FileReader {
  let places: Promise<{ base: string; allowed: string[]; configs: string[] }> | undefined
  return {
    async list(entry, most) {
      places ??= placesOf(folder, options)
      return contextPaths((await places).base, entry, most)
    },
    async read(path) {
      places ??= placesOf(folder, options)
      const { base, allowed, configs } = await places
      const real = await patiently(() => realpath(resolve(base, path))).catch((error: unknown) => failed(path, error))
      const inside = relative(base, real)
      if (inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)) {
        throw refused(path, 'the file lies outside the folder of the plan')
      }
      const named = allowed.some((place) => real === place || real.startsWith(`${place}${sep}`))
      if (!named) refuseSecretNames(path, [inside, relative(base, resolve(base, path))], configs.includes(real))
      const info = await patiently(() => stat(real)).catch((error: unknown) => failed(path, error))
      if (!info.isFile()) throw refused(path, 'not a regular file')
      if (info.size > mostFileBytes) throw refused(path, `larger than ${mostFileBytes} bytes`)
      const text = await patiently(() => readFile(real, 'utf8')).catch((error: unknown) => failed(path, error))
      if (!named && privateKey.test(text)) throw secret(path, 'it holds a private key')
      // No permission helps here: a configured key goes to its own provider and nowhere else.
      if (options.keys?.some((key) => key.length >= 8 && text.includes(key)) === true)
        throw refused(path, 'it holds the key of a configured provider')
      return text
    },
  }
}

async function placesOf(folder: string, { allowed = [], configs = [] }: ContextOptions) {
  const base = await patiently(() => realpath(folder)).catch((error: unknown) => failed(folder, error))
  // A path that does not exist allows nothing.
  const real = async (paths: readonly string[]): Promise<string[]> =>
    (await Promise.all(paths.map((path) => realpath(resolve(base, path)).catch(() => '')))).filter(
      (path) => path !== '',
    )
  return { base, allowed: await real(allowed), configs: await real(configs) }
}

/** `paths`: as the plan wrote it, and where its links lead; both below the folder. */
function refuseSecretNames(path: string, paths: readonly string[], isConfig: boolean): void {
  if (isConfig) throw secret(path, 'it is a configuration of AetherFlow')
  for (const each of paths) {
    const parts = each.split(sep)
    if (parts.some((part) => part.startsWith('.') && part !== '.' && part !== '..')) throw secret(path, 'it is hidden')
    if (secretNames.test(basename(each))) throw secret(path, 'its name is that of a file of keys')
  }
}

const refused = (path: string, detail: string): AetherflowError =>
  new AetherflowError('host.file_refused', path, detail)

function secret(path: string, why: string): AetherflowError {
  return refused(path, `${why}; if it is to be sent to a provider, name it with --allow-file (allowFiles)`)
}

const failed = (path: string, error: unknown): never => {
  throw ioError(path, error)
}
