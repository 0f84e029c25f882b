/**
 * The graph of a plan: a canvas for eyes, and for everybody else a list box whose active option tells the step in words.
 * Arrow keys go along the edges, Enter opens a step, + − 0 zoom, Shift and an arrow move the view, / finds a step.
 */
import { plural } from '../standard/format.js'
import { fill, FrameLoop, h, icon, icons, reducedMotion } from './dom.js'
import { detailZoom, paintGraph } from './graph-paint.js'
import { besideOf, layeredLayout, nodeSize, type Direction, type GraphLayout, type LayoutRequest } from './layers.js'
import type { RunModel } from './run-model.js'
import { rowWords } from './step-words.js'
import { Minimap } from './minimap.js'
import { StepFinder } from './step-finder.js'
import { Palette } from './theme.js'
import { readableZoom, Viewport, type View } from './viewport.js'

export interface GraphOptions {
  readonly wheel: 'zoom' | 'ctrl'
  /** The selection has moved; `open`: and is to be shown. */
  readonly onSelect: (step: number, open: boolean) => void
  /** A better layout than the quick one, when there is time for it; undefined: the quick one stays. */
  readonly layout?: (request: LayoutRequest) => Promise<GraphLayout | undefined>
}

let instances = 0
const turnMs = 1400

export class GraphView {
  readonly element: HTMLElement
  readonly #canvas = h('canvas', { 'aria-hidden': 'true' })
  readonly #option: HTMLElement
  readonly #stage: HTMLElement
  readonly #empty = h('p', { class: 'af-empty' })
  readonly #palette: Palette
  readonly #viewport: Viewport
  readonly #map = new Minimap((x, y) => this.#viewport.centre(x, y, true))
  readonly #finder: StepFinder
  readonly #frames = new FrameLoop((now) => this.#draw(now))
  readonly #options: GraphOptions
  #model: RunModel | undefined
  #layout: GraphLayout | undefined
  #shape = ''
  /** Seen by others than this: reading them from the element would lay the page out at every frame. */
  readonly #seen = { width: 0, height: 0, font: '', focused: false }
  /** Rows that are laid out. */
  #arranged = 0
  #selected = -1
  #hovered = -1
  /** All is shown, as was asked for. */
  #whole = false
  /** Steps that have started: when it grows, what is seen follows. */
  #followed = 0
  #critical: ReadonlySet<number> = new Set()
  #clock: () => number = () => this.#model?.at ?? 0
  /** Frames drawn and the ms that drawing them took: for measurements. */
  readonly drawn = { frames: 0, ms: 0, longest: 0 }

  constructor(options: GraphOptions) {
    this.#options = options
    const id = `af-graph-${++instances}`
    this.#option = h('div', { role: 'option', id, class: 'af-unseen', 'aria-selected': 'false' })
    this.#stage = h(
      'div',
      {
        class: 'af-stage',
        role: 'listbox',
        tabindex: 0,
        'aria-label': 'Graph of the plan',
        'aria-activedescendant': id,
      },
      this.#canvas,
      this.#option,
    )
    this.#finder = new StepFinder({
      rows: () => this.#model?.rows ?? [],
      onFind: (step) => this.#found(step),
      onLeave: () => this.#stage.focus(),
    })
    const { element: finder } = this.#finder
    this.element = h('div', { class: 'af-graph' }, this.#stage, this.#empty, finder, this.#map.element, this.#buttons())
    this.#palette = new Palette(this.element)
    this.#viewport = new Viewport(this.#stage, {
      wheel: options.wheel,
      onChange: () => this.#frames.ask(),
      onTap: (x, y) => this.#tap(x, y),
      onHover: (x, y) => this.#hover(x, y),
    })
    this.#stage.addEventListener('keydown', (event) => this.#key(event))
    this.#stage.addEventListener('focus', () => this.#focus(this.#stage.matches(':focus-visible')))
    this.#stage.addEventListener('blur', () => this.#focus(false))
    new ResizeObserver(([entry]) => this.#resized(entry?.contentRect)).observe(this.#stage)
    this.empty('')
  }

  #buttons(): HTMLElement {
    const button = (label: string, path: string, action: () => void): HTMLElement =>
      h(
        'button',
        { type: 'button', class: 'af-icon-button', 'aria-label': label, title: label, onclick: action },
        icon(path),
      )
    return h(
      'div',
      { class: 'af-zoom', role: 'group', 'aria-label': 'Zoom' },
      button('Zoom in', icons.plus, () => this.#viewport.zoomBy(1.3)),
      button('Zoom out', icons.minus, () => this.#viewport.zoomBy(1 / 1.3)),
      button('Show all', icons.fit, () => this.fit()),
    )
  }

  /** Nothing to show, why, and what can be done about it. */
  empty(words: string, action?: { readonly words: string; readonly act: () => void }): void {
    this.#model = undefined
    this.#layout = undefined
    this.#shape = ''
    this.#arranged = 0
    this.#finder.offer(0)
    this.#select(-1)
    const button = action && h('button', { type: 'button', class: 'af-action', onclick: action.act }, action.words)
    fill(this.#empty, words, button)
    this.#empty.hidden = false
    this.#frames.ask()
  }

  /** Shows a run. Its plan is laid out again only when it has changed. `clock`: time of the run, ms, while it goes on. */
  show(model: RunModel, clock?: () => number): void {
    this.#model = model
    this.#clock = clock ?? (() => model.at)
    this.#empty.hidden = true
    this.#arrange()
    this.refresh()
  }

  /** The model has changed: cheap, for it is called for every event. */
  refresh(): void {
    this.#frames.ask()
  }

  /** The theme has changed. */
  recolour(): void {
    this.#palette.forget()
    this.#seen.font = ''
    this.#frames.ask()
  }

  critical(steps: Iterable<number>): void {
    this.#critical = new Set(steps)
    this.#frames.ask()
  }

  select(step: number, reveal = true): void {
    this.#select(step)
    const point = this.#layout?.nodes[step]
    if (reveal && point !== undefined) this.#viewport.reveal(point.x, point.y, nodeSize.width, nodeSize.height)
  }

  /** What is seen of the drawing. */
  get view(): Readonly<View> {
    return this.#viewport.view
  }

  focus(): void {
    this.#stage.focus()
  }

  /** Shows all, however small; it stays so until a person or another plan changes it. */
  fit(): void {
    const layout = this.#layout
    if (layout === undefined) return
    this.#viewport.touched = false
    this.#whole = true
    this.#viewport.fit(layout.width, layout.height)
  }

  #found(step: number): void {
    if (this.#viewport.view.zoom < readableZoom) this.#viewport.zoomBy(readableZoom / this.#viewport.view.zoom)
    this.#viewport.touched = true
    this.select(step)
    this.#options.onSelect(step, false)
  }

  #arrange(): void {
    const rows = this.#model?.rows ?? []
    this.#arranged = rows.length
    const dependencies = rows.map(({ info }) => info.dependencies)
    const direction = this.#direction(dependencies)
    const shape = `${direction}${dependencies.map((list) => list.join(',')).join(';')}`
    if (shape === this.#shape) return
    this.#shape = shape
    this.#whole = false
    this.#followed = 0
    this.#finder.offer(rows.length)
    const request = { dependencies, direction }
    this.#take(layeredLayout(request))
    void this.#options.layout?.(request).then((better) => {
      if (better !== undefined && shape === this.#shape) this.#take(better)
    })
  }

  /** To the right, as time goes, unless the plan is seen much larger downwards. */
  #direction(dependencies: readonly (readonly number[])[]): Direction {
    const { width: wide, height: high } = this.#seen
    const zoom = (direction: Direction): number => {
      const { width, height } = layeredLayout({ dependencies, direction })
      return Math.min(1, wide / width, high / height)
    }
    return zoom('TB') > 1.25 * zoom('LR') ? 'TB' : 'LR'
  }

  #take(layout: GraphLayout): void {
    this.#layout = layout
    if (!this.#viewport.touched) this.#fitNow()
    this.#frames.ask()
  }

  #fitNow(): void {
    const layout = this.#layout
    if (layout === undefined) return
    const { width, height, direction } = layout
    if (this.#whole) this.#viewport.fit(width, height)
    else this.#viewport.begin(width, height, direction === 'LR' ? 'x' : 'y')
  }

  /** While it runs and nobody has moved it, what is seen goes along with the steps that have started last. */
  #follow(model: RunModel, layout: GraphLayout): void {
    const { waiting, ready } = model.counts
    const started = model.rows.length - waiting - ready
    if (started === this.#followed) return
    this.#followed = started
    if (this.#viewport.touched || this.#whole || model.outcome !== undefined) return
    const running = model.rows.filter(({ state }) => state === 'running')
    const last = running.reduce(
      (late, row) => ((row.startedAt ?? 0) >= (late?.startedAt ?? 0) ? row : late),
      running[0],
    )
    const point = last && layout.nodes[last.index]
    if (point !== undefined) this.#viewport.reveal(point.x, point.y, nodeSize.width * 1.5, nodeSize.height * 3)
  }

  #focus(focused: boolean): void {
    this.#seen.focused = focused
    this.#frames.ask()
  }

  #resized({ width = 0, height = 0 }: Partial<DOMRectReadOnly> = {}): void {
    Object.assign(this.#seen, { width, height })
    if (this.#model !== undefined) this.#arrange()
    if (!this.#viewport.touched) this.#fitNow()
    this.#frames.ask()
  }

  #draw(now: number): void {
    const began = performance.now()
    const { width, height, focused } = this.#seen
    const scale = devicePixelRatio
    const [wide, high] = [Math.round(width * scale), Math.round(height * scale)]
    if (this.#canvas.width !== wide) this.#canvas.width = wide
    if (this.#canvas.height !== high) this.#canvas.height = high
    const context = this.#canvas.getContext('2d')
    if (context === null || width === 0) return
    context.setTransform(scale, 0, 0, scale, 0, 0)
    if ((this.#model?.rows.length ?? 0) !== this.#arranged) this.#arrange()
    this.#tell()
    const [model, layout] = [this.#model, this.#layout]
    if (model === undefined || layout === undefined) return context.clearRect(0, 0, width, height)
    this.#follow(model, layout)
    const still = reducedMotion()
    const font = (this.#seen.font ||= getComputedStyle(this.#stage).fontFamily)
    paintGraph(
      context,
      {
        layout,
        rows: model.rows,
        view: this.#viewport.view,
        width,
        height,
        at: this.#clock(),
        selected: this.#selected,
        hovered: this.#hovered,
        focused,
        critical: this.#critical,
        phase: still ? 0.1 : (now % turnMs) / turnMs,
        fonts: { large: `600 17px ${font}`, bold: `600 13px ${font}`, small: `11.5px ${font}` },
      },
      this.#palette,
    )
    this.#map.draw(layout, model.rows, this.#viewport.view, { width, height }, this.#palette)
    const took = performance.now() - began
    this.drawn.frames += 1
    this.drawn.ms += took
    this.drawn.longest = Math.max(this.drawn.longest, took)
    const moves = model.counts.running > 0 && model.outcome === undefined && this.#viewport.view.zoom >= detailZoom
    if (moves && !still) this.#frames.ask()
  }

  #at(x: number, y: number): number {
    const { view } = this.#viewport
    const [atX, atY] = [view.x + x / view.zoom, view.y + y / view.zoom]
    const nodes = this.#layout?.nodes ?? []
    return nodes.findIndex(
      (node) => Math.abs(node.x - atX) <= nodeSize.width / 2 && Math.abs(node.y - atY) <= nodeSize.height / 2,
    )
  }

  #tap(x: number, y: number): void {
    const step = this.#at(x, y)
    if (step < 0) return
    this.#select(step)
    this.#options.onSelect(step, true)
  }

  #hover(x: number, y: number): void {
    const step = x < 0 ? -1 : this.#at(x, y)
    if (step === this.#hovered) return
    this.#hovered = step
    const row = this.#model?.rows[step]
    this.#stage.title = row === undefined ? '' : rowWords(row, this.#clock())
    this.#stage.classList.toggle('af-over-node', step >= 0)
    this.#frames.ask()
  }

  #select(step: number): void {
    this.#selected = step
    this.#tell()
    this.#frames.ask()
  }

  /** What the list box says of the selected step. */
  #tell(): void {
    const model = this.#model
    const row = model?.rows[this.#selected]
    const set = (name: string, value: string | number): void => this.#option.setAttribute(name, String(value))
    set('aria-selected', String(row !== undefined))
    set('aria-setsize', model?.rows.length ?? 0)
    if (row === undefined) this.#option.removeAttribute('aria-posinset')
    else set('aria-posinset', this.#selected + 1)
    const words =
      row === undefined
        ? `${model?.rows.length ?? 0} steps; none is selected`
        : `${rowWords(row, this.#clock())}; ${links(row)}`
    if (this.#option.textContent !== words) this.#option.textContent = words
  }

  #key(event: KeyboardEvent): void {
    const rows = this.#model?.rows ?? []
    if (rows.length === 0 || event.ctrlKey || event.metaKey || event.altKey) return
    const handled = event.shiftKey && event.key.startsWith('Arrow') ? this.#pan(event.key) : this.#press(event.key)
    if (handled) event.preventDefault()
  }

  #pan(key: string): boolean {
    const by = 60
    this.#viewport.panBy(
      key === 'ArrowLeft' ? by : key === 'ArrowRight' ? -by : 0,
      key === 'ArrowUp' ? by : key === 'ArrowDown' ? -by : 0,
    )
    return true
  }

  #press(key: string): boolean {
    const rows = this.#model?.rows ?? []
    const current = rows[this.#selected]
    const forth = this.#layout?.direction === 'TB' ? ['ArrowDown', 'ArrowUp'] : ['ArrowRight', 'ArrowLeft']
    const go = (step: number | undefined): boolean => {
      if (step === undefined) return true
      this.select(step)
      this.#options.onSelect(step, false)
      return true
    }
    if (key === '+' || key === '=') return (this.#viewport.zoomBy(1.3), true)
    if (key === '-') return (this.#viewport.zoomBy(1 / 1.3), true)
    if (key === '0') return (this.fit(), true)
    if (key === '/') return (this.#finder.focus(), true)
    if (key === 'Home') return go(0)
    if (key === 'End') return go(rows.length - 1)
    if (key.startsWith('Arrow') && current === undefined) return go(0)
    if (key === forth[0]) return go(current?.dependents[0])
    if (key === forth[1]) return go(current?.info.dependencies[0])
    if (key.startsWith('Arrow')) {
      const by = key === 'ArrowDown' || key === 'ArrowRight' ? 1 : -1
      return go(this.#layout && besideOf(this.#layout, this.#selected, by))
    }
    if ((key === 'Enter' || key === ' ') && current !== undefined) {
      this.#options.onSelect(current.index, true)
      return true
    }
    return false
  }
}

function links({ info, dependents }: RunModel['rows'][number]): string {
  return `needs ${plural(info.dependencies.length, 'step')}, needed by ${dependents.length}`
}
