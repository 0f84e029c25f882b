/** Names that are too long lose their middle: steps are told apart by their ends as often as by their beginnings. */

/** At most `most` characters: `access-…-review`. */
export function middle(text: string, most: number): string {
  const characters = [...text]
  if (characters.length <= most) return text
  const head = Math.ceil((most - 1) / 2)
  return `${characters.slice(0, head).join('')}…${characters.slice(characters.length - (most - 1 - head)).join('')}`
}

/** Characters at the end of a long name that always stand. */
const tailLength = 8

/** The part that may be cut, and the end that may not; short names have no end. */
export function headAndTail(name: string): readonly [string, string] {
  const characters = [...name]
  if (characters.length < 2 * tailLength) return [name, '']
  return [characters.slice(0, -tailLength).join(''), characters.slice(-tailLength).join('')]
}
