/**
 * Runs that no machine has to survive: submitted to a server, carried out by one of the processes that own runs, and taken over by another
 * when that is gone, at the latest `leaseMs + lookMs` after its last sign of life.
 *
 *   const owner = new RunOwner(link, { how: { clients: workers, limits } })
 *   await owner.submit('run-7', plan)              from any process
 *   await owner.ended('run-7')                     { outcome: 'ok', outputs: … }
 */
import { AetherflowError } from '../../bindings/errors.js'
import type { RunEvent } from '../../bindings/events.js'
import { runPlan, type PlanRun, type RunPlanOptions } from '../index.js'
import { keysUnder } from './address.js'
import { messageOf, redisScript, runScript, type RedisLink } from './link.js'
import { defaultLeaseMs, RedisRunStore } from './run-store.js'

export interface RunOwnerOptions {
  /** How every run is carried out. */
  readonly how?: Omit<RunPlanOptions, 'journal' | 'resume' | 'reuse' | 'onEvent' | 'signal'> | undefined
  readonly prefix?: string | undefined
  /** As of `RedisRunStore`. Default 10000. */
  readonly leaseMs?: number | undefined
  /** How often runs without an owner are looked for, ms. Default 2000. */
  readonly lookMs?: number | undefined
  /** Most runs at once in this process; 0: it only submits and asks. Default 20. */
  readonly most?: number | undefined
  readonly onEvent?: ((run: string, event: RunEvent) => void) | undefined
  /** Told of runs that could not be carried out, and of a server that does not answer. */
  readonly onProblem?: ((run: string, problem: string) => void) | undefined
}

export interface RunEnd {
  /** `failed`: it could not be carried out; `why` says more. */
  readonly outcome: string
  readonly why?: string
  readonly outputs: Readonly<Record<string, string>>
}

/** KEYS: ends, open runs. ARGV: id, end. The first word stands: an owner that was taken for gone may come late. */
const endScript = redisScript(`
redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2])
return redis.call('SREM', KEYS[2], ARGV[1])
`)

export class RunOwner {
  readonly #link: RedisLink
  readonly #options: RunOwnerOptions
  readonly #plans: string
  readonly #open: string
  readonly #ends: string
  readonly #news: string
  readonly #mine = new Map<string, PlanRun | undefined>()
  readonly #under = new Set<Promise<void>>()
  #timer: NodeJS.Timeout | undefined
  #listening: Promise<() => Promise<void>> | undefined
  #closed = false

  constructor(link: RedisLink, options: RunOwnerOptions = {}) {
    this.#link = link
    this.#options = options
    const key = keysUnder(options.prefix)
    this.#plans = key('runs:plans')
    this.#open = key('runs:open')
    this.#ends = key('runs:ends')
    this.#news = key('runs:news')
    if (options.most === 0) return
    // A new run need not wait for the next look.
    this.#listening = link.listen(this.#news, () => void this.#look())
    this.#listening.catch(() => undefined)
    this.#nextLook()
  }

  /** Again with the same id: nothing, whatever the plan. Fails: host.usage for the id, host.io_failed. */
  async submit(id: string, plan: string | object): Promise<void> {
    this.#store(id)
    await this.#told(async () => {
      const text = typeof plan === 'string' ? plan : JSON.stringify(plan)
      if ((await this.#link.send('HSETNX', this.#plans, id, text)) === 0) return
      await this.#link.send('SADD', this.#open, id)
      await this.#link.send('PUBLISH', this.#news, id)
    })
  }

  /** Undefined: it is under way, waits for an owner, or is none. Fails: host.io_failed. */
  async end(id: string): Promise<RunEnd | undefined> {
    const text = await this.#told(() => this.#link.send('HGET', this.#ends, id))
    return typeof text === 'string' ? (JSON.parse(text) as RunEnd) : undefined
  }

  /** Ids of the runs that have come to no end. Fails: host.io_failed. */
  async underWay(): Promise<string[]> {
    return ((await this.#told(() => this.#link.send('SMEMBERS', this.#open))) as string[]).sort()
  }

  /** Lets its runs go: another owner goes on with them. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await (
      await this.#listening?.catch(() => undefined)
    )?.()
    for (const run of this.#mine.values()) run?.cancel()
    await Promise.all([...this.#under])
  }

  #store(id: string): RedisRunStore {
    return new RedisRunStore(this.#link, id, {
      prefix: this.#options.prefix,
      leaseMs: this.#options.leaseMs ?? defaultLeaseMs,
    })
  }

  #nextLook(): void {
    this.#timer = setTimeout(() => {
      void this.#look().finally(() => this.#closed || this.#nextLook())
    }, this.#options.lookMs ?? 2000)
    this.#timer.unref()
  }

  /** Takes what has no owner, as far as there is room. Never rejects. */
  async #look(): Promise<void> {
    const { most = 20 } = this.#options
    try {
      for (const id of await this.underWay()) {
        if (this.#closed || this.#mine.size >= most) return
        if (this.#mine.has(id) || (await this.#store(id).owned())) continue
        this.#take(id)
      }
    } catch (error) {
      this.#options.onProblem?.('', messageOf(error))
    }
  }

  #take(id: string): void {
    if (this.#mine.has(id)) return
    this.#mine.set(id, undefined)
    const work: Promise<void> = this.#carryOut(id)
      .catch((error: unknown) => this.#options.onProblem?.(id, messageOf(error)))
      .finally(() => {
        this.#mine.delete(id)
        this.#under.delete(work)
      })
    this.#under.add(work)
  }

  async #carryOut(id: string): Promise<void> {
    const plan = await this.#link.send('HGET', this.#plans, id)
    if (typeof plan !== 'string') return
    const { how, onEvent } = this.#options
    try {
      const run = runPlan(Buffer.from(plan), {
        ...how,
        ...{ journal: this.#store(id), resume: true },
        onEvent: (event) => onEvent?.(id, event),
      })
      this.#mine.set(id, run)
      const { outcome, outputs } = await run
      if (!this.#closed) await this.#ended(id, { outcome, outputs: Object.fromEntries(outputs) })
    } catch (error) {
      const code = error instanceof AetherflowError ? error.code : ''
      // Another has it, or the server is away: whoever owns it next goes on.
      if (this.#closed || code === 'host.run_locked' || code === 'host.io_failed') throw error
      await this.#ended(id, { outcome: 'failed', why: messageOf(error), outputs: {} })
      throw error
    }
  }

  async #ended(id: string, end: RunEnd): Promise<void> {
    await runScript(this.#link, endScript, [this.#ends, this.#open], [id, JSON.stringify(end)])
  }

  async #told<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw error instanceof AetherflowError
        ? error
        : new AetherflowError('host.io_failed', this.#link.name, messageOf(error))
    }
  }
}
