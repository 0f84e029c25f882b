/** What was found in the documents: which sections went into which prompts. */
import type { RunReport } from '../../../bindings/events.js'
import { documentWords, formatCount, formatDuration, formatShare, plural } from '../format.js'
import { heading, longTable, paragraph, type Block } from './blocks.js'

/** References of a step that a table names. */
const mostReferences = 20
const mostRows = 500

export function documentsSection({ documents, steps }: RunReport): Block[] {
  if (documents === undefined) return []
  const asked = steps.flatMap(({ id, documents: found }) => (found === undefined ? [] : [{ id, ...found }]))
  const rows = asked.slice(0, mostRows).map(({ id, references, tokens, confidence, abstained, failure, ...took }) => {
    const named = references.slice(0, mostReferences).join(', ')
    const more = references.length > mostReferences ? `, and ${references.length - mostReferences} more` : ''
    const found = references.length > 0 ? `${named}${more}` : (failure ?? documentWords(0, abstained))
    return [id, found, formatCount(tokens), formatShare(confidence), formatDuration(took.retrievalTimeMs)]
  })
  const { sections, tokens, retrievalTimeMs, abstained } = documents
  const without = abstained > 0 ? `; for ${plural(abstained, 'step')} nothing was found that could be trusted` : ''
  const words = `${plural(sections, 'section')}, about ${plural(tokens, 'prompt token')}, found in ${formatDuration(retrievalTimeMs)}${without}.`
  const heads = ['step', 'found', 'tokens', 'confidence', 'took']
  return [heading('Documents'), paragraph(words), ...longTable(heads, rows, asked.length, 'steps')]
}
