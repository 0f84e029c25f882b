/** The report as one page of HTML: no script, nothing loaded, light and dark, fit for paper. */
import type { RunReport } from '../../../bindings/events.js'
import { themeColours } from '../theme.js'
import type { Block, Cell, Inline } from './blocks.js'
import { reportBlocks, type ReportExtras } from './sections.js'
import { xml } from './timeline.js'

/** Takes what `RunResult` has. A whole document. */
export const reportHtml = (report: RunReport, extras: ReportExtras = {}): string =>
  blocksHtml(reportBlocks(report, extras))

/** Blocks of any report as a whole document. */
export function blocksHtml(blocks: readonly Block[]): string {
  const title = blocks.find(({ kind }) => kind === 'title')
  // Nothing in it loads or runs; the policy holds that even when an escape were forgotten.
  const policy = `default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'`
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${title?.kind === 'title' ? xml(title.text) : 'Run'}</title>`,
    `<style>${style}</style>`,
    '</head>',
    '<body>',
    '<main>',
    ...blocks.map(html),
    '</main>',
    '</body>',
    '</html>',
    '',
  ].join('\n')
}

function html(block: Block): string {
  switch (block.kind) {
    case 'title':
      return `<h1>${xml(block.text)}</h1>`
    case 'heading':
      return `<h2>${xml(block.text)}</h2>`
    case 'paragraph':
      return `<p>${block.parts.map(inline).join('')}</p>`
    case 'picture':
      return `<div class="scroll" tabindex="0" role="group" aria-label="${xml(block.label ?? 'Timeline')}">${block.svg}</div>`
    case 'fold':
      return `<details><summary>${xml(block.words)}</summary>\n${block.blocks.map(html).join('\n')}\n</details>`
    case 'table':
      return tableHtml(block.heads, block.rows)
  }
}

function tableHtml(heads: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const bare = heads.every((head) => head === '')
  const columns = heads.map((head) => (head === '' ? '<td></td>' : `<th scope="col">${xml(head)}</th>`)).join('')
  const head = bare ? '' : `<thead><tr>${columns}</tr></thead>`
  const body = rows.map(([first = '', ...rest]) => {
    return `<tr><th scope="row">${cell(first)}</th>${rest.map((one) => `<td${isShort(one) ? ' class="short"' : ''}>${cell(one)}</td>`).join('')}</tr>`
  })
  const table = `<table${bare ? ' class="facts"' : ''}>${head}<tbody>\n${body.join('\n')}\n</tbody></table>`
  return `<div class="scroll" tabindex="0" role="group" aria-label="Table">${table}</div>`
}

const isList = (cell: Cell): cell is readonly Inline[] => Array.isArray(cell)
const cell = (value: Cell): string => (isList(value) ? value.map(inline).join('') : inline(value))

/** Figures with their units, and single words: broken into lines they are hard to read. */
const isShort = (cell: Cell): boolean => typeof cell === 'string' && cell.length <= 16

/** White space at the ends of a part separates it from the next: it stays. */
function inline(part: Inline): string {
  if (typeof part === 'string')
    return part.replace(
      /^(\s*)(.*?)(\s*)$/s,
      (_, a: string, text: string, b: string) => (a && ' ') + xml(text) + (b && ' '),
    )
  if ('strong' in part) return `<strong>${xml(part.strong)}</strong>`
  return `<a href="${xml(part.href)}">${xml(part.text)}</a>`
}

/** The playground's colours as variables. */
const variables = (dark: boolean): string =>
  themeColours.map(([name, ...values]) => `--af-${name}: ${values[dark ? 1 : 0]};`).join(' ')

const style = `
:root { color-scheme: light dark; ${variables(false)} --page: var(--af-surface); }
@media (prefers-color-scheme: dark) {
  :root { ${variables(true)} --page: var(--af-bg); }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--af-text); font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', sans-serif; }
main { max-width: 1150px; margin: 0 auto; padding: 32px 20px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 8px; overflow-wrap: anywhere; }
h2 { font-size: 18px; margin: 30px 0 8px; }
p { overflow-wrap: anywhere; max-width: 80ch; }
a { color: var(--af-accent); }
a:focus-visible, summary:focus-visible, .scroll:focus-visible { outline: 2px solid var(--af-accent); outline-offset: 2px; }
.scroll { overflow-x: auto; margin: 8px 0 18px; }
table { border-collapse: collapse; font-size: 13.5px; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 14px 4px 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--af-line); max-width: 48ch; overflow-wrap: break-word; }
.short { white-space: nowrap; }
thead th { color: var(--af-muted); font-weight: 500; white-space: nowrap; }
tbody th { font-weight: 600; min-width: 12ch; }
.facts td { max-width: 80ch; }
summary { cursor: pointer; color: var(--af-accent); }
.chart { display: block; min-width: 560px; max-width: 900px; width: 100%; height: auto; color: var(--af-text); font: 12px system-ui, sans-serif; }
@media print {
  :root { color-scheme: light; ${variables(false)} --page: #fff; --af-text: #000; --af-muted: #444; --af-line: #bbb; --af-accent: #000; }
  main { max-width: none; padding: 0; }
  .scroll { overflow: visible; }
  table { width: 100%; font-size: 8.5px; }
  th, td { padding: 3px 6px 3px 0; max-width: none; overflow-wrap: anywhere; }
  tbody th { min-width: 0; }
  .short, thead th { white-space: normal; overflow-wrap: break-word; }
  svg { max-width: 100%; height: auto; }
  h2 { break-after: avoid; }
  tr, svg { break-inside: avoid; }
  details::details-content { content-visibility: visible; block-size: auto; }
}
`
