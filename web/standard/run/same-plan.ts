/** Whether two texts are the same plan. */

/** Deeper texts are no plans: `kJsonDepth` of the core. */
const deepest = 64

/** Values whose members go to a provider in the order that they have. */
const ordered = /^"(?:output|schema)"$/

const token = /[{}[\],:]|"(?:[^"\\\u0000-\u001f]|\\.)*"|[^\s{}[\],:"]+/gy
const blanks = /[ \t\n\r]*/y

/**
 * Whether two plan texts are the same but for blanks between their tokens and the order of members of their objects. Texts are compared,
 * not values: what a plan says is the core's to read, and a reader beside it would take doubled members and odd numbers otherwise.
 * Texts that are no JSON are the same when their bytes are.
 */
export function samePlan(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length === other.length && one.every((byte, at) => byte === other[at])) return true
  const plain = sorted(one)
  return plain !== undefined && plain === sorted(other)
}

/** Without blanks and with members in order; undefined: no JSON, as far as tokens tell. */
function sorted(bytes: Uint8Array): string | undefined {
  let text: string
  try {
    // A byte order mark before it is left out.
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return undefined
  }
  const words = tokensOf(text)
  if (words === undefined) return undefined
  const reader = new Reader(words)
  const value = reader.value(0, false)
  return reader.ended ? value : undefined
}

function tokensOf(text: string): string[] | undefined {
  const words: string[] = []
  for (let at = 0; ; at = token.lastIndex) {
    blanks.lastIndex = at
    blanks.exec(text)
    if (blanks.lastIndex === text.length) return words
    token.lastIndex = blanks.lastIndex
    const found = token.exec(text)
    if (found === null) return undefined
    words.push(found[0])
  }
}

class Reader {
  readonly #words: readonly string[]
  #at = 0

  constructor(words: readonly string[]) {
    this.#words = words
  }

  get ended(): boolean {
    return this.#at === this.#words.length
  }

  /** `kept`: members stay in their order. Undefined: that is no value. */
  value(depth: number, kept: boolean): string | undefined {
    const word = this.#next()
    if (word === undefined || depth > deepest) return undefined
    if (word === '{') return this.#object(depth, kept)
    if (word === '[') return this.#list(depth, kept)
    return /^[\]},:]$/.test(word) ? undefined : word
  }

  #next(): string | undefined {
    return this.#words[this.#at++]
  }

  #list(depth: number, kept: boolean): string | undefined {
    const values: string[] = []
    if (this.#words[this.#at] === ']') {
      this.#at++
      return '[]'
    }
    for (;;) {
      const value = this.value(depth + 1, kept)
      if (value === undefined) return undefined
      values.push(value)
      const after = this.#next()
      if (after === ']') return `[${values.join(',')}]`
      if (after !== ',') return undefined
    }
  }

  #object(depth: number, kept: boolean): string | undefined {
    const members: { readonly name: string; readonly value: string }[] = []
    if (this.#words[this.#at] === '}') {
      this.#at++
      return '{}'
    }
    for (;;) {
      const name = this.#next()
      if (name?.startsWith('"') !== true || this.#next() !== ':') return undefined
      const value = this.value(depth + 1, kept || ordered.test(name))
      if (value === undefined) return undefined
      members.push({ name, value })
      const after = this.#next()
      if (after === '}') break
      if (after !== ',') return undefined
    }
    // A name may be written in two ways, and of two members of one name the order may count.
    const written = kept || members.some(({ name }) => name.includes('\\'))
    if (!written) members.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
    return `{${members.map(({ name, value }) => `${name}:${value}`).join(',')}}`
  }
}
