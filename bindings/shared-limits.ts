/**
 * A run's side of the limits that all runs of its process share: it asks as a call leaves, tells how it ended, and tells the core what
 * it heard. Refusals and `freed` are events of the run, so its journal replays without an authority.
 */
import type { CallCommand } from './commands.js'
import type { CoreRun } from './core.js'
import type { RunEvent } from './events.js'
import type { FailureKind } from './generated/wire.js'
import type { RunTexts } from './run-texts.js'
import type { GroupLimits, LimitAuthority, LimitMember, LimitRefusal, LimitSeen, Usage } from './ports.js'

/** Whose limits a run shares. */
export interface LimitSharing {
  readonly authority: LimitAuthority
  /**
   * What the provider's limits belong to, beside its name: its address and key, as a digest. Runs share a group only where these are
   * the same, so that neither another account nor another host of that name counts.
   */
  scope(provider: string): string
}

/** A model at the account that its calls go to. */
export const measuredKey = ({ scope }: LimitSharing, provider: string, model: string): string =>
  `${scope(provider)} ${provider}/${model}`

/** What is known of a call that was let go. */
interface Leaving {
  readonly model: number
  /** Of its prompt, as the core estimates them. */
  readonly tokens: number
  readonly at: number
  firstTokenAt?: number
}

export interface SharedLimitsHost {
  readonly core: CoreRun
  /** Names of the table that the run was begun with. */
  readonly texts: Pick<RunTexts, 'models'>
  readonly now: number
  emit(event: RunEvent): void
  signal(tell: () => void): boolean
}

/** Failures of calls that never reached the provider: nothing was counted there. */
const neverSent: ReadonlySet<FailureKind> = new Set([
  'unreachable',
  'timeout_connect',
  'unresolved',
  'unprocessed',
  'input',
])

export class SharedLimits {
  readonly #host: SharedLimitsHost
  readonly #sharing: LimitSharing
  #member: LimitMember | undefined
  /** Position of each model's group. */
  readonly #groups = new Map<number, number>()
  /** A target of each group that refused a call: what the core is told when the group has room again. */
  readonly #waiting = new Map<number, { readonly provider: number; readonly model: number }>()
  /** Calls that the authority let go, and has to be told the end of. */
  readonly #open = new Map<number, Leaving>()
  /** Key of each model, by its position. */
  #keys: readonly string[] = []

  constructor(host: SharedLimitsHost, sharing: LimitSharing) {
    this.#host = host
    this.#sharing = sharing
  }

  /** Once the core knows its table. */
  join(): void {
    const { core, now } = this.#host
    const groups = core.sharedDocument<GroupLimits[]>('limits')
    groups.forEach(({ models }, position) => models.forEach((model) => this.#groups.set(model, position)))
    const { models } = this.#host.texts
    this.#keys = models.map(({ id, provider }) => measuredKey(this.#sharing, provider, id))
    const scoped = groups.map((group) => {
      const owners = new Set(group.models.map((model) => models[model]?.provider ?? ''))
      return { ...group, group: [group.group, ...[...owners].map((id) => this.#sharing.scope(id))].join(' ') }
    })
    this.#member = this.#sharing.authority.join(scoped, (group) => this.#freed(group))
    const warn = (names: readonly string[]): void => {
      for (const narrowed of names)
        this.#host.emit({
          type: 'warning',
          at: now,
          code: 'run.limits_narrowed',
          where: groups[scoped.findIndex(({ group }) => group === narrowed)]?.group ?? narrowed,
          detail: 'another run states other limits for this group: the smaller ones hold for both',
        })
    }
    const { narrowed } = this.#member
    if (narrowed instanceof Promise) void narrowed.then(warn)
    else warn(narrowed)
  }

  /** True: the call may leave. `tokens`: of its prompt. `again`: an earlier process had sent it already. */
  ask(command: CallCommand, tokens: number, priority: number, again: boolean): boolean | Promise<boolean> {
    const group = this.#groups.get(command.model)
    if (this.#member === undefined || group === undefined) return true
    const { call, maxTokens } = command
    const answer = this.#member.ask({ call, group, tokens: tokens + maxTokens, priority, again })
    return answer instanceof Promise
      ? answer.then((refusal) => this.#heard(command, { group, tokens }, refusal))
      : this.#heard(command, { group, tokens }, answer)
  }

  #heard(
    { call, provider, model }: CallCommand,
    { group, tokens }: { readonly group: number; readonly tokens: number },
    refusal: LimitRefusal | undefined,
  ): boolean {
    const { core, now } = this.#host
    if (refusal === undefined) {
      this.#open.set(call, { model, tokens, at: now })
      return true
    }
    const { why, window, waitMs } = refusal
    this.#waiting.set(group, { provider, model })
    const untilMs = waitMs === undefined ? undefined : now + waitMs
    this.#host.signal(() => core.refused(call, { why, window, untilMs }, now))
    return false
  }

  #freed(group: number): void {
    const target = this.#waiting.get(group)
    const { core } = this.#host
    if (target !== undefined) this.#host.signal(() => core.freed(target.provider, target.model, this.#host.now))
  }

  arrived({ call }: CallCommand): void {
    const leaving = this.#open.get(call)
    if (leaving === undefined) return
    leaving.firstTokenAt ??= this.#host.now
    this.#member?.arrived(call)
  }

  seen({ model }: CallCommand, limit: LimitSeen): void {
    const group = this.#groups.get(model)
    if (group !== undefined) this.#member?.seen(group, limit)
  }

  /** `failure` absent: the provider answered. */
  settle({ call }: CallCommand, usage: Usage, failure?: FailureKind, retryAfterMs?: number): void {
    const leaving = this.#open.get(call)
    if (leaving === undefined) return
    this.#open.delete(call)
    if (failure === undefined) this.#learn(leaving, usage)
    const sent = failure === undefined || !neverSent.has(failure)
    this.#member?.settle(call, {
      tokens: usage.input + usage.output,
      sent,
      ...(failure === undefined ? {} : { failure }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    })
  }

  #learn({ model, tokens, at, firstTokenAt }: Leaving, { input, output }: Usage): void {
    const { now } = this.#host
    const key = this.#keys[model]
    if (key === undefined) return
    this.#sharing.authority.learn?.(key, {
      estimatedTokens: tokens,
      promptTokens: input,
      ...(firstTokenAt === undefined ? {} : { firstTokenMs: firstTokenAt - at }),
      outputTokens: output,
      streamedMs: now - (firstTokenAt ?? now),
    })
  }

  /** A call that was granted does not leave after all: nothing was sent. */
  withdraw({ call }: CallCommand): void {
    if (this.#open.delete(call)) this.#member?.settle(call, { tokens: 0, sent: false, failure: 'cancelled' })
  }

  /** What the run still holds comes back. Idempotent. */
  leave(): void {
    this.#member?.leave()
  }
}
