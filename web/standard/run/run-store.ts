/**
 * Where runs are kept: the port between a run and what makes it last. Files and IndexedDB implement it, and any host may; each
 * implementation passes `runStoreContract` of `@aetherflow/aetherflow/testing`.
 */
import { readJournal, type Journal, type JournalEnd } from '../../../bindings/journal/reader.js'
import type { JournalHeader, JournalWriter } from '../../../bindings/journal/journal.js'

/** The journal of a run as it was read; parsed when somebody asks, and once. */
export class KeptJournal {
  readonly bytes: Uint8Array
  readonly #where: string
  #journal: Journal | undefined

  constructor(bytes: Uint8Array, where: string) {
    this.bytes = bytes
    this.#where = where
  }

  /** Throws host.journal_damaged when not even its first line is good, host.journal when another version wrote it. */
  get journal(): Journal {
    return (this.#journal ??= readJournal(this.bytes, this.#where))
  }

  /** The options document that the run began with; undefined: it had not begun. */
  get begin(): unknown {
    const first = this.journal.records[0]
    return first?.e === 'begin' ? (JSON.parse(first.options) as unknown) : undefined
  }
}

/** The place of one run. */
export interface RunStore {
  /** Names the run in messages: a folder, a key. */
  readonly name: string
  /**
   * What is kept of the run, no matter who owns it; undefined: nothing. The same object as long as nothing has been written since.
   * Fails: host.io_failed.
   */
  peek(): Promise<KeptJournal | undefined>
  /** Takes the run. Fails: host.run_locked when another owner lives, host.io_failed. */
  open(): Promise<OwnedRun>
  /** Members that the store adds to the header of a new run. */
  header?(): Partial<JournalHeader>
}

/** A run that this process owns, until `close` or `discard`. */
export interface OwnedRun {
  /** What was there when it was taken; `peek`'s object when nothing was written in between. */
  readonly kept: KeptJournal | undefined
  /** A journal that begins with this line, in place of any other: after a crash the old one is there or the new one. */
  begin(header: JournalHeader, firstLine: string): Promise<JournalWriter>
  /** The journal that is there, up to `end`; what follows is dropped. Once, and not after `begin`. */
  resume(end: JournalEnd): Promise<JournalWriter>
  /** Keeps the journal that is there under a second name, which this resolves to, for a run that takes its place. */
  setAside(): Promise<string>
  /** A journal that was set aside; undefined if there is none of that name. Names come from journals: they are not trusted. */
  aside(name: string): Promise<KeptJournal | undefined>
  /** Writes what is still to be written, and lets go. Idempotent. */
  close(): Promise<void>
  /** Closes, and removes the journal: of a run that never came to anything. */
  discard(): Promise<void>
}

/** The text of a journal up to a place in it. */
export function textUpTo({ bytes }: KeptJournal, end: JournalEnd): string {
  return new TextDecoder().decode(bytes.subarray(0, end.bytes)) + (end.newline ? '' : '\n')
}
