/** Texts as lines with their own ends, so that a change leaves all others as they were. */

export interface Line {
  readonly text: string
  /** '\n', '\r\n' or '\r'; '' of a last line without end. */
  readonly end: string
}

const bomMark = '\uFEFF'

export function splitLines(source: string): { readonly bom: string; readonly lines: Line[] } {
  const bom = source.startsWith(bomMark) ? bomMark : ''
  const lines: Line[] = []
  const text = source.slice(bom.length)
  const ends = /\r\n|\n|\r/g
  let from = 0
  for (let found = ends.exec(text); found !== null; found = ends.exec(text)) {
    lines.push({ text: text.slice(from, found.index), end: found[0] })
    from = ends.lastIndex
  }
  if (from < text.length) lines.push({ text: text.slice(from), end: '' })
  return { bom, lines }
}

export const joinLines = (lines: readonly Line[]): string => lines.map(({ text, end }) => text + end).join('')

/** The end that most lines have; '\n' where there are none. */
function usualEnd(lines: readonly Line[]): string {
  const counts = new Map<string, number>()
  for (const { end } of lines) if (end !== '') counts.set(end, (counts.get(end) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? '\n'
}

/** A whole new text in the manner of the one it replaces: its mark, its line ends, its last line with or without end. `undefined`: a new file. */
export function inMannerOf(present: string | undefined, text: string): string {
  const { lines } = splitLines(text)
  const kept = present === undefined || present === '' ? { bom: '', lines: [] } : splitLines(present)
  const end = usualEnd(kept.lines)
  const open = kept.lines.at(-1)?.end === ''
  // Models write no empty lines at the end on purpose.
  while (lines.length > 1 && lines.at(-1)?.text === '') lines.pop()
  const last = lines.length - 1
  const own = lines.map((line, index) => ({ text: line.text, end: index === last && open ? '' : end }))
  return kept.bom + joinLines(own)
}
