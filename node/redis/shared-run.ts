/** A run on the server as any process sees it: what was asked for, what it has told so far, and what it tells from now on. */
import type { RunEvent } from '../../bindings/events.js'
import { RunState } from '../serve/run-state.js'
import type { RunEnd, RunRequest, RunWatcher, ServedRun } from '../serve/served-runs.js'
import type { RedisLink } from './link.js'
import type { RunKeys } from './run-keys.js'
import { told } from './run-store.js'

/** A message may be lost with its connection: anyone who watches also looks this often, ms. */
const lookEveryMs = 5000

const fields = ['request', 'at', 'end', 'endedAt', 'cancelled', 'owner'] as const

/** What owners say on the channel of a run. `at`: how many events there were before these. */
interface News {
  readonly at?: number
  readonly events?: readonly RunEvent[]
  readonly passing?: RunEvent
}

export class SharedRun implements ServedRun {
  request: RunRequest
  end: RunEnd | undefined
  cancelled = false
  owner: string | undefined
  live = new RunState()
  readonly #link: RedisLink
  readonly #keys: RunKeys
  #events: RunEvent[] = []
  readonly #watchers = new Set<RunWatcher>()
  #stop: Promise<() => Promise<void>> | undefined

  constructor(link: RedisLink, keys: RunKeys, request: RunRequest) {
    this.#link = link
    this.#keys = keys
    this.request = request
  }

  /** Undefined: there is none of that id, or it was not asked of a server. Fails: host.io_failed. */
  static async of(link: RedisLink, keys: RunKeys): Promise<SharedRun | undefined> {
    const text = await told(link.name, () => link.send('HGET', keys.job, 'request'))
    const request = typeof text === 'string' && text !== '' ? (JSON.parse(text) as RunRequest) : undefined
    return request && new SharedRun(link, keys, request)
  }

  /** Reads what is new. False: it is there no longer. Fails: host.io_failed. */
  async look(): Promise<boolean> {
    const from = this.#events.length
    const { job, events } = this.#keys
    // In this order: a run that has ended tells nothing more.
    const [row, count, texts] = (await told(this.#link.name, () =>
      Promise.all([
        this.#link.send('HMGET', job, ...fields),
        this.#link.send('LLEN', events),
        this.#link.send('LRANGE', events, from, -1),
      ]),
    )) as [(string | null)[], number, string[]]
    const [request, at, end, endedAt, cancelled, owner] = row
    if (request === null) {
      this.#isOver()
      return false
    }
    // The server has lost what it had told: its readers begin again.
    if (count < Math.min(from, this.#events.length)) this.#forget()
    else
      this.#take(
        from,
        texts.map((text) => JSON.parse(text) as RunEvent),
      )
    // By the server's clock, whichever process it was.
    this.request = { ...this.request, createdAt: Number(at) }
    this.cancelled = cancelled !== null
    this.owner = owner ?? undefined
    if (end !== null) this.end = endOf(end ?? '', Number(endedAt), this.live)
    if (this.end !== undefined) this.#isOver()
    return true
  }

  async events(): Promise<readonly RunEvent[]> {
    await this.look()
    return [...this.#events]
  }

  async state(): Promise<RunState> {
    await this.look()
    return this.live
  }

  async watch(watcher: RunWatcher): Promise<() => void> {
    this.#watchers.add(watcher)
    this.#stop ??= this.#listen()
    const stop = (): void => {
      this.#watchers.delete(watcher)
      if (this.#watchers.size > 0) return
      const listening = this.#stop
      this.#stop = undefined
      void listening?.then((end) => end()).catch(() => undefined)
    }
    try {
      await told(this.#link.name, async () => void (await this.#stop))
      return stop
    } catch (error) {
      stop()
      throw error
    }
  }

  /** Resolves when it is over, at the latest after so long, ms. */
  async over(mostMs: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    let stop = (): void => undefined
    await new Promise<void>((resolve) => {
      timer = setTimeout(resolve, mostMs)
      const watcher = { take: () => undefined, passing: () => undefined, over: resolve }
      this.watch(watcher).then(async (end) => {
        stop = end
        await this.look()
        if (this.end !== undefined) resolve()
      }, resolve)
    })
    clearTimeout(timer)
    stop()
  }

  async #listen(): Promise<() => Promise<void>> {
    const look = (): void => void this.look().catch(() => undefined)
    const end = await this.#link.listen(this.#keys.told, (message) => this.#hears(message, look))
    const timer = setInterval(look, lookEveryMs)
    timer.unref()
    const stopReturn = this.#link.onReturn(look)
    return async () => {
      clearInterval(timer)
      stopReturn()
      await end()
    }
  }

  #hears(message: string, look: () => void): void {
    const { at, events, passing } = JSON.parse(message) as News
    if (passing !== undefined) return void this.#tell((watcher) => watcher.passing(passing))
    // After a gap, or at the end, all is read.
    if (at === undefined || events === undefined || at > this.#events.length) return look()
    this.#take(at, events)
  }

  #take(at: number, events: readonly RunEvent[]): void {
    for (const event of events.slice(Math.max(0, this.#events.length - at))) {
      const id = this.#events.push(event)
      this.live.take(event)
      this.#tell((watcher) => watcher.take({ id, event }))
    }
  }

  #forget(): void {
    this.#events = []
    this.live = new RunState()
    this.#tell((watcher) => watcher.over())
  }

  #isOver(): void {
    this.#tell((watcher) => watcher.over())
  }

  #tell(what: (watcher: RunWatcher) => void): void {
    for (const watcher of [...this.#watchers]) what(watcher)
  }
}

/** Of one that its owners did not survive only the words are there. */
function endOf(text: string, endedAt: number, live: RunState): RunEnd {
  const end = JSON.parse(text) as Partial<RunEnd>
  return { costMicroUsd: live.costMicroUsd, outcome: 'failed', ...end, endedAt }
}
