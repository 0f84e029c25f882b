/** The copy of files that a box works on. */
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AetherflowError } from '../../bindings/errors.js'
import type { BoxFile } from './box-port.js'

/** Names that keys are kept under: no box gets them, whatever the plan names. */
const secret =
  /(^|\/)(\.env(\..*)?|\.netrc|\.npmrc|\.pypirc|id_(rsa|dsa|ecdsa|ed25519)|.*\.(pem|key|p12|pfx|keystore))$/i
export const isSecret = (path: string): boolean => secret.test(path)

/** A path below a folder that names nothing else: no root, no `..`, no empty part, no character that ends a path. */
export const isInside = (path: string): boolean =>
  path !== '' && !/[\\\0]/.test(path) && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..')

/** Writes the files; a later one of the same path wins. Fails: check.not_allowed, host.io_failed. */
export async function stage(folder: string, files: readonly BoxFile[], mostBytes: number): Promise<void> {
  await mkdir(folder, { recursive: true })
  let bytes = 0
  for (const { path, text, executable } of files) {
    if (!isInside(path)) throw new AetherflowError('check.not_allowed', path, 'no path inside the folder of a check')
    if (isSecret(path)) throw new AetherflowError('check.not_allowed', path, 'files of this name hold keys')
    const data = typeof text === 'string' ? Buffer.from(text) : text
    bytes += data.length
    if (bytes > mostBytes) throw new AetherflowError('check.not_allowed', path, `more than ${mostBytes} bytes of files`)
    const file = join(folder, ...path.split('/'))
    try {
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, data)
      if (executable === true) await chmod(file, 0o755)
    } catch (error) {
      throw new AetherflowError('host.io_failed', path, (error as Error).message)
    }
  }
}
