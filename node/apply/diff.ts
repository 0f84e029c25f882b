/** A unified diff of two texts, for people. */
import { splitLines } from './lines.js'

const context = 3
/** Texts that differ in more lines are shown as replaced: the search is quadratic in the differences. */
const mostDifferences = 1000

type Edit = { readonly kind: ' ' | '-' | '+'; readonly text: string }

/** Myers: the shortest way from one list to the other. undefined: more than `mostDifferences` apart. */
function edits(a: readonly string[], b: readonly string[]): Edit[] | undefined {
  const [n, m] = [a.length, b.length]
  const most = Math.min(n + m, mostDifferences)
  const trace: Int32Array[] = []
  const row = new Int32Array(2 * most + 3)
  const at = (k: number): number => k + most + 1
  for (let d = 0; d <= most; ++d) {
    trace.push(row.slice())
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && (row[at(k - 1)] ?? 0) < (row[at(k + 1)] ?? 0))
      let x = down ? (row[at(k + 1)] ?? 0) : (row[at(k - 1)] ?? 0) + 1
      while (x < n && x - k < m && a[x] === b[x - k]) ++x
      row[at(k)] = x
      if (x >= n && x - k >= m) return back(a, b, trace, at, d)
    }
  }
  return undefined
}

function back(
  a: readonly string[],
  b: readonly string[],
  trace: readonly Int32Array[],
  at: (k: number) => number,
  depth: number,
): Edit[] {
  const found: Edit[] = []
  let [x, y] = [a.length, b.length]
  for (let d = depth; d >= 0; --d) {
    const row = trace[d] ?? new Int32Array()
    const k = x - y
    const down = k === -d || (k !== d && (row[at(k - 1)] ?? 0) < (row[at(k + 1)] ?? 0))
    const before = down ? k + 1 : k - 1
    const from = d === 0 ? 0 : (row[at(before)] ?? 0)
    while (x > from && y > from - before && x > 0 && y > 0 && a[x - 1] === b[y - 1]) {
      found.push({ kind: ' ', text: a[--x] ?? '' })
      --y
    }
    if (d === 0) break
    if (down) found.push({ kind: '+', text: b[--y] ?? '' })
    else found.push({ kind: '-', text: a[--x] ?? '' })
  }
  return found.reverse()
}

/** Marks a line without end; no text that is shown holds it. */
const open = '\0'

const linesOf = (text: string): string[] =>
  splitLines(text).lines.map((line) => line.text + (line.end === '' ? open : ''))

/** '' for equal texts. `before` undefined: a new file. Ends of lines are not shown. */
export function unifiedDiff(path: string, before: string | undefined, after: string): string {
  if (before === after) return ''
  const [a, b] = [linesOf(before ?? ''), linesOf(after)]
  const replaced = (): Edit[] => [
    ...a.map((text) => ({ kind: '-', text }) as const),
    ...b.map((text) => ({ kind: '+', text }) as const),
  ]
  const all = edits(a, b) ?? replaced()
  const lines = [`--- ${before === undefined ? '/dev/null' : path}`, `+++ ${path}`]
  let [oldLine, newLine] = [1, 1]
  let index = 0
  while (index < all.length) {
    const first = all.findIndex((edit, i) => i >= index && edit.kind !== ' ')
    if (first < 0) break
    const from = Math.max(index, first - context)
    oldLine += from - index
    newLine += from - index
    let end = first
    for (let quiet = 0, i = first; i < all.length && quiet <= 2 * context; ++i) {
      quiet = all[i]?.kind === ' ' ? quiet + 1 : 0
      if (quiet === 0) end = i + 1
    }
    const hunk = all.slice(from, Math.min(all.length, end + context))
    const [gone, come] = [hunk.filter((one) => one.kind !== '+').length, hunk.filter((one) => one.kind !== '-').length]
    lines.push(`@@ -${gone === 0 ? oldLine - 1 : oldLine},${gone} +${come === 0 ? newLine - 1 : newLine},${come} @@`)
    for (const { kind, text } of hunk) {
      const isOpen = text.endsWith(open)
      lines.push(kind + (isOpen ? text.slice(0, -1) : text), ...(isOpen ? ['\\ No newline at end of file'] : []))
    }
    oldLine += gone
    newLine += come
    index = from + hunk.length
  }
  // Texts that differ in nothing that is shown.
  return lines.length === 2 ? `${lines.join('\n')}\n(ends of lines alone)\n` : `${lines.join('\n')}\n`
}
