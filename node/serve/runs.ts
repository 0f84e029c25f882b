/**
 * Runs of plans behind handles, in the server's own process: they share its limits and connections, and outlive the connection that
 * began them by their journal, and the process by the folder of each:
 *
 *   request.json     what was asked for, by which key
 *   plan.json, journal.jsonl
 *   events.jsonl     what its watchers are told, see kept-events.ts
 *   end.json         how it ended; a folder without one is a run that goes on with the next start of the server
 */
import { createHash, randomBytes } from 'node:crypto'
import { readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AnswerCache } from '../../bindings/cache/ports.js'
import { AetherflowError } from '../../bindings/errors.js'
import type { RunEvent, RunReport } from '../../bindings/events.js'
import { checkPlan, runPlan, type PlanRun, type RunPlanOptions, type RunResult } from '../index.js'
import { makeFolder } from '../make-folder.js'
import { ioError } from '../run/outputs.js'
import type { Account, Accounts, Admission } from './accounts.js'
import { HttpError } from './http-error.js'
import { KeptEvents, readEvents, type KeptEvent } from './kept-events.js'
import { RunState } from './run-state.js'

/** What was asked for; kept. */
export interface RunRequest {
  readonly id: string
  /** Name of the key, and whose run it is. */
  readonly key: string
  readonly tenant: string
  readonly name?: string
  readonly mode?: string
  readonly budgetUsd?: number
  readonly deadlineMs?: number
  readonly seed?: number
  /** ms since 1970. */
  readonly createdAt: number
}

/** How it ended; kept. `failed`: it could not be carried out, for reasons of the host. */
export interface RunEnd {
  readonly outcome: 'ok' | 'steps_failed' | 'budget_exhausted' | 'cancelled' | 'failed'
  readonly costMicroUsd: number
  readonly endedAt: number
  readonly error?: { readonly code: string; readonly detail: string }
}

export interface RunWatcher {
  take(kept: KeptEvent): void
  /** Of the moment: it is not kept, and may be left out. */
  passing(event: RunEvent): void
  /** Nothing more comes. */
  over(): void
}

export interface RunsOptions {
  readonly folder: string
  readonly accounts: Accounts
  /** How every run is carried out. */
  readonly how: Pick<
    RunPlanOptions,
    'config' | 'limits' | 'pool' | 'simulate' | 'cache' | 'cacheModes' | 'clock' | 'telemetry'
  > & {
    readonly cache?: AnswerCache | undefined
  }
  observe(event: RunEvent): void
  failed(error: unknown, id: string): void
}

/** Most plan runs at once; those beyond wait for nobody, they are refused. */
const mostRuns = 100
/** Most results of runs that are over in memory. */
const mostResults = 8

export class Run {
  readonly request: RunRequest
  readonly folder: string
  readonly state = new RunState()
  readonly #watchers = new Set<RunWatcher>()
  end: RunEnd | undefined
  kept: KeptEvents | undefined
  under: PlanRun | undefined
  cancelled = false
  /** Resolves when nothing of it is under way any more. */
  over: Promise<void> = Promise.resolve()

  constructor(request: RunRequest, folder: string) {
    this.request = request
    this.folder = folder
  }

  get eventsPath(): string {
    return join(this.folder, 'events.jsonl')
  }

  /** All kept events, also of a run that is over. Fails: host.io_failed. */
  async events(): Promise<readonly RunEvent[]> {
    return this.kept?.all ?? readEvents(this.eventsPath)
  }

  /** The result ends it. */
  watch(watcher: RunWatcher): () => void {
    this.#watchers.add(watcher)
    return () => void this.#watchers.delete(watcher)
  }

  tell(what: (watcher: RunWatcher) => void): void {
    for (const watcher of [...this.#watchers]) what(watcher)
  }
}

export class Runs {
  readonly #options: RunsOptions
  readonly #runs = new Map<string, Run>()
  readonly #results = new Map<string, Promise<RunResult>>()
  #ending = false

  constructor(options: RunsOptions) {
    this.#options = options
  }

  /** Reads what is there, and goes on with what had come to no end. Fails: host.io_failed. */
  async open(): Promise<void> {
    const { folder } = this.#options
    await makeFolder(folder, 0o700).catch((error: unknown) => Promise.reject(ioError(folder, error)))
    const names = (await readdir(folder)).filter((name) => /^r[0-9a-f]{24}$/.test(name)).sort()
    for (const name of names) {
      const run = await readRun(join(folder, name))
      if (run === undefined) continue
      this.#runs.set(run.request.id, run)
      if (run.end === undefined) this.#begin(run, this.#admitted(run))
    }
  }

  /** The runs of a tenant, the latest first. */
  of(tenant: string): Run[] {
    const own = [...this.#runs.values()].filter(({ request }) => request.tenant === tenant)
    return own.sort((one, other) => other.request.createdAt - one.request.createdAt)
  }

  /** Throws a HttpError of status 404: another tenant's run is none. */
  find(id: string, tenant: string): Run {
    const run = this.#runs.get(id)
    if (run?.request.tenant === tenant) return run
    throw new HttpError(404, 'run_not_found', 'there is no such run')
  }

  /**
   * Begins a run, or finds the one that was begun under the same key of idempotency. Rejects with plan.* and json.* for a plan that
   * is none, with a HttpError for what the account may not.
   */
  async start(
    plan: string,
    asked: Omit<RunRequest, 'id' | 'createdAt'>,
    account: Account,
    again?: string,
  ): Promise<Run> {
    const id = again === undefined ? `r${randomBytes(12).toString('hex')}` : idOf(asked.tenant, again)
    const known = this.#runs.get(id)
    if (known !== undefined) return known
    if (this.#ending) throw new HttpError(503, 'server_ending', 'the server is ending', { retryAfterMs: 1000 })
    const { how } = this.#options
    await checkPlan(plan, { config: how.config, ...(asked.mode === undefined ? {} : { mode: asked.mode }) })
    if ([...this.#runs.values()].filter(({ under }) => under !== undefined).length >= mostRuns)
      throw new HttpError(429, 'too_many_runs', `${mostRuns} runs are under way`, { retryAfterMs: 5000 })
    // Two requests with one key may have come at once.
    const other = this.#runs.get(id)
    if (other !== undefined) return other
    const request: RunRequest = { ...asked, id, createdAt: Date.now() }
    const run = new Run(request, join(this.#options.folder, id))
    const admission = account.admitRun(asked.budgetUsd === undefined ? undefined : asked.budgetUsd * 1e6)
    this.#runs.set(id, run)
    try {
      await makeFolder(join(run.folder, 'files'), 0o700)
      await writeFile(join(run.folder, 'plan.json'), plan, { mode: 0o600 })
      await writeWhole(join(run.folder, 'request.json'), request)
    } catch (error) {
      this.#runs.delete(id)
      admission.settle({ tokens: 0, microUsd: 0 })
      throw ioError(run.folder, error)
    }
    this.#begin(run, admission)
    return run
  }

  /** Cancels what is under way; what is done is kept. */
  cancel(run: Run): void {
    run.cancelled = true
    run.under?.cancel()
  }

  /** Outputs of a run: of one that is over, from its journal. Fails: host.*. */
  async outputs(run: Run): Promise<ReadonlyMap<string, string>> {
    return run.end === undefined ? run.state.outputs : (await this.#result(run)).outputs
  }

  /** The report of a run that is over; undefined: it has come to none. Fails: host.*. */
  async report(run: Run): Promise<RunReport | undefined> {
    return run.end === undefined || run.end.outcome === 'failed' ? undefined : (await this.#result(run)).report
  }

  /** Read once for all who ask at a time, and kept for a few: a run has one reader at a time. */
  #result(run: Run): Promise<RunResult> {
    const { id } = run.request
    const { how } = this.#options
    // What is simulated is read as such; a run that is over calls nothing, with providers or without.
    const calls = how.simulate === undefined || how.simulate === false ? { performer: noCalls } : {}
    const known = this.#results.get(id) ?? runPlan(undefined, { ...this.#resumption(run), ...calls }).result
    this.#results.delete(id)
    this.#results.set(id, known)
    known.catch(() => this.#results.delete(id))
    for (const oldest of this.#results.keys()) {
      if (this.#results.size <= mostResults) break
      this.#results.delete(oldest)
    }
    return known
  }

  /** Lets runs end for so long; the others go on with the next start. */
  async close(patience: Promise<void>): Promise<void> {
    const all = [...this.#runs.values()].filter(({ under }) => under !== undefined)
    await Promise.race([patience, Promise.all(all.map(({ over }) => over))])
    this.#ending = true
    for (const { under } of all) under?.cancel()
    await Promise.all(all.map(({ over }) => over))
  }

  /** A run of before, which was let in then. */
  #admitted({ request }: Run): Admission | undefined {
    const account = this.#options.accounts.named(request.key)
    return account?.goOn(request.budgetUsd === undefined ? undefined : request.budgetUsd * 1e6)
  }

  #begin(run: Run, admission: Admission | undefined): void {
    run.over = this.#carryOut(run, admission).catch((error: unknown) => this.#options.failed(error, run.request.id))
  }

  async #carryOut(run: Run, admission: Admission | undefined): Promise<void> {
    let end: RunEnd | undefined
    try {
      const kept = await KeptEvents.open(run.eventsPath, (told) => run.tell((watcher) => watcher.take(told)))
      run.kept = kept
      for (const event of kept.all) run.state.take(event)
      end = await this.#ended(run, kept, admission?.microUsd)
      await kept.settled().catch((error: unknown) => this.#options.failed(error, run.request.id))
      if (end !== undefined) {
        run.end = end
        // From here on the journal has them.
        run.state.outputs.clear()
        await writeWhole(join(run.folder, 'end.json'), end)
      }
      await kept.close()
    } finally {
      run.under = run.kept = undefined
      // Of a run that goes on later all is counted at its end.
      admission?.settle({ tokens: 0, microUsd: end?.costMicroUsd ?? 0 })
      run.tell((watcher) => watcher.over())
    }
  }

  /** Undefined: the server ends, and the run goes on with its next start. */
  async #ended(run: Run, kept: KeptEvents, microUsd: number | undefined): Promise<RunEnd | undefined> {
    let past = kept.all.length > 0
    const take = (event: RunEvent): void => {
      if (this.#ending) return
      if (event.type === 'resumed') past = false
      if (kept.add(event, past)) run.state.take(event)
      if (event.type === 'progress') run.tell((watcher) => watcher.passing(event))
      if (!past) this.#options.observe(event)
    }
    try {
      const plan = await readFile(join(run.folder, 'plan.json'))
      run.under = runPlan(plan, {
        ...this.#resumption(run),
        ...this.#boundsOf(run.request, microUsd),
        onEvent: take,
        deliver: (step, text) => void run.state.outputs.set(step.id, text),
      })
      if (run.cancelled) run.under.cancel()
      const { outcome, report } = await run.under
      if (this.#ending && !run.cancelled) return undefined
      const { costMicroUsd } = report.totals
      return {
        outcome: outcome === 'plan_invalid' ? 'failed' : outcome,
        costMicroUsd,
        endedAt: Date.now(),
      }
    } catch (error) {
      if (this.#ending) return undefined
      this.#options.failed(error, run.request.id)
      const known = error instanceof AetherflowError
      const told = known
        ? { code: error.code, detail: error.advice }
        : { code: 'internal_error', detail: 'the run failed' }
      return { outcome: 'failed', costMicroUsd: run.state.costMicroUsd, endedAt: Date.now(), error: told }
    }
  }

  /** Files that a plan of a stranger names are those of an empty folder, and documents it has none. */
  #resumption({ folder, request }: Run): RunPlanOptions {
    const { how } = this.#options
    const { mode, seed, tenant, name } = request
    return {
      ...how,
      journal: folder,
      resume: true,
      folder: join(folder, 'files'),
      documents: false,
      tenant,
      ...(mode === undefined ? {} : { mode }),
      ...(seed === undefined ? {} : { seed }),
      ...(name === undefined ? {} : { planName: name }),
    }
  }

  #boundsOf({ budgetUsd, deadlineMs }: RunRequest, microUsd: number | undefined): Pick<RunPlanOptions, 'policy'> {
    const usd = microUsd === undefined ? budgetUsd : microUsd / 1e6
    if (usd === undefined && deadlineMs === undefined) return {}
    return {
      policy: {
        ...(usd === undefined ? {} : { budget: { run: { usd } } }),
        ...(deadlineMs === undefined ? {} : { retry: { deadlineMs } }),
      },
    }
  }
}

/** Of a run that is over: it calls nothing. */
const noCalls = {
  perform: () => Promise.reject(new AetherflowError('host.journal', '', 'the run is over')),
}

/** The same for the same tenant and key: a repeated request finds the run. */
const idOf = (tenant: string, key: string): string =>
  `r${createHash('sha256').update(`${tenant.length}:${tenant}${key}`).digest('hex').slice(0, 24)}`

async function readRun(folder: string): Promise<Run | undefined> {
  const request = await readWhole<RunRequest>(join(folder, 'request.json'))
  if (request === undefined) return undefined
  const run = new Run(request, folder)
  run.end = await readWhole<RunEnd>(join(folder, 'end.json'))
  if (run.end !== undefined) for (const event of await readEvents(run.eventsPath)) run.state.take(event)
  return run
}

/** Whole or not at all. */
async function writeWhole(path: string, value: unknown): Promise<void> {
  const part = `${path}.part`
  await writeFile(part, JSON.stringify(value), { mode: 0o600 })
  await rename(part, path)
}

async function readWhole<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T
  } catch {
    return undefined
  }
}
