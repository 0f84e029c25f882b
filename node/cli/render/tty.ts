/**
 * The live table. Each redraw is one write: up to the first line of the last picture, every line over the old one, the rest
 * erased. Nothing is cleared before it is drawn, so nothing flickers. The cursor is hidden only inside a write: whatever ends
 * the process finds it visible.
 */
import type { Clock } from '../../../bindings/ports.js'
import type { RunEvent } from '../../../bindings/events.js'
import { oneLine } from '../../../web/standard/format.js'
import type { Paint } from '../colour.js'
import type { Output } from '../host.js'
import { RunView } from '../run-view.js'
import { frame, type Line } from './frame.js'
import type { Renderer, RunHeader } from './renderer.js'

/** Ten pictures a second are smooth enough, and cheap over a slow connection. */
const redrawEveryMs = 100

/** Wrapping is off while a picture is drawn: a terminal that measures a cluster wider than we do cuts it instead of scrolling. */
const beginPicture = '\u001b[?25l\u001b[?7l'
const endPicture = '\u001b[?7h\u001b[?25h'
const eraseLine = '\u001b[K'
const eraseBelow = '\u001b[J'

export class TtyRenderer implements Renderer {
  readonly #output: Output
  readonly #clock: Clock
  readonly #paint: Paint
  readonly view = new RunView()
  #header: RunHeader = { plan: '', mode: '', simulated: undefined }
  /** Widths of the lines on the screen. */
  #drawn: number[] = []
  #drawnText = ''
  /** When the run's clock stood at `view.at`. */
  #eventAt = 0
  #cancelTimer: (() => void) | undefined
  #ended = false
  readonly #onResize = (): void => this.#draw()

  constructor(output: Output, clock: Clock, paint: Paint) {
    this.#output = output
    this.#clock = clock
    this.#paint = paint
  }

  begin(header: RunHeader): void {
    this.#header = header
    if (header.folder !== undefined) this.#output.write(`outputs go to ${oneLine(header.folder)}\n`)
    this.#eventAt = this.#clock.now()
    this.#output.on?.('resize', this.#onResize)
    this.#tick()
  }

  event(event: RunEvent): void {
    this.view.apply(event)
    this.#eventAt = this.#clock.now()
  }

  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#cancelTimer?.()
    this.#output.off?.('resize', this.#onResize)
    if (this.view.rows.length > 0) this.#draw()
    else this.#erase()
  }

  #tick(): void {
    if (this.#ended) return
    this.#draw()
    this.#cancelTimer = this.#clock.after(redrawEveryMs, () => this.#tick())
  }

  #draw(): void {
    const { columns = 80, rows = 24 } = this.#output
    const now = this.view.at + (this.#clock.now() - this.#eventAt)
    const lines = frame(this.view, this.#header, now, { columns, rows }, this.#paint)
    const text = lines.map((line) => `${line.text}${eraseLine}\n`).join('')
    const up = this.#rowsOnScreen(columns)
    // The same picture at the same place needs no write; after a resize the place may differ.
    if (text === this.#drawnText && up === this.#drawn.length) return
    this.#output.write(`${beginPicture}${upBy(Math.min(up, rows - 1))}${text}${eraseBelow}${endPicture}`)
    this.#remember(lines, text)
  }

  #remember(lines: readonly Line[], text: string): void {
    this.#drawn = lines.map(({ width }) => width)
    this.#drawnText = text
  }

  #erase(): void {
    const { columns = 80, rows = 24 } = this.#output
    const up = Math.min(this.#rowsOnScreen(columns), rows - 1)
    if (up > 0) this.#output.write(`${upBy(up)}${eraseBelow}`)
  }

  /** Rows that the last picture takes now: a terminal that became narrower has wrapped its lines. */
  #rowsOnScreen(columns: number): number {
    return this.#drawn.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / Math.max(1, columns))), 0)
  }
}

function upBy(rows: number): string {
  return rows > 0 ? `\r\u001b[${rows}A` : '\r'
}
