/** Context files of steps: only inside one folder, because a plan is untrusted input. */
import { readFile, realpath, stat } from 'node:fs/promises'
import { isAbsolute, relative, resolve, sep } from 'node:path'
import { AetherflowError } from '../../bindings/errors.js'
import type { FileReader } from '../../bindings/ports.js'
import { errorCode } from '../error-code.js'

/** Largest context file, bytes. */
export const mostFileBytes = 8 << 20

/**
 * Reads files below `folder`. Links are followed first and must still end inside it.
 * Fails: host.file_refused (outside, no regular file, too large), host.io_failed.
 */
export function contextFiles(folder: string): FileReader {
  const root = realpath(folder)
  return {
    async read(path) {
      const base = await root.catch((error: unknown) => Promise.reject(ioError(folder, error)))
      const real = await realpath(resolve(base, path)).catch((error: unknown) => Promise.reject(ioError(path, error)))
      const inside = relative(base, real)
      if (inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)) {
        throw new AetherflowError('host.file_refused', path, 'the file lies outside the folder of the plan')
      }
      const info = await stat(real)
      if (!info.isFile()) throw new AetherflowError('host.file_refused', path, 'not a regular file')
      if (info.size > mostFileBytes) {
        throw new AetherflowError('host.file_refused', path, `larger than ${mostFileBytes} bytes`)
      }
      return readFile(real, 'utf8').catch((error: unknown) => Promise.reject(ioError(path, error)))
    },
  }
}

function ioError(path: string, error: unknown): AetherflowError {
  const code = errorCode(error) || String(error)
  return new AetherflowError('host.io_failed', path, code)
}
