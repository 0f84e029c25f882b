/** From an answer to the file that it stands for. */
import { applyBlocks, conflictWords, readBlocks } from './blocks.js'
import { inMannerOf } from './lines.js'

/** The text of the file after the answer, or why it does not fit. `present`: the file as it is; undefined: there is none. */
export function fileAfter(
  path: string,
  edit: 'whole' | 'blocks',
  present: string | undefined,
  answer: string,
): { readonly text: string } | { readonly conflict: string } {
  if (edit === 'whole') return { text: inMannerOf(present, answer) }
  const blocks = readBlocks(answer)
  if (typeof blocks === 'string') return { conflict: `${path}: ${blocks}` }
  const after = applyBlocks(present ?? '', blocks)
  return typeof after === 'string' ? { text: after } : { conflict: conflictWords(path, after) }
}
