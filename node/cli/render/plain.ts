/** One line for each thing that happens: for pipes, logs and terminals that cannot move their cursor. */
import type { RunEvent } from '../../../bindings/events.js'
import {
  formatDuration,
  formatUsd,
  formatCompact,
  oneLine,
  plural,
  simulatedLabel,
} from '../../../web/standard/format.js'
import type { Output } from '../host.js'
import { RunView } from '../run-view.js'
import type { Renderer, RunHeader } from './renderer.js'

export class PlainRenderer implements Renderer {
  readonly #output: Output
  readonly #view = new RunView()

  constructor(output: Output) {
    this.#output = output
  }

  begin({ plan, mode, simulated, folder }: RunHeader): void {
    this.#output.write(`plan ${oneLine(plan)}, mode ${oneLine(mode)}${simulatedLabel(simulated)}\n`)
    if (folder !== undefined) this.#output.write(`outputs go to ${oneLine(folder)}\n`)
  }

  event(event: RunEvent): void {
    this.#view.apply(event)
    const line = this.#line(event)
    if (line !== undefined) this.#output.write(`${elapsed(event.at)}  ${line}\n`)
  }

  end(): void {}

  #line(event: RunEvent): string | undefined {
    switch (event.type) {
      case 'steps':
        return `plan    ${plural(event.steps.length, 'step')}`
      case 'warning':
        return `warning ${event.code} at ${oneLine(event.where)}: ${oneLine(event.detail)}`
      case 'call': {
        const purpose = event.purpose === 'main' ? 'start  ' : event.purpose.padEnd(7)
        return `${purpose} ${oneLine(event.step)} → ${oneLine(event.provider)} ${oneLine(event.model)}`
      }
      case 'note': {
        const detail = event.detail === undefined ? '' : `: ${oneLine(event.detail)}`
        return `note    ${event.step === undefined ? '' : `${oneLine(event.step)}: `}${oneLine(event.words)}${detail}`
      }
      case 'restart':
        return `restart ${oneLine(event.step)}: what was streamed of it counts no more`
      case 'resumed':
        return `resumed after ${plural(event.records, 'record')}, ${plural(event.calls, 'call')} made again`
      case 'hit': {
        const how = event.of === undefined ? event.kind : `as ${oneLine(event.of)}`
        const saved = `${formatCompact(event.savedTokens)} tokens, ${formatUsd(event.savedMicroUsd)}`
        return `cached  ${oneLine(event.step)} (${how}), saved ${saved}, ${formatDuration(event.savedMs)}`
      }
      case 'done':
        if (event.cached !== undefined) return `done    ${oneLine(event.step)}, cached`
        return `done    ${oneLine(event.step)} ${this.#figures(event.step)}${event.repaired ? ', repaired' : ''}${event.recalled === true ? ', from an earlier run' : ''}`
      case 'failed':
        return `failed  ${oneLine(event.step)} ${event.failure}: ${oneLine(event.message)}`
      case 'skipped':
        return `skipped ${oneLine(event.step)}${event.cause === undefined ? '' : ` because of ${oneLine(event.cause)}`}`
      case 'restart':
        return `restart ${oneLine(event.step)}: what was streamed of it counts no more`
      case 'resumed':
        return `resumed after ${plural(event.records, 'record')} of the journal, ${plural(event.calls, 'call')} made again`
      case 'cancelled':
        return `cancel  ${oneLine(event.step)}`
      default:
        return undefined
    }
  }

  #figures(id: string): string {
    const row = this.#view.row(id)
    if (row === undefined) return ''
    const time = formatDuration((row.endedAt ?? 0) - (row.startedAt ?? 0))
    return `(${time}, ${formatCompact(row.tokens)} tokens, ${formatUsd(row.costMicroUsd)})`
  }
}

/** Seconds since the start, in a column: `  12.345`. */
function elapsed(ms: number): string {
  return (ms / 1000).toFixed(3).padStart(8)
}

/** `--quiet`: the failures alone. */
export class QuietRenderer implements Renderer {
  readonly #output: Output

  constructor(output: Output) {
    this.#output = output
  }

  begin(): void {}

  event(event: RunEvent): void {
    if (event.type !== 'failed') return
    this.#output.write(`failed ${oneLine(event.step)} ${event.failure}: ${oneLine(event.message)}\n`)
  }

  end(): void {}
}
