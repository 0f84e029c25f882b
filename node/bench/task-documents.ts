/** What steps of a benchmark's plans find that ask for documents: an index of each plan's folder, opened when the first step asks. */
import type { DocumentFinder } from '../../bindings/ports.js'
import type { ProviderEntry } from '../../web/standard/config.js'
import type { RunDocuments } from '../options.js'
import { documentsOf } from '../run/execute.js'
import type { OpenedDocuments } from '../run/run-documents.js'

export class TaskDocuments {
  readonly #opened = new Map<string, OpenedDocuments>()
  readonly #documents: RunDocuments | false | undefined
  readonly #entries: readonly ProviderEntry[]

  /** `documents` as the option of a run; `entries`: whose keys nobody is told. */
  constructor(documents: RunDocuments | false | undefined, entries: readonly ProviderEntry[]) {
    this.#documents = documents
    this.#entries = entries
  }

  of({ folder }: { readonly folder: string }): DocumentFinder {
    const opened = this.#opened.get(folder) ?? documentsOf({ folder, documents: this.#documents }, this.#entries)
    this.#opened.set(folder, opened)
    return opened.finder
  }

  async close(): Promise<void> {
    for (const opened of this.#opened.values()) await opened.close()
  }
}
