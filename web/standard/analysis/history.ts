/** The conversation of an analysis: its canonical form, and what of it goes into a prompt. */
import { AetherflowError } from '../../../bindings/errors.js'

/** One turn; other members do not count. */
export interface Turn {
  /** `user`, `assistant`, a name, … */
  readonly role: string
  readonly content: string
}

/** What of a conversation went into the prompt. Tokens are estimates. */
export interface KeptHistory {
  readonly turns: readonly Turn[]
  /** Turns before those that are left out. */
  readonly leftOut: number
  /** Of the turns that are kept. */
  readonly tokens: number
  /** The newest turn alone was larger than the budget: only its end is kept. */
  readonly cut: boolean
}

/** Around a turn: its role and its marks. */
const tokensPerTurn = 6

/** Role and content alone, lines ended by \n. Fails: host.usage for what is no list of turns. */
export function turnsOf(history: unknown): Turn[] {
  if (!Array.isArray(history) || history.length === 0) throw wrong('a list of turns, { role, content } each')
  return history.map((turn: unknown, at) => {
    const { role, content } = (typeof turn === 'object' && turn !== null ? turn : {}) as Partial<
      Record<string, unknown>
    >
    if (typeof role !== 'string' || role === '' || typeof content !== 'string')
      throw wrong(`turn ${at + 1} needs a role and a content, both texts`)
    return { role, content: content.replaceAll('\r\n', '\n') }
  })
}

const wrong = (detail: string): AetherflowError => new AetherflowError('host.usage', 'history', detail)

/**
 * The rule: turns are kept whole, the newest first, up to the first that no longer fits. Of a newest turn that alone is larger than
 * the budget the end is kept. O(characters that are kept).
 */
export function cutHistory(turns: readonly Turn[], budget: number, estimate: (text: string) => number): KeptHistory {
  const kept: Turn[] = []
  let tokens = 0
  for (let at = turns.length - 1; at >= 0; at -= 1) {
    const turn = turns[at]!
    const weight = tokensPerTurn + estimate(turn.content)
    if (tokens + weight > budget) break
    tokens += weight
    kept.unshift(turn)
  }
  const newest = turns.at(-1)
  if (kept.length > 0 || newest === undefined)
    return { turns: kept, leftOut: turns.length - kept.length, tokens, cut: false }
  const content = endOf(newest.content, Math.max(1, budget - tokensPerTurn), estimate)
  return {
    turns: [{ role: newest.role, content }],
    leftOut: turns.length - 1,
    tokens: tokensPerTurn + estimate(content),
    cut: true,
  }
}

/** The longest end of a text within so many tokens, by halving; never begins inside a pair of surrogates. */
function endOf(text: string, budget: number, estimate: (text: string) => number): string {
  let [fits, tooLong] = [0, text.length]
  while (tooLong - fits > 1) {
    const length = (fits + tooLong) >> 1
    if (estimate(text.slice(-length)) <= budget) fits = length
    else tooLong = length
  }
  const end = fits === 0 ? '' : text.slice(-fits)
  return /^[\uDC00-\uDFFF]/.test(end) ? end.slice(1) : end
}
