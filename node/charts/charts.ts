/**
 * Charts as SVG that needs no script: names at the left, marks, and each figure in words at the right, so that neither colour nor a
 * pointer is needed to read them.
 *
 *   groq      ▇▇▇▇▇▇▇▇            3.1 s
 *   deepseek  ▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇    9.4 s
 */
import { oneLine } from '../../web/standard/format.js'
import type { Block } from '../../web/standard/report/blocks.js'
import { ChartDocument, type ElementNode } from './document.js'
import * as Plot from './plot.js'

/** A group of a chart. `told`: its figure in words. `colour`: a CSS colour; default: the accent. */
export interface ChartRow {
  readonly name: string
  readonly told: string
  readonly colour?: string | undefined
}
export interface BarRow extends ChartRow {
  readonly value: number
}
/** `low` and `high`: the bounds of an interval; absent: it has none. */
export interface IntervalRow extends ChartRow {
  readonly value: number
  readonly low?: number | undefined
  readonly high?: number | undefined
}
export interface DotsRow extends ChartRow {
  readonly values: readonly number[]
  readonly middle: number
}
export interface PointRow extends ChartRow {
  readonly x: number
  readonly y: number
}

export interface ChartFrame {
  /** What it shows, in a sentence. */
  readonly words: string
  /** Words under the axis. */
  readonly axis: string
  readonly format: (value: number) => string
  /** A line to compare with. */
  readonly target?: { readonly value: number; readonly words: string } | undefined
}

/** Rows that a chart draws; the tables beside it have all. */
const mostRows = 40
const [width, line, letter] = [900, 26, 7]

const accent = 'var(--af-accent)'
const muted = 'var(--af-muted)'
/** Words stay legible where a line crosses them. */
const label = { fill: 'var(--af-text)', stroke: 'var(--page)', strokeWidth: 4, textAnchor: 'start', dx: 7 } as const

type Marks = readonly Plot.Mark[]

export function bars(rows: readonly BarRow[], frame: ChartFrame): Block {
  return horizontal(rows, frame, (shown) => [
    Plot.barX(shown, { x: 'value', y: (_, index: number) => index, fill: colourOf, insetTop: 4, insetBottom: 4 }),
    Plot.text(shown, { x: 'value', y: (_, index: number) => index, text: toldOf, ...label }),
    Plot.ruleX([0], { stroke: muted }),
  ])
}

/** Values with their intervals. `zero`: the line of no difference is drawn. */
export function intervals(rows: readonly IntervalRow[], frame: ChartFrame & { readonly zero?: true }): Block {
  const finite = (value: number | undefined, instead: number): number =>
    value === undefined || !Number.isFinite(value) ? instead : value
  return horizontal(rows, frame, (shown) => {
    const y = (_: unknown, index: number): number => index
    const high = (row: IntervalRow): number => finite(row.high, row.value)
    return [
      ...(frame.zero ? [Plot.ruleX([0], { stroke: muted })] : []),
      Plot.link(shown, {
        ...{ x1: (row: IntervalRow) => finite(row.low, row.value), x2: high, y1: y, y2: y },
        ...{ stroke: colourOf, strokeWidth: 3 },
      }),
      Plot.dot(shown, { x: 'value', y, r: 5, fill: colourOf, stroke: 'var(--page)' }),
      Plot.text(shown, { x: high, y, text: toldOf, ...label, dx: 9 }),
    ]
  })
}

/** Every value a dot, the middle one a line. */
export function dots(rows: readonly DotsRow[], frame: ChartFrame): Block {
  return horizontal(rows, frame, (shown) => {
    const all = shown.flatMap((row, y) => row.values.map((x) => ({ x, y, colour: row.colour ?? accent })))
    const y = (_: unknown, index: number): number => index
    // Hundreds of dots lie on one another: where they are many, it is darker.
    const [fillOpacity, strokeOpacity] = all.length > 100 ? [0.12, 0] : [0.55, 1]
    return [
      Plot.dot(all, { x: 'x', y: 'y', r: 4, fill: 'colour', fillOpacity, stroke: 'colour', strokeOpacity }),
      Plot.tickX(shown, { x: 'middle', y, stroke: 'var(--af-text)', strokeWidth: 2, insetTop: 2, insetBottom: 2 }),
      Plot.text(shown, { x: (row: DotsRow) => Math.max(...row.values), y, text: toldOf, ...label, dx: 10 }),
    ]
  })
}

/** Points in two dimensions, each with its name. */
export function points(
  rows: readonly PointRow[],
  frame: ChartFrame & { readonly up: string; readonly formatUp: (value: number) => string },
): Block {
  const shown = together(rows.slice(0, mostRows))
  const name = (row: PointRow): string => short(`${row.name}: ${row.told}`, 60)
  const most = Math.max(...shown.map(({ x }) => x), 0) * 1.05 || 1
  return drawing(frame, {
    ...{ width, height: 320, marginLeft: 70, marginRight: 60, marginBottom: 44, marginTop: 24 },
    x: { domain: [0, most], tickFormat: frame.format, label: frame.axis, ticks: 6 },
    y: { domain: [0, 1], tickFormat: frame.formatUp, label: frame.up, ticks: 5 },
    marks: [
      Plot.gridX({ stroke: 'var(--af-line)', strokeOpacity: 1, ticks: 6 }),
      Plot.gridY({ stroke: 'var(--af-line)', strokeOpacity: 1, ticks: 5 }),
      Plot.dot(shown, { x: 'x', y: 'y', r: 6, fill: colourOf, stroke: 'var(--page)' }),
      // To the left in the right half: nothing runs out of the drawing.
      ...[false, true].map((right) =>
        Plot.text(
          shown.filter(({ x }) => x > most / 2 === right),
          { x: 'x', y: 'y', text: name, ...label, textAnchor: right ? 'end' : 'start', dx: right ? -10 : 10 },
        ),
      ),
    ],
  })
}

/** Points that lie on one another share a name: two names there could not be read. */
function together(rows: readonly PointRow[]): PointRow[] {
  const places = new Map<string, PointRow>()
  for (const row of rows) {
    const place = `${row.x} ${row.y}`
    const there = places.get(place)
    places.set(place, there === undefined ? row : { ...there, name: `${there.name}, ${row.name}` })
  }
  return [...places.values()]
}

const colourOf = ({ colour }: ChartRow): string => colour ?? accent
const toldOf = ({ told }: ChartRow): string => oneLine(told)

/** Rows one below the other on one scale that begins at zero, unless values are negative. */
function horizontal<Row extends ChartRow>(
  rows: readonly Row[],
  frame: ChartFrame,
  marks: (shown: readonly Row[]) => Marks,
): Block {
  const shown = rows.slice(0, mostRows)
  const names = shown.map(({ name }) => short(name, 34))
  const target = frame.target
  const beyond = rows.length > shown.length ? ` The first ${shown.length} of ${rows.length} are drawn.` : ''
  return drawing(
    { ...frame, words: `${frame.words}${beyond}` },
    {
      width,
      height: shown.length * line + (target === undefined ? 48 : 60),
      marginLeft: Math.max(...names.map((name) => name.length)) * letter + 14,
      marginRight: Math.max(...shown.map(({ told }) => told.length)) * (letter - 0.5) + 20,
      ...{ marginBottom: 40, marginTop: target === undefined ? 8 : 20 },
      x: { tickFormat: frame.format, label: frame.axis, ticks: 6, zero: true, labelAnchor: 'left' },
      y: {
        type: 'band',
        domain: shown.map((_, index) => index),
        tickFormat: (index: number) => names[index] ?? '',
        label: null,
        tickSize: 0,
      },
      marks: [
        Plot.gridX({ stroke: 'var(--af-line)', strokeOpacity: 1, ticks: 6 }),
        ...marks(shown),
        ...(target === undefined
          ? []
          : [
              Plot.ruleX([target.value], { stroke: 'var(--af-text)', strokeDasharray: '5 4' }),
              Plot.text([oneLine(target.words)], {
                ...{ x: [target.value], frameAnchor: 'top', dy: -14 },
                fill: 'var(--af-text)',
              }),
            ]),
      ],
    },
  )
}

function drawing({ words, axis }: ChartFrame, options: Readonly<Record<string, unknown>>): Block {
  // The library asks for a whole document and uses what this one has.
  const document = new ChartDocument()
  const drawn = Plot.plot({ ...options, document, className: 'chart' }) as ElementNode
  drawn.describe(words)
  drawn.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  return { kind: 'picture', svg: drawn.outerHTML, words, label: `Chart: ${oneLine(axis)}` }
}

/** Cut at its end. */
function short(text: string, most: number): string {
  const characters = [...oneLine(text)]
  return characters.length <= most ? characters.join('') : `${characters.slice(0, most - 1).join('')}…`
}
