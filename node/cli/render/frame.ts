/** One picture of a run: lines of text that fit a terminal. A pure function of the view, the time and the size. */
import { formatCompact, formatCost, formatDuration, oneLine, simulatedLabel } from '../../../web/standard/format.js'
import type { Paint } from '../colour.js'
import type { Row, RowState, RunView } from '../run-view.js'
import { displayWidth, fit, truncate } from '../terminal-text.js'
import type { RunHeader } from './renderer.js'

export interface FrameSize {
  /** Cells of a line; the last one stays empty, so that no terminal wraps. */
  readonly columns: number
  readonly rows: number
}

/** A line as it is written, and its width without colours. */
export interface Line {
  readonly text: string
  readonly width: number
}

const icons: Readonly<Record<RowState, string>> = {
  done: '✓',
  running: '⟳',
  failed: '✗',
  waiting: '○',
  skipped: '⊘',
  cancelled: '⊘',
}

/** Widths of the columns; 0: left out. They go in the order of what is missed least. */
interface Layout {
  readonly id: number
  readonly provider: number
  readonly time: number
  readonly tokens: number
  readonly cost: number
  readonly note: number
}

export function frame(view: RunView, header: RunHeader, now: number, size: FrameSize, paint: Paint): Line[] {
  const width = Math.max(1, size.columns - 1)
  // The head, the heads of the columns, the progress line, and the line where the cursor rests.
  const room = Math.max(1, size.rows - 4)
  const chosen = view.rows.length <= room ? view.rows : choose(view, Math.max(1, room - 1))
  const layout = layOut(view, width)
  const lines = [headLine(header, width, paint), columnHeads(layout, paint)]
  for (const row of chosen) lines.push(rowLine(row, layout, now, paint))
  if (chosen.length < view.rows.length) lines.push(restLine(view, chosen, width, paint))
  lines.push(progressLine(view, now, width, paint))
  // A terminal of a few lines keeps the progress.
  return lines.slice(-Math.max(1, size.rows - 1))
}

/** The rows that matter most, in the order of the plan: running, then failed and just ended, then next. */
function choose(view: RunView, room: number): Row[] {
  const chosen = new Set<Row>()
  const take = (rows: Iterable<Row>, most: number): void => {
    for (const row of rows) {
      if (chosen.size >= most) return
      chosen.add(row)
    }
  }
  take(view.running.values(), room)
  // A few of those that wait stay in sight: what comes next is a question too.
  take([...view.recent].reverse(), Math.max(chosen.size, room - 2))
  take(upcoming(view.rows), room)
  return [...chosen].sort((a, b) => a.index - b.index)
}

function* upcoming(rows: readonly Row[]): Iterable<Row> {
  for (const row of rows) if (row.state === 'waiting') yield row
}

function layOut(view: RunView, width: number): Layout {
  const ids = Math.max(4, Math.min(60, view.idWidth))
  const names = Math.max(8, Math.min(12, view.providerWidth))
  const provider = width >= 28 ? names : 0
  const time = width >= 18 ? 7 : 0
  const tokens = width >= 55 ? 7 : 0
  const cost = width >= 43 ? 8 : 0
  const fixed = [provider, time, tokens, cost].reduce((sum, cells) => sum + (cells === 0 ? 0 : cells + 2), 2)
  const id = Math.max(0, Math.min(ids, width - fixed))
  const left = width - fixed - id - 2
  return { id, provider, time, tokens, cost, note: left >= 12 ? left : 0 }
}

function cells(layout: Layout, values: Readonly<Record<keyof Layout, string>>): string {
  const parts = [fit(values.id, layout.id)]
  if (layout.provider > 0) parts.push(fit(values.provider, layout.provider))
  if (layout.time > 0) parts.push(fit(values.time, layout.time, true))
  if (layout.tokens > 0) parts.push(fit(values.tokens, layout.tokens, true))
  if (layout.cost > 0) parts.push(fit(values.cost, layout.cost, true))
  if (layout.note > 0) parts.push(truncate(values.note, layout.note))
  return parts.join('  ').trimEnd()
}

function columnHeads(layout: Layout, paint: Paint): Line {
  const heads = { id: 'step', provider: 'provider', time: 'time', tokens: 'tokens', cost: 'cost', note: '' }
  const text = `  ${cells(layout, heads)}`.trimEnd()
  return { text: paint.dim(text), width: displayWidth(text) }
}

function rowLine(row: Row, layout: Layout, now: number, paint: Paint): Line {
  const begun = row.startedAt !== undefined
  const end = row.endedAt ?? now
  const text = cells(layout, {
    id: oneLine(row.id),
    provider: oneLine(row.provider),
    time: begun ? formatDuration(Math.max(0, end - (row.startedAt ?? end))) : '',
    tokens: row.tokens > 0 ? formatCompact(row.tokens) : '',
    cost: row.state === 'done' || row.costMicroUsd > 0 ? formatCost(row) : '',
    note: oneLine(row.note),
  })
  const colour = rowColour(row.state, paint)
  const quiet = row.state === 'waiting' || row.state === 'skipped' || row.state === 'cancelled'
  // A terminal too narrow for anything else shows the icons.
  if (text === '') return { text: colour(icons[row.state]), width: 1 }
  return { text: `${colour(icons[row.state])} ${quiet ? paint.dim(text) : text}`, width: 2 + displayWidth(text) }
}

function rowColour(state: RowState, paint: Paint): (text: string) => string {
  if (state === 'done') return paint.green
  if (state === 'failed') return paint.red
  return state === 'running' ? paint.cyan : paint.dim
}

function headLine({ plan, mode, simulated }: RunHeader, width: number, paint: Paint): Line {
  // The mode goes where there is no room for all, then the name; the label last: invented figures must never look real.
  const label = simulatedLabel(simulated)
  const room = width - displayWidth(label)
  const long = `${oneLine(plan)}, mode ${oneLine(mode)}`
  const name = truncate(displayWidth(long) <= room ? long : oneLine(plan), room)
  const shown = truncate(label, width - displayWidth(name))
  return { text: `${paint.bold(name)}${paint.yellow(shown)}`, width: displayWidth(name) + displayWidth(shown) }
}

function restLine(view: RunView, chosen: readonly Row[], width: number, paint: Paint): Line {
  const { done, failed, skipped, cancelled } = view.counts
  const shown = (states: readonly RowState[]): number => chosen.filter(({ state }) => states.includes(state)).length
  const waiting = view.rows.length - view.settled - view.running.size
  const parts = [
    [done - shown(['done']), 'done'],
    [view.running.size - shown(['running']), 'running'],
    [failed - shown(['failed']), 'failed'],
    [skipped + cancelled - shown(['skipped', 'cancelled']), 'not run'],
    [waiting - shown(['waiting']), 'waiting'],
  ] as const
  const words = parts.filter(([count]) => count > 0).map(([count, what]) => `${formatCompact(count)} ${what}`)
  const text = truncate(`… and ${words.join(', ')}`, width)
  return { text: paint.dim(text), width: displayWidth(text) }
}

function progressLine(view: RunView, now: number, width: number, paint: Paint): Line {
  const total = view.rows.length
  const share = total === 0 ? 0 : view.settled / total
  const size = width >= 60 ? 20 : width >= 36 ? 8 : 0
  const filled = Math.floor(share * size)
  const bar = size === 0 ? '' : `${'█'.repeat(filled)}${'░'.repeat(size - filled)} `
  const parts = [
    `${formatCompact(view.settled)}/${formatCompact(total)}`,
    formatDuration(view.finished ? view.at : now),
  ]
  parts.push(formatCost(view))
  if (view.running.size > 0) parts.push(`${formatCompact(view.running.size)} running`)
  if (view.counts.failed > 0) parts.push(`${formatCompact(view.counts.failed)} failed`)
  for (const [provider, state] of view.unwell) parts.push(`${oneLine(provider)} ${state}`)
  const text = truncate(bar + parts.join(' · '), width)
  return { text: view.counts.failed > 0 ? paint.red(text) : paint.cyan(text), width: displayWidth(text) }
}
