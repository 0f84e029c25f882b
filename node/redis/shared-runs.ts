/**
 * The runs of servers on several machines: whichever takes a request, any of them answers for the run, and when the one that carries it
 * out is gone another goes on, at the latest `leaseMs + lookMs` after its last sign of life.
 *
 *   const shared = { book: new RedisBook(link), runs: new SharedRuns(link) }
 *   await serve({ ...shared, keys })
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunEvent, RunReport } from '../../bindings/events.js'
import { MemoryJournal } from '../../bindings/journal/journal.js'
import { AetherflowError } from '../../bindings/errors.js'
import type { RunStore } from '../../web/standard/run/run-store.js'
import { checkPlan, type RunPlanOptions } from '../index.js'
import type { Account } from '../serve/accounts.js'
import { carryOut, microUsdOf, Results, resumptionOf, runIdOf } from '../serve/carry-out.js'
import { HttpError } from '../serve/http-error.js'
import { KeptEvents, type EventPlace } from '../serve/kept-events.js'
import { RunState } from '../serve/run-state.js'
import { mostRuns } from '../serve/runs.js'
import type { AskedRun, RunEnd, RunParts, RunRequest, ServedRuns } from '../serve/served-runs.js'
import type { RedisLink } from './link.js'
import { goesElsewhere, mustBeSurvived, type OwnedJob } from './owned-job.js'
import { defaultMostLost, RunOwner, type RunOwnerOptions } from './owner.js'
import { RunKeys, RunsKeys } from './run-keys.js'
import { RedisRunStore, told } from './run-store.js'
import { SharedRun } from './shared-run.js'

export interface SharedRunsOptions extends Pick<
  RunOwnerOptions,
  'prefix' | 'leaseMs' | 'lookMs' | 'mostLost' | 'keepMs'
> {
  /** Most runs that this server carries out at once; 0: it only takes and shows them. Default 100. */
  readonly most?: number | undefined
  /** Most runs of all servers that have come to no end; those beyond are refused. Default 1000. */
  readonly mostOpen?: number | undefined
}

/** Most runs whose events are in memory besides those that somebody watches. */
const mostSeen = 100
/** Progress of a call is told at most this often, ms. */
const passingEveryMs = 250
/** How long a report waits for the end of a run that has told its last event, ms. */
const endMs = 5000

export class SharedRuns implements ServedRuns {
  readonly #link: RedisLink
  readonly #options: SharedRunsOptions
  readonly #keys: RunsKeys
  readonly #seen = new Map<string, SharedRun>()
  readonly #results = new Results()
  #opened: Opened | undefined

  constructor(link: RedisLink, options: SharedRunsOptions = {}) {
    this.#link = link
    this.#options = options
    this.#keys = new RunsKeys(options.prefix)
  }

  /** By the server that it is of: once. */
  async open(parts: RunParts): Promise<SharedRuns> {
    const folder = await mkdtemp(join(tmpdir(), 'aetherflow-files-'))
    const { most = mostRuns, ...more } = this.#options
    const owner = new RunOwner(this.#link, {
      ...{ ...more, most },
      carry: (job) => this.#carry(job),
      onProblem: (id, problem) => parts.failed(new AetherflowError('host.io_failed', this.#link.name, problem), id),
    })
    this.#opened = { parts, owner, folder }
    return this
  }

  get #open(): Opened {
    if (this.#opened === undefined) throw new AetherflowError('host.usage', 'runs', 'they are opened by a server')
    return this.#opened
  }

  get underWay(): number {
    return this.#open.owner.running
  }

  async start(plan: string, asked: AskedRun, account: Account, again?: string): Promise<SharedRun> {
    const { parts, owner, closing } = this.#open
    const { how } = parts
    const id = runIdOf(asked.tenant, again)
    const known = await this.#get(id)
    if (known !== undefined) return known
    if (closing) throw new HttpError(503, 'server_ending', 'the server is ending', { retryAfterMs: 1000 })
    await checkPlan(plan, { config: how.config, ...(asked.mode === undefined ? {} : { mode: asked.mode }) })
    const { mostOpen = 1000 } = this.#options
    const open = await told(this.#link.name, () => this.#link.send('SCARD', this.#keys.open))
    if (Number(open) >= mostOpen)
      throw new HttpError(429, 'too_many_runs', `${mostOpen} runs are in progress`, { retryAfterMs: 5000 })
    const played = typeof how.simulate === 'object' ? { simulated: how.simulate.name } : {}
    const request: RunRequest = { ...asked, ...played, id, createdAt: Date.now() }
    // Anyone who brings it to its end settles what it came to.
    const admission = await account.admitRun(id, microUsdOf(request))
    let begun = false
    try {
      begun = await owner.submit(id, plan, { request: JSON.stringify(request), listed: asked.tenant })
    } catch (error) {
      // It may have been taken all the same: then its end settles it.
      if ((await this.#get(id).catch(() => undefined)) === undefined) admission.settle({ tokens: 0, microUsd: 0 })
      else admission.handOver()
      throw error
    }
    admission.handOver()
    const run = await this.#get(id)
    if (run !== undefined) return run
    throw new HttpError(503, 'run_lost', begun ? 'the server of the runs has lost it' : 'it was removed just now')
  }

  async find(id: string, tenant: string): Promise<SharedRun> {
    const run = /^r[0-9a-f]{24}$/.test(id) ? await this.#get(id) : undefined
    if (run !== undefined && run.request.tenant === tenant) return run
    throw new HttpError(404, 'run_not_found', 'there is no such run')
  }

  async list(
    tenant: string,
    limit: number,
    after: string | null,
  ): Promise<{ runs: readonly SharedRun[]; more: boolean }> {
    const listed = this.#keys.listed(tenant)
    const ids = await told(this.#link.name, async () => {
      const rank = after === null ? -1 : await this.#link.send('ZREVRANK', listed, after)
      if (rank === null) return []
      const from = Number(rank) + 1
      return (await this.#link.send('ZREVRANGE', listed, from, from + limit)) as string[]
    })
    const runs = await Promise.all(ids.slice(0, limit).map((id) => this.#get(id)))
    return { runs: runs.filter((run) => run !== undefined), more: ids.length > limit }
  }

  async cancel(run: SharedRun): Promise<void> {
    if (await this.#open.owner.cancel(run.request.id)) run.cancelled = true
  }

  async output(run: SharedRun, step: string): Promise<string | undefined> {
    const { outputs } = new RunKeys(run.request.id, this.#options.prefix)
    const text = await told(this.#link.name, () => this.#link.send('HGET', outputs, step))
    return typeof text === 'string' ? text : undefined
  }

  async report(run: SharedRun): Promise<RunReport | undefined> {
    // Who has heard of the end need not come again for its report.
    if (run.end === undefined && run.live.outcome !== undefined) await run.over(endMs)
    if (run.end === undefined || run.end.outcome === 'failed') return undefined
    const { request } = run
    const read = readOnly(this.#store(request.id))
    return (await this.#results.of(request.id, () => this.#resumption(request, read))).report
  }

  async journal({ request }: SharedRun): Promise<Uint8Array | undefined> {
    return (await this.#store(request.id).peek())?.bytes
  }

  isAway(error: unknown): boolean {
    return goesElsewhere(error, this.#link.name)
  }

  async close(patience: Promise<void>): Promise<void> {
    const { owner, folder } = this.#open
    this.#open.closing = true
    await Promise.race([patience, owner.drained()])
    await owner.close()
    await rm(folder, { recursive: true, force: true })
  }

  #store(id: string): RedisRunStore {
    return new RedisRunStore(this.#link, id, { prefix: this.#options.prefix })
  }

  /** As it is now. Undefined: there is none. Fails: host.io_failed. */
  async #get(id: string): Promise<SharedRun | undefined> {
    const run = this.#seen.get(id) ?? (await SharedRun.of(this.#link, new RunKeys(id, this.#options.prefix)))
    this.#seen.delete(id)
    if (run === undefined || !(await run.look())) return undefined
    this.#seen.set(id, run)
    for (const oldest of this.#seen.keys()) {
      if (this.#seen.size <= mostSeen) break
      this.#seen.delete(oldest)
    }
    return run
  }

  async #carry(job: OwnedJob): Promise<RunEnd | undefined> {
    const { parts } = this.#open
    const request = requestOf(job)
    const place = await JobEvents.open(this.#link, new RunKeys(job.id, this.#options.prefix), job)
    const live = new RunState()
    const kept = new KeptEvents(place, () => undefined)
    for (const event of kept.all) live.take(event)
    const account = parts.accounts.named(request.key)
    // Without the server of the limits it goes on later.
    const admission = await account?.goOn(job.id, microUsdOf(request)).catch(() => null)
    if (admission === null) return undefined
    try {
      const end = await this.#carried(job, { request, live, kept, place }, admission?.microUsd)
      if (end !== undefined) admission?.settle({ tokens: 0, microUsd: end.costMicroUsd })
      return end
    } finally {
      // Of a run that goes on elsewhere all is counted at its end.
      admission?.handOver()
      await kept.close()
    }
  }

  async #carried(
    job: OwnedJob,
    { request, live, kept, place }: { request: RunRequest; live: RunState; kept: KeptEvents; place: JobEvents },
    microUsd: number | undefined,
  ): Promise<RunEnd | undefined> {
    const end = await carryOut(
      {
        ...{ request, live, kept, microUsd, resumption: this.#resumption(request, job.journal) },
        deliver: (step, text, again) => job.deliver(step.id, text, again),
        plan: () => {
          mustBeSurvived(job, this.#options.mostLost ?? defaultMostLost)
          return Promise.resolve(Buffer.from(job.plan))
        },
        get handedOn() {
          return job.stopped && !job.cancelled
        },
        elsewhere: (error) => goesElsewhere(error, this.#link.name),
        get cancelled() {
          return job.cancelled
        },
        under: (run) => job.under(run),
        passing: (event) => place.passing(event),
      },
      this.#open.parts,
    )
    await kept.settled()
    return end
  }

  #resumption(request: RunRequest, journal: RunStore): RunPlanOptions {
    const { parts, folder } = this.#open
    return resumptionOf(request, parts.how, { journal, folder })
  }
}

/** One that was not asked of a server is nobody's. */
function requestOf({ id, request }: OwnedJob): RunRequest {
  return request === '' ? { id, key: '', tenant: '', createdAt: 0 } : (JSON.parse(request) as RunRequest)
}

interface Opened {
  readonly parts: RunParts
  readonly owner: RunOwner
  /** Empty: what plans name is not there. */
  readonly folder: string
  closing?: boolean
}

/** The events of a run, as its owner writes them. */
class JobEvents implements EventPlace {
  readonly strict = true
  readonly events: RunEvent[]
  readonly #link: RedisLink
  readonly #keys: RunKeys
  readonly #job: OwnedJob
  readonly #told = new Map<string, number>()

  private constructor(link: RedisLink, keys: RunKeys, job: OwnedJob, events: RunEvent[]) {
    this.#link = link
    this.#keys = keys
    this.#job = job
    this.events = events
  }

  static async open(link: RedisLink, keys: RunKeys, job: OwnedJob): Promise<JobEvents> {
    const texts = (await told(link.name, () => link.send('LRANGE', keys.events, 0, -1))) as string[]
    return new JobEvents(
      link,
      keys,
      job,
      texts.map((text) => JSON.parse(text) as RunEvent),
    )
  }

  async append(events: readonly RunEvent[], at: number): Promise<void> {
    try {
      await this.#job.tell(
        at,
        events.map((event) => JSON.stringify(event)),
      )
    } catch (error) {
      // Another resumes the run.
      this.#job.stop()
      throw error
    }
  }

  /** Of a call now and then, and to anyone who listens now. */
  passing(event: RunEvent): void {
    const { call = '' } = event as { call?: string | number }
    const now = performance.now()
    if (now - (this.#told.get(String(call)) ?? -Infinity) < passingEveryMs) return
    this.#told.set(String(call), now)
    this.#link.send('PUBLISH', this.#keys.told, JSON.stringify({ passing: event })).catch(() => undefined)
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

/** A run that is over, to be read by as many as like to. */
function readOnly(store: RunStore): RunStore {
  const never = (): never => {
    throw new AetherflowError('host.journal', store.name, 'the run is over')
  }
  return {
    name: store.name,
    peek: () => store.peek(),
    open: async () => ({
      ...{ kept: await store.peek(), begin: never, setAside: never },
      resume: () => Promise.resolve(new MemoryJournal()),
      aside: () => Promise.resolve(undefined),
      close: () => Promise.resolve(),
      discard: () => Promise.resolve(),
    }),
  }
}
