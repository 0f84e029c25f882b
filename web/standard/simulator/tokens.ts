/** Letter runs up to 7, digit runs up to 3, marks by twos, white space as one: near what real vocabularies do with English and code. */
const tokenPattern = / ?\p{L}{1,7}|\d{1,3}| ?[^\s\p{L}\d]{1,2}|\s+/gu

/** The text in pieces that join to it again. The simulator's prompt counts, stream pieces and usage all come from here. */
export function splitTokens(text: string): readonly string[] {
  return text.match(tokenPattern) ?? []
}

export function countTokens(text: string): number {
  return splitTokens(text).length
}
