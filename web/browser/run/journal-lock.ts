/** One owner per run, by the Web Locks of the browser: they go with the tab or the worker, however that ends. */
import { AetherflowError } from '../../../bindings/errors.js'
import { afterAwake, unanswered, within } from '../patience.js'

/** A page that is reloaded asks before its old worker is gone for certain: how long it waits, ms. */
const patienceMs = 1_000
/** How long the browser may take to answer at all, ms. */
const answerMs = 5_000
const prefix = 'aetherflow.run.'

/** Takes the run; gives what lets go of it. Fails: host.run_locked when another has it; host.io_failed where there are no locks, or the browser does not answer. */
export async function lockRun(name: string): Promise<() => void> {
  const { locks } = navigator
  if (locks === undefined)
    throw new AetherflowError(
      'host.io_failed',
      name,
      'a journal needs Web Locks, which browsers give to pages over https alone',
    )
  return await new Promise<() => void>((resolve, reject) => {
    let over = false
    const refuse = (error: AetherflowError): void => {
      over = true
      stop()
      reject(error)
    }
    const stop = afterAwake(answerMs, () => refuse(unansweredLocks(name)))
    const held = () =>
      new Promise<void>((release) => {
        stop()
        // Nobody waits any more, and a lock that nobody lets go of would keep everyone out.
        if (over) release()
        else resolve(release)
      })
    locks.request(prefix + name, { signal: AbortSignal.timeout(patienceMs) }, held).catch(() => {
      refuse(new AetherflowError('host.run_locked', name, 'another tab or run has it'))
    })
  })
}

const unansweredLocks = (name: string): AetherflowError =>
  new AetherflowError('host.io_failed', name, unanswered('Web Locks', answerMs).message)

/** Names of the runs that somebody has. Fails: host.io_failed. */
export async function lockedRuns(): Promise<ReadonlySet<string>> {
  const asked = Promise.resolve(navigator.locks?.query())
  const { held = [] } = (await within(answerMs, asked, () => unansweredLocks(''))) ?? {}
  const names = held.map(({ name = '' }) => name).filter((name) => name.startsWith(prefix))
  return new Set(names.map((name) => name.slice(prefix.length)))
}
