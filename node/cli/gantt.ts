/**
 * When each step ran, as text. One row a step, one cell a slice of time, the letter of the provider in it.
 *
 *   read      GGGG
 *   rewrite       DDDDDDDDDDDD
 */
import type { RunReport, StepReport } from '../../bindings/events.js'
import { formatDuration, oneLine } from '../../web/standard/format.js'
import { displayWidth, fit, truncate } from './terminal-text.js'

/** Widest chart; wider ones are hard to read. */
const mostColumns = 100

/** Lines of at most `columns` cells for the first `mostRows` steps by their start, then the time axis and the letters. */
export function gantt(report: RunReport, columns: number, mostRows: number): string[] {
  const ran = report.steps.filter(({ startedAt }) => startedAt !== null)
  if (ran.length === 0 || report.makespanMs <= 0) return []
  const rows = [...ran].sort((a, b) => (a.startedAt ?? 0) - (b.startedAt ?? 0)).slice(0, mostRows)
  const width = Math.max(20, Math.min(mostColumns, columns - 1))
  const label = Math.min(
    Math.max(...rows.map(({ id }) => displayWidth(oneLine(id)))),
    Math.max(6, Math.floor(width / 3)),
  )
  const cells = width - label - 2
  const letters = providerLetters(report)
  const lines = rows.map((step) =>
    `${fit(oneLine(step.id), label)}  ${bar(step, report.makespanMs, cells, letters)}`.trimEnd(),
  )
  if (ran.length > rows.length) lines.push(`… and ${ran.length - rows.length} more`)
  lines.push(`${' '.repeat(label)}  ${axis(report.makespanMs, cells)}`)
  const legend = [...letters].map(([name, letter]) => `${letter} ${oneLine(name)}`).join('  ')
  lines.push(truncate(`${' '.repeat(label)}  ${legend}`, width))
  return lines
}

/** A letter for each provider, told apart: the first of its name that is free. */
export function providerLetters(report: RunReport): Map<string, string> {
  const letters = new Map<string, string>()
  const used = new Set<string>()
  const spare = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'
  for (const step of report.steps) {
    for (const { provider } of step.calls) {
      if (letters.has(provider)) continue
      const wanted = [...provider.toUpperCase().replace(/[^A-Z0-9]/g, ''), ...spare]
      const letter = wanted.find((candidate) => !used.has(candidate)) ?? '#'
      used.add(letter)
      letters.set(provider, letter)
    }
  }
  return letters
}

function bar(step: StepReport, makespanMs: number, cells: number, letters: ReadonlyMap<string, string>): string {
  const row = Array.from({ length: cells }, () => ' ')
  for (const call of step.calls) {
    if (call.dispatchedAt === null) continue
    const end = call.endedAt ?? makespanMs
    // A call is never invisible, and never longer than its share of the axis.
    const first = Math.min(cells - 1, Math.floor((call.dispatchedAt / makespanMs) * cells))
    const last = Math.max(first, Math.min(cells, Math.round((end / makespanMs) * cells)) - 1)
    const letter = letters.get(call.provider) ?? '#'
    row.fill(call.purpose === 'main' ? letter : letter.toLowerCase(), first, last + 1)
  }
  return row.join('')
}

function axis(makespanMs: number, cells: number): string {
  const end = formatDuration(makespanMs)
  return `0${fit('', Math.max(1, cells - 1 - displayWidth(end)))}${end}`
}
