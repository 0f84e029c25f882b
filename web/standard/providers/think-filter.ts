/** How models open and close what they think where it is not kept apart from the answer. */
const tags: readonly (readonly [open: string, close: string])[] = [
  ['<think>', '</think>'],
  ['<thinking>', '</thinking>'],
  ['<seed:think>', '</seed:think>'],
  ['◁think▷', '◁/think▷'],
]

/**
 * Cuts what was thought out of a streamed answer, as long as it stands before the answer: a text that speaks of such tags
 * further on is left alone. What is never closed was all thought.
 *
 *     "<thi" "nk>Let me see</th" "ink>\n\nHello"     → "" "" "Hello"
 */
export class ThinkFilter {
  /** Characters that were cut out. */
  thought = 0
  #held = ''
  #close: string | undefined
  #begun = false
  /** Something was cut out, if only its tags: the white space after it goes too. */
  #cut = false

  /** What of the piece is answer, as far as that is known. */
  take(piece: string): string {
    if (this.#begun) return piece
    this.#held += piece
    while (!this.#begun) {
      if (this.#close !== undefined) {
        if (!this.#leave(this.#close)) return ''
      } else if (!this.#enter()) {
        return this.#release()
      }
    }
    return this.#release()
  }

  /** What was held back when the answer ended. */
  rest(): string {
    const held = this.#held
    this.#held = ''
    if (this.#close === undefined) return this.#cut ? held.trimStart() : held
    this.thought += held.length
    return ''
  }

  /** Looks for the end of what is thought; false: it has not come yet. */
  #leave(close: string): boolean {
    const at = this.#held.indexOf(close)
    if (at < 0) {
      const kept = Math.min(this.#held.length, close.length - 1)
      this.thought += this.#held.length - kept
      this.#held = this.#held.slice(this.#held.length - kept)
      return false
    }
    this.thought += at
    this.#held = this.#held.slice(at + close.length)
    this.#close = undefined
    return true
  }

  /** Looks for a beginning; false if there is none, or not enough of the answer to tell. */
  #enter(): boolean {
    const text = this.#held.trimStart()
    const found = tags.find(([open]) => text.startsWith(open))
    if (found !== undefined) {
      this.#held = text.slice(found[0].length)
      this.#close = found[1]
      this.#cut = true
      return true
    }
    this.#begun = text !== '' && !tags.some(([open]) => open.startsWith(text))
    return false
  }

  #release(): string {
    if (!this.#begun) return ''
    const held = this.#held
    this.#held = ''
    return this.#cut ? held.trimStart() : held
  }
}

/**
 * The answer without what was thought before it where only the end is marked: some templates write the opening tag into the
 * prompt. Only an end on a line of its own, outside of code, counts.
 */
export function afterThought(text: string): string {
  const match = /^([\s\S]*?)<\/think(?:ing)?>[ \t]*(?:\r?\n|$)/.exec(text)
  if (match === null) return text
  const before = match[1]!
  const fences = before.split('```').length - 1
  if (/<think(?:ing)?>|`$/.test(before) || fences % 2 === 1) return text
  return text.slice(match[0].length).trimStart()
}
