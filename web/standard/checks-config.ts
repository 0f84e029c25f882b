/** What of checks a user's own configuration may say; a project's may say nothing of it. */
import { AetherflowError } from '../../bindings/errors.js'

export interface ChecksConfig {
  /** Programs of checks may run, in a box. Default false. */
  readonly allow?: boolean
  /** Programs that plans may name, beside node and python3. */
  readonly commands?: readonly string[]
  /** Longest time of a program, ms; default 60000. */
  readonly timeMs?: number
  /** Most memory, MiB; default 1024. */
  readonly memoryMb?: number
  /** Most processes at once; default 64. */
  readonly processes?: number
  /** Runs of tests that must all pass; default 3. */
  readonly repeats?: number
}

const numbers: Readonly<Record<string, number>> = { timeMs: 3_600_000, memoryMb: 1 << 20, processes: 4096, repeats: 10 }

/** Fails: host.config. */
export function checkChecksConfig(value: unknown, where: string): void {
  if (value === undefined) return
  const fail = (detail: string): never => {
    throw new AetherflowError('host.config', where, detail)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return fail("'checks' must be an object")
  for (const [name, given] of Object.entries(value)) {
    const most = numbers[name]
    const isProgram = (one: unknown): boolean => typeof one === 'string' && one !== ''
    if (name === 'allow' && typeof given !== 'boolean') fail("'allow' of 'checks' must be true or false")
    else if (name === 'commands' && !(Array.isArray(given) && given.every(isProgram)))
      fail("'commands' of 'checks' must be a list of programs")
    else if (most !== undefined && !(Number.isInteger(given) && Number(given) >= 1 && Number(given) <= most))
      fail(`'${name}' of 'checks' must be a whole number from 1 to ${most}`)
    else if (most === undefined && name !== 'allow' && name !== 'commands') fail(`unknown member '${name}' of 'checks'`)
  }
}
