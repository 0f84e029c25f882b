/** Programs of this machine by their names, and the folders that they need to run. */
import { access, constants, realpath } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, delimiter, dirname, isAbsolute, join, relative, sep } from 'node:path'

export interface Program {
  readonly name: string
  /** Where it really lies. */
  readonly path: string
  /** Where it is called from: a link may mean another name of one program. */
  readonly called: string
}

/** Looked for along the PATH of this process; `node` is the one that runs this. undefined if there is none. */
export async function findProgram(name: string): Promise<Program | undefined> {
  if (name === 'node') return programAt(name, process.execPath)
  if (isAbsolute(name)) return programAt(name, name)
  if (name === '' || name.includes('/') || name.includes(sep)) return undefined
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    // Scripts of version managers that look for the program in the user's home, which no box has.
    if (!isAbsolute(folder) || basename(folder) === 'shims') continue
    const found = await programAt(name, join(folder, name))
    if (found !== undefined) return found
  }
  return undefined
}

async function programAt(name: string, called: string): Promise<Program | undefined> {
  try {
    await access(called, constants.X_OK)
    return { name, called, path: await realpath(called) }
  } catch {
    return undefined
  }
}

const within = (folder: string, path: string): boolean => {
  const way = relative(folder, path)
  return way === '' || !(way.startsWith('..') || isAbsolute(way))
}

/** The system's own folders: what is seen of them in a box is the same for everybody. */
export const systemFolders = ['usr', 'bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32', 'nix/store'] as const
/** Of /etc only how programs and libraries are found. */
export const systemFiles = ['etc/alternatives', 'etc/ld.so.cache'] as const

/**
 * Folders outside the system's that a program needs: where its package was unpacked (`…/node-v20/bin/node` → `…/node-v20`). A
 * folder that holds the user's own is never one: then the program's file stands alone.
 */
export async function foldersOf(program: Program): Promise<string[]> {
  const node = await realpath(process.execPath)
  const needed = [program.path, program.called, node].flatMap((path) => {
    if (systemFolders.some((folder) => within(`/${folder}`, path))) return []
    const [bin, prefix] = [dirname(path), dirname(dirname(path))]
    const whole = basename(bin) === 'bin' && prefix !== '/' && !within(prefix, homedir())
    return [whole ? prefix : path]
  })
  const unique = [...new Set(needed)].sort()
  return unique.filter((path) => !unique.some((other) => other !== path && within(other, path)))
}

/** The PATH inside a box. */
export const boxPath = (program: Program): string =>
  [...new Set([dirname(program.called), dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin'])].join(':')
