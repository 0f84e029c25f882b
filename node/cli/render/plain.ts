/** One line for each thing that happens: for pipes, logs and terminals that cannot move their cursor. */
import { handleEvent, type EventHandlers, type RunEvent } from '../../../bindings/events.js'
import {
  checkWords,
  documentWords,
  formatCost,
  formatDuration,
  formatUsd,
  formatCompact,
  oneLine,
  plural,
  simulatedLabel,
} from '../../../web/standard/format.js'
import { reasonWords } from '../../../bindings/generated/wire.js'
import { withFlags } from '../advice.js'
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
    const line = handleEvent(this.#lines, event)
    if (line !== undefined) this.#output.write(`${elapsed(event.at)}  ${line}\n`)
  }

  end(): void {}

  readonly #lines: EventHandlers<string | undefined> = {
    steps: ({ steps }) => `plan    ${plural(steps.length, 'step')}`,
    warning: ({ code, where, detail }) => `warning ${code} at ${oneLine(where)}: ${oneLine(detail)}`,
    call: ({ purpose, step, provider, model }) =>
      `${purpose === 'main' ? 'start  ' : purpose.padEnd(7)} ${oneLine(step)} → ${oneLine(provider)} ${oneLine(model)}`,
    note: ({ step, words, detail }) =>
      `note    ${step === undefined ? '' : `${oneLine(step)}: `}${oneLine(words)}${detail === undefined ? '' : `: ${oneLine(withFlags(detail))}`}`,
    restart: ({ step }) => `restart ${oneLine(step)}: discard what was streamed of it`,
    provisional: ({ step }) => `draft   ${oneLine(step)}: what is shown is not confirmed yet`,
    confirmed: ({ step, patched }) =>
      `confirm ${oneLine(step)}: the draft is its output${patched ? ', a small part changed' : ''}`,
    resumed: ({ records, calls }) =>
      `resumed after ${plural(records, 'record')} of the journal, ${plural(calls, 'call')} made again`,
    hit: ({ step, kind, of, savedTokens, savedMicroUsd, savedMs }) => {
      const saved = `${formatCompact(savedTokens)} tokens, ${formatUsd(savedMicroUsd)}, ${formatDuration(savedMs)}`
      return `cached  ${oneLine(step)} (${of === undefined ? kind : `as ${oneLine(of)}`}), saved ${saved}`
    },
    retrieved: ({ step, references, tokens, abstained, failure }) => {
      const what = failure ?? documentWords(references.length, abstained)
      return `found   ${oneLine(step)}: ${oneLine(what)}${tokens > 0 ? `, ${formatCompact(tokens)} tokens` : ''}`
    },
    checked: ({ step, pass, parts, box }) => {
      const where = box === undefined ? '' : ` (box: ${box})`
      return `${pass ? 'checked' : 'refused'} ${oneLine(step)}: ${oneLine(checkWords(parts))}${where}`
    },
    done: ({ step, cached, repaired, recalled }) => {
      if (cached !== undefined) return `done    ${oneLine(step)}, cached`
      const more = `${repaired ? ', repaired' : ''}${recalled === true ? ', from an earlier run' : ''}`
      return `done    ${oneLine(step)} ${this.#figures(step)}${more}`
    },
    failed: ({ step, failure, message }) => `failed  ${oneLine(step)} ${failure}: ${oneLine(withFlags(message))}`,
    skipped: ({ step, cause, reason }) =>
      `skipped ${oneLine(step)}${cause === undefined ? `: ${reasonWords[reason]}` : ` because of ${oneLine(cause)}`}`,
    cancelled: ({ step }) => `cancel  ${oneLine(step)}`,
    // What the lines above do not need, and a log would drown in.
    miss: () => undefined,
    prompt: () => undefined,
    firstToken: () => undefined,
    progress: () => undefined,
    answer: () => undefined,
    callEnd: () => undefined,
    finish: () => undefined,
  }

  #figures(id: string): string {
    const row = this.#view.row(id)
    if (row === undefined) return ''
    const time = formatDuration((row.endedAt ?? 0) - (row.startedAt ?? 0))
    const assumed = row.priceAssumed ? ' at an assumed price' : ''
    return `(${time}, ${formatCompact(row.tokens)} tokens, ${formatCost(row)}${assumed})`
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
    this.#output.write(`failed ${oneLine(event.step)} ${event.failure}: ${oneLine(withFlags(event.message))}\n`)
  }

  end(): void {}
}
