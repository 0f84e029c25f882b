/** The typed face of the index's module. Views of its heap are made again for every access. */
import type { IndexData, IndexModule, IndexSession } from './module.js'
import { OwnedSession } from '../owned-session.js'

export type { IndexData, IndexModule } from './module.js'

/** What a file is read as; the order is that of core/index/outline.hpp. */
export const fileKinds = ['text', 'markdown', 'json', 'code'] as const
export type FileKind = (typeof fileKinds)[number]

/** Of the ranking: BM25 by fields. */
export interface RankSettings {
  /** How soon more of a word says no more. Default 1.2. */
  readonly k1: number
  /** How much of a long section's counts is put down to its length, 0–1. Default 0.7. */
  readonly b: number
  /** What a word weighs in the title, the text's being 1. Default 2. */
  readonly title: number
  /** In the path, or in a title above. Default 1.5. */
  readonly path: number
}
export const defaultRank: RankSettings = { k1: 1.2, b: 0.7, title: 2, path: 1.5 }

export interface IndexedFile {
  readonly path: string
  readonly kind: FileKind
  /** Its outline is a guess by indentation: no grammar read it. */
  readonly guessed: boolean
  readonly french: boolean
  readonly bytes: number
  readonly lines: number
  readonly sections: number
}

/** A section, its own text without what stands below it. Lines from 1, both included; bytes of the file as UTF-8. */
export interface Section {
  readonly path: string
  /** Titles from the outermost down, ` › ` between them; '' of a file's own text. */
  readonly titles: string
  /** `docs/guide.md:Install › Linux.42`. */
  readonly reference: string
  /** What the text was, for `resolve`: 80 hexadecimal digits. */
  readonly mark: string
  /** SHA-256 of the text. */
  readonly hash: string
  /** Among all sections; good until the next change. */
  readonly number: number
  readonly level: number
  readonly first: number
  readonly last: number
  readonly from: number
  readonly to: number
  /** Estimate. */
  readonly tokens: number
}

export interface SectionHit extends Section {
  /** Comparable within one search alone. */
  readonly score: number
  readonly lexical: number
  /** Cosine of its nearest vector, 0 without any. */
  readonly dense: number
  /** Share of the question's words that stand in it, weighed by their rarity. */
  readonly covered: number
}

/** What is taken of a section for a prompt: all of it, or what fits into `take` tokens. */
export interface Excerpt {
  readonly section: SectionHit
  readonly whole: boolean
  readonly take: number
}

/** What became of a reference; see core/index/reference.hpp. */
export type ReferenceState = 'same' | 'moved' | 'changed' | 'named' | 'stale'

export type GramStrategy = 'seed' | 'cover'
export interface GramChoice {
  readonly kept: string[]
  /** `by`: the kept one that covers it; undefined: none does, results may be lost. */
  readonly dropped: { readonly gram: string; readonly by: string | undefined }[]
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export class IndexCore {
  readonly #module: IndexModule
  readonly #owned: OwnedSession<IndexSession>
  #version = 0

  constructor(module: IndexModule, data: IndexData, rank: Partial<RankSettings> = {}) {
    this.#module = module
    this.#owned = new OwnedSession(new module.IndexSession(), this)
    for (const [number, words] of [data.stops.en, data.stops.fr].entries()) {
      this.#call((s) => s.words(number, this.#write(s, [words])[0] ?? 0))
    }
    const { k1, b, title, path } = { ...defaultRank, ...rank }
    this.#call((s) => s.rank(k1, b, title, path))
  }

  dispose(): void {
    this.#owned.dispose()
  }
  [Symbol.dispose](): void {
    this.dispose()
  }

  /** False: the file was there already, the same. `outline`: see core/index/outline.hpp. */
  put(path: string, text: Uint8Array, outline = '', kind?: FileKind): boolean {
    return this.#changes((s) => {
      const [a = 0, b = 0, c = 0] = this.#write(s, [path, text, outline])
      return s.put(a, b, c, kind === undefined ? -1 : fileKinds.indexOf(kind))
    })
  }
  /** Whether `put` of the same would change nothing. */
  same(path: string, text: Uint8Array, outline = ''): boolean {
    return this.#call((s) => {
      const [a = 0, b = 0, c = 0] = this.#write(s, [path, text, outline])
      return s.same(a, b, c)
    })
  }
  remove(path: string): boolean {
    return this.#changes((s) => s.remove(this.#write(s, [path])[0] ?? 0))
  }
  /** Another number whenever the sections are others. */
  get version(): number {
    return this.#version
  }
  get sections(): number {
    return this.#call((s) => s.sections())
  }
  /** Bytes, roughly. */
  get memory(): number {
    return this.#call((s) => s.memory())
  }
  files(): IndexedFile[] {
    return this.#json((s) => s.files())
  }
  /** The sections of a file in their order; undefined: there is no such file. */
  outline(path: string): Section[] | undefined {
    return this.#json<Section[] | null>((s) => s.outline(this.#write(s, [path])[0] ?? 0)) ?? undefined
  }

  /** `paths`: files and folders that alone are looked at; none: all. `dense`: a cosine for each section, by number. */
  search(question: string, count: number, paths: readonly string[] = [], dense?: Float32Array): SectionHit[] {
    return this.#json((s) => {
      const [a = 0, b = 0] = this.#write(s, [question, paths.join('\n')])
      if (dense !== undefined) this.#module.HEAPF32.set(dense, s.floats(dense.length) / 4)
      s.search(a, b, count, dense !== undefined)
    })
  }
  /** Of what the last search found, for a prompt of so many tokens. */
  excerpts(budget: number): Excerpt[] {
    return this.#json((s) => s.excerpts(Math.max(0, Math.floor(budget))))
  }
  /** The lines of `text` that fit, as pairs of first and last, from 0. */
  lines(text: Uint8Array, question: string, budget: number): [number, number][] {
    const flat = this.#json<number[]>((s) => {
      const [a = 0, b = 0] = this.#write(s, [text, question])
      s.lines(a, b, Math.max(0, Math.floor(budget)))
    })
    return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i] ?? 0, flat[2 * i + 1] ?? 0])
  }
  resolve(reference: string, mark = ''): { state: ReferenceState; section?: Section } {
    return this.#json((s) => {
      const [a = 0, b = 0] = this.#write(s, [reference, mark])
      s.resolve(a, b)
    })
  }

  /** The index as bytes: equal contents give equal bytes. */
  save(): Uint8Array {
    return this.#call((s) => {
      s.save()
      const at = s.output()
      return this.#module.HEAPU8.slice(at, at + s.size())
    })
  }
  /** Replaces everything. The number of files that were damaged and left out; -1: it is no index of this version, and now empty. */
  load(bytes: Uint8Array): number {
    this.#version += 1
    return this.#call((s) => s.load(this.#write(s, [bytes])[0] ?? 0))
  }

  /** Which of a question's n-grams are to be searched for; at most `most`. A gram is one line. */
  grams(grams: readonly string[], strategy: GramStrategy, most: number): GramChoice {
    const found = this.#json<{ kept: number[]; dropped: number[] }>((s) => {
      const lines = grams.map((gram) => gram.replace(/[\r\n]+/g, ' ') + '\n').join('')
      s.grams(this.#write(s, [lines])[0] ?? 0, strategy === 'seed' ? 0 : 1, most)
    })
    const dropped = Array.from({ length: found.dropped.length / 2 }, (_, i) => ({
      gram: grams[found.dropped[2 * i] ?? -1] ?? '',
      by: grams[found.dropped[2 * i + 1] ?? -1],
    }))
    return { kept: found.kept.map((i) => grams[i] ?? ''), dropped }
  }

  #changes(action: (session: IndexSession) => boolean): boolean {
    const changed = this.#call(action)
    if (changed) this.#version += 1
    return changed
  }
  #call<T>(action: (session: IndexSession) => T): T {
    return this.#owned.call(action)
  }
  #json<T>(action: (session: IndexSession) => void): T {
    return this.#call((s) => {
      action(s)
      const at = s.output()
      return JSON.parse(decoder.decode(this.#module.HEAPU8.subarray(at, at + s.size()))) as T
    })
  }
  /** Texts one behind the other; their bytes. */
  #write(session: IndexSession, texts: readonly (string | Uint8Array)[]): number[] {
    const parts = texts.map((text) => (typeof text === 'string' ? encoder.encode(text) : text))
    let at = session.input(parts.reduce((sum, part) => sum + part.length, 0))
    for (const part of parts) {
      this.#module.HEAPU8.set(part, at)
      at += part.length
    }
    return parts.map((part) => part.length)
  }
}
