/** `--watch`: the command again whenever the plan's file has other content. */
import { watch } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { AetherflowError } from '../../bindings/errors.js'
import { oneLine } from '../../web/standard/format.js'
import { exitCodeOf, tellFailure } from './failure.js'
import { exitCodes, type ExitCode, type Host } from './host.js'

/** Editors write in several moves: the last of them counts, so long after it in ms. */
const calmMs = 80

/**
 * Runs `work` now and after each change, until the person interrupts; its failures are told and end nothing. Resolves to the last
 * exit code. Fails: host.usage without a file to watch.
 */
export async function watching(path: string | undefined, host: Host, work: () => Promise<ExitCode>): Promise<ExitCode> {
  if (path === undefined || path === '-') throw new AetherflowError('host.usage', '--watch', 'name the file of a plan')
  let code: ExitCode = exitCodes.ok
  for await (const _text of contents(path, host.signal)) {
    code = await work().catch((error: unknown) => {
      tellFailure(error, host)
      return exitCodeOf(error)
    })
    if (!host.signal.aborted) host.stderr.write(`watching ${oneLine(path)}; Ctrl-C ends\n`)
  }
  return code
}

/** What the file holds, now and whenever that is another; ends with the signal. */
async function* contents(path: string, signal: AbortSignal): AsyncIterable<string> {
  let known: string | undefined
  let wake: (() => void) | undefined
  let changed = true
  const wakeUp = (): void => {
    changed = true
    wake?.()
  }
  // The folder, as editors put another file in the place of the old one.
  const watcher = watch(dirname(path), (_event, name) => {
    if (name === null || name === basename(path)) wakeUp()
  })
  watcher.on('error', wakeUp)
  signal.addEventListener('abort', wakeUp)
  try {
    while (!signal.aborted) {
      if (!changed) await new Promise<void>((resolve) => (wake = resolve))
      changed = false
      if (known !== undefined) await new Promise((resolve) => setTimeout(resolve, calmMs))
      const now = await readFile(path, 'utf8').catch(() => undefined)
      // At first the command itself tells what is wrong with the file.
      if (signal.aborted || changed || (known !== undefined && (now === undefined || now === known))) continue
      known = now ?? ''
      yield known
    }
  } finally {
    watcher.close()
    signal.removeEventListener('abort', wakeUp)
  }
}
