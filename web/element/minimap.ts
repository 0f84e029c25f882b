/** The whole graph, small, with a frame around what is seen of it. It is there when not all is seen; a drag moves the frame. */
import { h } from './dom.js'
import { nodeSize, type GraphLayout } from './layers.js'
import type { StepRow, StepRowState } from './run-rows.js'
import type { Palette } from './theme.js'
import type { View } from './viewport.js'

/** Largest size, pixels. */
const [mostWide, mostHigh] = [168, 96]

export class Minimap {
  readonly element = h('canvas', { class: 'af-map', 'aria-hidden': 'true', hidden: true })
  #scale = 1

  /** `onMove`: the middle of what is to be seen, in units of the drawing. */
  constructor(onMove: (x: number, y: number) => void) {
    const move = (event: PointerEvent): void => {
      if (event.buttons === 0) return
      onMove(event.offsetX / this.#scale, event.offsetY / this.#scale)
      event.preventDefault()
    }
    this.element.addEventListener('pointerdown', (event) => {
      this.element.setPointerCapture(event.pointerId)
      move(event)
    })
    this.element.addEventListener('pointermove', move)
  }

  draw(
    layout: GraphLayout,
    rows: readonly StepRow[],
    view: View,
    seen: { readonly width: number; readonly height: number },
    palette: Palette,
  ): void {
    const [wide, high] = [seen.width / view.zoom, seen.height / view.zoom]
    const all = layout.width <= wide * 1.02 && layout.height <= high * 1.02
    // On a small drawing area it would hide more than it shows.
    this.element.hidden = all || seen.width < 420 || seen.height < 180
    if (this.element.hidden) return
    const scale = (this.#scale = Math.min(mostWide / layout.width, mostHigh / layout.height))
    const [width, height] = [Math.max(24, layout.width * scale), Math.max(16, layout.height * scale)]
    const ratio = devicePixelRatio
    if (this.element.width !== Math.round(width * ratio)) {
      this.element.width = Math.round(width * ratio)
      this.element.style.width = `${width}px`
    }
    if (this.element.height !== Math.round(height * ratio)) {
      this.element.height = Math.round(height * ratio)
      this.element.style.height = `${height}px`
    }
    const context = this.element.getContext('2d')
    if (context === null) return
    context.setTransform(ratio, 0, 0, ratio, 0, 0)
    context.clearRect(0, 0, width, height)
    paintSteps(context, layout, rows, scale, palette)
    context.strokeStyle = palette.colour('accent')
    context.lineWidth = 1.5
    const [x, y] = [Math.max(1, view.x * scale), Math.max(1, view.y * scale)]
    const [right, bottom] = [
      Math.min(width - 1, (view.x + wide) * scale),
      Math.min(height - 1, (view.y + high) * scale),
    ]
    context.strokeRect(x, y, Math.max(4, right - x), Math.max(4, bottom - y))
  }
}

/** One path for each state. */
function paintSteps(
  context: CanvasRenderingContext2D,
  layout: GraphLayout,
  rows: readonly StepRow[],
  scale: number,
  palette: Palette,
): void {
  const paths = new Map<StepRowState, Path2D>()
  const [width, height] = [Math.max(1.5, nodeSize.width * scale), Math.max(1.5, nodeSize.height * scale)]
  for (const [index, { x, y }] of layout.nodes.entries()) {
    const state = rows[index]?.state ?? 'waiting'
    const path = paths.get(state) ?? new Path2D()
    paths.set(state, path)
    path.rect(x * scale - width / 2, y * scale - height / 2, width, height)
  }
  for (const [state, path] of paths) {
    context.fillStyle = palette.colour(state === 'waiting' || state === 'skipped' ? 'line-strong' : state)
    context.fill(path)
  }
}
