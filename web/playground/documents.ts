/** What the visitor's files say, for steps that ask: indexed in the memory of this page when one does. */
import { AetherflowError, openDocs, type DocumentFinder } from '../browser/index.js'

/** `files`: by path, as they are at the moment of a question. Rejects with docs.none while there are none. */
export function visitorDocuments(files: ReadonlyMap<string, string>): DocumentFinder {
  return {
    async retrieve(question, options) {
      if (files.size === 0) throw new AetherflowError('docs.none', '', 'add the documents under Keys and files')
      const docs = await openDocs({ documents: [...files].map(([path, text]) => ({ path, text })) })
      try {
        return await docs.retrieve(question, options)
      } finally {
        await docs.close()
      }
    },
  }
}
