/** Events that a live run and a replayed one both tell, made in one place so that they stay equal. */
import * as callRow from './generated/call-row.js'
import type { CallCommand, DeliverCommand } from './commands.js'
import type { CoreRun } from './core.js'
import type { CallEndEvent, CallEvent, CallReport, Cost, DoneEvent, RunEvent } from './events.js'
import { at as numberAt, reasonWords } from './generated/wire.js'
import { hitEvent } from './hits.js'
import { known, outcomeOf } from './rows.js'
import type { RunTexts } from './run-texts.js'

const encoder = new TextEncoder()

/** An encoder makes an array of all of it: most texts need none. */
const bytesOf = (text: string): number => (/[^ -~\n\r\t]/.test(text) ? encoder.encode(text).length : text.length)

/** What every event about a call carries. */
export function ofCall(texts: RunTexts, { step, call, purpose }: CallCommand, at: number) {
  return { at, step: texts.steps[step]?.id ?? '', call, purpose }
}

export function callEvent(core: CoreRun, texts: RunTexts, command: CallCommand, at: number): CallEvent {
  const { attempt, estimateMs, reason = 'routed' } = command
  const why = callWords(core, texts, command)
  return { type: 'call', ...ofCall(texts, command, at), attempt, ...texts.targetOf(command), estimateMs, reason, why }
}

/** Why the call is made there: for a first call the rule that chose its target, else what led to it. */
function callWords(core: CoreRun, texts: RunTexts, { reason = 'routed', purpose, step }: CallCommand): string {
  if (reason !== 'routed') return reasonWords[reason]
  if (purpose !== 'main') return `${purpose} of the step's answer`
  return texts.whyRouted(core, step) ?? reasonWords.routed
}

/** The end of a call that the core has just taken. */
export function callEndEvent(core: CoreRun, texts: RunTexts, command: CallCommand, at: number): CallEndEvent {
  const { step } = command
  const row = core.callRow(command.call)
  const costMicroUsd = numberAt(row, callRow.costMicroUsd)
  const priceKnown = numberAt(row, callRow.priceKnown) === 1
  if (!priceKnown && costMicroUsd > 0) texts.assumed.add(step)
  return {
    type: 'callEnd',
    ...ofCall(texts, command, at),
    attempt: numberAt(row, callRow.attempt),
    ...texts.targetOf(command),
    ...endOf(outcomeOf(numberAt(row, callRow.outcome)), texts, step),
    tokens: {
      input: numberAt(row, callRow.input),
      cached: numberAt(row, callRow.cached),
      output: numberAt(row, callRow.output),
      reasoning: numberAt(row, callRow.reasoning),
    },
    tokensEstimated: numberAt(row, callRow.estimated) === 1,
    costMicroUsd,
    ...(priceKnown ? none : assumed),
    firstTokenMs: known(numberAt(row, callRow.firstTokenMs)),
    responseMs: known(numberAt(row, callRow.responseMs)),
  }
}

const [ok, none, assumed] = [{ outcome: 'ok' }, {}, { priceAssumed: true }] as const

function endOf(outcome: CallReport['outcome'], texts: RunTexts, step: number) {
  if (outcome === 'ok') return ok
  if (outcome === 'cancelled' || outcome === 'withheld' || outcome === 'refused') return { outcome }
  if (outcome === 'running') return { outcome: 'cancelled' } as const
  const message = texts.failures.get(step)
  return { outcome: 'failed', failure: outcome, ...(message === undefined ? {} : { message }) } as const
}

/** What the step has cost so far; without one, the whole run. `priceAssumed`: part of it is at a price that was assumed. */
export function costOf(core: CoreRun, texts: RunTexts, step?: number): Cost {
  const assumed = step === undefined ? texts.assumed.size > 0 : texts.assumed.has(step)
  return { costMicroUsd: core.cost(step), ...(assumed ? { priceAssumed: true } : {}) }
}

/** A `deliver` command: what became of the step. `hit`: told before `done` when no call was made for it. */
export interface DeliveredStep {
  readonly text: string
  readonly hit: (RunEvent & { readonly type: 'hit' }) | undefined
  /** `path`: where the host has put the output. */
  done(at: number, path?: string): DoneEvent
}

/** Moves the step's answer to its outputs. */
export function delivered(core: CoreRun, texts: RunTexts, command: DeliverCommand, at: number): DeliveredStep {
  const step = texts.steps[command.step]?.id ?? ''
  const text = texts.deliver(command)
  const hit = hitEvent(texts, command, at)
  const cost = costOf(core, texts, command.step)
  return {
    text,
    hit,
    done: (at, path) => ({
      type: 'done',
      at,
      step,
      bytes: bytesOf(text),
      ...(path === undefined ? {} : { path }),
      ...(command.tookMs < 0 ? {} : { tookMs: command.tookMs }),
      repaired: command.origin === 'repaired',
      ...(command.origin === 'recalled' ? { recalled: true } : {}),
      ...(hit === undefined ? {} : { cached: hit.kind }),
      ...cost,
    }),
  }
}
