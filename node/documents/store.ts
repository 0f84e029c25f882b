/**
 * Keeps an index in a folder.
 *
 *   DIR/current           name of the generation that counts, one line
 *   DIR/<name>.sections   the index, with a checksum of each file's part
 *   DIR/<name>.vectors    vectors, where there is a model
 *   DIR/<name>.stamps     stamps of the files, JSON
 *
 * A generation is written whole before `current` names it, so that a reader finds one of them and no mixture. The former one stays
 * until the next, for readers that have read its name and not yet its files.
 */
import { randomBytes } from 'node:crypto'
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AetherflowError } from '../../bindings/errors.js'
import type { IndexStore, KeptIndex } from '../../web/standard/documents/ports.js'
import { errorCode } from '../error-code.js'
import { makeFolder } from '../make-folder.js'

const namePattern = /^[0-9a-z]{9}-[0-9a-f]{12}$/

/** Fails: host.io_failed. */
export class FolderIndexStore implements IndexStore {
  readonly #dir: string

  constructor(dir: string) {
    this.#dir = dir
  }

  async load(): Promise<KeptIndex | undefined> {
    // Twice: a writer may have taken the first one away between its name and its files.
    for (let tries = 0; tries < 2; tries++) {
      const name = (await this.#read('current'))?.toString().trim()
      if (name === undefined || !namePattern.test(name)) return undefined
      const [sections, stamps, vectors] = await Promise.all(
        ['sections', 'stamps', 'vectors'].map((kind) => this.#read(`${name}.${kind}`)),
      )
      if (sections === undefined || stamps === undefined) continue
      return {
        sections: new Uint8Array(sections),
        stamps: stamps.toString(),
        vectors: vectors && new Uint8Array(vectors),
      }
    }
    return undefined
  }

  async save({ sections, stamps, vectors }: KeptIndex): Promise<void> {
    try {
      await makeFolder(this.#dir, 0o700)
      const name = `${Date.now().toString(36).padStart(9, '0')}-${randomBytes(6).toString('hex')}`
      const former = (await this.#read('current'))?.toString().trim()
      await this.#write(`${name}.sections`, sections)
      if (vectors !== undefined) await this.#write(`${name}.vectors`, vectors)
      await this.#write(`${name}.stamps`, stamps)
      await this.#write(`${name}.part`, `${name}\n`)
      await rename(join(this.#dir, `${name}.part`), join(this.#dir, 'current'))
      await this.#clean(new Set([name, former ?? '']))
    } catch (error) {
      throw ioError(this.#dir, error)
    }
  }

  async close(): Promise<void> {}

  async #read(name: string): Promise<Buffer | undefined> {
    try {
      return await readFile(join(this.#dir, name))
    } catch (error) {
      if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined
      throw ioError(join(this.#dir, name), error)
    }
  }
  #write(name: string, bytes: Uint8Array | string): Promise<void> {
    return writeFile(join(this.#dir, name), bytes, { mode: 0o600, flush: true })
  }
  /** Generations older than the former one. Names sort by time: what is newer belongs to another writer. */
  async #clean(keep: ReadonlySet<string>): Promise<void> {
    const oldest = [...keep].filter(Boolean).sort()[0] ?? ''
    for (const file of await readdir(this.#dir)) {
      const name = file.slice(0, file.indexOf('.'))
      if (namePattern.test(name) && name < oldest) await rm(join(this.#dir, file), { force: true })
    }
  }
}

const ioError = (path: string, error: unknown): AetherflowError =>
  error instanceof AetherflowError
    ? error
    : new AetherflowError('host.io_failed', path, errorCode(error) || String(error))
