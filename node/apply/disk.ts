/** What apply does to files, each a step that can fail by itself. Tests hand in one that does. */
import { link, lstat, mkdir, open, readFile, rename, rmdir, unlink } from 'node:fs/promises'
import { constants } from 'node:fs'
import { writeFlushed } from '../flushed.js'
import { syncFolder } from '../run/outputs.js'

export interface FileState {
  readonly bytes: Uint8Array
  /** Permission bits. */
  readonly mode: number
}

export interface Disk {
  /** What stands there, links not followed; undefined: nothing. */
  kind(path: string): Promise<'file' | 'folder' | 'other' | undefined>
  /** A regular file; undefined if there is none. */
  read(path: string): Promise<FileState | undefined>
  /** A new file, durable when it resolves. Rejects with EEXIST where something stands. */
  writeNew(path: string, bytes: Uint8Array, mode: number): Promise<void>
  /** At the end of a file, which is made; durable. */
  append(path: string, text: string): Promise<void>
  rename(from: string, to: string): Promise<void>
  /** A second name. Rejects with EEXIST where something stands. */
  link(from: string, to: string): Promise<void>
  unlink(path: string): Promise<void>
  mkdir(path: string): Promise<void>
  rmdir(path: string): Promise<void>
  /** Makes names in a folder durable. */
  sync(folder: string): Promise<void>
}

const noFollow = constants.O_NOFOLLOW ?? 0

export const realDisk: Disk = {
  async kind(path) {
    const info = await lstat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
      throw error
    })
    if (info === undefined) return undefined
    return info.isFile() ? 'file' : info.isDirectory() ? 'folder' : 'other'
  },
  async read(path) {
    if ((await realDisk.kind(path)) !== 'file') return undefined
    const file = await open(path, constants.O_RDONLY | noFollow)
    try {
      const { mode } = await file.stat()
      return { bytes: await readFile(file), mode: mode & 0o7777 }
    } finally {
      await file.close()
    }
  },
  async writeNew(path, bytes, mode) {
    await writeFlushed(path, 'wx', 0o600, async (file) => {
      await file.writeFile(bytes)
      // What the process's mask takes away of a mode belongs to a file that was there.
      await file.chmod(mode)
    })
  },
  async append(path, text) {
    await writeFlushed(path, 'a', 0o600, (file) => file.writeFile(text))
  },
  rename: (from, to) => rename(from, to),
  link: (from, to) => link(from, to),
  unlink: (path) => unlink(path),
  mkdir: async (path) => void (await mkdir(path)),
  rmdir: (path) => rmdir(path),
  sync: (folder) => syncFolder(folder),
}
