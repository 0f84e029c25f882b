/** The report's Markdown as elements. It knows what `reportMarkdown` writes, no more; nothing in it can become markup. */
import { h, type Child } from '../element/dom.js'

/** Headings, tables, paragraphs, and folds around them. */
export function reportElements(markdown: string): HTMLElement[] {
  const elements: HTMLElement[] = []
  let fold: HTMLElement | undefined
  for (const block of markdown.split(/\n{2,}/).map((one) => one.trim())) {
    const summary = /^<details><summary>(.*)<\/summary>$/s.exec(block)
    if (block === '' || block === '</details>') {
      if (block !== '') fold = undefined
    } else if (summary !== null) {
      fold = h('details', {}, h('summary', {}, ...inline(summary[1] ?? '')))
      elements.push(fold)
    } else if (fold === undefined) elements.push(blockElement(block))
    else fold.append(blockElement(block))
  }
  return elements
}

function blockElement(block: string): HTMLElement {
  const heading = /^(#{1,3}) (.*)$/s.exec(block)
  if (heading !== null) {
    const tags = ['h2', 'h3', 'h4'] as const
    return h(tags[(heading[1]?.length ?? 1) - 1] ?? 'h4', {}, ...inline(heading[2] ?? ''))
  }
  return block.startsWith('|') ? table(block.split('\n')) : h('p', {}, ...inline(block))
}

function table(lines: readonly string[]): HTMLElement {
  const [head = '', , ...body] = lines
  const heads = cells(head)
  // A table without heads names its rows in their first cell.
  const bare = heads.every((cell) => cell === '')
  const rows = body.map((line) => {
    const [first = '', ...rest] = cells(line)
    return h('tr', {}, h('th', { scope: 'row' }, ...inline(first)), ...rest.map((cell) => h('td', {}, ...inline(cell))))
  })
  const columns = heads.map((cell) => (cell === '' ? h('td', {}) : h('th', { scope: 'col' }, ...inline(cell))))
  return h(
    'div',
    { class: 'table', tabindex: 0, role: 'group', 'aria-label': 'Table' },
    h('table', {}, bare ? undefined : h('thead', {}, h('tr', {}, ...columns)), h('tbody', {}, ...rows)),
  )
}

/** Cells between borders that are not escaped. */
function cells(line: string): string[] {
  return line
    .replace(/^\|/, '')
    .replace(/\|\s*$/, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim())
}

/** Bold, and what `markdownText` escaped. */
function inline(text: string): Child[] {
  return text.split(/(\*\*(?:\\.|[^*])+\*\*)/).map((part) => {
    const bold = /^\*\*(.+)\*\*$/s.exec(part)
    return bold === null ? plain(part) : h('strong', {}, plain(bold[1] ?? ''))
  })
}

function plain(text: string): string {
  return text
    .replace(/\\([\\`*~[\]|!#_:.])/g, '$1')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
}
