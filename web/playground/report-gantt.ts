/** The timeline as a drawing that can be saved: names, bars by provider, waits. */
import { formatDuration } from '../standard/format.js'
import type { RunModel } from '../element/run-model.js'
import type { StepRow } from '../element/run-rows.js'
import { middle } from '../element/shorten.js'

const space = 'http://www.w3.org/2000/svg'
const [labels, chart, line, foot] = [170, 700, 20, 24]
/** Rows of the drawing; the tables below have all. */
const mostRows = 200

function draw(name: string, attributes: Readonly<Record<string, string | number>>, text?: string): SVGElement {
  const element = document.createElementNS(space, name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value))
  if (text !== undefined) element.textContent = text
  return element
}

/** Undefined: nothing ran. */
export function ganttSvg(model: RunModel): SVGElement | undefined {
  const ran = model.rows.filter(({ startedAt }) => startedAt !== undefined)
  const rows = ran.sort((a, b) => (a.startedAt ?? 0) - (b.startedAt ?? 0)).slice(0, mostRows)
  if (rows.length === 0 || model.at <= 0) return undefined
  const height = rows.length * line + foot
  const svg = draw('svg', {
    viewBox: `0 0 ${labels + chart + 10} ${height}`,
    class: 'gantt',
    role: 'img',
    'aria-label': `Timeline of ${rows.length} steps over ${formatDuration(model.at)}`,
  })
  for (let tick = 0; tick <= 5; tick += 1) {
    const x = labels + (tick / 5) * chart
    svg.append(draw('line', { x1: x, x2: x, y1: 0, y2: height - foot + 4, class: 'tick' }))
    const anchor = tick === 0 ? 'start' : tick === 5 ? 'end' : 'middle'
    svg.append(
      draw('text', { x, y: height - 6, 'text-anchor': anchor, class: 'time' }, formatDuration((tick / 5) * model.at)),
    )
  }
  rows.forEach((row, index) => svg.append(...drawRow(row, index * line, model.at)))
  return svg
}

function drawRow(row: StepRow, top: number, end: number): SVGElement[] {
  const x = (at: number): number => labels + (at / end) * chart
  const id = middle(row.info.id, 24)
  const parts = [draw('text', { x: 0, y: top + 14, class: 'name' }, id)]
  for (const { from, to = end, words } of row.waits) {
    const wait = draw('line', { x1: x(from), x2: x(to), y1: top + 10, y2: top + 10, class: 'wait' })
    wait.append(draw('title', {}, words))
    parts.push(wait)
  }
  for (const bar of row.bars) {
    const to = bar.to ?? end
    const width = Math.max(2, x(to) - x(bar.from))
    const name = `bar provider-${/^[\w-]+$/.test(bar.provider) ? bar.provider : 'other'} end-${bar.end}`
    const rect = draw('rect', { x: x(bar.from), y: top + 4, width, height: 12, rx: 2, class: name })
    rect.append(
      draw(
        'title',
        {},
        `${row.info.id}: ${bar.purpose} on ${bar.provider} ${bar.model}, ${formatDuration(to - bar.from)}`,
      ),
    )
    parts.push(rect)
    // The provider in words as well: colours alone tell nothing to many, and nothing on paper.
    if (bar.end !== 'failed' && bar.end !== 'lost' && width > bar.provider.length * 6 + 8)
      parts.push(draw('text', { x: x(bar.from) + 4, y: top + 13.5, class: 'on-bar' }, bar.provider))
  }
  return parts
}
