/** Writes down what happens to a core. */
import { crc32OfNumbers, crc32OfText } from '../checksum.js'
import type { CoreTap } from '../core.js'
import type { EventKind, Outcome } from '../generated/wire.js'
import { JournalLines, type JournalHeader, type JournalWriter, type SignalTexts } from './journal.js'

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export class JournalRecorder implements CoreTap {
  readonly #writer: JournalWriter
  readonly #lines: JournalLines
  /** The core's built-in table, which the options are a patch of. */
  readonly #table: number
  /** Checksum of the commands taken since the last record; −1: none were asked for. */
  #drained = -1
  #texts: SignalTexts | undefined

  /** `checksum`: where the journal to resume ends; undefined: a new one, which begins with `header`. */
  constructor(writer: JournalWriter, defaults: string, start: JournalHeader | number) {
    this.#writer = writer
    this.#table = crc32OfText(defaults)
    this.#lines = new JournalLines(typeof start === 'number' ? start : 0)
    if (typeof start !== 'number') writer.append(this.#lines.header(start))
  }

  /** Texts of the signal that is told next. */
  attach(texts: SignalTexts): void {
    this.#texts = texts
  }

  begin(options: string, now: number): void {
    this.#write(`"t":${now},"e":"begin","options":${JSON.stringify(options)},"table":${this.#table}`)
  }

  planBytes(bytes: Uint8Array, now: number): void {
    this.#write(`"t":${now},"e":"planBytes",${pieceOf(bytes)}`)
  }

  planEnd(now: number): void {
    this.#write(`"t":${now},"e":"planEnd"`)
  }

  signal(kind: EventKind, values: readonly number[], now: number): void {
    let members = `"t":${now},"e":"${kind}","v":[${values.join(',')}]`
    const texts = this.#texts
    if (texts !== undefined) {
      this.#texts = undefined
      if (texts.x !== undefined) members += `,"x":${JSON.stringify(texts.x)}`
      if (texts.w !== undefined) members += `,"w":${JSON.stringify(texts.w)}`
      if (texts.f !== undefined) members += `,"f":${JSON.stringify(texts.f)}`
    }
    this.#write(members)
  }

  drained(records: Float64Array): void {
    this.#drained = crc32OfNumbers(records, Math.max(0, this.#drained))
  }

  /** The run is over, and everything that it is to leave behind is durable. */
  end(outcome: Outcome, now: number): void {
    this.#write(`"t":${now},"e":"end","outcome":"${outcome}"`)
  }

  #write(members: string): void {
    const drained = this.#drained < 0 ? '' : `,"d":${this.#drained}`
    this.#drained = -1
    this.#writer.append(this.#lines.line(members + drained))
  }
}

/** Text, or base64 when a chunk begins or ends inside a character: replay must feed the very same bytes. */
function pieceOf(bytes: Uint8Array): string {
  try {
    return `"text":${JSON.stringify(decoder.decode(bytes))}`
  } catch {
    let binary = ''
    for (const byte of bytes) binary += String.fromCharCode(byte)
    return `"base64":"${btoa(binary)}"`
  }
}
