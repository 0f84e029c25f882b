/**
 * Limits that processes of many machines share, on a Redis server: places, windows, waits, circuit breakers, by the same rules as
 * those of one process (core/limit/authority.hpp), decided by the server and by its clock.
 *
 *   const limits = new RedisAuthority(await connectRedis('redis://cache.example'))
 *   await runPlan(plan, { limits })
 *
 * Never more than a limit, also when this costs time: while the server does not answer, no call leaves; when it comes back without its
 * memory, groups stay shut for a minute. What a process held that is gone comes back after its lease.
 */
import { randomBytes } from 'node:crypto'
import { limitWindows, type Refusal } from '../../bindings/generated/wire.js'
import { Measured, type MeasuredCall, type MeasuredModel } from '../../bindings/measured.js'
import type {
  GroupLimits,
  LimitAuthority,
  LimitEnd,
  LimitMember,
  LimitQuestion,
  LimitRefusal,
  LimitSeen,
} from '../../bindings/ports.js'
import { keysUnder } from './address.js'
import { isFinal, isUnwell } from './failures.js'
import { limitsScript } from './limits-script.js'
import { runScript, type RedisArgument, type RedisLink } from './link.js'

export interface RedisAuthorityOptions {
  /** What the names of its keys begin with; anyone who has the same shares limits. Default `aetherflow`. */
  readonly prefix?: string | undefined
  /** So long after its last sign of life a process counts as gone, ms. Default 15000. */
  readonly leaseMs?: number | undefined
  /** Told when the server stops answering, and when it answers again. */
  readonly onProblem?: ((problem: string) => void) | undefined
}

/** While the server does not answer, a call that asks comes again after so long, ms. */
const retryMs = 1000
/** Anyone who waits to be told of room asks again by himself after so long, ms: a message can be lost with its connection. */
const patienceMs = 5000
const longestTimerMs = 2 ** 31 - 1

/** A group as it is now, for all processes together. */
export interface SharedGroupState {
  readonly name: string
  readonly inFlight: number
  readonly waiting: number
  readonly breaker: 'closed' | 'open' | 'half_open'
}

export class RedisAuthority implements LimitAuthority {
  readonly #link: RedisLink
  readonly #base: string
  readonly #options: RedisAuthorityOptions
  readonly #owner = randomBytes(8).toString('hex')
  readonly #measured = new Measured()
  readonly #members = new Map<string, Member>()
  /** Ends of calls that the server has not taken yet: told again until it has. */
  #owed: (readonly RedisArgument[])[] = []
  #numbers = 0
  /** Another one after the server has lost its memory. */
  #born: string | undefined
  #beat: NodeJS.Timeout | undefined
  #tick: NodeJS.Timeout | undefined
  #tickAt = Infinity
  #listening: Promise<() => Promise<void>> | undefined
  #stopReturn: (() => void) | undefined
  #away = false
  #over = false
  readonly #underWay = new Set<Promise<unknown>>()

  constructor(link: RedisLink, options: RedisAuthorityOptions = {}) {
    this.#link = link
    this.#options = options
    this.#base = keysUnder(options.prefix)('limits')
  }

  get leaseMs(): number {
    return this.#options.leaseMs ?? 15_000
  }

  join(groups: readonly GroupLimits[], freed: (group: number) => void): LimitMember {
    this.#begin()
    const member = new Member(this, `${this.#owner}.${(this.#numbers += 1)}`, groups, freed)
    this.#members.set(member.id, member)
    member.joins()
    return member
  }

  learn(key: string, call: MeasuredCall): void {
    this.#measured.learn(key, call)
  }

  measured(key: string): MeasuredModel | undefined {
    return this.#measured.of(key)
  }

  /** Fails with whatever the server or the connection says. */
  async groups(): Promise<SharedGroupState[]> {
    const [, rows] = (await this.act('state', [])) as [string, [string, number, number, number][]]
    return rows.map(([name, inFlight, waiting, breaker]) => ({
      ...{ name: name.split(' ')[0] ?? '', inFlight, waiting },
      breaker: breaker === 0 ? 'closed' : breaker === 1 ? 'open' : 'half_open',
    }))
  }

  /** Its members leave; what they hold comes back. The link stays open. Idempotent. */
  async close(): Promise<void> {
    for (const member of [...this.#members.values()]) member.leave()
    this.#over = true
    clearTimeout(this.#beat)
    clearTimeout(this.#tick)
    this.#stopReturn?.()
    await Promise.allSettled([...this.#underWay])
    await (
      await this.#listening?.catch(() => undefined)
    )?.()
  }

  #begin(): void {
    if (this.#beat !== undefined || this.#over) return
    this.#listening = this.#link.listen(`${this.#base}:freed:${this.#owner}`, (message) => {
      const [id = '', ...name] = message.split(' ')
      this.#members.get(id)?.hears(name.join(' '))
    })
    this.#listening.catch(() => undefined)
    this.#stopReturn = this.#link.onReturn(() => void this.#alive())
    this.#nextBeat()
  }

  #nextBeat(): void {
    this.#beat = setTimeout(() => void this.#alive().finally(() => this.#over || this.#nextBeat()), this.leaseMs / 3)
    this.#beat.unref()
  }

  /** A sign of life. Anyone who was taken for gone joins again, with the calls that are in flight. */
  async #alive(): Promise<void> {
    if (this.#over || this.#members.size === 0) return
    try {
      const [, known] = await this.act('beat', [this.leaseMs])
      if (known !== '1') this.rejoin()
      const owed = this.#owed
      this.#owed = []
      for (const values of owed) this.tell('settle', values)
      // What was said while nobody listened is said again.
      if (owed.length > 0 || known !== '1') for (const member of this.#members.values()) member.hearsAll()
    } catch {
      // Told by `act`; the next beat tries again.
    }
  }

  /** The server knows this process no longer: all of its members, with their calls in flight. */
  rejoin(): void {
    for (const member of this.#members.values()) member.joins()
  }

  /** Makes a member known, with its groups; a server that has lost its memory since shuts them for a minute. → those that are narrowed. */
  async enter(member: string, stated: readonly RedisArgument[]): Promise<readonly string[]> {
    const values = [this.leaseMs, member, this.#born ?? '', randomBytes(8).toString('hex'), ...stated]
    const [, born, narrowed] = (await this.act('join', values)) as [string, string, string[]]
    this.#born = born
    return narrowed
  }

  /** One step on the server; the first member of the reply is its time. */
  async act(operation: string, values: readonly RedisArgument[]): Promise<unknown[]> {
    try {
      const reply = await runScript(this.#link, limitsScript, [this.#base], [operation, this.#owner, -1, ...values])
      const rows = reply as unknown[]
      this.#hear(rows.at(-1) as string[])
      if (this.#away) this.#problem(false, 'the server answers again')
      return rows
    } catch (error) {
      if (!this.#away) this.#problem(true, 'the server does not answer: no call leaves until it does')
      throw error
    }
  }

  #problem(away: boolean, words: string): void {
    this.#away = away
    this.#options.onProblem?.(`limits on ${this.#link.name}: ${words}`)
  }

  #hear(pairs: readonly string[]): void {
    if (!Array.isArray(pairs)) return
    for (let at = 0; at < pairs.length; at += 2) this.#members.get(pairs[at] ?? '')?.hears(pairs[at + 1] ?? '')
  }

  /** As `act`, for what nobody waits for. An end that does not get through is told again later: until then it counts. */
  tell(operation: string, values: readonly RedisArgument[]): void {
    const sent: Promise<unknown> = this.act(operation, values)
      .catch(() => {
        if (operation === 'settle' && !this.#over) this.#owed.push(values)
      })
      .finally(() => this.#underWay.delete(sent))
    this.#underWay.add(sent)
  }

  forget(member: string): void {
    this.#members.delete(member)
    this.tell('leave', [member])
  }

  /** The server serves anyone who waits when it is asked something; `inMs`: when that is worth while. */
  wakeIn(inMs: number): void {
    const at = performance.now() + inMs
    if (this.#over || at >= this.#tickAt) return
    clearTimeout(this.#tick)
    this.#tickAt = at
    this.#tick = setTimeout(
      () => {
        this.#tickAt = Infinity
        this.act('tick', []).then(
          ([now, wake]) => this.wakeAt(Number(now), Number(wake)),
          () => undefined,
        )
      },
      Math.min(longestTimerMs, Math.max(1, inMs)),
    )
    this.#tick.unref()
  }

  /** By the server's clock. */
  wakeAt(now: number, wake: number): void {
    if (wake < 2 ** 52) this.wakeIn(wake - now)
  }
}

class Member implements LimitMember {
  readonly narrowed: Promise<readonly string[]>
  #told: (narrowed: readonly string[]) => void = () => undefined
  readonly id: string
  readonly #authority: RedisAuthority
  readonly #groups: readonly GroupLimits[]
  readonly #freed: (group: number) => void
  readonly #waiting = new Map<number, NodeJS.Timeout>()
  /** Calls that were let go, as they were asked for. */
  readonly #open = new Map<number, LimitQuestion>()
  #joined: Promise<boolean> = Promise.resolve(false)
  #gone = false

  constructor(authority: RedisAuthority, id: string, groups: readonly GroupLimits[], freed: (group: number) => void) {
    this.#authority = authority
    this.id = id
    this.#groups = groups
    this.#freed = freed
    this.narrowed = new Promise((resolve) => (this.#told = resolve))
  }

  /** Also again, with the calls in flight, for a server that knows it no longer. */
  joins(): void {
    const stated = this.#groups.flatMap(({ group, places, limits, breakerFailures, openMs, maxOpenMs }) => [
      ...[group, places, ...limitWindows.slice(0, 4).map((window) => limits[window] ?? -1)],
      ...[breakerFailures, openMs, maxOpenMs],
    ])
    const again = [...this.#open.values()]
    this.#joined = this.#authority.enter(this.id, stated).then(
      (narrowed) => {
        // Told once: anyone who joins again states what he did before.
        this.#told(narrowed)
        return true
      },
      () => false,
    )
    // Once it is known again: before, nobody would count them.
    void this.#joined.then((known) => {
      if (!known) return
      for (const question of again)
        if (this.#open.has(question.call)) this.#authority.tell('ask', this.#values({ ...question, again: true }))
    })
  }

  #values({ call, group, tokens, priority, again = false }: LimitQuestion): RedisArgument[] {
    return [this.id, call, this.#groups[group]?.group ?? '', Math.ceil(tokens), priority, again ? '1' : '0']
  }

  async ask(question: LimitQuestion): Promise<LimitRefusal | undefined> {
    if (this.#gone) return { why: 'places' }
    try {
      if (!(await this.#joined)) this.joins()
      if (!(await this.#joined)) return this.#later()
      const reply = await this.#authority.act('ask', this.#values(question))
      if (reply[1] === 'gone') {
        this.#authority.rejoin()
        return this.#later()
      }
      return this.#heard(question, reply)
    } catch {
      // It may have been let go without our knowing it: that comes back.
      this.#authority.tell('settle', [this.id, question.call, 0, '0', '0', '0', -1])
      return this.#later()
    }
  }

  #later(): LimitRefusal {
    return { why: 'cooldown', waitMs: retryMs }
  }

  #heard(question: LimitQuestion, reply: readonly unknown[]): LimitRefusal | undefined {
    const [now, why, window, until, wake] = reply as [string, Refusal | '', number, string, string]
    if (this.#gone) {
      this.#authority.tell('settle', [this.id, question.call, 0, '0', '0', '0', -1])
      return { why: 'places' }
    }
    if (why === '') {
      this.#open.set(question.call, question)
      return undefined
    }
    this.#wait(question.group)
    this.#authority.wakeAt(Number(now), Number(wake))
    const full = limitWindows[window]
    return {
      why,
      ...(full === undefined ? {} : { window: full }),
      ...(until === '-1' ? {} : { waitMs: Math.max(0, Number(until) - Number(now)) }),
    }
  }

  #wait(group: number): void {
    clearTimeout(this.#waiting.get(group))
    const timer = setTimeout(() => this.#tell(group), patienceMs)
    timer.unref()
    this.#waiting.set(group, timer)
  }

  #tell(group: number): void {
    clearTimeout(this.#waiting.get(group))
    // Never within a call of the member.
    if (this.#waiting.delete(group)) queueMicrotask(() => this.#gone || this.#freed(group))
  }

  hears(name: string): void {
    this.#groups.forEach(({ group }, position) => group === name && this.#tell(position))
  }

  hearsAll(): void {
    for (const group of [...this.#waiting.keys()]) this.#tell(group)
  }

  arrived(call: number): void {
    if (this.#open.has(call)) this.#authority.tell('arrived', [this.id, call])
  }

  settle(call: number, { tokens, sent, failure, retryAfterMs }: LimitEnd): void {
    if (!this.#open.delete(call)) return
    const bad = failure !== undefined && isUnwell(failure)
    const wait = failure === undefined || isFinal(failure) ? -1 : Math.ceil(retryAfterMs ?? -1)
    const values = [sent ? '1' : '0', failure === undefined ? '1' : '0', bad ? '1' : '0', wait]
    this.#authority.tell('settle', [this.id, call, Math.ceil(tokens), ...values])
  }

  seen(group: number, { window, limit = -1, remaining = -1, resetMs = -1 }: LimitSeen): void {
    const name = this.#groups[group]?.group
    const index = limitWindows.indexOf(window)
    if (name === undefined || this.#gone) return
    this.#authority.tell('seen', [name, index, Math.floor(limit), Math.floor(remaining), Math.ceil(resetMs)])
  }

  leave(): void {
    if (this.#gone) return
    this.#gone = true
    for (const timer of this.#waiting.values()) clearTimeout(timer)
    this.#waiting.clear()
    this.#authority.forget(this.id)
  }
}
