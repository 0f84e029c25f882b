/** Texts in terminal cells: how wide they show, cut and padded by that width. Colour comes after, never before. */

/**
 * First and last code points of what takes two cells (East Asian Width W and F, Unicode 15, neighbours joined; emoji that show
 * as pictures by default among them).
 */
// prettier-ignore
const wide: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f], [0x231a, 0x231b], [0x2329, 0x232a], [0x23e9, 0x23ec], [0x23f0, 0x23f0], [0x23f3, 0x23f3],
  [0x25fd, 0x25fe], [0x2614, 0x2615], [0x2648, 0x2653], [0x267f, 0x267f], [0x2693, 0x2693], [0x26a1, 0x26a1],
  [0x26aa, 0x26ab], [0x26bd, 0x26be], [0x26c4, 0x26c5], [0x26ce, 0x26ce], [0x26d4, 0x26d4], [0x26ea, 0x26ea],
  [0x26f2, 0x26f3], [0x26f5, 0x26f5], [0x26fa, 0x26fa], [0x26fd, 0x26fd], [0x2705, 0x2705], [0x270a, 0x270b],
  [0x2728, 0x2728], [0x274c, 0x274c], [0x274e, 0x274e], [0x2753, 0x2755], [0x2757, 0x2757], [0x2795, 0x2797],
  [0x27b0, 0x27b0], [0x27bf, 0x27bf], [0x2b1b, 0x2b1c], [0x2b50, 0x2b50], [0x2b55, 0x2b55], [0x2e80, 0x303e],
  [0x3041, 0x33ff], [0x3400, 0x4dbf], [0x4e00, 0xa4cf], [0xa960, 0xa97f], [0xac00, 0xd7a3], [0xf900, 0xfaff],
  [0xfe10, 0xfe19], [0xfe30, 0xfe6f], [0xff01, 0xff60], [0xffe0, 0xffe6], [0x16fe0, 0x18aff], [0x1aff0, 0x1b2ff],
  [0x1f004, 0x1f004], [0x1f0cf, 0x1f0cf], [0x1f18e, 0x1f18e], [0x1f191, 0x1f19a], [0x1f200, 0x1f265],
  [0x1f300, 0x1f320], [0x1f32d, 0x1f335], [0x1f337, 0x1f37c], [0x1f37e, 0x1f393], [0x1f3a0, 0x1f3ca],
  [0x1f3cf, 0x1f3d3], [0x1f3e0, 0x1f3f0], [0x1f3f4, 0x1f3f4], [0x1f3f8, 0x1f43e], [0x1f440, 0x1f440],
  [0x1f442, 0x1f4fc], [0x1f4ff, 0x1f53d], [0x1f54b, 0x1f54e], [0x1f550, 0x1f567], [0x1f57a, 0x1f57a],
  [0x1f595, 0x1f596], [0x1f5a4, 0x1f5a4], [0x1f5fb, 0x1f64f], [0x1f680, 0x1f6c5], [0x1f6cc, 0x1f6cc],
  [0x1f6d0, 0x1f6d2], [0x1f6d5, 0x1f6d7], [0x1f6dc, 0x1f6df], [0x1f6eb, 0x1f6ec], [0x1f6f4, 0x1f6fc],
  [0x1f7e0, 0x1f7eb], [0x1f7f0, 0x1f7f0], [0x1f90c, 0x1f93a], [0x1f93c, 0x1f945], [0x1f947, 0x1f9ff],
  [0x1fa70, 0x1faff], [0x20000, 0x3fffd],
]

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
const zeroWidth = /^[\p{M}\p{Cf}\u1160-\u11ff]$/u
const ascii = /^[\u0020-\u007e]*$/

/** Cells that `text` takes; it must hold no control characters (see `oneLine`). */
export function displayWidth(text: string): number {
  if (ascii.test(text)) return text.length
  let width = 0
  for (const { segment } of graphemes.segment(text)) width += graphemeWidth(segment)
  return width
}

/** A cluster is as wide as its base; marks and joiners add nothing, the emoji selector makes it a picture. */
function graphemeWidth(cluster: string): number {
  const base = cluster.codePointAt(0) ?? 0
  if (cluster.includes('\ufe0f')) return 2
  if (base >= 0x1f1e6 && base <= 0x1f1ff) return cluster.length > 2 ? 2 : 1
  if (isWide(base)) return 2
  return zeroWidth.test(String.fromCodePoint(base)) ? 0 : 1
}

function isWide(code: number): boolean {
  let low = 0
  let high = wide.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const [first, last] = wide[middle] ?? [0, 0]
    if (code < first) high = middle - 1
    else if (code > last) low = middle + 1
    else return true
  }
  return false
}

/** `text` in at most `width` cells; what is cut off leaves an ellipsis. */
export function truncate(text: string, width: number): string {
  if (width <= 0) return ''
  if (displayWidth(text) <= width) return text
  let result = ''
  let used = 0
  for (const { segment } of graphemes.segment(text)) {
    used += graphemeWidth(segment)
    if (used > width - 1) break
    result += segment
  }
  return `${result}…`
}

/** Exactly `width` cells: cut or padded on the right, or on the left with `right`. */
export function fit(text: string, width: number, right = false): string {
  const cut = truncate(text, width)
  const room = ' '.repeat(Math.max(0, width - displayWidth(cut)))
  return right ? room + cut : cut + room
}

const colours = /\u001b\[[\d;]*m/g

/** The line as several, none wider than `width` unless a word is; those after the first are indented by two more. Colours stay. */
export function wrapped(line: string, width: number): string[] {
  if (displayWidth(line.replace(colours, '')) <= width) return [line]
  const lines: string[] = []
  const blanks = /^ */.exec(line)?.[0] ?? ''
  let [text, cells] = ['', 0]
  for (const word of line.trimStart().split(' ')) {
    const wide = displayWidth(word.replace(colours, ''))
    if (text !== '' && cells + 1 + wide > width) {
      lines.push(text)
      text = ''
    }
    const lead = text === '' ? `${blanks}${lines.length > 0 ? '  ' : ''}` : `${text} `
    cells = (text === '' ? lead.length : cells + 1) + wide
    text = lead + word
  }
  return [...lines, text]
}
