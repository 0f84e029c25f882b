/** What a download looks like: a bar on a terminal, a line at every quarter elsewhere. */
import type { Clock } from '../../../bindings/ports.js'
import { oneLine } from '../../../web/standard/format.js'
import type { PullEvent } from '../../model/pull.js'
import type { Output } from '../host.js'

type Bytes = Extract<PullEvent, { type: 'bytes' }>

const redrawEveryMs = 100
const barWidth = 24
/** Smaller files are told when they are there. */
const smallestForBar = 2 ** 20

export class PullProgress {
  readonly #output: Output
  readonly #clock: Clock
  #drawn = false
  #drawnAt = -Infinity
  #file = ''
  #quarter = 0
  /** Where this call began, for the rate: what had arrived earlier is no speed. */
  #began = { at: 0, bytes: 0 }

  constructor(output: Output, clock: Clock) {
    this.#output = output
    this.#clock = clock
  }

  event(event: PullEvent): void {
    if (event.type === 'bytes') this.#bytes(event)
    else {
      this.#erase()
      this.#output.write(`${eventLine(event)}\n`)
    }
  }

  /** Whether a line for these bytes is due: the first of a file, and then at every quarter of it. */
  due({ file, received, total }: Bytes): boolean {
    const quarter = total > 0 ? Math.floor((received / total) * 4) : 0
    const due = file !== this.#file || quarter > this.#quarter
    if (file !== this.#file || due) this.#quarter = quarter
    this.#file = file
    return due
  }

  /** Leaves no bar behind. */
  end(): void {
    this.#erase()
  }

  #bytes(event: Bytes): void {
    const { file, received, total } = event
    if (file !== this.#file) this.#began = { at: this.#clock.now(), bytes: received }
    const due = this.due(event)
    if (total < smallestForBar) return
    if (this.#output.isTTY !== true) {
      if (due) this.#output.write(`${oneLine(file)} ${percent(received, total)} of ${megabytes(total)}\n`)
      return
    }
    const now = this.#clock.now()
    if (now - this.#drawnAt < redrawEveryMs && received < total) return
    this.#drawnAt = now
    const seconds = (now - this.#began.at) / 1000
    const rate = seconds > 0.5 ? (received - this.#began.bytes) / seconds : 0
    this.#draw(barLine(file, received, total, rate))
  }

  #draw(line: string): void {
    const columns = this.#output.columns ?? 80
    this.#output.write(`\r${line.slice(0, Math.max(0, columns - 1))}\u001b[K`)
    this.#drawn = true
  }

  #erase(): void {
    if (this.#drawn) this.#output.write('\r\u001b[K')
    this.#drawn = false
  }
}

function barLine(file: string, received: number, total: number, rate: number): string {
  const filled = Math.round((received / total) * barWidth)
  const bar = '█'.repeat(filled) + '░'.repeat(barWidth - filled)
  const left = rate > 0 ? `  ${megabytes(rate)}/s, ${Math.ceil((total - received) / rate)} s left` : ''
  return `${oneLine(file)} ${bar} ${percent(received, total)} of ${megabytes(total)}${left}`
}

function eventLine(event: Exclude<PullEvent, Bytes>): string {
  const file = oneLine(event.file)
  if (event.type === 'retry') return `${file}: ${oneLine(event.detail)}; again in ${(event.waitMs / 1000).toFixed(1)} s`
  const sum = event.verified ? 'checksum verified' : `SHA-256 ${event.sha256}, remembered`
  return `${file}: ${event.kept ? 'there already, ' : ''}${event.bytes} bytes, ${sum}`
}

const percent = (received: number, total: number): string => `${Math.floor((received / total) * 100)} %`
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`
