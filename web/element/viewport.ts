/** What part of a drawing is seen: moved and zoomed by mouse, touch and keys. */

export interface View {
  /** The drawing's point at the left upper corner, and pixels for one of its units. */
  x: number
  y: number
  zoom: number
}

export interface ViewportOptions {
  /** `ctrl`: the wheel zooms only with Ctrl or ⌘, so that a page around it still scrolls. */
  readonly wheel: 'zoom' | 'ctrl'
  readonly onChange: () => void
  /** A click or tap that moved nothing; in pixels of the element. */
  readonly onTap: (x: number, y: number) => void
  readonly onHover: (x: number, y: number) => void
}

const [least, most] = [0.04, 3]
/** Smaller, the names of steps cannot be read. */
export const readableZoom = 0.6
/** Pixels that a finger may move within a tap. */
const tapSlack = 5

export class Viewport {
  readonly view: View = { x: 0, y: 0, zoom: 1 }
  /** A person has chosen what to see: nothing may move it any more but a person. */
  touched = false
  readonly #element: HTMLElement
  readonly #options: ViewportOptions
  readonly #pointers = new Map<number, { x: number; y: number }>()
  #moved = 0

  constructor(element: HTMLElement, options: ViewportOptions) {
    this.#element = element
    this.#options = options
    element.addEventListener('wheel', (event) => this.#wheel(event), { passive: false })
    element.addEventListener('pointerdown', (event) => this.#down(event))
    element.addEventListener('pointermove', (event) => this.#move(event))
    for (const name of ['pointerup', 'pointercancel'] as const)
      element.addEventListener(name, (event) => this.#up(event))
    element.addEventListener('pointerleave', () => options.onHover(-1, -1))
  }

  /** Shows all of a drawing of this size, never larger than it is. */
  fit(width: number, height: number): void {
    const { clientWidth, clientHeight } = this.#element
    if (width <= 0 || height <= 0 || clientWidth === 0) return
    const zoom = clamp(Math.min(1, clientWidth / width, clientHeight / height))
    this.#show(zoom, (width - clientWidth / zoom) / 2, (height - clientHeight / zoom) / 2)
  }

  /** As `fit`, but no smaller than can be read: of a drawing that is larger the beginning, in the middle of its other side. */
  begin(width: number, height: number, along: 'x' | 'y'): void {
    const { clientWidth, clientHeight } = this.#element
    if (width <= 0 || height <= 0 || clientWidth === 0) return
    const zoom = Math.min(1, Math.max(readableZoom, Math.min(clientWidth / width, clientHeight / height)))
    const [spareX, spareY] = [width - clientWidth / zoom, height - clientHeight / zoom]
    const start = (spare: number, isAlong: boolean): number => (isAlong && spare > 0 ? 0 : spare / 2)
    this.#show(zoom, start(spareX, along === 'x'), start(spareY, along === 'y'))
  }

  #show(zoom: number, x: number, y: number): void {
    Object.assign(this.view, { zoom, x, y })
    this.#options.onChange()
  }

  /** Brings a point of the drawing into the middle. `byHand`: a person did it. */
  centre(x: number, y: number, byHand: boolean): void {
    const { zoom } = this.view
    this.touched ||= byHand
    this.#show(zoom, x - this.#element.clientWidth / 2 / zoom, y - this.#element.clientHeight / 2 / zoom)
  }

  zoomBy(factor: number, x = this.#element.clientWidth / 2, y = this.#element.clientHeight / 2): void {
    const { view } = this
    const zoom = clamp(view.zoom * factor)
    view.x += x / view.zoom - x / zoom
    view.y += y / view.zoom - y / zoom
    view.zoom = zoom
    this.touched = true
    this.#options.onChange()
  }

  panBy(dx: number, dy: number): void {
    this.view.x -= dx / this.view.zoom
    this.view.y -= dy / this.view.zoom
    this.touched = true
    this.#options.onChange()
  }

  /** Brings a box around a point of the drawing into sight, moving no more than it takes. */
  reveal(x: number, y: number, width: number, height: number): void {
    const { view } = this
    const [seenX, seenY] = [this.#element.clientWidth / view.zoom, this.#element.clientHeight / view.zoom]
    const shift = (at: number, size: number, from: number, seen: number): number => {
      const [low, high] = [at - size / 2 - 12, at + size / 2 + 12]
      if (high - low > seen) return at - seen / 2
      return low < from ? low : high > from + seen ? high - seen : from
    }
    const [nextX, nextY] = [shift(x, width, view.x, seenX), shift(y, height, view.y, seenY)]
    if (nextX === view.x && nextY === view.y) return
    Object.assign(view, { x: nextX, y: nextY })
    this.#options.onChange()
  }

  #wheel(event: WheelEvent): void {
    const zooms = event.ctrlKey || event.metaKey || (this.#options.wheel === 'zoom' && !event.shiftKey)
    if (!zooms && this.#options.wheel === 'ctrl') return
    event.preventDefault()
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1
    if (!zooms) return this.panBy(-(event.deltaX || event.deltaY) * unit, 0)
    const { x, y } = this.#at(event)
    this.zoomBy(Math.exp(-clampTo(event.deltaY * unit, 120) * 0.0022), x, y)
  }

  #down(event: PointerEvent): void {
    if (event.pointerType === 'mouse' && event.button > 1) return
    this.#element.setPointerCapture(event.pointerId)
    this.#pointers.set(event.pointerId, this.#at(event))
    if (this.#pointers.size === 1) this.#moved = 0
  }

  #move(event: PointerEvent): void {
    const now = this.#at(event)
    const before = this.#pointers.get(event.pointerId)
    if (before === undefined) return this.#options.onHover(now.x, now.y)
    const other = [...this.#pointers].find(([id]) => id !== event.pointerId)?.[1]
    this.#moved += Math.hypot(now.x - before.x, now.y - before.y)
    this.#pointers.set(event.pointerId, now)
    if (this.#moved < tapSlack) return
    if (other === undefined) return this.panBy(now.x - before.x, now.y - before.y)
    const [was, is] = [Math.hypot(before.x - other.x, before.y - other.y), Math.hypot(now.x - other.x, now.y - other.y)]
    this.panBy((now.x - before.x) / 2, (now.y - before.y) / 2)
    if (was > 0) this.zoomBy(is / was, (now.x + other.x) / 2, (now.y + other.y) / 2)
  }

  #up(event: PointerEvent): void {
    const known = this.#pointers.delete(event.pointerId)
    if (!known || this.#pointers.size > 0 || event.type === 'pointercancel') return
    const { x, y } = this.#at(event)
    if (this.#moved < tapSlack) this.#options.onTap(x, y)
  }

  #at(event: MouseEvent): { x: number; y: number } {
    const box = this.#element.getBoundingClientRect()
    return { x: event.clientX - box.left, y: event.clientY - box.top }
  }
}

const clamp = (zoom: number): number => Math.min(most, Math.max(least, zoom))
const clampTo = (value: number, bound: number): number => Math.min(bound, Math.max(-bound, value))
