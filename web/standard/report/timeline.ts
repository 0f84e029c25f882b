/** When each step ran, as a drawing: a row a step, a bar a call, the provider in words. Standing alone, light and dark, on paper. */
import type { RunReport, StepReport } from '../../../bindings/events.js'
import { formatDuration, oneLine, plural } from '../format.js'
import { providerColour, themeColours } from '../theme.js'

const [labels, chart, foot, legendHeight] = [190, 700, 22, 20]
/** Rows with names; with more of them a row is a line. */
const mostNamed = 40
const mostRows = 1000

export interface Timeline {
  readonly svg: string
  /** What it shows. */
  readonly words: string
}

/** Undefined: nothing ran. */
export function timeline(report: RunReport): Timeline | undefined {
  const end = report.makespanMs
  const ran = report.steps.filter(({ startedAt }) => startedAt !== null)
  if (ran.length === 0 || end <= 0) return undefined
  const rows = [...ran].sort((a, b) => (a.startedAt ?? 0) - (b.startedAt ?? 0)).slice(0, mostRows)
  const named = rows.length <= mostNamed
  const line = named ? 20 : Math.max(2, Math.min(8, Math.floor(1600 / rows.length)))
  const left = named ? labels : 8
  const providers = [...new Set(ran.flatMap(({ calls }) => calls.map(({ provider }) => provider)))]
  const height = legendHeight + rows.length * line + foot
  const leaders = new Set(ran.flatMap(({ calls }) => calls.flatMap(({ leader }) => leader ?? [])))
  const scale: Scale = { left, line, named, end, x: (at) => left + (at / end) * chart, leaders }
  const beyond = ran.length > rows.length ? `, the first ${rows.length} of them drawn` : ''
  const words = `Timeline of ${plural(ran.length, 'step')} over ${formatDuration(end)}${beyond}; the table of steps has the same in figures.`
  const parts = [
    `<title>${xml(words)}</title>`,
    `<style>${style(providers)}</style>`,
    ...legend(providers),
    ...ticks(scale, height),
    ...rows.map((step, index) => row(step, legendHeight + index * line, scale)),
  ]
  const head = `xmlns="http://www.w3.org/2000/svg" class="timeline" viewBox="0 0 ${left + chart + 12} ${height}" role="img"`
  return { svg: `<svg ${head} aria-label="${xml(words)}">${parts.join('')}</svg>`, words }
}

interface Scale {
  readonly left: number
  readonly line: number
  readonly named: boolean
  readonly end: number
  x(at: number): number
  /** Ids of steps whose prompts others found in a cache. */
  readonly leaders: ReadonlySet<string>
}

/** Providers that the legend names. */
const mostInLegend = 6

/** Classes are named by provider: several timelines on one page then agree. */
function style(providers: readonly string[]): string {
  const used = new Set(providers.map(providerColour))
  const known = themeColours.filter(([name]) => used.has(name))
  const each = (dark: 0 | 1): string =>
    known.map(([name, ...pair]) => `.timeline .${name}{fill:${pair[dark]}}`).join('')
  const common =
    '.timeline{display:block;width:100%;min-width:560px;max-width:1100px;height:auto}.timeline text{font:11px system-ui,sans-serif;fill:#1a202a}' +
    '.timeline .t{fill:#566072}.timeline .g{stroke:#dde1e7}.timeline .b{fill:#fff;font-weight:600;font-size:10px}' +
    '.timeline .x{fill-opacity:.35;stroke:#c02634;stroke-dasharray:3 2}'
  const dark =
    '.timeline text{fill:#e6eaf0}.timeline .t{fill:#a3adbb}.timeline .g{stroke:#39414d}.timeline .b{fill:#12161c}.timeline .x{stroke:#ff8a8f}'
  return `${common}${each(0)}@media (prefers-color-scheme:dark){${dark}${each(1)}}`
}

function legend(providers: readonly string[]): string[] {
  let at = 0
  return providers.slice(0, mostInLegend).map((provider) => {
    const name = short(provider, 24)
    const here = at
    at += 26 + name.length * 7
    return `<rect class="${providerColour(provider)}" x="${here}" y="3" width="12" height="10" rx="2"/><text x="${here + 16}" y="12">${xml(name)}</text>`
  })
}

function ticks({ x, end }: Scale, height: number): string[] {
  return [0, 1, 2, 3, 4, 5].map((tick) => {
    const at = x((tick / 5) * end).toFixed(1)
    const anchor = tick === 0 ? 'start' : tick === 5 ? 'end' : 'middle'
    const words = formatDuration((tick / 5) * end)
    return `<line class="g" x1="${at}" x2="${at}" y1="${legendHeight}" y2="${height - foot + 4}"/><text class="t" x="${at}" y="${height - 6}" text-anchor="${anchor}">${xml(words)}</text>`
  })
}

/** What a call was to the prompt cache: who read the beginning first, or that others followed. */
function cacheWords({ leader, tokens, purpose }: StepReport['calls'][number], leads: boolean): string {
  if (leader !== undefined) return `, read ${tokens.cached} tokens from the prompt cache that ${leader} had filled`
  return leads && purpose === 'main' ? ', filled the prompt cache for others' : ''
}

function row(step: StepReport, top: number, { x, line, named, end, leaders }: Scale): string {
  const name = named ? `<text x="0" y="${top + 14}">${xml(short(step.id, 28))}</text>` : ''
  const bars = step.calls.flatMap((call) => {
    if (call.dispatchedAt === null) return []
    const from = call.dispatchedAt
    const to = call.endedAt ?? end
    const width = Math.max(named ? 2 : 1, x(to) - x(from))
    const lost = call.outcome === 'ok' ? '' : ' x'
    const told = `${step.id}: ${call.purpose} on ${call.provider} ${call.model}, ${formatDuration(to - from)}${call.outcome === 'ok' ? '' : `, ${call.outcome}`}${cacheWords(call, leaders.has(step.id))}`
    const [y, height] = named ? [top + 4, 12] : [top, Math.max(1, line - 1)]
    const rect = `<rect class="${providerColour(call.provider)}${lost}" x="${x(from).toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${height}" rx="${named ? 2 : 0}"><title>${xml(told)}</title></rect>`
    // In words as well: colours alone tell nothing to many, and nothing on paper.
    const behind = call.leader === undefined ? '' : ` ← ${short(call.leader, 16)}`
    const words = [`${call.provider}${behind}`, call.provider].find((text) => width > text.length * 6 + 8)
    const fits = named && lost === '' ? words : undefined
    return [
      rect,
      fits === undefined ? '' : `<text class="b" x="${(x(from) + 4).toFixed(1)}" y="${top + 13.5}">${xml(fits)}</text>`,
    ]
  })
  return name + bars.join('')
}

/** Cut in its middle, where names of steps differ least. */
function short(text: string, most: number): string {
  const characters = [...oneLine(text)]
  if (characters.length <= most) return characters.join('')
  const half = Math.floor((most - 1) / 2)
  return `${characters.slice(0, most - 1 - half).join('')}…${characters.slice(-half).join('')}`
}

/** Untrusted text inside an element or an attribute in double quotes. */
export function xml(text: string): string {
  return oneLine(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
