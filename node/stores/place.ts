/**
 * The folder of a cache on disk.
 *
 *   DIR/v1/secret                32 hexadecimal digits, made by who was first
 *   DIR/v1/<name>.seg            entries, removals, uses and counters: written by one process each, only ever at its end
 *   DIR/v1/<name>.vec            embeddings, likewise
 *   DIR/v1/compacting/           whose turn it is to compact
 *   DIR/v1/.<pid>-….part         something on its way to its name
 */
import { randomBytes } from 'node:crypto'
import { link, mkdir, readdir, readFile, stat, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AetherflowError } from '../../bindings/errors.js'
import { errorCode } from '../error-code.js'
import { writeFlushed } from '../flushed.js'
import { ioError, syncFolder } from '../run/outputs.js'
import { makeFolder } from '../make-folder.js'

/** Of the format. A change that older programs cannot read gets the next one, and a folder of its own. */
export const formatVersion = 1

/** Answers are private. */
export const fileMode = 0o600
const folderMode = 0o700

const full = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

/** The system's error as one of a store: cache.full when there is no room, host.io_failed otherwise. */
export function storeError(path: string, error: unknown): AetherflowError {
  if (error instanceof AetherflowError) return error
  const { where, detail } = ioError(path, error)
  if (!full.has(errorCode(error))) return new AetherflowError('host.io_failed', where, detail)
  return new AetherflowError(
    'cache.full',
    where,
    errorCode(error) === 'EFBIG' ? 'the file would be larger than allowed' : detail,
  )
}

let parts = 0

/** A name that no other process uses at the same time. */
export const partName = (kind = ''): string => `.${process.pid}-${kind}${Date.now().toString(36)}-${++parts}.part`

/** Names sort by the time of their making. Lower case and digits: lawful, and different from each other, on every system. */
export const segmentName = (): string =>
  `${Date.now().toString(36).padStart(9, '0')}-${process.pid.toString(36)}-${randomBytes(5).toString('hex')}`

/** Makes and checks the folder; gives that of the format and the secret. Fails: cache.store_failed, cache.full, host.io_failed. */
export async function openPlace(folder: string): Promise<{ readonly place: string; readonly secret: string }> {
  const place = join(folder, `v${formatVersion}`)
  try {
    await makeFolder(folder, folderMode)
    await refuseNewer(folder)
    await mkdir(place, { mode: folderMode }).catch(async (error: unknown) => {
      // It is there, perhaps for reading alone.
      if (!(await stat(place)).isDirectory()) throw error
    })
    return { place, secret: await secretOf(place) }
  } catch (error) {
    throw storeError(folder, error)
  }
}

async function refuseNewer(folder: string): Promise<void> {
  const versions = (await readdir(folder)).map((name) => Number(/^v(\d{1,9})$/.exec(name)?.[1] ?? 0))
  const newest = Math.max(0, ...versions)
  if (newest <= formatVersion) return
  const detail = `made by a newer AetherFlow (format ${newest}, this one writes ${formatVersion}): update, or name another folder`
  throw new AetherflowError('cache.store_failed', folder, detail)
}

async function secretOf(place: string): Promise<string> {
  const path = join(place, 'secret')
  for (let tries = 0; tries < 3; ++tries) {
    const text = await readFile(path, 'utf8').catch((error: unknown) => {
      if (errorCode(error) === 'ENOENT') return undefined
      throw error
    })
    if (text !== undefined && /^[0-9a-f]{32}\n$/.test(text)) return text.slice(0, 32)
    if (text !== undefined && tries > 0)
      throw new AetherflowError('cache.store_failed', path, 'damaged; without it the entries cannot be found')
    // Where files appear before their content does, it may be on its way.
    if (text !== undefined) await new Promise((resolve) => setTimeout(resolve, 50))
    else await makeSecret(place, path)
  }
  throw new AetherflowError('cache.store_failed', path, 'it comes and goes')
}

/** A link appears whole or not at all, and for one of several at once. */
async function makeSecret(place: string, path: string): Promise<void> {
  const text = `${randomBytes(16).toString('hex')}\n`
  const part = join(place, partName())
  try {
    await writeFlushed(part, 'wx', fileMode, (file) => file.writeFile(text))
    await link(part, path)
    // Without it the entries are lost: it is to be on the disk before any of them.
    await syncFolder(place)
  } catch (error) {
    const code = errorCode(error)
    if (code === 'EEXIST') return
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS' && code !== 'EOPNOTSUPP') throw error
    await writeFile(path, text, { flag: 'wx', mode: fileMode }).catch((other: unknown) => {
      if (errorCode(other) !== 'EEXIST') throw other
    })
  } finally {
    await unlink(part).catch(() => {})
  }
}
