/** From an answer to the file that it stands for. */
import { applyBlocks, conflictWords, readBlocks } from './blocks.js'
import { inMannerOf } from './lines.js'

/** The text of the file after the answer, or why it does not fit. `present`: the file as it is; undefined if there is none. */
export function fileAfter(
  path: string,
  edit: 'whole' | 'blocks',
  present: string | undefined,
  answer: string,
): { readonly text: string } | { readonly conflict: string } {
  if (edit === 'whole') return { text: inMannerOf(present, unfenced(path, answer)) }
  const blocks = readBlocks(answer)
  if (typeof blocks === 'string') return { conflict: `${path}: ${blocks}` }
  const after = applyBlocks(present ?? '', blocks)
  return typeof after === 'string' ? { text: after } : { conflict: conflictWords(path, after) }
}

const opening = /^ {0,3}(`{3,}|~{3,})[^`]*$/

/**
 * Models put code in a fence of Markdown although they were asked for the file alone. Taken off when the whole answer stands in one; a
 * file of Markdown may be just that.
 */
export function unfenced(path: string, answer: string): string {
  if (/\.(?:md|mdx|markdown|qmd|rmd)$/i.test(path)) return answer
  const lines = answer
    .replace(/^\s*\n/, '')
    .trimEnd()
    .split('\n')
  const mark = opening.exec(lines[0]?.trimEnd() ?? '')?.[1]
  if (mark === undefined) return answer
  const closes = (line: string): boolean => {
    const end = /^ {0,3}(`{3,}|~{3,})\s*$/.exec(line)?.[1]
    return end !== undefined && end.startsWith(mark)
  }
  const end = lines.findIndex((line, at) => at > 0 && closes(line))
  return end > 0 && end === lines.length - 1 ? `${lines.slice(1, -1).join('\n')}\n` : answer
}
