/** What was found in the documents for a step: as a run keeps it, as it crosses, as it is told. */
import type { RetrievedEvent } from './events.js'
import type { SignalTexts } from './journal/journal.js'
import type { StepDocumentsReport } from './report.js'

/** What was found for a step. */
export interface StepDocuments {
  /** As the prompt gets it; empty: nothing was found that can be trusted. */
  readonly text: string
  /** Of `text`, as the core estimates. */
  readonly tokens: number
  readonly sections: readonly DocumentSection[]
  readonly confidence: number
  readonly abstained?: 'nothing' | 'unsure'
  /** ms that it took; 0 for a step that shares what another was found. */
  readonly retrievalTimeMs: number
  /** Why nothing could be looked for; the step fails with it. For people. */
  readonly failure?: string
}
/** `mark`: finds the text again after edits. */
export interface DocumentSection {
  readonly reference: string
  readonly mark: string
  readonly tokens: number
}

/** The numbers and texts of a `retrieved` signal. `same`: the step that was told the same text before. */
export function retrievedSignal(step: number, found: StepDocuments, same: number | undefined) {
  const { text, tokens, sections, confidence, retrievalTimeMs, abstained, failure } = found
  const trust = failure === undefined ? Math.round(confidence * 1000) : -1
  const values = [step, tokens, sections.length, retrievalTimeMs, trust, same ?? -1]
  const list = sections.map(({ reference, mark, tokens: each }) => [reference, mark, each])
  const words: SignalTexts = {
    ...(same === undefined && text !== '' ? { x: text } : {}),
    w: failure ?? JSON.stringify(abstained === undefined ? list : abstained),
  }
  return { values, words }
}

/** The same back, from a journal; somebody else may have written that. `textOf`: what a step was told. */
export function signalledDocuments(
  values: readonly number[],
  { x, w = '' }: SignalTexts,
  textOf: (step: number) => string | undefined,
): StepDocuments {
  const [, tokens = 0, , retrievalTimeMs = 0, trust = -1, same = -1] = values
  const common = { text: x ?? textOf(same) ?? '', tokens, retrievalTimeMs, confidence: Math.max(0, trust) / 1000 }
  if (trust < 0) return { ...common, sections: [], failure: w }
  const said = parsed(w)
  if (said === 'nothing' || said === 'unsure') return { ...common, sections: [], abstained: said }
  const list = Array.isArray(said) ? (said as unknown[]) : []
  const sections = list.flatMap((entry) => {
    const [reference, mark, each] = Array.isArray(entry) ? (entry as unknown[]) : []
    const whole = typeof reference === 'string' && typeof mark === 'string' && typeof each === 'number'
    return whole ? [{ reference, mark, tokens: each }] : []
  })
  return { ...common, sections }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** `step`: its id. */
export function retrievedEvent(step: string, found: StepDocuments, at: number): RetrievedEvent {
  return { type: 'retrieved', at, step, ...documentsReport(found) }
}

export function documentsReport(found: StepDocuments): StepDocumentsReport {
  const { sections, tokens, confidence, abstained, retrievalTimeMs, failure } = found
  return {
    references: sections.map(({ reference }) => reference),
    tokens,
    confidence,
    retrievalTimeMs,
    ...(abstained === undefined ? {} : { abstained }),
    ...(failure === undefined ? {} : { failure }),
  }
}
