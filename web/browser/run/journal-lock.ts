/** One owner per run, by the Web Locks of the browser: they go with the tab or the worker, however that ends. */
import { AetherflowError } from '../../../bindings/errors.js'

/** A page that is reloaded asks before its old worker is gone for certain: how long it waits, ms. */
const patienceMs = 1_000
const prefix = 'aetherflow.run.'

/** Takes the run; gives what lets go of it. Fails: host.run_locked when another has it; host.io_failed where there are no locks. */
export async function lockRun(name: string): Promise<() => void> {
  const { locks } = navigator
  if (locks === undefined)
    throw new AetherflowError(
      'host.io_failed',
      name,
      'a journal needs Web Locks, which browsers give to pages over https alone',
    )
  return await new Promise<() => void>((resolve, reject) => {
    const signal = AbortSignal.timeout(patienceMs)
    const held = () => new Promise<void>((release) => resolve(release))
    locks.request(prefix + name, { signal }, held).catch(() => {
      reject(new AetherflowError('host.run_locked', name, 'another tab or run has it'))
    })
  })
}

/** Names of the runs that somebody has. */
export async function lockedRuns(): Promise<ReadonlySet<string>> {
  const { held = [] } = (await navigator.locks?.query()) ?? {}
  const names = held.map(({ name = '' }) => name).filter((name) => name.startsWith(prefix))
  return new Set(names.map((name) => name.slice(prefix.length)))
}
