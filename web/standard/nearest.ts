/** What a misspelt name was meant to be. */

/** `; did you mean 'simulate'?`, or nothing: the name with the fewest letters wrong, a third of them at most. */
export function meant(wrong: string, known: readonly string[]): string {
  let least = 1 + Math.min(3, Math.max(1, Math.floor(wrong.length / 3)))
  let best: string | undefined
  for (const name of known) {
    const found = distance(wrong.toLowerCase(), name.toLowerCase())
    if (found < least && found < name.length) [least, best] = [found, name]
  }
  return best === undefined ? '' : `; did you mean '${best}'?`
}

/** Letters to change, add or leave out. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]!
}
