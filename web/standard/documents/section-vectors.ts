/** Vectors of the sections of one index, by its embedder. */
import type { Embedder } from '../../../bindings/cache/ports.js'
import type { IndexCore, Section } from '../../../bindings/index/core.js'
import type { UpdateOptions } from './options.js'
import { cosines, embedWindows, packVectors, unpackVectors, vectorKey, windowsOf } from './vectors.js'

export class SectionVectors {
  readonly #core: IndexCore
  readonly #embedder: Embedder
  #known = new Map<string, Float32Array>()
  /** By the numbers of sections; of one version of the index, and of what was known then. */
  #inOrder: { version: number; known: unknown; vectors: (Float32Array | undefined)[] } | undefined

  constructor(core: IndexCore, embedder: Embedder) {
    this.#core = core
    this.#embedder = embedder
  }

  /** Windows that have a vector. */
  get size(): number {
    const floats = [...this.#known.values()].reduce((sum, vectors) => sum + vectors.length, 0)
    return this.#embedder.dimensions === 0 ? 0 : floats / this.#embedder.dimensions
  }

  async load(bytes: Uint8Array): Promise<void> {
    this.#known = unpackVectors(bytes, await this.#embedder.checksum(), this.#embedder.dimensions)
  }
  async pack(): Promise<Uint8Array> {
    return packVectors(this.#known, await this.#embedder.checksum(), this.#embedder.dimensions)
  }

  /** Embeds sections that are not; forgets those that are gone. The number embedded. */
  async update(
    read: (path: string) => Promise<Uint8Array | undefined>,
    { signal, onProgress }: UpdateOptions,
    files: number,
  ): Promise<number> {
    const sections = this.#sections()
    const known = this.#known
    this.#known = new Map()
    const missing: Section[] = []
    for (const section of sections) {
      const vectors = known.get(vectorKey(section))
      if (vectors === undefined) missing.push(section)
      else this.#known.set(vectorKey(section), vectors)
    }
    let text: { path: string; bytes: Uint8Array | undefined } | undefined
    for (const [embedded, section] of missing.entries()) {
      if (signal?.aborted) break
      onProgress?.({ files, of: files, embedded, toEmbed: missing.length })
      if (text?.path !== section.path) text = { path: section.path, bytes: await read(section.path) }
      if (text.bytes === undefined || this.#known.has(vectorKey(section))) continue
      const own = new TextDecoder().decode(text.bytes.subarray(section.from, section.to))
      this.#known.set(vectorKey(section), await embedWindows(this.#embedder, windowsOf(own, section.titles)))
    }
    this.#inOrder = undefined
    signal?.throwIfAborted()
    return missing.length
  }

  /** Undefined: the question is longer than the model reads. */
  async ask(question: string): Promise<Float32Array | undefined> {
    return (await this.#embedder.embed(question))?.vector
  }

  /** By the numbers of sections. */
  cosines(asked: Float32Array): Float32Array {
    const { version } = this.#core
    if (this.#inOrder?.version !== version || this.#inOrder.known !== this.#known) {
      const vectors = this.#sections().map((section) => this.#known.get(vectorKey(section)))
      this.#inOrder = { version, known: this.#known, vectors }
    }
    return cosines(this.#inOrder.vectors, asked)
  }

  #sections(): Section[] {
    return this.#core
      .files()
      .flatMap(({ path }) => this.#core.outline(path) ?? [])
      .sort((a, b) => a.number - b.number)
  }
}
