/** Waiting for a run, with its progress told; the run does not know of it. */
import type { KnownRun, Runs } from './runs.js'

export interface Watcher {
  /** Aborted when the client takes its call back, or has gone. */
  readonly signal: AbortSignal
  /** Told when more steps have ended than before. */
  readonly progress: (ended: number, of: number) => Promise<void>
}

const endedOf = ({ log }: KnownRun): number =>
  [...log.steps.values()].filter(({ state }) => state !== 'waiting' && state !== 'calling').length

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(done, ms)
    function done(): void {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    signal.addEventListener('abort', done, { once: true })
  })

/** Resolves when the run is over, or after `ms`, or when nobody waits any more. The run is looked at more rarely as time goes by. */
export async function awaitEnd(runs: Runs, id: string, ms: number, { signal, progress }: Watcher): Promise<KnownRun> {
  const until = performance.now() + ms
  let told = 0
  for (let delay = 50; ; delay = Math.min(delay * 1.5, 1000)) {
    const run = await runs.find(id)
    const ended = endedOf(run)
    if (ended > told) await progress((told = ended), run.log.steps.size)
    const left = until - performance.now()
    if (run.state !== 'running' || left <= 0 || signal.aborted) return run
    await pause(Math.min(delay, left), signal)
  }
}
