/** Where steps of a plan look for documents, and what was found. */
import { Option } from 'commander'
import { documentWords, formatCount, oneLine } from '../../web/standard/format.js'
import type { FoundForStep } from '../../web/standard/run/dry-run.js'
import type { RunDocuments } from '../options.js'

/** Shared by run, check and explain. */
export interface DocumentFlags {
  readonly docs?: string
  readonly docsModel?: string
}

export const documentOptions = {
  dir: (): Option =>
    new Option(
      '--docs <dir>',
      'folder that steps look for documents in; default: that of the context files; off: none',
    ),
  model: (): Option =>
    new Option('--docs-model <model>', 'compare by meaning too: a pulled model or its folder; default: words alone'),
}

/** The flags as the option of the library; undefined: neither was named. */
export function documentsOf({ docs, docsModel }: DocumentFlags): RunDocuments | false | undefined {
  if (docs === 'off') return false
  if (docs === undefined && docsModel === undefined) return undefined
  return { ...(docs === undefined ? {} : { dir: docs }), ...(docsModel === undefined ? {} : { model: docsModel }) }
}

/** Steps listed. */
const mostSteps = 50
const mostReferences = 5

/** What `check` and `explain` say of documents. */
export function foundLines(found: readonly FoundForStep[]): string[] {
  const lines = found.slice(0, mostSteps).map(({ step, references, tokens, abstained }) => {
    const words = `found   ${oneLine(step)}: ${documentWords(references.length, abstained)}`
    if (references.length === 0) return words
    const named = references.slice(0, mostReferences).map(oneLine).join(', ')
    return `${words}, ${formatCount(tokens)} tokens: ${named}${references.length > mostReferences ? ', …' : ''}`
  })
  if (found.length > mostSteps) lines.push(`found   … and ${formatCount(found.length - mostSteps)} more steps`)
  return lines
}
