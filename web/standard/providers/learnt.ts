/** What a model turned out to refuse of what was added to its requests; kept as long as its client, which is one run. */
import type { ModelRequest } from '../../../bindings/ports.js'
import type { ErrorFacts } from '../failure/facts.js'
import { smaller, type Window } from './output-limit.js'

export type Body = Readonly<Record<string, unknown>>

/** A setting that requests carry beyond what a person asked for. */
interface Setting {
  /** Where it is in the body. */
  readonly path: string
  /** How refusals name it, besides by its path. */
  readonly named: RegExp
}

/** The first that a refusal names goes: the narrower ones come first. */
const settings: readonly Setting[] = [
  { path: 'stream_options.include_obfuscation', named: /obfuscation/i },
  { path: 'stream_options', named: /stream[ _]?options|include[ _]usage/i },
  { path: 'generationConfig.thinkingConfig', named: /\bthinking/i },
  { path: 'thinking', named: /\bthinking\b/i },
  { path: 'reasoning_effort', named: /\breasoning\b|reasoning[ _]?effort|\beffort\b/i },
  { path: 'temperature', named: /\btemperature\b/i },
  { path: 'generationConfig.temperature', named: /\btemperature\b/i },
  { path: 'response_format.json_schema.strict', named: /\bstrict\b/i },
]

/** Statuses by which a part of a request is refused. */
const refusals: ReadonlySet<number> = new Set([400, 403, 404, 410, 415, 422, 501])

const unsupported =
  /not (?:be )?(?:supported|permitted|allowed|recogni[sz]ed)|unsupported|unrecogni[sz]ed|unknown|extra|deprecated/i
const streaming =
  /\b(?:to|not|cannot|can't|support|supports|supported|without|disable)\b[^.]{0,40}\bstream(?:ing|ed)?\b|\bstream(?:ing)?\b[^.]{0,60}\b(?:not|un) ?support/i

interface Learnt {
  readonly dropped: Set<string>
  /** Requests get one whole reply. */
  whole: boolean
  /** The system text is of role `system`. */
  plainSystem: boolean
  /** The name under which the limit of tokens is taken. */
  limitName: 'max_tokens' | 'max_completion_tokens' | undefined
  /** Most tokens of an answer. */
  most: number | undefined
  window: Window | undefined
}

/** What was sent, and how long its texts are, characters. */
export interface SentRequest {
  readonly model: string
  readonly body: Body
  readonly chars: number
}

export function sentBy({ model, system, user, prefix = '' }: ModelRequest, body: Body): SentRequest {
  return { model, body, chars: system.length + user.length + prefix.length }
}

export class LearntSettings {
  readonly #models = new Map<string, Learnt>()

  /** Whether this model is asked for whole replies only. */
  wholeOnly(model: string): boolean {
    return this.#models.get(model)?.whole === true
  }

  /** The body without what the model was seen to refuse. */
  applied({ model, body, chars }: SentRequest): Body {
    const learnt = this.#models.get(model)
    if (learnt === undefined) return body
    const made = structuredClone(body) as Record<string, unknown>
    for (const path of learnt.dropped) remove(made, path.split('.'))
    if (learnt.whole && made['stream'] === true) {
      made['stream'] = false
      delete made['stream_options']
    }
    if (learnt.plainSystem) made['messages'] = withSystemRole(made['messages'])
    limit(made, learnt, chars)
    return made
  }

  /** Takes a refusal to heart; the words say what is different from now on. `undefined`: it names nothing that was added. */
  learn(sent: SentRequest, status: number, facts: ErrorFacts): string | undefined {
    if (!refusals.has(status)) return undefined
    const learnt = this.#models.get(sent.model) ?? fresh()
    const words =
      limitLearnt(learnt, sent, facts) ??
      settingLearnt(learnt, sent.body, facts) ??
      modeLearnt(learnt, sent.body, facts)
    if (words !== undefined) this.#models.set(sent.model, learnt)
    return words
  }
}

function fresh(): Learnt {
  return {
    dropped: new Set(),
    whole: false,
    plainSystem: false,
    limitName: undefined,
    most: undefined,
    window: undefined,
  }
}

function settingLearnt(learnt: Learnt, body: Body, { param, message }: ErrorFacts): string | undefined {
  const present = settings.filter(({ path }) => has(body, path.split('.')))
  const found =
    present.find(({ path }) => param !== '' && (path === param || path.endsWith(`.${param}`))) ??
    present.find(({ path, named }) => message.includes(path) || named.test(message))
  if (found === undefined) return undefined
  learnt.dropped.add(found.path)
  return `without ${found.path}`
}

function modeLearnt(learnt: Learnt, body: Body, { param, message }: ErrorFacts): string | undefined {
  const inUrl = 'contents' in body
  if ((body['stream'] === true || inUrl) && !learnt.whole && (param === 'stream' || streaming.test(message))) {
    learnt.whole = true
    return 'without streaming'
  }
  const messages = Array.isArray(body['messages']) ? (body['messages'] as { role?: unknown }[]) : []
  if (/\bdeveloper\b/i.test(message) && messages.some(({ role }) => role === 'developer')) {
    learnt.plainSystem = true
    return 'with the role system'
  }
  return undefined
}

function limitLearnt(learnt: Learnt, sent: SentRequest, facts: ErrorFacts): string | undefined {
  const { body, chars } = sent
  const { message } = facts
  const name = ['max_tokens', 'max_completion_tokens'].find((key) => typeof body[key] === 'number')
  const google = (body['generationConfig'] as Body | undefined)?.['maxOutputTokens']
  const asked = name === undefined ? google : body[name]
  if (typeof asked !== 'number') return undefined
  if (name !== undefined) {
    const other = name === 'max_tokens' ? 'max_completion_tokens' : 'max_tokens'
    const names = facts.param === name || new RegExp(`\\b${name}\\b`).test(message)
    if (names && unsupported.test(message) && learnt.limitName === undefined) {
      learnt.limitName = other
      return `with ${other} instead of ${name}`
    }
  }
  const found = smaller(message, asked, chars)
  if (found === undefined) return undefined
  if (found.window === undefined) learnt.most = found.most
  else learnt.window = found.window
  return `with at most ${found.most} tokens of answer`
}

function limit(made: Record<string, unknown>, { limitName, most, window }: Learnt, chars: number): void {
  const google = made['generationConfig'] as Record<string, unknown> | undefined
  const holder = typeof google?.['maxOutputTokens'] === 'number' ? google : made
  const name = ['max_tokens', 'max_completion_tokens', 'maxOutputTokens'].find((key) => typeof holder[key] === 'number')
  if (name === undefined) return
  const room = window === undefined ? Infinity : window.room(chars)
  const tokens = Math.max(1, Math.min(holder[name] as number, most ?? Infinity, room))
  delete holder[name]
  holder[holder === google ? name : (limitName ?? name)] = tokens
}

function withSystemRole(messages: unknown): unknown {
  if (!Array.isArray(messages)) return messages
  return (messages as { role?: unknown }[]).map((message) =>
    message.role === 'developer' ? { ...message, role: 'system' } : message,
  )
}

function has(value: unknown, [first, ...rest]: readonly string[]): boolean {
  if (first === undefined) return true
  return typeof value === 'object' && value !== null && first in value && has((value as Body)[first], rest)
}

function remove(value: Record<string, unknown>, [first, ...rest]: readonly string[]): void {
  const inner = first === undefined ? undefined : value[first]
  if (first === undefined || inner === undefined) return
  if (rest.length === 0) delete value[first]
  else if (typeof inner === 'object' && inner !== null) remove(inner as Record<string, unknown>, rest)
}
