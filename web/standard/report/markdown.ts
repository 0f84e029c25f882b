/** The report of a run as Markdown: a pure function, so that files, pages and tests show the same. */
import type { RunReport } from '../../../bindings/events.js'
import { markdownTable, markdownText } from '../format.js'
import type { Block, Cell, Inline } from './blocks.js'
import { reportBlocks, type ReportExtras } from './sections.js'

export type { ReportExtras } from './sections.js'

/** Takes what `RunResult` has. Ends with a newline. */
export function reportMarkdown(report: RunReport, extras: ReportExtras = {}): string {
  return blocksMarkdown(reportBlocks(report, extras))
}

/** Blocks of any report. */
export function blocksMarkdown(blocks: readonly Block[]): string {
  return `${blocks
    .map(markdown)
    .filter((part) => part !== '')
    .join('\n\n')}\n`
}

function markdown(block: Block): string {
  switch (block.kind) {
    case 'title':
      return `# ${markdownText(block.text)}`
    case 'heading':
      return `## ${markdownText(block.text)}`
    case 'paragraph':
      return block.parts.map(inline).join('')
    case 'table':
      return markdownTable(
        block.heads.map(markdownText),
        block.rows.map((row) => row.map(cell)),
      )
    case 'fold':
      // The one element that viewers of Markdown fold by; white space around what is in it keeps it Markdown.
      return `<details><summary>${markdownText(block.words)}</summary>\n\n${block.blocks.map(markdown).join('\n\n')}\n\n</details>`
    case 'picture':
      return block.file === undefined ? '' : `![${markdownText(block.words)}](${block.file})`
  }
}

const isList = (cell: Cell): cell is readonly Inline[] => Array.isArray(cell)
const cell = (value: Cell): string => (isList(value) ? value.map(inline).join('') : inline(value))

/** White space at the ends of a part separates it from the next: it stays. */
function inline(part: Inline): string {
  if (typeof part !== 'string')
    return 'strong' in part ? `**${markdownText(part.strong)}**` : `[${markdownText(part.text)}](${part.href})`
  const [, before = '', text = '', after = ''] = /^(\s*)(.*?)(\s*)$/s.exec(part) ?? []
  return `${before && ' '}${markdownText(text)}${after && ' '}`
}
