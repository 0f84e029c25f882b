/** What a benchmark prints: tables for people, as aligned text or Markdown, and the same figures as JSON. */
import { markdownTable, oneLine } from '../../web/standard/format.js'
import { wholeTable } from '../cli/table.js'
import { wrapped } from '../cli/terminal-text.js'
import { differs, type Estimate } from './statistics.js'

export interface SheetTable {
  readonly title: string
  readonly heads: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** The result of `aetherflow bench NAME`. */
export interface Sheet {
  readonly name: string
  /** What is compared, in a sentence. */
  readonly title: string
  /** Name of the simulated profile; undefined: nothing was simulated. */
  readonly simulated: string | undefined
  readonly tables: readonly SheetTable[]
  /** What a reader must know before quoting a figure. */
  readonly remarks: readonly string[]
  /** The figures behind the tables; plain JSON. */
  readonly figures: unknown
}

const label = ({ simulated }: Sheet): string =>
  simulated === undefined ? '' : `Simulated (profile ${oneLine(simulated)}): no figure says anything about a provider.`

export function sheetText(sheet: Sheet, columns: number): string {
  const tables = sheet.tables.map(({ title, heads, rows }) => [title, ...wholeTable(heads, rows, columns)].join('\n'))
  const lines = (of: readonly string[]): string =>
    of.flatMap((line) => (line === '' ? [] : wrapped(line, columns))).join('\n')
  return `${[lines([sheet.title, label(sheet)]), ...tables, lines(sheet.remarks)].filter((part) => part !== '').join('\n\n')}\n`
}

export function sheetMarkdown(sheet: Sheet): string {
  const tables = sheet.tables.map(({ title, heads, rows }) => `## ${title}\n\n${markdownTable(heads, rows).trim()}`)
  const remarks = sheet.remarks.map((remark) => `- ${remark}`).join('\n')
  return `${[`# ${sheet.title}`, label(sheet), ...tables, remarks].filter((part) => part !== '').join('\n\n')}\n`
}

export function sheetJson({ name, title, simulated, remarks, figures }: Sheet): string {
  return `${JSON.stringify({ name, title, simulated: simulated ?? null, figures, remarks }, null, 2)}\n`
}

/** "−12.3 % [−15.0, −9.8]", or that nothing is shown. `of`: what the difference is a share of. */
export function differenceWords(difference: Estimate, of: number): string {
  if (!Number.isFinite(difference.low)) return 'too few pairs to say'
  const percent = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs((value / of) * 100).toFixed(1)}`
  const words = `${percent(difference.value)} % [${percent(difference.low)}, ${percent(difference.high)}]`
  return differs(difference) ? words : `${words}, no difference shown`
}
