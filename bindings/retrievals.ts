/**
 * The run's side of a project's documents: `retrieve` of the core, carried out. What is found goes into the prompts of the step and
 * into the journal, so that a run that is resumed puts in the same bytes and looks for nothing twice.
 */
import type { CoreRun } from './core.js'
import { AetherflowError } from './errors.js'
import type { RetrievedEvent, RunEvent, StepInfo } from './events.js'
import type { SignalTexts } from './journal/journal.js'
import type { DocumentFinder, FoundDocuments } from './ports.js'
import type { RunTexts } from './run-texts.js'

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

/** Texts as a prompt shows them: each under its reference. The same sections are the same bytes. */
export function partsAsText(parts: readonly { readonly reference: string; readonly text: string }[]): string {
  return parts.map(({ reference, text }) => `[${reference}]\n${text.trimEnd()}\n`).join('\n')
}

/** Steps that ask the same get the same, from one look. */
export class Retriever {
  readonly #finder: DocumentFinder | undefined
  readonly #estimate: (text: string) => number
  readonly #found = new Map<string, Promise<FoundDocuments>>()

  /** Without a finder every step that asks is refused: docs.none. */
  constructor(finder: DocumentFinder | undefined, estimate: (text: string) => number) {
    this.#finder = finder
    this.#estimate = estimate
  }

  /** Rejects with AetherflowError, at `/steps/N/context/documents…`. */
  async find({ step, documents: wanted }: StepInfo): Promise<StepDocuments | undefined> {
    if (wanted === undefined) return undefined
    const where = `/steps/${step}/context/documents`
    if (this.#finder === undefined) throw new AetherflowError('docs.none', where)
    const { query, paths, tokens } = wanted
    const key = JSON.stringify([query, paths, tokens])
    const known = this.#found.get(key)
    const finding = known ?? this.#finder.retrieve(query, { tokens, ...(paths.length === 0 ? {} : { paths }) })
    this.#found.set(key, finding)
    try {
      return this.#documents(await finding, known !== undefined)
    } catch (error) {
      if (!(error instanceof AetherflowError)) throw error
      const place = paths.indexOf(error.where)
      throw new AetherflowError(error.code, place < 0 ? where : `${where}/paths/${place}`, detailOf(error))
    }
  }

  #documents({ parts, confidence, abstained, ms }: FoundDocuments, shared: boolean): StepDocuments {
    const text = partsAsText(parts)
    return {
      text,
      tokens: text === '' ? 0 : this.#estimate(text),
      sections: parts.map(({ reference, mark, tokens }) => ({ reference, mark, tokens })),
      confidence,
      ...(abstained === undefined ? {} : { abstained }),
      retrievalTimeMs: shared ? 0 : Math.max(0, Math.round(ms)),
    }
  }
}

const detailOf = ({ where, detail }: AetherflowError): string => (where === '' ? detail : `${where}: ${detail}`)

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
  const { sections, tokens, confidence, abstained, retrievalTimeMs, failure } = found
  return {
    type: 'retrieved',
    at,
    step,
    references: sections.map(({ reference }) => reference),
    tokens,
    confidence,
    retrievalTimeMs,
    ...(abstained === undefined ? {} : { abstained }),
    ...(failure === undefined ? {} : { failure }),
  }
}

export interface RetrievalsHost {
  readonly core: CoreRun
  readonly texts: RunTexts
  readonly now: number
  emit(event: RunEvent): void
  /** Tells the core something; too late is no fault, but false. */
  signal(tell: () => void): boolean
  /** Texts that belong to the signal told next. */
  attach(texts: SignalTexts): void
}

export class Retrievals {
  readonly #host: RetrievalsHost
  readonly #retriever: Retriever
  readonly #asked = new Set<number>()
  #closed = false

  constructor(host: RetrievalsHost, finder: DocumentFinder | undefined) {
    this.#host = host
    this.#retriever = new Retriever(finder, (text) => host.core.estimateTokens(text))
  }

  /** What comes back from now on is too late. */
  close(): void {
    this.#closed = true
  }

  /** Of a plan that came whole, before its first call. Rejects with the first step that cannot have what it asks for. */
  async all(steps: readonly StepInfo[]): Promise<void> {
    for (const step of steps) {
      if (step.documents === undefined) continue
      this.#asked.add(step.step)
      const found = await this.#retriever.find(step)
      if (found !== undefined && !this.#closed) this.#tell(step.step, found)
    }
  }

  /** Carries out the command, once for each step. What cannot be found fails the step, as a file does that cannot be read. */
  retrieve(step: StepInfo): void {
    if (this.#asked.has(step.step) || this.#host.texts.documents.has(step.step)) return
    this.#asked.add(step.step)
    const failed = (error: unknown): StepDocuments => ({
      ...{ text: '', tokens: 0, sections: [], confidence: 0, retrievalTimeMs: 0 },
      failure: error instanceof Error ? error.message : String(error),
    })
    void this.#retriever
      .find(step)
      .catch(failed)
      .then((found) => {
        if (found !== undefined && !this.#closed) this.#tell(step.step, found)
      })
  }

  #tell(step: number, found: StepDocuments): void {
    const { core, texts, now } = this.#host
    const { values, words } = retrievedSignal(step, found, texts.toldDocuments(found.text))
    this.#host.attach(words)
    if (!this.#host.signal(() => core.signal('retrieved', values, now))) return
    texts.retrieved(step, found)
    this.#host.emit(retrievedEvent(texts.steps[step]?.id ?? '', found, now))
  }
}
