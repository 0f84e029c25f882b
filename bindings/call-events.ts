/** Events that a live run and a replayed one both tell, made in one place so that they stay equal. */
import type { CallCommand, DeliverCommand } from './commands.js'
import type { CoreRun } from './core.js'
import type { CallEndEvent, CallEvent, CallReport, Cost, DoneEvent, RunEvent } from './events.js'
import { callRow, reasonWords } from './generated/wire.js'
import { hitEvent } from './hits.js'
import { known, outcomeOf } from './report-rows.js'
import type { RunTexts } from './run-texts.js'

const encoder = new TextEncoder()

/** Bytes of the text. Short ones are counted: an encoder makes an array of each. */
function utf8Length(text: string): number {
  if (text.length > 256) return encoder.encode(text).length
  let bytes = text.length
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    // Both halves of a pair have two bytes more than they count; a half alone becomes U+FFFD, of three bytes.
    if (unit >= 0x80) bytes += unit < 0x800 ? 1 : isHalf(text, at, unit) ? 1 : 2
  }
  return bytes
}

/** Half of a surrogate pair that is whole. */
function isHalf(text: string, at: number, unit: number): boolean {
  if (unit >= 0xd800 && unit < 0xdc00) return (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00
  return unit >= 0xdc00 && unit < 0xe000 && at > 0 && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800
}

/** What every event about a call carries. */
export function ofCall(texts: RunTexts, { step, call, purpose }: CallCommand, at: number) {
  return { at, step: texts.steps[step]?.id ?? '', call, purpose }
}

export function callEvent(core: CoreRun, texts: RunTexts, command: CallCommand, at: number): CallEvent {
  const { step, call, purpose, attempt, estimateMs, reason = 'routed' } = command
  return {
    type: 'call',
    at,
    step: texts.steps[step]?.id ?? '',
    call,
    purpose,
    attempt,
    provider: texts.providers[command.provider]?.id ?? '',
    model: texts.models[command.model]?.id ?? '',
    estimateMs,
    reason,
    why: callWords(core, texts, command),
  }
}

/** Why the call is made there: for a first call the rule that chose its target, else what led to it. */
function callWords(core: CoreRun, texts: RunTexts, { reason = 'routed', purpose, step }: CallCommand): string {
  if (reason !== 'routed') return reasonWords[reason]
  if (purpose !== 'main') return `${purpose} of the step's answer`
  return texts.whyRouted(core, step) ?? reasonWords.routed
}

/** The end of a call that the core has just taken. */
export function callEndEvent(core: CoreRun, texts: RunTexts, command: CallCommand, at: number): CallEndEvent {
  const { step, call, purpose } = command
  const row = core.callRow(call)
  const costMicroUsd = row[callRow.costMicroUsd]!
  const priceKnown = row[callRow.priceKnown] === 1
  if (!priceKnown && costMicroUsd > 0) texts.assumed.add(step)
  return {
    type: 'callEnd',
    at,
    step: texts.steps[step]?.id ?? '',
    call,
    purpose,
    attempt: row[callRow.attempt]!,
    provider: texts.providers[command.provider]?.id ?? '',
    model: texts.models[command.model]?.id ?? '',
    ...endOf(outcomeOf(row[callRow.outcome]!), texts, step),
    tokens: {
      input: row[callRow.input]!,
      cached: row[callRow.cached]!,
      output: row[callRow.output]!,
      reasoning: row[callRow.reasoning]!,
    },
    tokensEstimated: row[callRow.estimated] === 1,
    costMicroUsd,
    ...(priceKnown ? none : assumed),
    firstTokenMs: known(row[callRow.firstTokenMs]!),
    responseMs: known(row[callRow.responseMs]!),
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
      bytes: utf8Length(text),
      ...(path === undefined ? {} : { path }),
      ...(command.tookMs < 0 ? {} : { tookMs: command.tookMs }),
      repaired: command.origin === 'repaired',
      ...(command.origin === 'recalled' ? { recalled: true } : {}),
      ...(hit === undefined ? {} : { cached: hit.kind }),
      ...cost,
    }),
  }
}
