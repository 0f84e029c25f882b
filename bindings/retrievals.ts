/**
 * The run's side of a project's documents: `retrieve` of the core, carried out. What is found goes into the prompts of the step and
 * into the journal, so that a run that is resumed puts in the same bytes and looks for nothing twice.
 */
import type { CarryingHost } from './carrying-host.js'
import { AetherflowError } from './errors.js'
import type { StepInfo } from './events.js'
import type { DocumentFinder, FoundDocuments } from './ports.js'
import { retrievedEvent, retrievedSignal, type StepDocuments } from './step-documents.js'

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

/** Whether the core took it. A run that was cancelled meanwhile takes nothing more. */
function taken(tell: () => void): boolean {
  try {
    tell()
    return true
  } catch (error) {
    if (error instanceof AetherflowError && error.code.startsWith('run.')) return false
    throw error
  }
}

export class Retrievals {
  readonly #host: CarryingHost
  readonly #retriever: Retriever
  readonly #asked = new Set<number>()
  #closed = false

  constructor(host: CarryingHost, finder: DocumentFinder | undefined) {
    this.#host = host
    this.#retriever = new Retriever(finder, (text) => host.core.estimateTokens(text))
  }

  /** What comes back from now on is too late. */
  close(): void {
    this.#closed = true
  }

  /**
   * Of a plan that came whole, before its first call; the core is told without a turn of the pump behind it. Rejects with the first
   * step that cannot have what it asks for, and nothing is told then.
   */
  async all(steps: readonly StepInfo[]): Promise<void> {
    const found: (readonly [StepInfo, StepDocuments])[] = []
    for (const step of steps) {
      const documents = await this.#retriever.find(step)
      if (documents !== undefined) found.push([step, documents])
    }
    if (this.#closed) return
    for (const [{ step }, documents] of found) {
      this.#asked.add(step)
      this.#tell(step, documents, taken)
    }
  }

  /** Carries out the command, once for each step. What cannot be found fails the step, as a file does that cannot be read. */
  retrieve(index: number): void {
    const { texts, signal } = this.#host
    const step = texts.steps[index]
    if (step === undefined) return
    // Of a step that is known from another run nothing is asked any more.
    const known = texts.answers.has(step.step) || texts.outputs[step.step] !== undefined
    if (known || this.#asked.has(step.step) || texts.documents.has(step.step)) return
    this.#asked.add(step.step)
    const failed = (error: unknown): StepDocuments => ({
      ...{ text: '', tokens: 0, sections: [], confidence: 0, retrievalTimeMs: 0 },
      failure: error instanceof Error ? error.message : String(error),
    })
    void this.#retriever
      .find(step)
      .catch(failed)
      .then((found) => {
        if (found !== undefined && !this.#closed) this.#tell(step.step, found, signal)
      })
  }

  #tell(step: number, found: StepDocuments, signal: CarryingHost['signal']): void {
    const { core, texts, now } = this.#host
    const { values, words } = retrievedSignal(step, found, texts.toldDocuments(found.text))
    this.#host.attach(words)
    if (!signal(() => core.signal('retrieved', values, now))) return
    texts.retrieved(step, found)
    this.#host.emit(retrievedEvent(texts.steps[step]?.id ?? '', found, now))
  }
}
