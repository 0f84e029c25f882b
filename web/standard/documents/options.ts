/** The public shapes of an index of documents. */
import type { Embedder } from '../../../bindings/cache/ports.js'
import type { RankSettings, ReferenceState, Section } from '../../../bindings/index/core.js'
import type { SkippedFile } from './ports.js'

export interface DocsOptions {
  /** Default: weights that hold over several sets; see RankSettings. */
  readonly rank?: Partial<RankSettings> | undefined
  /** Below this confidence nothing is handed out, and the result says so; 0–1, default 0.25. */
  readonly leastConfidence?: number | undefined
  /**
   * Asked which of the twenty best sections answer the question, when the best does not stand out; the references that it takes over,
   * best first. What is not on its list is dropped and counted. A rejection leaves the order as it is.
   */
  readonly pick?: ((question: string, list: readonly PickEntry[]) => Promise<readonly string[]>) | undefined
}

export interface PickEntry {
  readonly id: string
  readonly reference: string
  /** First words of its text. */
  readonly start: string
}

export interface UpdateProgress {
  readonly files: number
  readonly of: number
  /** Sections embedded so far, of those to embed; 0 of 0 without a model. */
  readonly embedded: number
  readonly toEmbed: number
}

export interface UpdateOptions {
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: UpdateProgress) => void) | undefined
}

export interface UpdateResult {
  readonly files: number
  readonly sections: number
  /** Files whose bytes were read; of these, new or other than before. */
  readonly read: number
  readonly changed: number
  readonly removed: number
  readonly embedded: number
  readonly skipped: readonly SkippedFile[]
  readonly ms: number
}

export interface SearchOptions {
  /** Most sections, default 10. */
  readonly count?: number | undefined
  /** Files and folders that alone are looked at. */
  readonly paths?: readonly string[] | undefined
}
export interface RetrieveOptions extends SearchOptions {
  /** Most tokens of all texts, an estimate; default 2,000. */
  readonly tokens?: number | undefined
}

/** A section found. Its reference was checked against the file's present bytes. */
export interface FoundSection extends Omit<Section, 'number'> {
  readonly score: number
  /** That it is what was asked for, 0–1; see confidence.ts for what it is made of. */
  readonly confidence: number
}

export interface SearchResult {
  readonly sections: readonly FoundSection[]
  /** Of the first; 0 without any. */
  readonly confidence: number
  /** Why there is nothing: no word of the question stands anywhere, or nothing is found with confidence enough. */
  readonly abstained?: 'nothing' | 'unsure'
  readonly ms: number
}

/** Lines of a file, as they are now. */
export interface DocumentPart {
  readonly path: string
  readonly titles: string
  readonly reference: string
  readonly mark: string
  readonly first: number
  readonly last: number
  /** False: lines are left out, `…` stands for them. */
  readonly whole: boolean
  readonly tokens: number
  readonly text: string
  readonly confidence: number
}

export interface Retrieved extends Omit<SearchResult, 'sections'> {
  readonly parts: readonly DocumentPart[]
  readonly tokens: number
  readonly pick?: { readonly taken: number; readonly unknown: number }
}

export interface ResolvedReference {
  readonly state: ReferenceState
  readonly section?: Omit<Section, 'number'>
}

export interface DocsStatistics {
  readonly files: number
  readonly sections: number
  /** Bytes of memory, roughly. */
  readonly memory: number
  readonly guessedOutlines: number
  readonly vectors: number
  readonly embedder: string | null
  readonly searches: number
}

/** An embedder belongs to the index that was opened with it, and is closed with it. */
export interface DocsParts {
  readonly embedder?: Embedder | undefined
}
