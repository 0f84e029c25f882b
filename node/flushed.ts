/** Files that are on the disk once they are said to be written. */
import { open, type FileHandle } from 'node:fs/promises'

/** Opens, writes and flushes a file; closes it whatever happens. Rejects as the system does. */
export async function writeFlushed(
  path: string,
  flags: 'a' | 'wx',
  mode: number,
  write: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const file = await open(path, flags, mode)
  try {
    await write(file)
    await file.sync()
  } finally {
    await file.close()
  }
}
