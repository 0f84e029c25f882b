/**
 * The limits that all runs of this process share, over the core's own rules (core/limit/authority.hpp). One authority for a module:
 *
 *   const shared = new Authority(module, clock)
 *   const member = shared.join(core.document('limits'), (group) => …freed…)
 *   const no = member.ask({ call, group, tokens, priority })     undefined: the call may leave
 */
import { breakerStates, failureKinds, limitWindows, refusals, type BreakerState } from './generated/wire.js'
import { afterIo } from './late.js'
import { Measured, type MeasuredCall, type MeasuredModel } from './measured.js'
import type { LimitsModule, SharedAuthority } from './module.js'
import { OwnedSession } from './owned-session.js'
import type {
  Clock,
  GroupLimits,
  LimitAuthority,
  LimitEnd,
  LimitMember,
  LimitQuestion,
  LimitRefusal,
  LimitSeen,
} from './ports.js'

/** Timers hold 31 bits of ms; a longer wait is taken in parts. */
const longestTimerMs = 2 ** 31 - 1

/** A group as it is now. */
export interface GroupState {
  /** As its providers' table calls it; of runs with other keys or addresses there may be more of one name. */
  readonly name: string
  /** Calls that left and have not ended. */
  readonly inFlight: number
  /** Runs that were refused and wait for room. */
  readonly waiting: number
  readonly breaker: BreakerState
}

/** What a member is told: by the number of a group, its own position of it. */
interface Listener {
  readonly positions: ReadonlyMap<number, number>
  readonly freed: (group: number) => void
}

export class Authority implements LimitAuthority {
  readonly #owned: OwnedSession<SharedAuthority>
  readonly #clock: Clock
  readonly #listeners = new Map<number, Listener>()
  /** By the number of the group. */
  readonly #names = new Map<number, string>()
  readonly #measured = new Measured()
  #cancelWake: (() => void) | undefined
  #telling = false

  constructor(module: LimitsModule, clock: Clock) {
    this.#owned = new OwnedSession(new module.SharedAuthority(), this)
    this.#clock = clock
  }

  /** Frees the C++ side; members of it throw host.disposed afterwards. Idempotent. */
  dispose(): void {
    this.#cancelWake?.()
    this.#owned.dispose()
  }
  [Symbol.dispose](): void {
    this.dispose()
  }

  join(groups: readonly GroupLimits[], freed: (group: number) => void): LimitMember {
    const narrowed: string[] = []
    const member = this.#owned.call((s) => s.join())
    const numbers = groups.map((group) => {
      const number = this.#group(member, group)
      if (this.#owned.call((s) => s.narrowed())) narrowed.push(group.group)
      return number
    })
    this.#listeners.set(member, { positions: new Map(numbers.map((number, position) => [number, position])), freed })
    return new Member(this, member, numbers, narrowed)
  }

  #group(member: number, { group, places, limits, breakerFailures, openMs, maxOpenMs }: GroupLimits): number {
    const [minute, tokens, day, dayTokens] = limitWindows.map((window) => limits[window] ?? -1)
    const number = this.#owned.call((s) =>
      s.group(
        member,
        group,
        places,
        minute ?? -1,
        tokens ?? -1,
        day ?? -1,
        dayTokens ?? -1,
        breakerFailures,
        openMs,
        maxOpenMs,
      ),
    )
    this.#names.set(number, group)
    return number
  }

  /** Every group that a run has named so far. */
  groups(): GroupState[] {
    const now = (number: number) =>
      this.#owned.call((s) => [s.inFlight(number), s.waiting(number), s.breaker(number)] as const)
    return [...this.#names].map(([number, name]) => {
      const [inFlight, waiting, breaker] = now(number)
      // What follows the name tells accounts apart, and is nobody's business.
      return { name: name.split(' ')[0] ?? '', inFlight, waiting, breaker: breakerStates[breaker] ?? 'closed' }
    })
  }

  learn(key: string, call: MeasuredCall): void {
    this.#measured.learn(key, call)
  }

  measured(key: string): MeasuredModel | undefined {
    return this.#measured.of(key)
  }

  /** For a member: one question or event, then whatever it frees is told to others. */
  act<T>(action: (session: SharedAuthority, now: number) => T): T {
    const now = Math.floor(this.#clock.now())
    const result = this.#owned.call((s) => action(s, now))
    this.#afterwards()
    return result
  }

  forget(member: number): void {
    this.#listeners.delete(member)
    if (!this.#owned.disposed) this.act((s, now) => s.leave(member, now))
  }

  /** Others hear of room in a turn of their own: a member that is told while it asks would ask within its own question. */
  #afterwards(): void {
    if (this.#telling) return
    this.#telling = true
    queueMicrotask(() => {
      this.#telling = false
      if (!this.#owned.disposed) this.#tell()
    })
  }

  #tell(): void {
    for (;;) {
      const member = this.#owned.call((s) => s.takeFreed())
      if (member < 0) break
      const group = this.#owned.call((s) => s.freedGroup())
      const listener = this.#listeners.get(member)
      const position = listener?.positions.get(group)
      if (position !== undefined) listener?.freed(position)
    }
    this.#cancelWake?.()
    const now = Math.floor(this.#clock.now())
    const wake = this.#owned.call((s) => s.nextWake(now))
    this.#cancelWake =
      wake < 0
        ? undefined
        : afterIo(this.#clock, Math.min(longestTimerMs, Math.max(0, wake - now)), () => this.act((s, at) => s.tick(at)))
  }
}

class Member implements LimitMember {
  readonly narrowed: readonly string[]
  readonly #authority: Authority
  readonly #member: number
  /** The authority's number of each group. */
  readonly #groups: readonly number[]
  #gone = false

  constructor(authority: Authority, member: number, groups: readonly number[], narrowed: readonly string[]) {
    this.#authority = authority
    this.#member = member
    this.#groups = groups
    this.narrowed = narrowed
  }

  ask({ call, group, tokens, priority, again = false }: LimitQuestion): LimitRefusal | undefined {
    // A run that is over takes no place: its number may be another's by now.
    if (this.#gone) return { why: 'places' }
    const number = this.#groups[group] ?? -1
    return this.#authority.act((s, now) => {
      const refused = s.ask(this.#member, call, number, tokens, priority, again, now)
      if (refused < 0) return undefined
      const until = s.until()
      const window = limitWindows[s.window()]
      return {
        why: refusals[refused] ?? 'places',
        ...(window === undefined ? {} : { window }),
        ...(until < 0 ? {} : { waitMs: Math.max(0, until - now) }),
      }
    })
  }

  arrived(call: number): void {
    if (!this.#gone) this.#authority.act((s, now) => s.arrived(this.#member, call, now))
  }

  settle(call: number, { tokens, sent, failure, retryAfterMs }: LimitEnd): void {
    if (this.#gone) return
    const kind = failure === undefined ? -1 : failureKinds.indexOf(failure)
    const wait = retryAfterMs === undefined ? -1 : Math.ceil(retryAfterMs)
    this.#authority.act((s, now) => s.settle(this.#member, call, tokens, sent, failure === undefined, kind, wait, now))
  }

  seen(group: number, { window, limit = -1, remaining = -1, resetMs = -1 }: LimitSeen): void {
    const number = this.#groups[group]
    if (this.#gone || number === undefined) return
    const index = limitWindows.indexOf(window)
    this.#authority.act((s, now) => s.seen(number, index, limit, remaining, Math.ceil(resetMs), now))
  }

  leave(): void {
    if (this.#gone) return
    this.#gone = true
    this.#authority.forget(this.#member)
  }
}
