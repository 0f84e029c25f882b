/** From an excerpt of the index to the text that a prompt gets. */
import type { Excerpt, IndexCore } from '../../../bindings/index/core.js'
import type { DocumentPart } from './options.js'

const decoder = new TextDecoder()

/** `bytes`: of the file, as the index knows it. */
export function partOf(
  core: IndexCore,
  question: string,
  { section, whole, take }: Excerpt,
  bytes: Uint8Array,
  confidence: number,
): DocumentPart {
  const { path, titles, reference, mark, first, last } = section
  const own = bytes.subarray(section.from, section.to)
  const text = whole ? decoder.decode(own) : cut(core, own, question, take)
  return { path, titles, reference, mark, first, last, whole, tokens: whole ? section.tokens : take, text, confidence }
}

/** The lines that fit; `…` for those between. */
function cut(core: IndexCore, bytes: Uint8Array, question: string, tokens: number): string {
  const lines = decoder.decode(bytes).split(/\r\n|\n|\r/)
  const kept = core.lines(bytes, question, tokens)
  const out: string[] = []
  let next = 0
  for (const [first, last] of kept) {
    if (first > next) out.push('…')
    out.push(...lines.slice(first, last + 1))
    next = last + 1
  }
  if (next < lines.length) out.push('…')
  return out.join('\n')
}
