/** `aetherflow playground`: hands the playground out to this machine's browser until it is interrupted. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { AetherflowError } from '../../../bindings/errors.js'
import { servePage } from '../../page-server.js'
import { exitCodes, type ExitCode, type Host } from '../host.js'

export interface PlaygroundFlags {
  readonly port: number
}

export async function playground({ port }: PlaygroundFlags, host: Host): Promise<ExitCode> {
  const folder = fileURLToPath(new URL('../../../playground', import.meta.url))
  if (!existsSync(path.join(folder, 'index.html')))
    throw new AetherflowError(
      'host.io_failed',
      folder,
      'the page is not there; in the folder of the sources `npm run build` makes it',
    )
  const server = await servePage(folder, port)
  host.stdout.write(`${server.url}\n`)
  host.stderr.write('The playground is open at this address; Ctrl-C ends it.\n')
  await new Promise<void>((resolve) => {
    if (host.signal.aborted) resolve()
    host.signal.addEventListener('abort', () => resolve(), { once: true })
  })
  await server.close()
  return exitCodes.ok
}
