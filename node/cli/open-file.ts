/** Shows a file in the person's browser. */
import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { AetherflowError } from '../../bindings/errors.js'
import { errorCode } from '../error-code.js'
import type { Host } from './host.js'

/** $BROWSER, else what the system opens files with. Resolves once it has started, rejects with host.usage when there is none. */
export function openFile(file: string, { env }: Pick<Host, 'env'>): Promise<void> {
  const browser = env['BROWSER']
  const named = browser !== undefined && browser !== '' ? browser : undefined
  const path = resolve(file)
  // `start` belongs to the shell of Windows, and takes a first word in quotes as a title.
  const [program, ...before] =
    named !== undefined
      ? [named]
      : process.platform === 'darwin'
        ? ['open']
        : process.platform === 'win32'
          ? ['explorer.exe']
          : ['xdg-open']
  return new Promise((done, fail) => {
    const child = spawn(program ?? '', [...before, path], { stdio: 'ignore', detached: true })
    child.once('error', (error) => {
      const why = errorCode(error) === 'ENOENT' ? 'is not there' : `cannot be started: ${error.message}`
      fail(
        new AetherflowError('host.usage', '--open', `${program ?? ''} ${why}: set BROWSER, or open ${path} yourself`),
      )
    })
    child.once('spawn', () => {
      child.unref()
      done()
    })
  })
}
