/** The processes below one, and their memory, where the system shows them as files. */
import { readdirSync, readFileSync } from 'node:fs'
import type { BoxLimits } from './box-port.js'

/** Bytes of a page; x86-64 and most of arm64. Larger pages count for too little, and the limit of each process still holds. */
const pageBytes = 4096
/** The system counts threads, and Node alone has a dozen: its own limit is this much higher than the one that is watched. */
const threadsEach = 16

/** What `prlimit` is told of a job: each process's memory, the processes of its user, no dumps, files open at once. */
export const systemLimits = ({ memoryBytes, processes }: Pick<BoxLimits, 'memoryBytes' | 'processes'>): string[] => [
  `--data=${memoryBytes}`,
  `--nproc=${processes * threadsEach}`,
  '--core=0',
  '--nofile=1024',
]

/** The program without any right, by `setpriv`; `user`: the number of the user that it becomes, from root. */
export const withoutRights = (user: number | undefined): string[] => [
  'setpriv',
  ...(user === undefined ? [] : [`--reuid=${user}`, `--regid=${user}`, '--clear-groups']),
  ...['--bounding-set=-all', '--inh-caps=-all', '--no-new-privs'],
]

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

function threads(pid: number): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
  } catch {
    return []
  }
}

/**
 * `pids`: those below `root`, without itself; `bytes`: resident memory of all of them and of `root`. Not much more than `most` are
 * looked at. Empty where there is no /proc.
 */
export function processTree(root: number, most: number): { readonly pids: readonly number[]; readonly bytes: number } {
  const all = [root]
  let bytes = 0
  for (let i = 0; i < all.length && all.length <= most + 8; ++i) {
    const pid = all[i] ?? 0
    bytes += (Number(read(`/proc/${pid}/statm`).split(' ')[1]) || 0) * pageBytes
    // Each thread has the children that it started.
    for (const thread of threads(pid))
      for (const child of read(`/proc/${pid}/task/${thread}/children`).split(' '))
        if (child !== '') all.push(Number(child))
  }
  return { pids: all.slice(1), bytes }
}
