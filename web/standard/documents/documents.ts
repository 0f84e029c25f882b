/** An index of documents over a source: brings itself up to date, finds, and hands out texts whose references hold. */
import type { Embedder } from '../../../bindings/cache/ports.js'
import { AetherflowError } from '../../../bindings/errors.js'
import type { IndexCore, IndexedFile, Section, SectionHit } from '../../../bindings/index/core.js'
import { confidences } from './confidence.js'
import { partOf } from './parts.js'
import type {
  DocsOptions,
  DocsStatistics,
  DocumentPart,
  FoundSection,
  ResolvedReference,
  Retrieved,
  RetrieveOptions,
  SearchOptions,
  SearchResult,
  UpdateOptions,
  UpdateResult,
} from './options.js'
import { pickSections } from './pick.js'
import type { DocumentSource, IndexStore, OutlineReader, SkippedFile, SourceFile } from './ports.js'
import { readStamps, type Stamps } from './stamps.js'
import { SectionVectors } from './section-vectors.js'

export interface DocsBaseParts {
  readonly core: IndexCore
  readonly source: DocumentSource
  readonly store?: IndexStore | undefined
  readonly embedder?: Embedder | undefined
  readonly outline?: OutlineReader | undefined
  /** Milliseconds, for durations. */
  readonly now: () => number
}

const usualCount = 10
const usualTokens = 2000
const usualConfidence = 0.25
/** A file that changes with every look is not chased further. */
const mostLooks = 3

export class DocsBase {
  readonly #parts: DocsBaseParts
  readonly #options: DocsOptions
  readonly #vectors: SectionVectors | undefined
  #stamps: Stamps = new Map()
  #damage: string | undefined
  #searches = 0
  #busy: Promise<unknown> = Promise.resolve()

  constructor(parts: DocsBaseParts, options: DocsOptions = {}) {
    this.#parts = parts
    this.#options = options
    this.#vectors = parts.embedder && new SectionVectors(parts.core, parts.embedder)
  }

  /** What was damaged in the kept index and is read again, in words; undefined: nothing. */
  get damage(): string | undefined {
    return this.#damage
  }

  /** Takes over what is kept; what is damaged of it is dropped and read again by `update`. */
  async load(): Promise<void> {
    const kept = await this.#parts.store?.load()
    if (kept === undefined) return
    const { core } = this.#parts
    const damaged = core.load(kept.sections)
    const stamps = readStamps(kept.stamps)
    if (damaged < 0 || stamps === undefined) {
      this.#damage = 'the kept index cannot be read: everything is read again'
      for (const { path } of core.files()) core.remove(path)
      return
    }
    if (damaged > 0) this.#damage = `${damaged} of the kept files were damaged: they are read again`
    const there = new Set(core.files().map(({ path }) => path))
    this.#stamps = new Map([...stamps].filter(([path]) => there.has(path)))
    // What has no stamp cannot be told from its next version.
    for (const path of there) if (!stamps.has(path)) core.remove(path)
    if (kept.vectors !== undefined) await this.#vectors?.load(kept.vectors)
  }

  /** Reads what is new or has changed, forgets what is gone, embeds what was not embedded, and keeps the result. */
  update(options: UpdateOptions = {}): Promise<UpdateResult> {
    return this.#alone(async () => {
      const { core, source, now } = this.#parts
      const begun = now()
      const skipped: SkippedFile[] = []
      const files = await source.list((file) => void skipped.push(file), options.signal)
      const tally = { read: 0, changed: 0, removed: this.#forget(files), embedded: 0 }
      for (const [at, file] of files.entries()) {
        options.signal?.throwIfAborted()
        options.onProgress?.({ files: at, of: files.length, embedded: 0, toEmbed: 0 })
        if (this.#stamps.get(file.path) === file.stamp) continue
        tally.read += 1
        const read = await this.#read(file)
        if (read === 'changed') tally.changed += 1
        else if (read !== 'same') skipped.push({ path: file.path, reason: read })
      }
      options.onProgress?.({ files: files.length, of: files.length, embedded: 0, toEmbed: 0 })
      const embedding = await this.#vectors?.update((path) => source.read(path), options, files.length)
      tally.embedded = embedding ?? 0
      if (tally.changed + tally.removed + tally.embedded > 0 || this.#damage !== undefined) await this.#save()
      return { files: core.files().length, sections: core.sections, ...tally, skipped, ms: now() - begun }
    })
  }

  /** Most like the question first. Files of what is found are looked at again: what changed meanwhile is read again. */
  search(question: string, options: SearchOptions = {}): Promise<SearchResult> {
    return this.#alone(async () => {
      const begun = this.#parts.now()
      const { hits } = await this.#find(question, options.count ?? usualCount, options.paths)
      return { ...this.#judge(hits), ms: this.#parts.now() - begun }
    })
  }

  /** Texts for a prompt of at most so many tokens: whole sections first, in the order to read. */
  retrieve(question: string, options: RetrieveOptions = {}): Promise<Retrieved> {
    return this.#alone(async () => {
      const { core, now } = this.#parts
      const begun = now()
      const found = await this.#find(question, Math.max(20, options.count ?? 20), options.paths)
      const judged = this.#judge(found.hits)
      const { confidence, abstained } = judged
      const none = { parts: [], tokens: 0, confidence, ...(abstained === undefined ? {} : { abstained }) }
      if (abstained !== undefined) return { ...none, ms: now() - begun }
      const picked = await pickSections(core, question, found.hits, found.texts, this.#options.pick)
      const trust = new Map(judged.sections.map(({ reference, confidence }) => [reference, confidence]))
      const parts: DocumentPart[] = []
      for (const excerpt of picked.excerpts(options.tokens ?? usualTokens)) {
        const bytes = found.texts.get(excerpt.section.path) ?? (await this.#present(excerpt.section.path))
        if (bytes === undefined) continue
        parts.push(partOf(core, question, excerpt, bytes, trust.get(excerpt.section.reference) ?? 0))
      }
      const tokens = parts.reduce((sum, part) => sum + part.tokens, 0)
      const { pick } = picked
      return { parts, tokens, confidence, ...(pick === undefined ? {} : { pick }), ms: now() - begun }
    })
  }

  /** Where the text of a reference is now. `mark`: as it was handed out; without it only names can be compared. */
  resolve(reference: string, mark?: string): Promise<ResolvedReference> {
    return this.#alone(async () => {
      for (let look = 0; look < mostLooks; look++) {
        const { state, section } = this.#parts.core.resolve(reference, mark)
        if (section === undefined) return { state }
        if ((await this.#check(section.path)) !== 'changed') return { state, section: withoutNumber(section) }
      }
      return { state: 'stale' }
    })
  }

  /** The present text of a section that was found; undefined: the file is gone or has changed. */
  text(section: Pick<Section, 'path' | 'from' | 'to'>): Promise<string | undefined> {
    return this.#alone(async () => {
      const bytes = await this.#present(section.path)
      return bytes && new TextDecoder().decode(bytes.subarray(section.from, section.to))
    })
  }

  files(): IndexedFile[] {
    return this.#parts.core.files()
  }
  /** The sections of a file, in their order; undefined: the index does not have it. */
  outline(path: string): Omit<Section, 'number'>[] | undefined {
    return this.#parts.core.outline(path)?.map(withoutNumber)
  }
  stats(): DocsStatistics {
    const files = this.files()
    return {
      files: files.length,
      sections: this.#parts.core.sections,
      memory: this.#parts.core.memory,
      guessedOutlines: files.filter(({ guessed }) => guessed).length,
      vectors: this.#vectors?.size ?? 0,
      embedder: this.#parts.embedder?.name ?? null,
      searches: this.#searches,
    }
  }

  async close(): Promise<void> {
    await this.#busy
    await this.#parts.store?.close()
    await this.#parts.embedder?.close()
    this.#parts.core.dispose()
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** One thing after the other: what is found must not change before it is handed out. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#busy.then(work)
    this.#busy = turn.catch(() => {})
    return turn
  }

  #forget(files: readonly SourceFile[]): number {
    const there = new Set(files.map(({ path }) => path))
    const gone = this.#parts.core.files().filter(({ path }) => !there.has(path))
    for (const { path } of gone) this.#drop(path)
    return gone.length
  }
  #drop(path: string): void {
    this.#parts.core.remove(path)
    this.#stamps.delete(path)
  }

  async #read({ path, stamp }: SourceFile): Promise<'changed' | 'same' | 'unreadable' | 'binary'> {
    const bytes = await this.#parts.source.read(path)
    if (bytes === undefined || isBinary(bytes)) {
      this.#drop(path)
      return bytes === undefined ? 'unreadable' : 'binary'
    }
    const changed = this.#parts.core.put(path, bytes, await this.#outlineOf(path, bytes))
    this.#stamps.set(path, stamp)
    return changed ? 'changed' : 'same'
  }
  #outlineOf = async (path: string, bytes: Uint8Array): Promise<string | undefined> =>
    this.#parts.outline?.(path, bytes)

  /** Compares a file with what the index knows of it, and takes over what is other. */
  async #check(path: string, bytes?: Uint8Array): Promise<'same' | 'changed'> {
    const { core, source } = this.#parts
    const present = bytes ?? (await source.read(path))
    if (present === undefined || isBinary(present)) {
      this.#drop(path)
      return 'changed'
    }
    const changed = core.put(path, present, await this.#outlineOf(path, present))
    // The stamp is of another version: the next update looks again.
    if (changed) this.#stamps.delete(path)
    return changed ? 'changed' : 'same'
  }
  async #present(path: string): Promise<Uint8Array | undefined> {
    const bytes = await this.#parts.source.read(path)
    if (bytes === undefined) return undefined
    return (await this.#check(path, bytes)) === 'same' ? bytes : undefined
  }

  async #find(
    question: string,
    count: number,
    paths: readonly string[] = [],
  ): Promise<{ hits: SectionHit[]; texts: Map<string, Uint8Array> }> {
    if (!Number.isSafeInteger(count) || count < 1)
      throw new AetherflowError('host.usage', 'count', 'a whole number from 1')
    this.#mustHold(paths)
    this.#searches += 1
    const asked = await this.#vectors?.ask(question)
    for (let look = 0; ; look++) {
      const dense = asked && this.#vectors?.cosines(asked)
      const hits = this.#parts.core.search(question, count, paths, dense)
      const texts = new Map<string, Uint8Array>()
      let changed = false
      for (const path of new Set(hits.map(({ path }) => path))) {
        const bytes = await this.#parts.source.read(path)
        if (bytes !== undefined) texts.set(path, bytes)
        changed = (await this.#check(path, bytes)) === 'changed' || changed
      }
      if (!changed) return { hits, texts }
      if (look + 1 >= mostLooks) return { hits: [], texts }
    }
  }

  /** A path that is misspelt would find nothing, for ever. Fails: docs.no_path. */
  #mustHold(paths: readonly string[]): void {
    if (paths.length === 0) return
    const files = this.files().map(({ path }) => path)
    for (const path of paths) {
      const plain = path.replace(/^\.\//, '').replace(/\/+$/, '')
      const all = plain === '' || plain === '.'
      if (all || files.some((file) => file === plain || file.startsWith(`${plain}/`))) continue
      throw new AetherflowError('docs.no_path', path, 'the index has no such file or folder')
    }
  }

  #judge(hits: readonly SectionHit[]): Omit<SearchResult, 'ms'> {
    const all = confidences(hits)
    const confidence = all[0] ?? 0
    if (hits.length === 0) return { sections: [], confidence, abstained: 'nothing' }
    if (confidence < (this.#options.leastConfidence ?? usualConfidence))
      return { sections: [], confidence, abstained: 'unsure' }
    const sections = hits.map((hit, at): FoundSection => ({
      ...withoutNumber(hit),
      score: hit.score,
      confidence: all[at] ?? 0,
    }))
    return { sections, confidence }
  }

  async #save(): Promise<void> {
    const { store, core } = this.#parts
    this.#damage = undefined
    if (store === undefined) return
    const stamps = JSON.stringify({ version: 1, files: Object.fromEntries(this.#stamps) })
    await store.save({ sections: core.save(), vectors: await this.#vectors?.pack(), stamps })
  }
}

function withoutNumber(section: Section): Omit<Section, 'number'> {
  const { path, titles, reference, mark, hash, level, first, last, from, to, tokens } = section
  return { path, titles, reference, mark, hash, level, first, last, from, to, tokens }
}

/** A NUL among the first bytes, as git tells binary files. */
export const isBinary = (bytes: Uint8Array): boolean => bytes.subarray(0, 8000).includes(0)
