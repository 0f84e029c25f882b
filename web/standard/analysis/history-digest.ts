/** The digest of a conversation, made once while its turns stay as they are: callers ask again with the same long one. */
import { turnsOf, type Turn } from './history.js'

type Digest = (parts: readonly string[]) => string

/** A conversation as it was at one moment: its turns may be written to later. */
export interface KnownHistory {
  /** Another by each character of it. */
  readonly value: string
  turns(): Turn[]
}
interface Known extends KnownHistory {
  readonly digest: Digest
  /** Role and content in turn. */
  readonly texts: readonly string[]
}

/** By the first turn of a conversation: of one that grows the newest form alone is kept. */
const known = new WeakMap<object, Known>()

/** Fails: host.usage for what is no list of turns. */
export function historyOf(history: readonly Turn[], digest: Digest): KnownHistory {
  const first: unknown = Array.isArray(history) ? history[0] : undefined
  const kept = typeof first === 'object' && first !== null ? known.get(first) : undefined
  if (kept?.digest === digest && isAsItWas(history, kept.texts)) return kept
  const turns = turnsOf(history)
  const value = digest([
    turns.map(({ role, content }) => `${role.length}:${role}${content.length}:${content}`).join(''),
  ])
  const texts = history.flatMap(({ role, content }) => [role, content])
  const made = { digest, value, texts, turns: () => turnsOf(pairs(texts)) }
  known.set(history[0]!, made)
  return made
}

const pairs = (texts: readonly string[]): Turn[] =>
  Array.from({ length: texts.length / 2 }, (_, at) => ({ role: texts[2 * at]!, content: texts[2 * at + 1]! }))

/** Texts that were not made again are compared by where they lie. */
function isAsItWas(history: readonly Turn[], texts: readonly string[]): boolean {
  if (history.length * 2 !== texts.length) return false
  return history.every((turn, at) => turn?.role === texts[2 * at] && turn.content === texts[2 * at + 1])
}
