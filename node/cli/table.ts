/** Aligned columns for listings. */
import { displayWidth, fit, truncate, wrapped } from './terminal-text.js'

/** Rows as lines of at most `columns` cells; the last column takes what is left. Cells must be clean (see `oneLine`). */
export function alignedTable(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  columns: number,
): string[] {
  return lines(heads, rows, 40).map((line) => truncate(line, columns).trimEnd())
}

/** Every column as wide as its widest cell, and at most `widest`. */
function lines(heads: readonly string[], rows: readonly (readonly string[])[], widest: number): string[] {
  const widths = heads.map((head, column) =>
    rows.reduce((most, row) => Math.max(most, Math.min(widest, displayWidth(row[column] ?? ''))), displayWidth(head)),
  )
  return [heads, ...rows].map((cells) =>
    cells.map((cell, column) => (column === cells.length - 1 ? cell : fit(cell, widths[column] ?? 0))).join('  '),
  )
}

/** An aligned table where all of it fits; else each row under its first cell, a line for each of the others: nothing is cut off. */
export function wholeTable(heads: readonly string[], rows: readonly (readonly string[])[], columns: number): string[] {
  const whole = lines(heads, rows, Infinity).map((line) => line.trimEnd())
  if (whole.every((line) => displayWidth(line) <= columns)) return whole
  const widest = heads.slice(1).reduce((most, head) => Math.max(most, displayWidth(head)), 0)
  return rows.flatMap(([first = '', ...others]) => [
    ...wrapped(first, columns),
    ...others.flatMap((cell, index) => wrapped(`  ${fit(heads[index + 1] ?? '', widest)}  ${cell}`, columns)),
  ])
}
