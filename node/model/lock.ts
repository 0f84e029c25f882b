/** One process at a time fetches into a folder: two would write into one beginning. */
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AetherflowError } from '../../bindings/errors.js'
import { errorCode } from '../error-code.js'
import { ioError } from '../run/outputs.js'
import { ownerState, thisProcess, type ProcessOwner } from '../run/process-owner.js'

const lockName = '.pull.lock'
let calls = 0

export class PullLock {
  readonly #path: string

  private constructor(path: string) {
    this.#path = path
  }

  /** Fails: cache.download_failed when another process has it; host.io_failed. A lock whose process has died is taken away. */
  static async acquire(folder: string): Promise<PullLock> {
    const path = join(folder, lockName)
    const own = await thisProcess()
    for (let tries = 0; tries < 3; tries++) {
      if (await claim(path, own)) return new PullLock(path)
      await removeDead(path, own)
    }
    throw new AetherflowError('cache.download_failed', folder, 'other processes are fetching it')
  }

  async release(): Promise<void> {
    await rm(this.#path, { force: true })
  }
}

/** False: there is one. A link appears with its text, which a file that is made and then written does not. */
async function claim(path: string, own: ProcessOwner): Promise<boolean> {
  const text = `${path}.${process.pid}-${calls++}`
  try {
    await writeFile(text, JSON.stringify(own))
    await link(text, path)
    return true
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false
    throw ioError(path, error)
  } finally {
    await rm(text, { force: true }).catch(() => {})
  }
}

async function removeDead(path: string, own: ProcessOwner): Promise<void> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) return
  const owner = parsed(text)
  const state = owner === undefined ? 'dead' : await ownerState(owner, own)
  if (state === 'lives')
    throw new AetherflowError('cache.download_failed', path, `process ${owner?.pid} is fetching it`)
  if (state === 'elsewhere')
    throw new AetherflowError(
      'cache.download_failed',
      path,
      `fetched on ${owner?.host}; remove this file if that is over`,
    )
  // Renamed first: only one of those who found it dead takes it away, and none the lock of a newcomer.
  const aside = `${path}.${process.pid}-${calls++}`
  try {
    await rename(path, aside)
  } catch {
    return
  }
  const taken = await readFile(aside, 'utf8').catch(() => '')
  if (taken === text) await rm(aside, { force: true })
  else await rename(aside, path).catch(() => {})
}

function parsed(text: string): ProcessOwner | undefined {
  try {
    const value = JSON.parse(text) as ProcessOwner
    return Number.isSafeInteger(value?.pid) ? value : undefined
  } catch {
    return undefined
  }
}
