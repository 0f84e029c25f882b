/**
 * Runs of plans behind handles, in the server's own process: they share its limits and connections, and outlive the connection that
 * began them by their journal, and the process by the folder of each:
 *
 *   request.json     what was asked for, by which key
 *   plan.json, journal.jsonl
 *   events.jsonl     what its watchers are told, see kept-events.ts
 *   end.json         how it ended; without it the run continues at the next start of the server
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunReport } from '../../bindings/events.js'
import { checkPlan, type PlanRun, type RunPlanOptions } from '../index.js'
import { makeFolder } from '../make-folder.js'
import { journalName } from '../run/file-run-store.js'
import { ioError, writeWhole } from '../run/outputs.js'
import type { Account, Admission } from './accounts.js'
import { carryOut, microUsdOf, Results, resumptionOf, runIdOf } from './carry-out.js'
import { HttpError } from './http-error.js'
import { KeptEvents } from './kept-events.js'
import { Registry, Run } from './registry.js'
import type { AskedRun, RunEnd, RunParts, RunRequest, ServedRuns } from './served-runs.js'

export interface RunsOptions extends RunParts {
  readonly folder: string
}

/** Most plan runs at once; those beyond wait for nobody, they are refused. */
export const mostRuns = 100

/** A run that this process carries out. */
interface Work {
  under?: PlanRun
  /** Resolves when nothing of it is under way any more. */
  over: Promise<void>
}

export class Runs implements ServedRuns {
  readonly #options: RunsOptions
  readonly registry: Registry
  readonly #work = new Map<Run, Work>()
  readonly #results = new Results()
  #ending = false

  constructor(options: RunsOptions) {
    this.#options = options
    this.registry = new Registry(options.folder)
  }

  get underWay(): number {
    return this.#work.size
  }

  /** Reads what is there, and resumes what had come to no end. Fails: host.io_failed. */
  async open(): Promise<void> {
    for (const run of await this.registry.open()) this.#begin(run, await this.#admitted(run))
  }

  async start(plan: string, asked: AskedRun, account: Account, again?: string): Promise<Run> {
    const id = runIdOf(asked.tenant, again)
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
    this.registry.add(run)
    let admission: Admission | undefined
    try {
      admission = await account.admitRun(id, microUsdOf(request))
      await makeFolder(join(run.folder, 'files'), 0o700)
      await writeWhole(run.folder, 'plan.json', plan)
      // From here on it is a run: the next start resumes it.
      await writeWhole(run.folder, 'request.json', JSON.stringify(request))
    } catch (error) {
      this.registry.remove(run)
      admission?.settle({ tokens: 0, microUsd: 0 })
      throw error instanceof HttpError ? error : ioError(run.folder, error)
    }
    this.#begin(run, admission)
    return run
  }

  find(id: string, tenant: string): Promise<Run> {
    return this.registry.find(id, tenant)
  }

  list(tenant: string, limit: number, after: string | null): Promise<{ runs: readonly Run[]; more: boolean }> {
    return this.registry.list(tenant, limit, after)
  }

  cancel(run: Run): Promise<void> {
    run.cancelled = true
    this.#work.get(run)?.under?.cancel()
    return Promise.resolve()
  }

  async output(run: Run, step: string): Promise<string | undefined> {
    if (run.end === undefined) return run.live.outputs.get(step)
    return (await this.#results.of(run.request.id, () => this.#resumption(run))).outputs.get(step)
  }

  async report(run: Run): Promise<RunReport | undefined> {
    // Who has heard of the end need not come again for its report.
    if (run.end === undefined && run.live.outcome !== undefined) await this.#work.get(run)?.over
    if (run.end === undefined || run.end.outcome === 'failed') return undefined
    return (await this.#results.of(run.request.id, () => this.#resumption(run))).report
  }

  journal({ folder }: Run): Promise<Uint8Array | undefined> {
    return readFile(join(folder, journalName)).catch(() => undefined)
  }

  async close(patience: Promise<void>): Promise<void> {
    const over = (): Promise<unknown> => Promise.all([...this.#work.values()].map((work) => work.over))
    await Promise.race([patience, over()])
    this.#ending = true
    for (const { under } of this.#work.values()) under?.cancel()
    await over()
  }

  /** A run of before, which was let in then. */
  async #admitted({ request }: Run): Promise<Admission | undefined> {
    return this.#options.accounts.named(request.key)?.goOn(request.id, microUsdOf(request))
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

  /** Undefined: the server ends, and the run continues at its next start. */
  #ended(run: Run, work: Work, kept: KeptEvents, microUsd: number | undefined): Promise<RunEnd | undefined> {
    const ending = (): boolean => this.#ending
    return carryOut(
      {
        ...{ request: run.request, live: run.live, kept, microUsd, resumption: this.#resumption(run) },
        deliver: (step, text) => void run.live.outputs.set(step.id, text),
        plan: () => readFile(join(run.folder, 'plan.json')),
        get handedOn() {
          return ending()
        },
        get cancelled() {
          return run.cancelled
        },
        under: (under) => {
          work.under = under
          if (run.cancelled) under.cancel()
        },
        passing: (event) => run.tell((watcher) => watcher.passing(event)),
      },
      this.#options,
    )
  }

  #resumption({ folder, request }: Run): RunPlanOptions {
    return resumptionOf(request, this.#options.how, { journal: folder, folder: join(folder, 'files') })
  }
}
