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
    return { source: utf8(await readFile(path)), folder: dirname(path) }
  } catch (error) {
    const code = errorCode(error) || String(error)
    throw new AetherflowError('host.usage', path, `the plan cannot be read: ${reasons[code] ?? code}`)
  }
}

/** The name of a UTF-16 encoding by its byte order mark, or by the zero of a first ASCII character: PowerShell's `>` writes such. */
function utf16(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  const [first = -1, second = -1] = bytes
  if ((first === 0xff && second === 0xfe) || (first > 0 && second === 0)) return 'utf-16le'
  if ((first === 0xfe && second === 0xff) || (first === 0 && second > 0)) return 'utf-16be'
  return undefined
}

function utf8(bytes: Uint8Array): Uint8Array {
  const encoding = utf16(bytes)
  return encoding === undefined ? bytes : new TextEncoder().encode(new TextDecoder(encoding).decode(bytes))
}

async function* utf8Chunks(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let decoder: InstanceType<typeof TextDecoder> | undefined
  let held: Uint8Array | undefined = new Uint8Array()
  for await (const chunk of chunks) {
    const bytes: Uint8Array = held === undefined ? chunk : Buffer.concat([held, chunk])
    // One byte does not say it.
    if (held !== undefined && bytes.length < 2) {
      held = bytes
      continue
    }
    if (held !== undefined) {
      const encoding = utf16(bytes)
      decoder = encoding === undefined ? undefined : new TextDecoder(encoding)
      held = undefined
    }
    yield decoder === undefined ? bytes : new TextEncoder().encode(decoder.decode(bytes, { stream: true }))
  }
  if (held !== undefined && held.length > 0) yield held
}

/** Standard input until its end or the interruption: a reader that waits for a silent pipe would never hear of it. */
async function* untilAborted({ stdin, signal }: Host): AsyncIterable<Uint8Array> {
  const stop = (): void => void stdin.destroy?.()
  signal.addEventListener('abort', stop, { once: true })
  try {
    if (!signal.aborted) yield* utf8Chunks(stdin)
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
