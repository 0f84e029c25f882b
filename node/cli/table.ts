/** Aligned columns for listings. */
import { displayWidth, fit, truncate } from './terminal-text.js'

/** Rows as lines of at most `columns` cells; the last column takes what is left. Cells must be clean (see `oneLine`). */
export function alignedTable(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  columns: number,
): string[] {
  const widths = heads.map((head, column) =>
    rows.reduce((most, row) => Math.max(most, Math.min(40, displayWidth(row[column] ?? ''))), displayWidth(head)),
  )
  const line = (cells: readonly string[]): string => {
    const parts = cells.map((cell, column) => (column === cells.length - 1 ? cell : fit(cell, widths[column] ?? 0)))
    return truncate(parts.join('  '), columns).trimEnd()
  }
  return [line(heads), ...rows.map(line)]
}
