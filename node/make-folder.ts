/** A folder with those above it. */
import { mkdir, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { errorCode } from './error-code.js'

/**
 * Makes `folder` and what is missing above it; resolves to the highest one made, or `undefined` when all was there. Instead of
 * Node's recursive mkdir, which tries for ever where a folder that exists answers ENOENT to a new one in it (/proc does).
 */
export async function makeFolder(folder: string, mode?: number): Promise<string | undefined> {
  const path = resolve(folder)
  try {
    return await make(path, mode)
  } catch (error) {
    if (errorCode(error) !== 'ENOENT' || dirname(path) === path) throw error
  }
  const above = await makeFolder(dirname(path), mode)
  const made = await make(path, mode)
  return above ?? made
}

/** The path when it was made, `undefined` when it is a folder already. */
async function make(path: string, mode: number | undefined): Promise<string | undefined> {
  try {
    await mkdir(path, mode === undefined ? {} : { mode })
    return path
  } catch (error) {
    // Whatever a system says of a folder that exists: EEXIST mostly, EPERM or EROFS of some roots.
    if (errorCode(error) !== 'ENOENT' && (await isFolder(path))) return undefined
    throw error
  }
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
