/**
 * One owner per run. Who owns it is in `run.lock.<n>` of its folder; each new owner makes the file with the next higher
 * number, which only one can, and the number is its fence: an earlier owner that comes back to life sees it, and stops.
 *
 *   run.lock.3  {"pid":4711,"started":"8833201","host":"build-7","machine":"5f0c…"}      or {…,"released":true}
 */
import { link, readdir, readFile, rename, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AetherflowError } from '../../bindings/errors.js'
import { errorCode } from '../error-code.js'
import { patiently } from '../patience.js'
import { ioError } from './outputs.js'
import { ownerState, thisProcess, type ProcessOwner } from './process-owner.js'

interface Owner extends ProcessOwner {
  readonly released?: true
}

/** As private as what is beside it. */
const mode = 0o600

const lockName = /^run\.lock\.(\d{1,15})$/

export class RunLock {
  readonly #folder: string
  readonly #number: number
  readonly #owner: Owner

  private constructor(folder: string, number: number, owner: Owner) {
    this.#folder = folder
    this.#number = number
    this.#owner = owner
  }

  /**
   * Takes the run in `folder`. Fails: host.run_locked when a living process has it, or one on another machine, of which
   * nothing is known: `takeOver` takes it all the same. host.io_failed when the folder cannot be written.
   */
  static async acquire(folder: string, takeOver = false): Promise<RunLock> {
    const owner = await thisProcess()
    for (let tries = 0; tries < 20; ++tries) {
      const highest = await highestLock(folder)
      const known = highest === 0 ? undefined : await readOwner(join(folder, `run.lock.${highest}`))
      // It went away, or is not yet readable: look again.
      if (highest > 0 && known === undefined) {
        await new Promise((resolve) => setTimeout(resolve, 10))
        if (tries < 10) continue
      }
      if (known !== undefined && !takeOver) await refuseLiving(known, owner, folder)
      if (await claim(folder, highest + 1, owner)) {
        await removeBelow(folder, highest + 1)
        return new RunLock(folder, highest + 1, owner)
      }
    }
    throw new AetherflowError('host.run_locked', folder, 'others are taking it at the same time')
  }

  /** Fails: host.run_locked when another has taken the run since. */
  async check(): Promise<void> {
    if ((await highestLock(this.#folder)) === this.#number) return
    throw new AetherflowError('host.run_locked', this.#folder, 'another process has taken the run over; this one stops')
  }

  /** Lets go. The number stays: a later owner must have a higher one. */
  async release(): Promise<void> {
    if ((await highestLock(this.#folder).catch(() => -1)) !== this.#number) return
    const temporary = join(this.#folder, `.lock-${process.pid}.part`)
    const text = JSON.stringify({ ...this.#owner, released: true })
    try {
      await patiently(() => writeFile(temporary, text, { mode }))
      await rename(temporary, join(this.#folder, `run.lock.${this.#number}`))
    } catch {
      // A full disk: the dead process will be recognised as such.
      await unlink(temporary).catch(() => {})
    }
  }

  /** Takes back every trace, for a folder that is to be as before. */
  async remove(): Promise<void> {
    await unlink(join(this.#folder, `run.lock.${this.#number}`)).catch(() => {})
  }
}

async function highestLock(folder: string): Promise<number> {
  try {
    const names = await patiently(() => readdir(folder))
    return names.reduce((highest, name) => Math.max(highest, Number(lockName.exec(name)?.[1] ?? 0)), 0)
  } catch (error) {
    throw ioError(folder, error)
  }
}

let claims = 0

/** True: this process has made the file of that number, with its content; false: another was first. */
async function claim(folder: string, number: number, owner: Owner): Promise<boolean> {
  const path = join(folder, `run.lock.${number}`)
  const temporary = join(folder, `.lock-${process.pid}-${++claims}.part`)
  try {
    await patiently(() => writeFile(temporary, JSON.stringify(owner), { mode }))
    // A link, for it appears with its content or not at all, and fails when the name is taken.
    await link(temporary, path)
    return true
  } catch (error) {
    const code = errorCode(error)
    if (code === 'EEXIST') return false
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS' && code !== 'EOPNOTSUPP') throw ioError(path, error)
    return await claimWithoutLinks(path, owner)
  } finally {
    await unlink(temporary).catch(() => {})
  }
}

/** Some file systems have no links: there the content comes a moment after the name. */
async function claimWithoutLinks(path: string, owner: Owner): Promise<boolean> {
  try {
    await patiently(() => writeFile(path, JSON.stringify(owner), { flag: 'wx', mode }))
    return true
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false
    throw ioError(path, error)
  }
}

async function removeBelow(folder: string, number: number): Promise<void> {
  for (const name of await patiently(() => readdir(folder))) {
    const found = Number(lockName.exec(name)?.[1] ?? number)
    if (found < number) await unlink(join(folder, name)).catch(() => {})
  }
}

async function readOwner(path: string): Promise<Owner | undefined> {
  try {
    const owner = JSON.parse(await patiently(() => readFile(path, 'utf8'))) as Partial<Owner> | null
    return typeof owner?.pid === 'number' && typeof owner.host === 'string' ? (owner as Owner) : undefined
  } catch {
    return undefined
  }
}

/** Throws unless the owner has let go, or is known to be dead. */
async function refuseLiving(known: Owner, own: Owner, folder: string): Promise<void> {
  if (known.released === true) return
  const state = await ownerState(known, own)
  if (state === 'elsewhere') {
    const detail = `process ${known.pid} on ${known.host} has it; if that is gone for certain, add --take-over`
    throw new AetherflowError('host.run_locked', folder, detail)
  }
  if (state === 'dead') return
  throw new AetherflowError('host.run_locked', folder, `process ${known.pid} of this machine has it`)
}
