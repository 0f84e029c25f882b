/** What a report is made of, before it is Markdown or HTML. Every text in it may be a stranger's: who writes it down escapes it. */

export interface Link {
  readonly text: string
  /** Relative to the report, and percent-encoded. */
  readonly href: string
}
export type Inline = string | Link | { readonly strong: string }
export type Cell = Inline | readonly Inline[]

export interface Table {
  readonly kind: 'table'
  /** All empty: the first cell of a row names it. */
  readonly heads: readonly string[]
  readonly rows: readonly (readonly Cell[])[]
}

export type Block =
  | { readonly kind: 'title' | 'heading'; readonly text: string }
  | { readonly kind: 'paragraph'; readonly parts: readonly Inline[] }
  | Table
  /** Shown when it is asked for. */
  | { readonly kind: 'fold'; readonly words: string; readonly blocks: readonly Block[] }
  /**
   * A drawing of its own. `file`: its name beside a Markdown report, which shows none without. `words`: what it shows, for those who
   * do not see it. `label`: what it is, for those who come to it with the keyboard; default: a timeline.
   */
  | {
      readonly kind: 'picture'
      readonly svg: string
      readonly words: string
      readonly file?: string
      readonly label?: string
    }

export const heading = (text: string): Block => ({ kind: 'heading', text })
export const paragraph = (...parts: Inline[]): Block => ({ kind: 'paragraph', parts })
export const table = (heads: readonly string[], rows: Table['rows']): Table => ({ kind: 'table', heads, rows })
/** A table of two columns without heads. */
export const facts = (rows: readonly (readonly [string, Cell])[]): Table => table(['', ''], rows)

/** Rows that are read at once; further ones are folded. */
const openRows = 50

/** A table whose later rows are folded. `rows`: the first of `total`. `noun`: what they are. */
export function longTable(heads: readonly string[], rows: Table['rows'], total: number, noun: string): Block[] {
  const [open, folded] = [rows.slice(0, openRows), rows.slice(openRows)]
  if (folded.length === 0) return [table(heads, open)]
  const cut = total > rows.length ? `, the first ${folded.length} of them here; run.json has all` : ''
  const words = `${total - open.length} more ${noun}${cut}`
  return [table(heads, open), { kind: 'fold', words, blocks: [table(heads, folded)] }]
}
