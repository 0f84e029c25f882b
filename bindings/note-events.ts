/** What notes of the core mean to a watcher. */
import type { NoteCommand } from './commands.js'
import type { Cost, RunEvent } from './events.js'
import { failureKindWords, reasonWords, type FailureKind } from './generated/wire.js'
import type { RunTexts } from './run-texts.js'

/** What a person can do about a step that failed for want of time, money or room. */
const advice: Partial<Record<FailureKind, string>> = {
  rate_limited: 'run it again later, lower the concurrency, or set the key of another provider',
  quota_exhausted: 'top up the account, or set the key of another provider',
  overloaded: 'run it again later, or set the key of another provider',
  auth: 'check the key of the provider',
  deadline: 'raise retry.deadlineMs, the time that each step may take',
  budget_exceeded: 'raise the budget of the configuration, or choose a cheaper mode',
  unreachable: 'check the network and the address of the provider',
  unresolved: 'check the address of the provider and the name service of this machine',
  certificate: 'put the certificate that is to be trusted into a file and name it in NODE_EXTRA_CA_CERTS',
  denied: 'check the terms and the region of the account, or set the key of another provider',
}

/** The text of a draft that became the output otherwise than it was shown; undefined: nothing is to be shown again. */
export function shownAnew(texts: RunTexts, { reason, step }: NoteCommand): string | undefined {
  const anew = reason === 'draft_patched' || (reason === 'draft_accepted' && texts.drafted.has(step))
  return anew ? texts.answers.get(step) : undefined
}

/** A `note` command as events: what was streamed of a draft that was changed, or of the full answer beside it, counts no more. */
export function noteEvents(texts: RunTexts, command: NoteCommand, at: number, cost: Cost): RunEvent[] {
  const event = noteEvent(texts, command, at, cost)
  if (event.type !== 'confirmed' || (!event.patched && !texts.drafted.has(command.step))) return [event]
  return [{ type: 'restart', at, step: event.step, call: event.call }, event]
}

/** A `note` command as an event: the end of a step that came to nothing, or a remark. */
export function noteEvent(texts: RunTexts, command: NoteCommand, at: number, cost: Cost): RunEvent {
  const step = texts.steps[command.step]?.id
  const { reason } = command
  if (step !== undefined && command.state !== undefined) return ending(texts, command, step, at, cost)
  if (step !== undefined && reason === 'restarted') return { type: 'restart', at, step, ...ofCall(command) }
  if (step !== undefined && (reason === 'draft_accepted' || reason === 'draft_patched'))
    return { type: 'confirmed', at, step, call: command.call, patched: reason === 'draft_patched' }
  const detail = detailOf(texts, command)
  const provider = texts.providers[command.provider]?.id
  const leader = awaitsStep.has(reason) ? texts.steps[command.cause]?.id : undefined
  return {
    type: 'note',
    at,
    ...(step === undefined ? {} : { step }),
    ...ofCall(command),
    reason,
    words: reasonWords[reason],
    ...(detail === undefined ? {} : { detail }),
    ...(provider === undefined ? {} : { provider }),
    ...(leader === undefined ? {} : { leader }),
  }
}

/** Waits for another step. */
const awaitsStep: ReadonlySet<string> = new Set(['waiting_for_prefix', 'prefix_not_awaited', 'waiting_for_reserved'])

const ofCall = ({ call }: NoteCommand): { readonly call?: number } => (call < 0 ? {} : { call })

function ending(texts: RunTexts, command: NoteCommand, step: string, at: number, cost: Cost): RunEvent {
  const { reason } = command
  if (command.state === 'failed') {
    const failure = command.failure ?? 'server_error'
    return { type: 'failed', at, step, failure, message: failureMessage(texts, command, failure), ...cost }
  }
  if (command.state === 'skipped') {
    const cause = texts.steps[command.cause]?.id
    return { type: 'skipped', at, step, reason, ...(cause === undefined ? {} : { cause }) }
  }
  return { type: 'cancelled', at, step, reason }
}

/** The last failure's own message, and what to do; a step that gave up waiting says so first. */
function failureMessage(texts: RunTexts, command: NoteCommand, failure: FailureKind): string {
  const words = failureKindWords[failure]
  const last = texts.failures.get(command.step)
  const gaveUp = failure === 'deadline' || failure === 'budget_exceeded'
  const message = last === undefined ? words : gaveUp ? `${words}; before that: ${last}` : last
  const todo = advice[failure]
  return todo === undefined ? message : `${message}; ${todo}`
}

function detailOf(texts: RunTexts, command: NoteCommand): string | undefined {
  const provider = texts.providers[command.provider]?.id
  const model = texts.models[command.model]?.id
  const leader = texts.steps[command.cause]?.id
  const target = [provider, model].filter((word) => word !== undefined).join(' ')
  const failure = failureKindWords[command.failure ?? 'server_error']
  // What the provider itself said of it.
  const last = texts.failures.get(command.step)
  const said = last === undefined || last === failure ? '' : ` (${last})`
  switch (command.reason) {
    case 'overflowed':
    case 'cheaper_model':
    case 'hedged':
    case 'breaker_probing':
    case 'breaker_closed':
      return target
    case 'fell_back':
      return command.failure === undefined ? target : `${target}, after: ${refusal(texts, command, failure)}`
    case 'budget_stopped':
      return shortfall(texts, command)
    case 'retrying':
      return command.waitMs > 0 ? `${failure}${said}; again in ${seconds(command.waitMs)}` : `${failure}${said}`
    case 'refused_elsewhere':
    case 'ending_unknown':
      return last ?? failure
    case 'constraint_relaxed':
    case 'audit_failed':
    case 'repair_failed':
      return failure
    case 'waiting_for_limit':
    case 'waiting_for_cooldown':
    case 'waiting_for_breaker':
    case 'waiting_for_budget':
    case 'waiting_for_retry':
    case 'waiting_for_others':
      return waiting(command, target)
    case 'waiting_for_prefix':
    case 'prefix_not_awaited':
      return prefixWords(texts, command, target)
    case 'waiting_for_reserved':
      return `${target} is kept for ${leader ?? 'another'}, at most until ${clock(command.untilMs)}`
    case 'prefix_missed':
      return `${target}: ${command.sharedTokens} of ${command.needed} tokens of ${command.sharers} calls`
    case 'breaker_opened':
      return command.untilMs < 0 ? target : `${target} until ${clock(command.untilMs)}`
    case 'limit_learned':
      return `${target} ${command.window ?? ''} ${command.limit}`
    case 'draft_failed':
      return command.failure === undefined ? last : `${failure}${said}`
    case 'audit_issues':
    case 'constraint_broken':
      return texts.issues.get(command.step)
    default:
      return undefined
  }
}

/** `groq m: behind a, 3200 tokens for 5 steps, saves 1200 µUSD, adds 0.3 s, until 0:01`. */
function prefixWords(texts: RunTexts, command: NoteCommand, target: string): string {
  const { cause, sharedTokens, sharers, savesMicroUsd, addsMs, untilMs } = command
  const leader = texts.steps[cause]?.id
  const behind = leader === undefined ? '' : ` behind ${leader},`
  const time = addsMs > 0 ? `adds ${seconds(addsMs)}` : `ends ${seconds(-addsMs)} sooner`
  const until = untilMs < 0 ? '' : `, until ${clock(untilMs)}`
  return `${target}:${behind} ${sharedTokens} tokens for ${sharers} more, saves ${savesMicroUsd} µUSD, ${time}${until}`
}

/** `gemini: the provider has no capacity now`. */
function refusal(texts: RunTexts, { fromProvider }: NoteCommand, failure: string): string {
  const from = texts.providers[fromProvider]?.id
  return from === undefined ? failure : `${from}: ${failure}`
}

/** What the next call would need at worst, what is left, and what to set; undefined for a step that is left out for it. */
function shortfall(texts: RunTexts, { cause, needed, left, countsTokens }: NoteCommand): string | undefined {
  if (needed < 0) return undefined
  const amount = (value: number): string =>
    countsTokens === 1 ? `${value.toLocaleString('en')} tokens` : `$${(value / 1e6).toFixed(4)}`
  const step = texts.steps[cause]?.id
  const what = countsTokens === 1 ? 'budget.run.tokens' : 'budget.run.usd'
  return `${step ?? 'the next call'} may need ${amount(needed)}, ${amount(left)} is left; raise ${what}`
}

/** `groq requests_per_minute, until 61.0 s of the run`. */
function waiting({ window, untilMs }: NoteCommand, target: string): string {
  const what = [target, window].filter((word) => word !== undefined && word !== '').join(' ')
  const until = untilMs < 0 ? 'until a running call ends' : `until ${clock(untilMs)}`
  return what === '' ? until : `${what}, ${until}`
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
/** A moment of the run, counted as its events are. */
const clock = (at: number): string => `${(at / 1000).toFixed(1)} s of the run`
