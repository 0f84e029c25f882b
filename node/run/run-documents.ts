/** The documents that the steps of a plan may ask for: an index that is handed over, or one of a folder, opened when a step asks. */
import { AetherflowError } from '../../bindings/errors.js'
import type { DocumentFinder, FileReader, FoundDocuments } from '../../bindings/ports.js'
import type { DocsBase } from '../../web/standard/documents/documents.js'
import type { DocumentSource, SkippedFile } from '../../web/standard/documents/ports.js'
import { indexFolder, openDocs, type OpenDocsOptions } from '../documents/open.js'
import { FolderSource } from '../documents/source.js'
import type { RunDocuments } from '../options.js'

/** A finder, and what it has opened by itself. */
export interface OpenedDocuments {
  readonly finder: DocumentFinder
  close(): Promise<void>
}

interface Surroundings {
  /** Of the context files: where documents are looked for when nobody says otherwise. */
  readonly folder: string
  /** Reads below a folder what a plan may send, and refuses the rest. */
  files(folder: string): FileReader
  readonly keys: readonly string[]
  readonly signal?: AbortSignal | undefined
}

const none: DocumentFinder = { retrieve: () => Promise.reject(new AetherflowError('docs.none')) }

/** `documents` false: none. Nothing is opened before the first question. */
export function runDocuments(
  documents: DocumentFinder | RunDocuments | false | undefined,
  { folder, files, keys, signal }: Surroundings,
): OpenedDocuments {
  if (documents === false) return { finder: none, close: () => Promise.resolve() }
  if (documents !== undefined && 'retrieve' in documents)
    return { finder: withoutKeys(documents, keys), close: () => Promise.resolve() }
  const { dir = folder, ...others } = documents ?? {}
  let opening: Promise<DocsBase> | undefined
  const open = (): Promise<DocsBase> => (opening ??= openSendable(files(dir), { ...others, dir, signal }))
  return {
    finder: withoutKeys({ retrieve: async (question, options) => (await open()).retrieve(question, options) }, keys),
    close: async () => {
      const opened = await opening?.catch(() => undefined)
      await opened?.close()
    },
  }
}

/**
 * An index of what may leave a folder, by what `files` reads of it. It is kept apart from the user's own index of the folder: what that
 * has read already would not be looked at again.
 */
export function openSendable(
  files: FileReader,
  options: OpenDocsOptions & { readonly dir: string },
): Promise<DocsBase> {
  const { dir, keep = `${indexFolder(dir)}-sendable` } = options
  return openDocs({ ...options, keep, source: sendable(new FolderSource(dir), files) })
}

/** A plan is untrusted, and what it asks for goes to a provider: what it may not name as a context file it may not look up either. */
function sendable(source: DocumentSource, files: FileReader): DocumentSource {
  const allowed = (path: string): Promise<boolean> =>
    files.read(path).then(
      () => true,
      () => false,
    )
  return {
    list: (skip: (file: SkippedFile) => void, signal?: AbortSignal) => source.list(skip, signal),
    read: async (path) => {
      const bytes = (await allowed(path)) ? await source.read(path) : undefined
      return bytes !== undefined && path.endsWith('.json') && isPlan(bytes) ? undefined : bytes
    },
  }
}

/** Nothing says more of a question than the plan that asks it, and nothing answers it less. */
function isPlan(bytes: Uint8Array): boolean {
  try {
    const { steps } = Object(JSON.parse(new TextDecoder().decode(bytes))) as { steps?: unknown }
    const isStep = (step: unknown): boolean => {
      const { id, type, description } = Object(step) as Record<string, unknown>
      return [id, type, description].every((member) => typeof member === 'string')
    }
    return Array.isArray(steps) && steps.length > 0 && steps.every(isStep)
  } catch {
    return false
  }
}

/** A configured key goes to its own provider and nowhere else, no matter who has opened the index. */
function withoutKeys(finder: DocumentFinder, keys: readonly string[]): DocumentFinder {
  const secrets = keys.filter((key) => key.length >= 8)
  const check = (found: FoundDocuments): FoundDocuments => {
    const part = found.parts.find(({ text }) => secrets.some((key) => text.includes(key)))
    if (part === undefined) return found
    throw new AetherflowError('host.file_refused', part.reference, 'it holds the key of a configured provider')
  }
  return { retrieve: async (question, options) => check(await finder.retrieve(question, options)) }
}
