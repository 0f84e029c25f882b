/** What an index of documents asks of its host. Types only. */

/** A file as its source lists it. */
export interface SourceFile {
  /** Relative to the root, with `/`, in no other spelling. */
  readonly path: string
  readonly bytes: number
  /** Changes with the file's content as far as can be told without reading it: time and size. */
  readonly stamp: string
}

/** Why a file is not in the index. */
export type SkipReason = 'too_large' | 'binary' | 'unreadable' | 'outside'
export interface SkippedFile {
  readonly path: string
  readonly reason: SkipReason
}

/** Where documents come from. Rejects with AetherflowError alone. */
export interface DocumentSource {
  /** Every file that is to be indexed. `skip` is told of what is left out without being ignored on purpose. */
  list(skip: (file: SkippedFile) => void, signal?: AbortSignal): Promise<SourceFile[]>
  /** The present bytes; undefined: the file is gone. */
  read(path: string): Promise<Uint8Array | undefined>
}

/** What is kept of an index between processes. `sections` and `vectors` are this package's own formats. */
export interface KeptIndex {
  readonly sections: Uint8Array
  readonly vectors?: Uint8Array | undefined
  /** JSON: stamps of the files. */
  readonly stamps: string
}

/** Keeps an index. Many may read one while another writes: what is loaded is one of the states that were saved. */
export interface IndexStore {
  /** Undefined: nothing is kept, or nothing that is whole. Rejects with AetherflowError alone. */
  load(): Promise<KeptIndex | undefined>
  save(kept: KeptIndex): Promise<void>
  close(): Promise<void>
}

/**
 * The outline of a program by a parser of its language, in the form of core/index/outline.hpp; undefined if there is none for it, and
 * the index guesses by indentation. Never rejects.
 */
export type OutlineReader = (path: string, text: Uint8Array) => Promise<string | undefined>
