/** Splits a CSV text into rows of cells. Knows no quotes yet: "a,b" in quotes becomes two cells. */
export function parseCsv(text: string): string[][] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(','))
}
