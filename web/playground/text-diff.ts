/** Which words of one text are missing from another: what stripping took out of a prompt. */

export interface Piece {
  readonly kind: 'same' | 'removed' | 'added'
  readonly text: string
}

/** Differences beyond which only the two texts as wholes are told apart. */
const mostChanges = 3000

/** Myers' search over words and the blanks between them: O((n + m) · changes). */
export function wordDiff(before: string, after: string): Piece[] {
  const [a, b] = [wordsOf(before), wordsOf(after)]
  let start = 0
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1
  let end = 0
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1
  const middle = myers(a.slice(start, a.length - end), b.slice(start, b.length - end))
  return joined([
    ...a.slice(0, start).map((text): Piece => ({ kind: 'same', text })),
    ...middle,
    ...a.slice(a.length - end).map((text): Piece => ({ kind: 'same', text })),
  ])
}

const wordsOf = (text: string): string[] => text.match(/\s+|[^\s]+/g) ?? []

function myers(a: readonly string[], b: readonly string[]): Piece[] {
  const whole = (): Piece[] => [
    { kind: 'removed', text: a.join('') },
    { kind: 'added', text: b.join('') },
  ]
  const most = Math.min(a.length + b.length, mostChanges)
  const furthest = new Map<number, number>([[1, 0]])
  const history: Map<number, number>[] = []
  for (let changes = 0; changes <= most; changes += 1) {
    history.push(new Map(furthest))
    for (let diagonal = -changes; diagonal <= changes; diagonal += 2) {
      const down =
        diagonal === -changes || (diagonal !== changes && at(furthest, diagonal - 1) < at(furthest, diagonal + 1))
      let x = down ? at(furthest, diagonal + 1) : at(furthest, diagonal - 1) + 1
      while (x < a.length && x - diagonal < b.length && a[x] === b[x - diagonal]) x += 1
      furthest.set(diagonal, x)
      if (x >= a.length && x - diagonal >= b.length) return path(a, b, history)
    }
  }
  return whole()
}

const at = (furthest: ReadonlyMap<number, number>, diagonal: number): number => furthest.get(diagonal) ?? -1

/** Back from the end along the ways that led there. */
function path(a: readonly string[], b: readonly string[], history: readonly ReadonlyMap<number, number>[]): Piece[] {
  const pieces: Piece[] = []
  let [x, y] = [a.length, b.length]
  for (let changes = history.length - 1; changes >= 0; changes -= 1) {
    const furthest = history[changes]!
    const diagonal = x - y
    const down =
      diagonal === -changes || (diagonal !== changes && at(furthest, diagonal - 1) < at(furthest, diagonal + 1))
    const from = down ? diagonal + 1 : diagonal - 1
    const [beforeX, beforeY] = [at(furthest, from), at(furthest, from) - from]
    while (x > Math.max(0, beforeX) && y > Math.max(0, beforeY) && a[x - 1] === b[y - 1]) {
      pieces.push({ kind: 'same', text: a[x - 1]! })
      x -= 1
      y -= 1
    }
    if (changes === 0) break
    if (down) pieces.push({ kind: 'added', text: b[--y]! })
    else pieces.push({ kind: 'removed', text: a[--x]! })
  }
  return pieces.reverse()
}

function joined(pieces: readonly Piece[]): Piece[] {
  const out: Piece[] = []
  for (const piece of pieces) {
    const last = out.at(-1)
    if (last?.kind === piece.kind) out[out.length - 1] = { kind: piece.kind, text: last.text + piece.text }
    else if (piece.text !== '') out.push(piece)
  }
  return out
}
