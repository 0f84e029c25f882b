/** Most characters of bare text that are kept; an error object is far shorter. */
const maxLength = 64 * 1024

/**
 * Listens to a stream of events for JSON that stands between them without `data:`, as Gemini has been seen to report an error
 * that came up half-way. A reader of events takes such lines for unknown fields and drops them.
 *
 *     data: {"candidates":…}\r\n\r\n
 *     {"error":{"code":503,…}}            kept, from the brace at the start of a line to the end of the body
 */
export class BareText {
  private kept = ''
  private found = false
  private atLineStart = true
  private readonly decoder = new TextDecoder()

  /** The bytes as they come. A code point cut between parts is of no matter: only braces at line starts are looked for. */
  watch(part: Uint8Array): void {
    this.see(this.decoder.decode(part, { stream: true }))
  }

  /** What was kept, when it is whole JSON. */
  get value(): unknown {
    try {
      return JSON.parse(this.kept) as unknown
    } catch {
      return undefined
    }
  }

  private see(text: string): void {
    if (text === '') return
    if (!this.found) {
      const afterLine = text.search(/[\r\n][[{]/)
      const here = this.atLineStart && /^[[{]/.test(text)
      this.atLineStart = /[\r\n]$/.test(text)
      if (!here && afterLine < 0) return
      this.found = true
      this.kept = here ? text : text.slice(afterLine + 1)
    } else if (this.kept.length < maxLength) this.kept += text
  }
}
