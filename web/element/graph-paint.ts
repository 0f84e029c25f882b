/** Draws the graph of a plan on a canvas: only what is seen, and less of it the smaller it is. */
import type { GraphEdge, GraphLayout, Point } from './layers.js'
import { nodeSize } from './layers.js'
import type { StepRow, StepRowState } from './run-rows.js'
import { markOf, rowFigures, stateMarks, triesOf, type StepMark } from './step-words.js'
import { middle } from './shorten.js'
import { providerVariable, type Palette } from './theme.js'
import type { View } from './viewport.js'

export interface GraphScene {
  readonly layout: GraphLayout
  readonly rows: readonly StepRow[]
  readonly view: View
  /** Pixels of the page. */
  readonly width: number
  readonly height: number
  /** Time of the run, ms. */
  readonly at: number
  readonly selected: number
  readonly hovered: number
  readonly focused: boolean
  /** Steps on the critical path, when it is known. */
  readonly critical: ReadonlySet<number>
  /** 0–1, of the marks that turn; a constant where motion is not wanted. */
  readonly phase: number
  readonly fonts: { readonly large: string; readonly bold: string; readonly small: string }
}

/** Below these zooms second lines, then texts, marks, stripes and whatever moves are left out. */
const textZoom = 0.78
export const detailZoom = 0.2

const marks = new Map<StepMark, Path2D>()
function pathOf(mark: StepMark): Path2D {
  const known = marks.get(mark) ?? new Path2D(stateMarks[mark])
  marks.set(mark, known)
  return known
}

export function paintGraph(context: CanvasRenderingContext2D, scene: GraphScene, palette: Palette): void {
  const { view, width, height } = scene
  context.save()
  context.clearRect(0, 0, width, height)
  context.scale(view.zoom, view.zoom)
  context.translate(-view.x, -view.y)
  paintEdges(context, scene, palette)
  if (view.zoom < detailZoom) paintTiny(context, scene, palette)
  for (const [index, point] of scene.layout.nodes.entries()) {
    const row = scene.rows[index]
    if (row === undefined || point === undefined || !inSight(scene, point)) continue
    if (view.zoom < detailZoom && index !== scene.selected) continue
    paintNode(context, scene, palette, row, point)
  }
  context.restore()
}

function inSight({ view, width, height }: GraphScene, { x, y }: Point): boolean {
  const [right, bottom] = [view.x + width / view.zoom, view.y + height / view.zoom]
  const [w, h] = [nodeSize.width / 2 + 4, nodeSize.height / 2 + 4]
  return x + w > view.x && x - w < right && y + h > view.y && y - h < bottom
}

/** Edges of one look are one path: a stroke for each would take longer than everything else. */
function paintEdges(context: CanvasRenderingContext2D, scene: GraphScene, palette: Palette): void {
  const { layout, rows, selected, critical, view } = scene
  const usual = new Path2D()
  const flowing = new Path2D()
  const path = new Path2D()
  const chosen = new Path2D()
  for (const edge of layout.edges) {
    if (!edgeInSight(scene, edge)) continue
    const [from, to] = [rows[edge.from], rows[edge.to]]
    const ofChosen = edge.from === selected || edge.to === selected
    const isCritical = critical.has(edge.from) && critical.has(edge.to)
    const flows = from?.state === 'done' && to?.state === 'running'
    trace(ofChosen ? chosen : isCritical ? path : flows ? flowing : usual, edge, layout, view.zoom)
  }
  const stroke = (drawn: Path2D, colour: string, width: number): void => {
    context.strokeStyle = palette.colour(colour)
    // Thinner than half a pixel nothing is seen.
    context.lineWidth = Math.max(width, 0.7 / view.zoom)
    context.stroke(drawn)
  }
  context.lineJoin = 'round'
  context.globalAlpha = view.zoom < detailZoom ? 0.45 : 0.75
  stroke(usual, 'line-strong', 1)
  context.globalAlpha = 1
  stroke(flowing, 'running', 1.8)
  stroke(path, 'text', 2.2)
  stroke(chosen, 'accent', 2.4)
}

function edgeInSight({ layout, view, width, height }: GraphScene, edge: GraphEdge): boolean {
  const [from, to] = [layout.nodes[edge.from], layout.nodes[edge.to]]
  if (from === undefined || to === undefined) return false
  const slack = 60
  const [right, bottom] = [view.x + width / view.zoom + slack, view.y + height / view.zoom + slack]
  return (
    Math.max(from.x, to.x) > view.x - slack &&
    Math.min(from.x, to.x) < right &&
    Math.max(from.y, to.y) > view.y - slack &&
    Math.min(from.y, to.y) < bottom
  )
}

/** Smooth along the points that the layout gave; straight where nobody could see the difference. */
function trace(path: Path2D, { points }: GraphEdge, { direction }: GraphLayout, zoom: number): void {
  const first = points[0]
  const last = points.at(-1)
  if (first === undefined || last === undefined) return
  path.moveTo(first.x, first.y)
  if (zoom < detailZoom) return path.lineTo(last.x, last.y)
  if (points.length === 2) {
    const [x, y] = [(first.x + last.x) / 2, (first.y + last.y) / 2]
    if (direction === 'LR') path.bezierCurveTo(x, first.y, x, last.y, last.x, last.y)
    else path.bezierCurveTo(first.x, y, last.x, y, last.x, last.y)
    return
  }
  for (let index = 1; index < points.length - 1; index += 1) {
    const [bend, next] = [points[index]!, points[index + 1]!]
    const end = index === points.length - 2 ? next : { x: (bend.x + next.x) / 2, y: (bend.y + next.y) / 2 }
    path.quadraticCurveTo(bend.x, bend.y, end.x, end.y)
  }
}

/** Nodes of one state are one path of plain boxes: a thousand rounded ones take a slow machine too long. */
function paintTiny(context: CanvasRenderingContext2D, scene: GraphScene, palette: Palette): void {
  const paths = new Map<StepRowState, Path2D>()
  const { width, height } = nodeSize
  for (const [index, point] of scene.layout.nodes.entries()) {
    const row = scene.rows[index]
    if (row === undefined || !inSight(scene, point)) continue
    let path = paths.get(row.state)
    if (path === undefined) paths.set(row.state, (path = new Path2D()))
    path.rect(point.x - width / 2, point.y - height / 2, width, height)
  }
  for (const [state, path] of paths) {
    const quiet = state === 'waiting' || state === 'skipped'
    context.fillStyle = palette.colour(quiet ? 'line-strong' : state)
    context.globalAlpha = quiet ? 0.45 : 1
    context.fill(path)
  }
  context.globalAlpha = 1
}

function paintNode(
  context: CanvasRenderingContext2D,
  scene: GraphScene,
  palette: Palette,
  row: StepRow,
  { x, y }: Point,
): void {
  const { selected, hovered, focused } = scene
  const { width, height } = nodeSize
  const [left, top] = [x - width / 2, y - height / 2]
  const colour = palette.colour(row.state)
  context.beginPath()
  context.roundRect(left, top, width, height, 8)
  context.fillStyle = palette.colour(`${row.state}-soft`)
  context.fill()
  const chosen = row.index === selected
  context.strokeStyle = chosen
    ? palette.colour('accent')
    : row.state === 'waiting'
      ? palette.colour('line-strong')
      : colour
  context.lineWidth = chosen ? (focused ? 3 : 2.2) : row.index === hovered ? 2 : 1
  if (row.state === 'skipped' || row.state === 'cancelled') context.setLineDash([4, 3])
  context.stroke()
  context.setLineDash([])
  if (row.provider !== '') {
    context.fillStyle = palette.colour(providerVariable(row.provider))
    context.beginPath()
    context.roundRect(left + 5, top + 8, 4, height - 16, 2)
    context.fill()
  }
  if (row.state === 'running') paintProgress(context, palette, row, left, top)
  if (triesOf(row) > 1) paintTries(context, scene, palette, triesOf(row), left + width, top)
  paintMark(context, scene, row, left + 15, scene.view.zoom < textZoom ? top + 16 : top + 7, colour)
  paintTexts(context, scene, palette, row, left, top)
}

/** A step that was called again wears it at its corner. */
function paintTries(
  context: CanvasRenderingContext2D,
  { fonts }: GraphScene,
  palette: Palette,
  tries: number,
  right: number,
  top: number,
): void {
  const words = `↻ ${tries}`
  context.font = fonts.small
  const width = context.measureText(words).width + 12
  context.beginPath()
  context.roundRect(right - width + 4, top - 8, width, 17, 8)
  context.fillStyle = palette.colour('raised')
  context.fill()
  context.strokeStyle = palette.colour('ready')
  context.lineWidth = 1.2
  context.stroke()
  context.fillStyle = palette.colour('ready')
  context.textBaseline = 'middle'
  context.fillText(words, right - width + 10, top + 0.5)
}

function paintProgress(
  context: CanvasRenderingContext2D,
  palette: Palette,
  row: StepRow,
  left: number,
  top: number,
): void {
  const expected = row.info.estimatedTokens
  if (expected <= 0) return
  const share = Math.min(1, (row.tokensOut + row.liveTokens) / expected)
  const [room, foot] = [nodeSize.width - 28, top + nodeSize.height - 5]
  context.fillStyle = palette.colour('line')
  context.fillRect(left + 16, foot, room, 2)
  context.fillStyle = palette.colour('running')
  context.fillRect(left + 16, foot, room * share, 2)
}

function paintMark(
  context: CanvasRenderingContext2D,
  scene: GraphScene,
  row: StepRow,
  left: number,
  top: number,
  colour: string,
): void {
  context.save()
  context.translate(left, top)
  context.strokeStyle = colour
  context.fillStyle = colour
  const mark = markOf(row)
  context.lineWidth = mark === 'done' || mark === 'failed' ? 2 : 1.4
  context.lineCap = 'round'
  if (row.state === 'running') {
    const turn = scene.phase * 2 * Math.PI
    context.beginPath()
    context.arc(8, 8, 5.6, turn, turn + 4.6)
    context.stroke()
    context.translate(8, 8)
    context.scale(0.5, 0.5)
    context.translate(-8, -8)
    context.fill(pathOf('running'))
  } else {
    context.stroke(pathOf(mark))
  }
  context.restore()
}

const shortened = new Map<string, string>()

/** Shortened in the middle to `room` units; measured once for each text. */
function fitText(context: CanvasRenderingContext2D, text: string, room: number): string {
  const key = `${context.font}|${room}|${text}`
  const known = shortened.get(key)
  if (known !== undefined) return known
  let fitted = text
  for (let most = [...text].length - 1; most > 1 && context.measureText(fitted).width > room; most -= 1)
    fitted = middle(text, most)
  if (shortened.size > 8000) shortened.clear()
  shortened.set(key, fitted)
  return fitted
}

function paintTexts(
  context: CanvasRenderingContext2D,
  { fonts, at, view }: GraphScene,
  palette: Palette,
  row: StepRow,
  left: number,
  top: number,
): void {
  context.textBaseline = 'alphabetic'
  context.fillStyle = palette.colour(row.state === 'skipped' ? 'muted' : 'text')
  if (view.zoom < textZoom) {
    // One line, as large as the node takes: small, but still to be read.
    context.font = fonts.large
    context.fillText(fitText(context, row.info.id, nodeSize.width - 40), left + 34, top + 32)
    return
  }
  context.font = fonts.bold
  context.fillText(fitText(context, row.info.id, nodeSize.width - 44), left + 36, top + 19.5)
  context.fillStyle = palette.colour('muted')
  context.font = fonts.small
  context.fillText(fitText(context, rowFigures(row, at), nodeSize.width - 30), left + 16, top + 37)
}
