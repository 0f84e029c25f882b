/**
 * The journal of a run: everything that changed its machine, in order, so that a fresh machine can be brought to the same state.
 * A file of lines; each is one JSON object that ends in its checksum:
 *
 *   {"aetherflow":"0.1.0","journal":1,"run":"9f…","startedAt":"…",…,"crc":"5d41402a"}          what run this is
 *   {"t":0,"e":"begin","options":"{…}","table":3735928559,"crc":"…"}                            the options document, as text
 *   {"t":0,"e":"planBytes","text":"{\"steps\":…","crc":"…"}                                     or "base64", when a cut splits a character
 *   {"t":1,"e":"planEnd","crc":"…"}
 *   {"t":9,"e":"started","v":[0,1,-1],"d":2271560481,"crc":"…"}                                 a signal: kind and numbers as they crossed
 *   {"t":950,"e":"succeeded","v":[0,…],"x":"the answer","crc":"…"}
 *   {"t":951,"e":"end","outcome":"ok","d":97,"crc":"…"}
 *
 * `t` is ms since the run began. `d`: the host took commands between the record before and this one, and this is the CRC-32 of
 * their bytes. `crc` is the CRC-32 of all text from the beginning of the file up to it, checksums left out: a line that is lost,
 * moved or changed spoils every line after it. No key and no prompt ever stands here; answers do.
 */
import { crc32OfText } from '../checksum.js'
import type { EventKind, Outcome } from '../generated/wire.js'

/** Version of the format; a reader takes no other. */
export const journalVersion = 1

/** What a journal begins with. Members that a host adds for itself are kept. */
export interface JournalHeader {
  /** Version of AetherFlow that began the run. */
  readonly aetherflow: string
  readonly journal: typeof journalVersion
  /** Random, 128 bits in hex: one run, however often it is resumed. */
  readonly run: string
  /** Wall-clock time, ISO 8601. */
  readonly startedAt: string
  /** Name of the simulated profile: such a run is never resumed against real providers. */
  readonly simulated?: string
  /** Name of the plan's file, for people. */
  readonly plan?: string
  /** Where context files are read from, as seen from the journal's own folder. */
  readonly files?: string
  /** Name of the journal beside this one whose outputs are recalled where they still match. */
  readonly reuses?: string
}

/** What a signal's numbers leave out. */
export interface SignalTexts {
  /** succeeded: the answer as checked. verdict: the issues. failed: the text shown so far. recalled, looked: the output. retrieved: the text for the prompt. */
  readonly x?: string | undefined
  /** succeeded: why the checker refused the answer. failed: the message for people. looked: the cache's key of the request. retrieved: JSON of [reference, mark, tokens] of its sections or of why there are none, or what failed. */
  readonly w?: string | undefined
  /** succeeded, recalled, looked: fingerprint of the context files and documents that went into the prompt. */
  readonly f?: string | undefined
}

export type JournalRecord = { readonly t: number; readonly d?: number } & (
  | { readonly e: 'begin'; readonly options: string; readonly table: number }
  | { readonly e: 'planBytes'; readonly text?: string; readonly base64?: string }
  | { readonly e: 'planEnd' }
  | { readonly e: 'end'; readonly outcome: Outcome }
  | ({ readonly e: SignalKind; readonly v: readonly number[] } & SignalTexts)
)
export type SignalKind = Exclude<EventKind, 'begin' | 'planBytes' | 'planEnd'>
export type SignalRecord = JournalRecord & { readonly v: readonly number[] } & SignalTexts & { readonly e: SignalKind }

/** Where the lines of a journal go. The bytes that were there before stay. */
export interface JournalWriter {
  /** Takes whole lines, at once; never waits, never throws. After a failure they are dropped. */
  append(lines: string): void
  /**
   * Resolves when everything appended so far is durable, as the writer understands it. Rejects when that has become
   * impossible: host.io_failed, or host.run_locked when another process has taken the run over. A failure is for good.
   */
  flush(): Promise<void>
  /** Calls `listener` once when writing has become impossible, also when nobody waits for a flush. */
  onFailure(listener: (error: unknown) => void): void
  /** Flushes and lets go. Idempotent. */
  close(): Promise<void>
}

/** Turns records into lines and keeps the running checksum. */
export class JournalLines {
  #checksum: number

  /** `checksum`: of the last line that the journal has; 0 for a new one. */
  constructor(checksum = 0) {
    this.#checksum = checksum
  }

  /** Of everything so far: where a journal that goes on begins. */
  get checksum(): number {
    return this.#checksum
  }

  /** `members`: the JSON text of an object without its braces, at least one member. */
  line(members: string): string {
    const text = `{${members}`
    this.#checksum = crc32OfText(text, this.#checksum)
    return `${text},"crc":"${this.#checksum.toString(16).padStart(8, '0')}"}\n`
  }

  header(header: JournalHeader): string {
    return this.line(JSON.stringify(header).slice(1, -1))
  }
}

/** Length of what stands behind the checked text of a line: `,"crc":"5d41402a"}`. */
export const checksumTail = 18

/** A journal in memory: for tests, and for hosts without files. */
export class MemoryJournal implements JournalWriter {
  readonly #lines: string[] = []

  append(lines: string): void {
    this.#lines.push(lines)
  }
  flush(): Promise<void> {
    return Promise.resolve()
  }
  onFailure(): void {}
  close(): Promise<void> {
    return Promise.resolve()
  }

  text(): string {
    return this.#lines.join('')
  }
  bytes(): Uint8Array {
    return new TextEncoder().encode(this.text())
  }
}
