/**
 * The runs of a server. In memory: those under way, three words of each other one, and a few that were asked for last; all else is in
 * their folders, and is read from there.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunEvent } from '../../bindings/events.js'
import { makeFolder } from '../make-folder.js'
import { ioError } from '../run/outputs.js'
import { HttpError } from './http-error.js'
import { readEvents, type KeptEvents } from './kept-events.js'
import { RunState } from './run-state.js'
import type { RunEnd, RunRequest, RunWatcher, ServedRun } from './served-runs.js'

export class Run implements ServedRun {
  readonly request: RunRequest
  readonly folder: string
  /** Of a run under way. */
  readonly live = new RunState()
  readonly #watchers = new Set<RunWatcher>()
  #read: Promise<RunState> | undefined
  end: RunEnd | undefined
  kept: KeptEvents | undefined
  cancelled = false

  constructor(request: RunRequest, folder: string) {
    this.request = request
    this.folder = folder
  }

  get eventsPath(): string {
    return join(this.folder, 'events.jsonl')
  }

  async events(): Promise<readonly RunEvent[]> {
    return this.kept?.all ?? readEvents(this.eventsPath)
  }

  async state(): Promise<RunState> {
    if (this.end === undefined) return this.live
    this.#read ??= readEvents(this.eventsPath).then((events) => {
      const state = new RunState()
      for (const event of events) state.take(event)
      return state
    })
    return this.#read
  }

  watch(watcher: RunWatcher): Promise<() => void> {
    this.#watchers.add(watcher)
    return Promise.resolve(() => void this.#watchers.delete(watcher))
  }

  tell(what: (watcher: RunWatcher) => void): void {
    for (const watcher of [...this.#watchers]) what(watcher)
  }
}

/** Most runs that are over in memory. */
const mostRecent = 50

interface Entry {
  readonly id: string
  readonly tenant: string
  readonly createdAt: number
}

export class Registry {
  readonly #folder: string
  readonly #entries = new Map<string, Entry>()
  /** Of each tenant, the oldest first. */
  readonly #byTenant = new Map<string, Entry[]>()
  readonly #live = new Map<string, Run>()
  /** Runs that are over, the one that was asked for last at the end. */
  readonly #recent = new Map<string, Run>()

  constructor(folder: string) {
    this.#folder = folder
  }

  /** Reads what is there; resolves to the runs that had come to no end. Fails: host.io_failed. */
  async open(): Promise<readonly Run[]> {
    await makeFolder(this.#folder, 0o700).catch((error: unknown) => Promise.reject(ioError(this.#folder, error)))
    const names = (await readdir(this.#folder)).filter((name) => /^r[0-9a-f]{24}$/.test(name))
    const found: Entry[] = []
    for (const name of names) {
      const run = await readRun(join(this.#folder, name))
      if (run === undefined) continue
      found.push(entryOf(run))
      if (run.end === undefined) this.#live.set(name, run)
    }
    for (const entry of found.sort((one, other) => one.createdAt - other.createdAt)) this.#note(entry)
    return [...this.#live.values()]
  }

  /** One that is under way; at once, unlike `get`. */
  underWay(id: string): Run | undefined {
    return this.#live.get(id)
  }

  /** The number of runs that are over and in memory whole; for tests. */
  get held(): number {
    return this.#recent.size
  }

  folderOf(id: string): string {
    return join(this.#folder, id)
  }

  add(run: Run): void {
    this.#live.set(run.request.id, run)
    this.#note(entryOf(run))
  }

  /** It was not begun after all. */
  remove({ request: { id, tenant } }: Run): void {
    this.#live.delete(id)
    this.#entries.delete(id)
    this.#byTenant.set(
      tenant,
      this.#of(tenant).filter((entry) => entry.id !== id),
    )
  }

  /** It is over: what is asked of it from now on may come from its folder. */
  settle(run: Run): void {
    this.#live.delete(run.request.id)
    this.#hold(run)
  }

  /** Undefined: there is none of that id. Fails: host.io_failed. */
  async get(id: string): Promise<Run | undefined> {
    const entry = this.#entries.get(id)
    if (entry === undefined) return undefined
    const there = this.#live.get(id) ?? this.#recent.get(id)
    const run = there ?? (await readRun(this.folderOf(id)))
    if (run?.end !== undefined) this.#hold(run)
    return run
  }

  /** Throws a HttpError of status 404: another tenant's run does not exist for this one. */
  async find(id: string, tenant: string): Promise<Run> {
    const run = this.#entries.get(id)?.tenant === tenant ? await this.get(id) : undefined
    if (run !== undefined) return run
    throw new HttpError(404, 'run_not_found', 'there is no such run')
  }

  /** The runs of a tenant, the latest first, from the one after `after` on; and whether there are more. */
  async list(tenant: string, limit: number, after: string | null): Promise<{ runs: readonly Run[]; more: boolean }> {
    const all = this.#of(tenant)
    const from =
      after === null
        ? all.length
        : Math.max(
            0,
            all.findIndex(({ id }) => id === after),
          )
    const wanted = all.slice(Math.max(0, from - limit), from).reverse()
    const runs: Run[] = []
    for (const { id } of wanted) {
      const run = await this.get(id)
      // Its folder was removed since.
      if (run !== undefined) runs.push(run)
    }
    return { runs, more: from > limit }
  }

  #of(tenant: string): Entry[] {
    return this.#byTenant.get(tenant) ?? []
  }

  #note(entry: Entry): void {
    this.#entries.set(entry.id, entry)
    const own = this.#of(entry.tenant)
    own.push(entry)
    this.#byTenant.set(entry.tenant, own)
  }

  #hold(run: Run): void {
    const { id } = run.request
    this.#recent.delete(id)
    this.#recent.set(id, run)
    for (const oldest of this.#recent.keys()) {
      if (this.#recent.size <= mostRecent) break
      this.#recent.delete(oldest)
    }
  }
}

const entryOf = ({ request: { id, tenant, createdAt } }: Run): Entry => ({ id, tenant, createdAt })

async function readRun(folder: string): Promise<Run | undefined> {
  const request = await readWhole<RunRequest>(join(folder, 'request.json'))
  if (request === undefined) return undefined
  const run = new Run(request, folder)
  run.end = await readWhole<RunEnd>(join(folder, 'end.json'))
  return run
}

async function readWhole<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T
  } catch {
    return undefined
  }
}
