/**
 * Runs that no machine has to survive: submitted to a server, carried out by one of the processes that own runs, and taken over by another
 * when that is gone, at the latest `leaseMs + lookMs` after its last sign of life.
 *
 *   const owner = new RunOwner(link, { how: { clients: workers, limits } })
 *   await owner.submit('run-7', plan)              from any process
 *   await owner.ended('run-7')                     { outcome: 'ok', outputs: … }
 */
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { AetherflowError } from '../../bindings/errors.js'
import type { RunEvent } from '../../bindings/events.js'
import { runPlan, type RunPlanOptions } from '../index.js'
import { Alive } from './alive.js'
import { messageOf, runScript, type RedisArgument, type RedisLink, type RedisScript } from './link.js'
import { goesElsewhere, mustBeSurvived, OwnedJob } from './owned-job.js'
import { beginScript, cancelScript, endScript, leaveScript, lookScript, submitScript } from './owner-scripts.js'
import { RunKeys, RunsKeys } from './run-keys.js'
import { defaultLeaseMs, RedisRunStore, told, type OwnedRedisRun } from './run-store.js'

export interface RunOwnerOptions {
  /** How every run is carried out. */
  readonly how?: Omit<RunPlanOptions, 'journal' | 'resume' | 'reuse' | 'onEvent' | 'signal' | 'deliver'> | undefined
  readonly prefix?: string | undefined
  /** As of `RedisRunStore`. Default 10000. */
  readonly leaseMs?: number | undefined
  /** How often runs without an owner are looked for, ms. Default 2000. */
  readonly lookMs?: number | undefined
  /** Most runs at once in this process; 0: it only submits and asks. Default 20. */
  readonly most?: number | undefined
  /** A run fails whose owners were lost more often than this in a row, without another step done. Default 4. */
  readonly mostLost?: number | undefined
  /** Of a run that is over everything goes after so long, ms. Default a week. */
  readonly keepMs?: number | undefined
  readonly onEvent?: ((run: string, event: RunEvent) => void) | undefined
  /** Told of runs that could not be carried out, and of a server that does not answer. */
  readonly onProblem?: ((run: string, problem: string) => void) | undefined
  /** Carries a run out in place of `how`. What it resolves to is the run's end; undefined: it goes on elsewhere. */
  readonly carry?: ((job: OwnedJob) => Promise<object | undefined>) | undefined
}

export interface RunEnd {
  /** `failed`: it could not be carried out; `why` says more. */
  readonly outcome: string
  readonly why?: string
  readonly outputs: Readonly<Record<string, string>>
}

export interface Submission {
  /** For anyone who carries it out. */
  readonly request?: string | undefined
  /** Lists it under this name. */
  readonly listed?: string | undefined
}

/** How an owner shows itself. */
export interface OwnerState {
  readonly id: string
  readonly host: string
  readonly pid: number
  /** Runs that it carries out. */
  readonly runs: number
  readonly most: number
  /** Runs that it brought to their end. */
  readonly done: number
  /** ms since 1970. */
  readonly since: number
}

/** How often anyone who waits for an end looks for it, ms. */
const lookEveryMs = 2000
const weekMs = 7 * 24 * 3_600_000
export const defaultMostLost = 4

export class RunOwner {
  readonly #link: RedisLink
  readonly #options: RunOwnerOptions
  readonly #keys: RunsKeys
  readonly #id = randomBytes(6).toString('hex')
  readonly #since = Date.now()
  readonly #mine = new Map<string, OwnedJob | undefined>()
  readonly #under = new Set<Promise<void>>()
  readonly #alive: Alive
  #done = 0
  #away = false
  #timer: NodeJS.Timeout | undefined
  #listening: Promise<() => Promise<void>> | undefined
  #draining = false
  #closed = false

  constructor(link: RedisLink, options: RunOwnerOptions = {}) {
    this.#link = link
    this.#options = options
    this.#keys = new RunsKeys(options.prefix)
    this.#alive = new Alive(link, this.#keys.owners, () => this.state())
    if (this.#most === 0) return
    // A new run need not wait for the next look.
    this.#listening = link.listen(this.#keys.news, (news) => this.#hears(news))
    this.#listening.catch(() => undefined)
    void this.#alive.show()
    this.#nextLook()
  }

  get #most(): number {
    return this.#options.most ?? 20
  }

  /** Runs that this process carries out. */
  get running(): number {
    return this.#mine.size
  }

  state(): OwnerState {
    return {
      ...{ id: this.#id, host: hostname(), pid: process.pid, since: this.#since },
      ...{ runs: this.#mine.size, most: this.#most, done: this.#done },
    }
  }

  /** False: there is one of that id, whatever its plan, and nothing changes. Fails: host.usage for the id, host.io_failed. */
  async submit(id: string, plan: string | object, { request = '', listed }: Submission = {}): Promise<boolean> {
    this.#store(id)
    const text = typeof plan === 'string' ? plan : JSON.stringify(plan)
    const { open, news, base } = this.#keys
    const keys = [new RunKeys(id, this.#options.prefix).job, open, news]
    if (listed !== undefined) keys.push(this.#keys.listed(listed))
    return (await this.#does(submitScript, keys, [id, text, request, base])) === 1
  }

  /** Undefined: it is under way, waits for an owner, or is none. Fails: host.io_failed. */
  async end(id: string): Promise<RunEnd | undefined> {
    const { job, outputs } = new RunKeys(id, this.#options.prefix)
    return told(this.#link.name, async () => {
      const text = await this.#link.send('HGET', job, 'end')
      if (typeof text !== 'string') return undefined
      const flat = (await this.#link.send('HGETALL', outputs)) as string[]
      const pairs = flat.flatMap((name, at) => (at % 2 === 0 ? [[name, flat[at + 1] ?? ''] as const] : []))
      return { ...(JSON.parse(text) as Omit<RunEnd, 'outputs'>), outputs: Object.fromEntries(pairs) }
    })
  }

  /** Resolves when it is over; while the server is away it waits. Of a run that there is not it never does. */
  async ended(id: string): Promise<RunEnd> {
    let wake = (): void => undefined
    const look = (): void => wake()
    const channel = new RunKeys(id, this.#options.prefix).told
    const stop = await this.#link.listen(channel, look).catch(() => undefined)
    const stopReturn = this.#link.onReturn(look)
    // A message may be lost with its connection, or nobody listened.
    const timer = setInterval(look, lookEveryMs)
    try {
      for (;;) {
        const news = new Promise<void>((resolve) => (wake = resolve))
        const end = await this.end(id).catch(() => undefined)
        if (end !== undefined) return end
        await news
      }
    } finally {
      clearInterval(timer)
      stopReturn()
      await stop?.().catch(() => undefined)
    }
  }

  /** Its owner ends it; what is done is kept. False: it is over, or is none. Fails: host.io_failed. */
  async cancel(id: string): Promise<boolean> {
    const { job } = new RunKeys(id, this.#options.prefix)
    return (await this.#does(cancelScript, [job, this.#keys.news], [id])) === 1
  }

  /** Ids of the runs that have come to no end. Fails: host.io_failed. */
  async underWay(): Promise<string[]> {
    return ((await told(this.#link.name, () => this.#link.send('SMEMBERS', this.#keys.open))) as string[]).sort()
  }

  /** Takes no more runs, and resolves when it carries out none any more. */
  async drained(): Promise<void> {
    this.#draining = true
    await Promise.all([...this.#under])
  }

  /** Lets its runs go: another owner resumes them. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await (
      await this.#listening?.catch(() => undefined)
    )?.()
    for (const job of this.#mine.values()) job?.stop()
    await this.drained()
    if (this.#most > 0) await this.#alive.end()
  }

  #store(id: string): RedisRunStore {
    const { prefix, leaseMs = defaultLeaseMs } = this.#options
    return new RedisRunStore(this.#link, id, { prefix, leaseMs })
  }

  #does(script: RedisScript, keys: readonly string[], values: readonly RedisArgument[]): Promise<unknown> {
    return told(this.#link.name, () => runScript(this.#link, script, keys, values))
  }

  #hears(news: string): void {
    const id = news.slice(1)
    if (news.startsWith('x')) this.#mine.get(id)?.cancel()
    else if (this.#mine.size < this.#most) this.#take(id)
  }

  #nextLook(): void {
    this.#timer = setTimeout(() => {
      void this.#look().finally(() => this.#closed || this.#nextLook())
    }, this.#options.lookMs ?? 2000)
    this.#timer.unref()
  }

  /** Takes what has no owner, as far as there is room. Never rejects. */
  async #look(): Promise<void> {
    const { open, base } = this.#keys
    try {
      const mine = [...this.#mine.keys()]
      const values = [base, Math.max(0, this.#most - mine.length), ...mine]
      const [free, stop] = (await this.#does(lookScript, [open], values)) as [string[], string[]]
      this.#away = false
      for (const id of stop) if (this.#mine.get(id)?.cancelled === false) this.#mine.get(id)?.cancel()
      for (const id of free) if (this.#mine.size < this.#most) this.#take(id)
    } catch (error) {
      if (!this.#away) this.#options.onProblem?.('', messageOf(error))
      this.#away = true
    }
  }

  #take(id: string): void {
    if (this.#closed || this.#draining || this.#mine.has(id)) return
    this.#mine.set(id, undefined)
    const work: Promise<void> = this.#own(id)
      .catch((error: unknown) => this.#options.onProblem?.(id, messageOf(error)))
      .finally(() => {
        this.#mine.delete(id)
        this.#under.delete(work)
        if (!this.#closed) void this.#alive.show()
      })
    this.#under.add(work)
  }

  async #own(id: string): Promise<void> {
    const store = this.#store(id)
    let owned: OwnedRedisRun
    try {
      owned = await store.open()
    } catch (error) {
      // Another was quicker.
      if (error instanceof AetherflowError && error.code === 'host.run_locked') return
      throw error
    }
    try {
      await this.#begin(id, store, owned)
    } finally {
      await owned.close()
      // Anyone who has room need not wait for his next look.
      if (this.#closed) await this.#link.send('PUBLISH', this.#keys.news, `+${id}`).catch(() => undefined)
    }
  }

  async #begin(id: string, store: RedisRunStore, owned: OwnedRedisRun): Promise<void> {
    if (this.#closed) return
    const keys = new RunKeys(id, this.#options.prefix)
    const { head, job: place, outputs } = keys
    const process_ = `${hostname()}:${process.pid}`
    const row = await this.#does(beginScript, [head, place, outputs, this.#keys.open], [owned.epoch, id, process_])
    const [plan, request, cancelled, lost, done] = (row ?? []) as [string?, string?, string?, number?, string[]?]
    if (plan === undefined) return
    const facts = { id, plan, request: request ?? '', cancelled: cancelled === '1', lost: lost ?? 0, done: done ?? [] }
    const job = new OwnedJob(facts, this.#link, { store, owned, keys })
    this.#mine.set(id, job)
    if (this.#closed) job.stop()
    void this.#alive.show()
    try {
      const end = await this.#ended(job)
      if (end === undefined) return await this.#leave(keys, owned)
      const { open } = this.#keys
      const all = [head, place, open, keys.told, outputs, keys.events, keys.journal]
      const values = [owned.epoch, id, JSON.stringify(end), this.#options.keepMs ?? weekMs]
      if ((await this.#does(endScript, all, values)) === 1) this.#done += 1
    } catch (error) {
      await this.#leave(keys, owned)
      throw error
    }
  }

  /** It is no loss of its owner when another goes on. Never rejects. */
  async #leave({ head, job }: RunKeys, { epoch }: OwnedRedisRun): Promise<void> {
    await runScript(this.#link, leaveScript, [head, job], [epoch]).catch(() => undefined)
  }

  /** Undefined: it goes on elsewhere. */
  async #ended(job: OwnedJob): Promise<object | undefined> {
    try {
      if (this.#options.carry !== undefined) return await this.#options.carry(job)
      mustBeSurvived(job, this.#options.mostLost ?? defaultMostLost)
      const run = runPlan(Buffer.from(job.plan), {
        ...this.#options.how,
        ...{ journal: job.journal, resume: true },
        deliver: (step, text, again) => job.deliver(step.id, text, again),
        onEvent: (event) => this.#options.onEvent?.(job.id, event),
      })
      job.under(run)
      const { outcome } = await run
      // It was stopped here, not by its requester.
      return outcome === 'cancelled' && !job.cancelled ? undefined : { outcome }
    } catch (error) {
      if (job.stopped || goesElsewhere(error, this.#link.name)) throw error
      this.#options.onProblem?.(job.id, messageOf(error))
      return { outcome: 'failed', why: messageOf(error) }
    }
  }
}
