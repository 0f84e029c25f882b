/** Which thread does a job: the shared worker, one of its own, or this one. */
import { AetherflowError } from '../../../bindings/errors.js'
import type { RunEvent } from '../../../bindings/events.js'
import { CoreWorker } from './core-worker.js'
import { settingsOf, type Job, type JobKind, type Page } from '../run/job.js'
import type { RunPlanOptions } from '../options.js'

/** How long the shared worker stays after its last job, ms: the next run finds the core loaded. */
const keptMs = 10_000

interface Shared {
  readonly url: string
  readonly worker: Promise<CoreWorker>
  /** Jobs that hold it, those that wait for its start included. */
  held: number
  idle: ReturnType<typeof setTimeout> | undefined
}
let shared: Shared | undefined
const all = new Set<CoreWorker>()

/** Ends every worker now. What runs there rejects with host.disposed; later runs start a new one. */
export function disposeWorkers(): void {
  shared = undefined
  for (const worker of [...all]) worker.end()
}

export interface JobDone {
  readonly value: unknown
  readonly thread: 'worker' | 'page'
}

export async function performAnywhere(
  kind: JobKind,
  plan: Job['plan'],
  options: RunPlanOptions,
  page: Page,
): Promise<JobDone> {
  const { worker: wanted = true, performer, fetch, clock } = options
  const job: Job = { kind, plan, settings: settingsOf(options) }
  const bound = performer !== undefined || fetch !== undefined || clock !== undefined
  if (wanted !== false && !bound) {
    const lease = await (wanted === 'own' ? own(options) : share(options)).catch((error: unknown) => {
      // Taken away by the page, not missing.
      if (error instanceof AetherflowError && error.code === 'host.disposed') throw error
      page.emit(withoutWorker(error))
      return undefined
    })
    if (lease !== undefined) {
      try {
        return { value: await lease.worker.perform(job, page), thread: 'worker' }
      } finally {
        lease.release()
      }
    }
  }
  const { performJob } = await loadHere()
  return { value: await performJob(job, page, { performer, fetch, clock }), thread: 'page' }
}

/** On demand: with a worker the page never loads the core's side. */
async function loadHere(): Promise<typeof import('../run/perform-job.js')> {
  try {
    return await import('../run/perform-job.js')
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    throw new AetherflowError('host.io_failed', '', `a part of the package cannot be loaded: ${detail}`)
  }
}

interface Lease {
  readonly worker: CoreWorker
  release(): void
}

async function start(url: string | URL | undefined, onEnd: () => void): Promise<CoreWorker> {
  return CoreWorker.start(
    url,
    (worker) => all.add(worker),
    (worker) => {
      all.delete(worker)
      onEnd()
    },
  )
}

async function own({ assets }: RunPlanOptions): Promise<Lease> {
  const worker = await start(assets?.worker, () => undefined)
  return { worker, release: () => worker.end() }
}

async function share({ assets }: RunPlanOptions): Promise<Lease> {
  const url = String(assets?.worker ?? '')
  if (shared !== undefined && shared.url !== url) {
    // Another address, another worker; the old one goes when its jobs are over.
    retire(shared)
    shared = undefined
  }
  const mine = (shared ??= open(url))
  mine.held++
  clearTimeout(mine.idle)
  const release = (): void => {
    if (--mine.held === 0) mine.idle = setTimeout(() => retire(mine), shared === mine ? keptMs : 0)
  }
  try {
    return { worker: await mine.worker, release }
  } catch (error) {
    mine.held--
    throw error
  }
}

function open(url: string): Shared {
  const mine: Shared = { url, worker: start(url === '' ? undefined : url, forget), held: 0, idle: undefined }
  function forget(): void {
    if (shared === mine) shared = undefined
  }
  mine.worker.catch(forget)
  return mine
}

function retire(mine: Shared): void {
  if (mine.held > 0) return
  if (shared === mine) shared = undefined
  void mine.worker.then((worker) => worker.end()).catch(() => undefined)
}

function withoutWorker(error: unknown): RunEvent {
  const why = error instanceof Error ? error.message : String(error)
  const detail = `no worker could be started, so this thread does its work: ${why}`
  return { type: 'warning', at: 0, code: 'host.worker', where: '', detail }
}
