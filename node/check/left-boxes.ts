/** Folders of boxes whose process was killed before it could remove them. */
import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const prefix = 'aetherflow-box-'
/** ms. Other containers may share the folder and have numbers of processes of their own: what is young may be in use there. */
const inUse = 60 * 60_000

/** An empty folder for a box of this process. */
export const boxFolder = (): Promise<string> => mkdtemp(join(tmpdir(), `${prefix}${String(process.pid)}-`))

/** Removes what processes that are gone left behind, of this user alone. Fails never: it is tried again by the next process. */
export async function removeLeftBoxes(folder = tmpdir(), now = Date.now()): Promise<void> {
  const names = await readdir(folder).catch(() => [])
  for (const name of names) {
    const pid = Number(new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1])
    if (!(pid > 0) || isAlive(pid)) continue
    const path = join(folder, name)
    const seen = await lstat(path).catch(() => undefined)
    const ours = seen?.isDirectory() === true && (process.getuid === undefined || seen.uid === process.getuid())
    if (!ours || now - seen.mtimeMs < inUse) continue
    await rm(path, { recursive: true, force: true }).catch(() => {})
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}
