/** The user's file of what is known of drafts: `$XDG_STATE_HOME/aetherflow/drafts.json`. Numbers and names of models, no text. */
import { existsSync } from 'node:fs'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { DraftBook, pairsOf, type KeptPair } from '../../web/standard/draft/book.js'
import { stateRoot, userStateFolder, type Environment } from '../folders.js'
import { loadLimits } from '../loader.js'
import { makeFolder } from '../make-folder.js'

/**
 * A run that knows what is known of drafts, and whose own are kept afterwards. What simulated drafts come to says nothing about models:
 * such a run gets undefined. `problem`: told of a file that cannot be written.
 */
export async function withDrafts<T>(
  env: Environment,
  simulated: string | undefined,
  problem: (words: string) => void,
  run: (book: DraftBook | undefined) => Promise<T>,
): Promise<T> {
  if (simulated !== undefined) return run(undefined)
  const store = new DraftStore(env)
  const book = await store.open()
  try {
    return await run(book)
  } finally {
    await store.save(book).catch((error: unknown) => problem(`${store.path}: ${String(error)}`))
  }
}

export class DraftStore {
  readonly path: string
  readonly #root: string

  constructor(env: Environment) {
    this.path = userStateFolder(env, 'drafts.json')
    this.#root = stateRoot(env)
  }

  /** A book with what the file says. A damaged file counts as empty: nothing in it is worth failing a run for. */
  async open(): Promise<DraftBook> {
    return new DraftBook(await loadLimits(), await this.#read())
  }

  async pairs(): Promise<KeptPair[]> {
    return pairsOf(await this.#read())
  }

  /**
   * Writes what the book has learnt; pairs that it has not heard of stay as they stand there meanwhile. A user whose state folder
   * cannot be made keeps nothing. Rejects with the system's error for a file that cannot be written.
   */
  async save(book: DraftBook): Promise<void> {
    if (!book.changed || !existsSync(this.#root)) return
    await makeFolder(dirname(this.path), 0o700)
    const aside = `${this.path}.${process.pid}`
    await writeFile(aside, `${JSON.stringify(book.toJSON(await this.#read()))}\n`, { mode: 0o600 })
    await rename(aside, this.path)
  }

  async reset(): Promise<void> {
    await rm(this.path, { force: true })
  }

  async #read(): Promise<unknown> {
    const text = await readFile(this.path, 'utf8').catch(() => '')
    try {
      return JSON.parse(text) as unknown
    } catch {
      return undefined
    }
  }
}
