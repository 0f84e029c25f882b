/** What each provider lets a page do: which headers a request may carry, and what its refusals hide. */

export interface CorsRule {
  /** Headers that a page may send, lower case; undefined: whatever it asks for. */
  readonly headers: readonly string[] | undefined
  /** A refused key comes without the header that would let a page read the refusal: it looks like no reply at all. */
  readonly hidesRefusedKeys?: true
  /** The preflight for any further header is refused, so that the request never leaves. */
  readonly refusesOthers?: true
  /** Pages have been seen to be let in. */
  readonly known: boolean
}

/** By wire format, as measured by others in August 2026 (big-agi, client-side fetch). */
const rules: Readonly<Record<string, CorsRule>> = {
  openai: { headers: undefined, hidesRefusedKeys: true, known: true },
  groq: { headers: undefined, known: true },
  deepseek: { headers: undefined, known: true },
  mistral: { headers: ['authorization', 'content-type', 'x-mistral-user-agent'], known: true },
  gemini: { headers: ['x-goog-api-key', 'x-goog-api-client', 'content-type'], refusesOthers: true, known: true },
}

/** Of a host that nobody has measured, and of relays: only what a call cannot do without. */
const unknown: CorsRule = { headers: ['authorization', 'content-type', 'x-goog-api-key'], known: false }

export function corsRule(dialect: string): CorsRule {
  return Object.hasOwn(rules, dialect) ? (rules[dialect] ?? unknown) : unknown
}

/** The headers that may go. A call needs no other: this is the net under it. */
export function allowedHeaders(
  rule: CorsRule,
  headers: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const { headers: names } = rule
  if (names === undefined) return headers
  return Object.fromEntries(Object.entries(headers).filter(([name]) => names.includes(name)))
}

/** Why a page got no reply, as far as anybody can tell: a browser says the same of all of these. */
export function unansweredWords(rule: CorsRule): string {
  if (rule.hidesRefusedKeys)
    return 'a network error or a wrong key: this provider hides its refusal of a key from pages'
  if (rule.known) return 'a network error, an extension or the page’s own policy: this provider answers pages'
  return 'a network error, or the host does not let pages in (CORS): a relay would help'
}
