/** The plan of a command: a file as a whole, or standard input as it comes. */
import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { AetherflowError } from '../../bindings/errors.js'
import type { Host } from './host.js'
import { errorCode } from '../error-code.js'

export interface PlanInput {
  readonly source: Uint8Array | AsyncIterable<Uint8Array>
  /** Where the plan's context files lie: beside its file; the working folder for standard input. */
  readonly folder: string
}

/** A plan that grows past this on disk would be refused by the core anyway; see PlanLimits in core/plan/plan.hpp. */
const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'not permitted',
  ERR_FS_FILE_TOO_LARGE: 'too large',
}

/** Fails: host.usage when the file cannot be read: naming the plan is part of the usage. */
export async function planInput(path: string, host: Host): Promise<PlanInput> {
  if (path === '-') return { source: untilAborted(host), folder: '.' }
  try {
    return { source: await readFile(path), folder: dirname(path) }
  } catch (error) {
    const code = errorCode(error) || String(error)
    throw new AetherflowError('host.usage', path, `the plan cannot be read: ${reasons[code] ?? code}`)
  }
}

/** Standard input until its end or the interruption: a reader that waits for a silent pipe would never hear of it. */
async function* untilAborted({ stdin, signal }: Host): AsyncIterable<Uint8Array> {
  const stop = (): void => void stdin.destroy?.()
  signal.addEventListener('abort', stop, { once: true })
  try {
    if (!signal.aborted) yield* stdin
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
