/** A terminal as far as the live table needs one: what its writes leave on the screen. */
import { displayWidth } from '../../node/cli/terminal-text.js'

export class Screen {
  readonly isTTY = true
  /** Every write, raw. */
  readonly writes: string[] = []
  cursorVisible = true
  wraps = true
  private lines: string[] = ['']
  private row = 0
  private listeners = new Set<() => void>()

  constructor(
    public columns: number,
    public rows: number,
  ) {}

  on(_event: 'resize', listener: () => void): void {
    this.listeners.add(listener)
  }
  off(_event: 'resize', listener: () => void): void {
    this.listeners.delete(listener)
  }
  get watched(): boolean {
    return this.listeners.size > 0
  }
  resize(columns: number, rows: number): void {
    this.columns = columns
    this.rows = rows
    for (const listener of this.listeners) listener()
  }

  write(text: string): void {
    this.writes.push(text)
    const pattern = /\u001b\[(\??)(\d*)([A-Za-z])|\n|\r|[^\u001b\n\r]+/gu
    for (const [token, , number = '', letter] of text.matchAll(pattern)) {
      if (token === '\n') this.down()
      else if (token === '\r') continue
      else if (letter === undefined) this.lines[this.row] = token
      else this.control(letter, Number(number))
    }
  }

  private control(letter: string, number: number): void {
    if (letter === 'A') this.row = Math.max(0, this.row - number)
    if (letter === 'J') this.lines.length = this.row
    if (letter === 'J') this.lines[this.row] = ''
    if (letter === 'h' || letter === 'l') {
      if (number === 25) this.cursorVisible = letter === 'h'
      if (number === 7) this.wraps = letter === 'h'
    }
  }

  private down(): void {
    this.row += 1
    this.lines[this.row] ??= ''
  }

  /** The lines, without blank ones at the end. */
  get shown(): string[] {
    const lines = [...this.lines]
    while (lines.at(-1) === '') lines.pop()
    return lines
  }
  /** Width of the widest line. */
  get widest(): number {
    return Math.max(0, ...this.lines.map(displayWidth))
  }
}
