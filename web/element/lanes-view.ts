/**
 * The calls of a large run: a lane for each provider, calls that overlap in rows below each other, and above them an overview of how many
 * were in progress when. A drag over the overview shows that part of the run larger; a double click shows all again.
 */
import { formatCount, formatDuration, plural } from '../standard/format.js'
import { FrameLoop, h } from './dom.js'
import { packed, underWay, type Lane, type Placed } from './lanes.js'
import type { RunModel } from './run-model.js'
import { rowWords } from './step-words.js'
import { Palette, providerVariable } from './theme.js'

const [names, right, overview, axis, gap] = [92, 12, 40, 20, 10] as const
/** Heights of a row. */
const [least, most] = [4, 14]

export interface LanesOptions {
  readonly onSelect: (step: number, open: boolean) => void
}

export class LanesView {
  readonly element: HTMLElement
  readonly #canvas = h('canvas', { role: 'img' })
  readonly #palette: Palette
  readonly #options: LanesOptions
  readonly #frames = new FrameLoop(() => this.#draw())
  readonly #seen = { width: 0, height: 0, font: '' }
  #model: RunModel | undefined
  #clock: () => number = () => 0
  #lanes: readonly Lane[] = []
  #laid = ''
  #selected = -1
  /** What part of the run is shown, ms; undefined: all. */
  #window: readonly [number, number] | undefined
  #dragged: number | undefined
  #end = 1
  #row = most

  constructor(options: LanesOptions) {
    this.#options = options
    this.element = h('div', { class: 'af-lanes' }, this.#canvas)
    this.#palette = new Palette(this.element)
    new ResizeObserver(([entry]) => {
      const { width = 0, height = 0 } = entry?.contentRect ?? {}
      Object.assign(this.#seen, { width, height })
      this.refresh()
    }).observe(this.element)
    this.#canvas.addEventListener('pointerdown', (event) => this.#down(event))
    this.#canvas.addEventListener('pointermove', (event) => this.#move(event))
    this.#canvas.addEventListener('pointerup', () => (this.#dragged = undefined))
    this.#canvas.addEventListener('dblclick', () => {
      this.#window = undefined
      this.refresh()
    })
  }

  show(model: RunModel | undefined, clock: () => number): void {
    this.#model = model
    this.#clock = clock
    this.#window = undefined
    this.#laid = ''
    this.refresh()
  }

  refresh(): void {
    if (!this.element.hidden) this.#frames.ask()
  }

  recolour(): void {
    this.#palette.forget()
    this.#seen.font = ''
    this.refresh()
  }

  select(step: number): void {
    this.#selected = step
    this.refresh()
  }

  #draw(): void {
    const model = this.#model
    const { width } = this.#seen
    if (model === undefined || width === 0) return
    const now = model.outcome === undefined ? Math.max(model.at, this.#clock()) : model.at
    this.#end = Math.max(1, now)
    const laid = `${model.version}`
    if (laid !== this.#laid) this.#lanes = packed(model)
    this.#laid = laid
    const context = this.#prepare()
    if (context === undefined) return
    this.#canvas.setAttribute('aria-label', this.#words())
    this.#paintOverview(context, now)
    this.#paintAxis(context)
    this.#paintLanes(context, now)
    if (model.outcome === undefined && model.counts.running > 0) this.#frames.ask()
  }

  #prepare(): CanvasRenderingContext2D | undefined {
    const { width, height } = this.#seen
    const rows = this.#lanes.reduce((sum, lane) => sum + lane.rows, 0)
    const gaps = this.#lanes.length * gap
    const room = height - overview - axis - gaps
    this.#row = Math.max(least, Math.min(most, Math.floor(room / Math.max(1, rows))))
    const high = Math.max(height, overview + axis + gaps + rows * this.#row)
    const ratio = devicePixelRatio
    const [w, hh] = [Math.round(width * ratio), Math.round(high * ratio)]
    if (this.#canvas.width !== w) this.#canvas.width = w
    if (this.#canvas.height !== hh) this.#canvas.height = hh
    this.#canvas.style.height = `${high}px`
    const context = this.#canvas.getContext('2d') ?? undefined
    context?.setTransform(ratio, 0, 0, ratio, 0, 0)
    context?.clearRect(0, 0, width, high)
    const font = (this.#seen.font ||= getComputedStyle(this.element).fontFamily)
    if (context !== undefined) context.font = `11px ${font}`
    return context
  }

  /** For those who do not see it; step by step the list tells it. */
  #words(): string {
    const lanes = this.#lanes.map(
      ({ provider, calls, rows }) =>
        `${provider} ${plural(calls.length, 'call')}, at most ${formatCount(rows)} at once`,
    )
    return `Calls by provider over ${formatDuration(this.#end)}: ${lanes.length === 0 ? 'none yet' : lanes.join('; ')}`
  }

  get #shown(): readonly [number, number] {
    return this.#window ?? [0, this.#end]
  }
  #x(at: number, [from, to] = this.#shown): number {
    return names + ((at - from) / Math.max(1, to - from)) * (this.#seen.width - names - right)
  }
  #at(x: number): number {
    const share = (x - names) / Math.max(1, this.#seen.width - names - right)
    return Math.max(0, Math.min(1, share)) * this.#end
  }

  #paintOverview(context: CanvasRenderingContext2D, now: number): void {
    const room = this.#seen.width - names - right
    const buckets = underWay(this.#lanes, now, Math.max(1, Math.floor(room / 3)))
    const top = Math.max(1, ...buckets.map((bucket) => bucket.reduce((sum, count) => sum + count, 0)))
    context.fillStyle = this.#palette.colour('muted')
    context.textBaseline = 'middle'
    context.fillText(`≤ ${formatCount(top)} at once`, 10, overview / 2)
    buckets.forEach((bucket, index) => {
      let base: number = overview - 4
      bucket.forEach((count, lane) => {
        const high = (count / top) * (overview - 10)
        context.fillStyle = this.#palette.colour(providerVariable(this.#lanes[lane]?.provider ?? ''))
        context.fillRect(names + index * (room / buckets.length), base - high, room / buckets.length, high)
        base -= high
      })
    })
    if (this.#window === undefined) return
    const [from, to] = this.#window.map((at) => this.#x(at, [0, this.#end])) as [number, number]
    context.strokeStyle = this.#palette.colour('accent')
    context.lineWidth = 1.5
    context.strokeRect(from, 2, Math.max(2, to - from), overview - 4)
  }

  #paintAxis(context: CanvasRenderingContext2D): void {
    const [from, to] = this.#shown
    context.fillStyle = this.#palette.colour('muted')
    context.strokeStyle = this.#palette.colour('line')
    context.lineWidth = 1
    for (let tick = 0; tick <= 5; tick += 1) {
      const x = this.#x(from + ((to - from) * tick) / 5)
      context.beginPath()
      context.moveTo(x, overview)
      context.lineTo(x, this.#canvas.clientHeight)
      context.stroke()
      if (tick < 5)
        context.fillText(formatDuration(Math.round(from + ((to - from) * tick) / 5)), x + 4, overview + axis / 2)
    }
  }

  #paintLanes(context: CanvasRenderingContext2D, now: number): void {
    let top = overview + axis
    for (const lane of this.#lanes) {
      const high = lane.rows * this.#row
      context.globalAlpha = 1
      context.fillStyle = this.#palette.colour('text')
      context.fillText(lane.provider, 10, top + Math.min(high, 14) / 2 + 2, names - 16)
      for (const call of lane.calls) this.#paintCall(context, lane, call, top, now)
      context.globalAlpha = 1
      context.fillStyle = this.#palette.colour('line')
      context.fillRect(0, top + high + gap / 2, this.#seen.width, 1)
      top += high + gap
    }
  }

  #paintCall(context: CanvasRenderingContext2D, lane: Lane, call: Placed, top: number, now: number): void {
    const { bar, row, step } = call
    const [from, to] = [Math.max(names, this.#x(bar.from)), Math.min(this.#seen.width, this.#x(bar.to ?? now))]
    if (to < names || from > this.#seen.width - right) return
    const failed = bar.end === 'failed'
    context.globalAlpha = bar.end === 'lost' ? 0.4 : 1
    context.fillStyle = this.#palette.colour(failed ? 'failed' : providerVariable(lane.provider))
    const [y, high] = [top + row * this.#row, this.#row - 1]
    context.fillRect(from, y, Math.max(1.5, to - from - 0.5), high)
    // A failure has a shape of its own: it is open.
    if (failed && high > 3 && to - from > 4) context.clearRect(from + 1, y + 1, to - from - 2.5, high - 2)
    if (step !== this.#selected) return
    context.globalAlpha = 1
    context.strokeStyle = this.#palette.colour('text')
    context.lineWidth = 2
    context.strokeRect(from - 1, y - 1, Math.max(3, to - from + 1), high + 2)
  }

  #callAt(x: number, y: number): Placed | undefined {
    let top = overview + axis
    for (const lane of this.#lanes) {
      const row = Math.floor((y - top) / this.#row)
      if (row >= 0 && row < lane.rows) {
        const near = (call: Placed): boolean =>
          call.row === row && this.#x(call.bar.from) - 2 <= x && x <= this.#x(call.bar.to ?? this.#end) + 2
        return lane.calls.find(near)
      }
      top += lane.rows * this.#row + gap
    }
    return undefined
  }

  #down(event: PointerEvent): void {
    const { offsetX: x, offsetY: y } = event
    if (y < overview) {
      this.#canvas.setPointerCapture(event.pointerId)
      this.#dragged = this.#at(x)
      return
    }
    const call = this.#callAt(x, y)
    if (call === undefined) return
    this.select(call.step)
    this.#options.onSelect(call.step, true)
  }

  #move({ offsetX: x, offsetY: y }: PointerEvent): void {
    if (this.#dragged !== undefined) {
      const [from, to] = [this.#dragged, this.#at(x)].sort((a, b) => a - b) as [number, number]
      this.#window = to - from > this.#end / 200 ? [from, to] : undefined
      return this.refresh()
    }
    const call = y < overview ? undefined : this.#callAt(x, y)
    const row = call === undefined ? undefined : this.#model?.rows[call.step]
    this.#canvas.title = row === undefined ? '' : rowWords(row, this.#end)
    this.#canvas.classList.toggle('af-over-call', row !== undefined)
  }
}
