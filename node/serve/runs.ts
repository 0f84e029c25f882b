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
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AnswerCache } from '../../bindings/cache/ports.js'
import { AetherflowError } from '../../bindings/errors.js'
import type { RunEvent, RunReport } from '../../bindings/events.js'
import { costOfReport } from '../../web/standard/report/prices.js'
import { checkPlan, runPlan, type PlanRun, type RunPlanOptions, type RunResult } from '../index.js'
import { makeFolder } from '../make-folder.js'
import { ioError, writeWhole } from '../run/outputs.js'
import type { Account, Accounts, Admission } from './accounts.js'
import { HttpError } from './http-error.js'
import { KeptEvents } from './kept-events.js'
import { Registry, Run, type RunEnd, type RunRequest } from './registry.js'

export interface RunsOptions {
  readonly folder: string
  readonly accounts: Accounts
  /** How every run is carried out. */
  readonly how: Pick<
    RunPlanOptions,
    'config' | 'limits' | 'pool' | 'clients' | 'simulate' | 'cache' | 'cacheModes' | 'clock' | 'telemetry'
  > & {
    readonly cache?: AnswerCache | undefined
  }
  /** Takes the events of one run. */
  observer(): (event: RunEvent) => void
  failed(error: unknown, id: string): void
}

/** Most plan runs at once; those beyond wait for nobody, they are refused. */
const mostRuns = 100
/** Most results of runs that are over in memory. */
const mostResults = 8

/** A run that this process carries out. */
interface Work {
  under?: PlanRun
  /** Resolves when nothing of it is under way any more. */
  over: Promise<void>
}

export class Runs {
  readonly #options: RunsOptions
  readonly registry: Registry
  readonly #work = new Map<Run, Work>()
  readonly #results = new Map<string, Promise<RunResult>>()
  #ending = false

  constructor(options: RunsOptions) {
    this.#options = options
    this.registry = new Registry(options.folder)
  }

  get underWay(): number {
    return this.#work.size
  }

  /** Reads what is there, and goes on with what had come to no end. Fails: host.io_failed. */
  async open(): Promise<void> {
    for (const run of await this.registry.open()) this.#begin(run, this.#admitted(run))
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
    const known = await this.registry.get(id)
    if (known !== undefined) return known
    if (this.#ending) throw new HttpError(503, 'server_ending', 'the server is ending', { retryAfterMs: 1000 })
    const { how } = this.#options
    await checkPlan(plan, { config: how.config, ...(asked.mode === undefined ? {} : { mode: asked.mode }) })
    if (this.#work.size >= mostRuns)
      throw new HttpError(429, 'too_many_runs', `${mostRuns} runs are in progress`, { retryAfterMs: 5000 })
    // Two requests with one key may have come at once.
    const other = this.registry.underWay(id)
    if (other !== undefined) return other
    const played = typeof how.simulate === 'object' ? { simulated: how.simulate.name } : {}
    const request: RunRequest = { ...asked, ...played, id, createdAt: Date.now() }
    const run = new Run(request, this.registry.folderOf(id))
    const admission = account.admitRun(asked.budgetUsd === undefined ? undefined : asked.budgetUsd * 1e6)
    this.registry.add(run)
    try {
      await makeFolder(join(run.folder, 'files'), 0o700)
      await writeWhole(run.folder, 'plan.json', plan)
      // From here on it is a run: the next start goes on with it.
      await writeWhole(run.folder, 'request.json', JSON.stringify(request))
    } catch (error) {
      this.registry.remove(run)
      admission.settle({ tokens: 0, microUsd: 0 })
      throw ioError(run.folder, error)
    }
    this.#begin(run, admission)
    return run
  }

  /** Cancels what is under way; what is done is kept. */
  cancel(run: Run): void {
    run.cancelled = true
    this.#work.get(run)?.under?.cancel()
  }

  /** Outputs of a run: of one that is over, from its journal. Fails: host.*. */
  async outputs(run: Run): Promise<ReadonlyMap<string, string>> {
    return run.end === undefined ? run.live.outputs : (await this.#result(run)).outputs
  }

  /** The report of a run that is over; undefined: it has come to none. Fails: host.*. */
  async report(run: Run): Promise<RunReport | undefined> {
    // Who has heard of the end need not come again for its report.
    if (run.end === undefined && run.live.outcome !== undefined) await this.#work.get(run)?.over
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
    const over = (): Promise<unknown> => Promise.all([...this.#work.values()].map((work) => work.over))
    await Promise.race([patience, over()])
    this.#ending = true
    for (const { under } of this.#work.values()) under?.cancel()
    await over()
  }

  /** A run of before, which was let in then. */
  #admitted({ request }: Run): Admission | undefined {
    const account = this.#options.accounts.named(request.key)
    return account?.goOn(request.budgetUsd === undefined ? undefined : request.budgetUsd * 1e6)
  }

  #begin(run: Run, admission: Admission | undefined): void {
    const work: Work = { over: Promise.resolve() }
    this.#work.set(run, work)
    work.over = this.#carryOut(run, work, admission)
      .catch((error: unknown) => this.#options.failed(error, run.request.id))
      .finally(() => this.#work.delete(run))
  }

  async #carryOut(run: Run, work: Work, admission: Admission | undefined): Promise<void> {
    let end: RunEnd | undefined
    try {
      const kept = await KeptEvents.open(run.eventsPath, (told) => run.tell((watcher) => watcher.take(told)))
      run.kept = kept
      for (const event of kept.all) run.live.take(event)
      end = await this.#ended(run, work, kept, admission?.microUsd)
      await kept.settled().catch((error: unknown) => this.#options.failed(error, run.request.id))
      if (end !== undefined) {
        run.end = end
        // From here on the journal has them.
        run.live.outputs.clear()
        await writeWhole(run.folder, 'end.json', JSON.stringify(end))
        this.registry.settle(run)
      }
      await kept.close()
    } finally {
      run.kept = undefined
      // Of a run that goes on later all is counted at its end.
      admission?.settle({ tokens: 0, microUsd: end?.costMicroUsd ?? 0 })
      run.tell((watcher) => watcher.over())
    }
  }

  /** Undefined: the server ends, and the run goes on with its next start. */
  async #ended(run: Run, work: Work, kept: KeptEvents, microUsd: number | undefined): Promise<RunEnd | undefined> {
    let past = kept.all.length > 0
    const observe = this.#options.observer()
    const take = (event: RunEvent): void => {
      if (this.#ending) return
      if (event.type === 'resumed') past = false
      if (kept.add(event, past)) run.live.take(event)
      if (event.type === 'progress') run.tell((watcher) => watcher.passing(event))
      if (!past) observe(event)
    }
    try {
      const plan = await readFile(join(run.folder, 'plan.json'))
      work.under = runPlan(plan, {
        ...this.#resumption(run),
        ...this.#boundsOf(run.request, microUsd),
        onEvent: take,
        deliver: (step, text) => void run.live.outputs.set(step.id, text),
      })
      if (run.cancelled) work.under.cancel()
      const { outcome, report } = await work.under
      if (this.#ending && !run.cancelled) return undefined
      const { costMicroUsd, priceAssumed } = costOfReport(report)
      return {
        outcome: outcome === 'plan_invalid' ? 'failed' : outcome,
        costMicroUsd,
        ...(priceAssumed ? { priceAssumed } : {}),
        endedAt: Date.now(),
      }
    } catch (error) {
      if (this.#ending) return undefined
      this.#options.failed(error, run.request.id)
      const known = error instanceof AetherflowError
      const told = known
        ? { code: error.code, detail: error.advice }
        : { code: 'internal_error', detail: 'the run failed' }
      return { outcome: 'failed', costMicroUsd: run.live.costMicroUsd, endedAt: Date.now(), error: told }
    }
  }

  /** Files that a plan of a stranger names are those of an empty folder, documents it has none, and its programs are never run. */
  #resumption({ folder, request }: Run): RunPlanOptions {
    const { how } = this.#options
    const { mode, seed, tenant, name, trace } = request
    return {
      ...how,
      journal: folder,
      resume: true,
      folder: join(folder, 'files'),
      documents: false,
      checks: { allow: false },
      tenant,
      ...(mode === undefined ? {} : { mode }),
      ...(seed === undefined ? {} : { seed }),
      ...(name === undefined ? {} : { planName: name }),
      ...(how.telemetry && { telemetry: { ...how.telemetry, carrier: trace } }),
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
