/** Who a process is, so that another can tell later whether it still lives. */
import { createHash } from 'node:crypto'
import { readFile, readlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { errorCode } from '../error-code.js'

export interface ProcessOwner {
  readonly pid: number
  /** When the process began, in the system's own measure: process numbers are used again. '' where it cannot be known. */
  readonly started: string
  readonly host: string
  /** What separates machines, and containers on one machine, that have the same name. */
  readonly machine: string
  /** Of the machine's present start; '' where unknown. */
  readonly boot: string
}

/** elsewhere: on another machine or in another container, so nothing is known of it. */
export async function ownerState(known: ProcessOwner, own: ProcessOwner): Promise<'lives' | 'dead' | 'elsewhere'> {
  if (known.host !== own.host || known.machine !== own.machine) return 'elsewhere'
  return known.boot === own.boot && (await lives(known)) ? 'lives' : 'dead'
}

async function lives({ pid, started }: ProcessOwner): Promise<boolean> {
  try {
    process.kill(pid, 0)
  } catch (error) {
    // EPERM: it lives, under another user.
    if (errorCode(error) === 'ESRCH') return false
  }
  const now = await startOf(pid)
  return started === '' || now === '' || now === started
}

export const thisProcess = (): Promise<ProcessOwner> => ownerOf(process.pid)

/** A process of this machine, and of this container. */
export async function ownerOf(pid: number): Promise<ProcessOwner> {
  const [started, boot, id, space] = await Promise.all([
    startOf(pid),
    readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => ''),
    readFile('/etc/machine-id', 'utf8').catch(() => ''),
    readlink('/proc/self/ns/pid').catch(() => ''),
  ])
  const machine = createHash('sha256').update(`${id}\0${space}`).digest('hex').slice(0, 16)
  return { pid, started, host: hostname(), machine, boot: boot.trim() }
}

/** The 22nd field of /proc/PID/stat; the second one is a name in brackets that may hold anything. '' where it cannot be known. */
async function startOf(pid: number): Promise<string> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    // Killed, but not yet collected by its parent: it does nothing any more.
    return fields[0] === 'Z' ? 'ended' : (fields[19] ?? '')
  } catch {
    return ''
  }
}
