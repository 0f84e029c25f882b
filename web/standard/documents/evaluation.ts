/** How well an index answers questions whose right sections are known. */
import { AetherflowError } from '../../../bindings/errors.js'
import type { FoundSection, SearchResult } from './options.js'
import type { DocumentSource, OutlineReader, SourceFile } from './ports.js'

export interface EvaluatedQuestion {
  readonly question: string
  /** Right sections: a path, or a path and titles (`docs/a.md:Install › Linux`). */
  readonly right: readonly string[]
}
export interface GivenSection {
  readonly path: string
  readonly title: string
  readonly text: string
}
export interface EvaluationSet {
  readonly questions: EvaluatedQuestion[]
  readonly sections: GivenSection[]
}

/** A mean over the questions, with its 95 % interval by resampling them. */
export interface Mean {
  readonly value: number
  readonly low: number
  readonly high: number
}
export interface DocsEvaluation {
  readonly questions: number
  /** Of the first three: the share of the right sections that is among them, and the share of them that is right. */
  readonly recall: Mean
  readonly precision: Mean
  /** 1 over the place of the first right one, 0 beyond the third. */
  readonly mrr: Mean
  /** A right one is among the first 1, 3, 5 and 10. */
  readonly hit: Readonly<Record<'1' | '3' | '5' | '10', Mean>>
  /** Questions that were answered with nothing; they count as misses above. */
  readonly abstained: number
  /** By confidence of the first: how many, and the share that is right. */
  readonly trust: readonly { readonly from: number; readonly questions: number; readonly right: number }[]
  /** Median and 95th percentile of a search, ms. */
  readonly ms: { readonly median: number; readonly p95: number }
}

const top = 3
const resamples = 2000

/**
 * Questions and sections of JSON files in the form of docs-qa: arrays of `{question, correct_chunks}` and of `{chunk_link,
 * chunk_heading, text}`; both may be mixed. Fails: host.usage at `name[position]`.
 */
export function readEvaluationSet(text: string, name: string): EvaluationSet {
  let rows: unknown
  try {
    rows = JSON.parse(text)
  } catch {
    throw bad(name, 'not JSON')
  }
  if (!Array.isArray(rows)) throw bad(name, 'not an array of questions or sections')
  const out: EvaluationSet = { questions: [], sections: [] }
  for (const [at, row] of rows.entries()) {
    const { question, correct_chunks: right, chunk_link: path, chunk_heading: title, text: body } = Object(row) as Row
    if (typeof question === 'string' && Array.isArray(right) && right.length > 0 && right.every(isText)) {
      out.questions.push({ question, right })
    } else if (isText(path) && isText(body)) {
      out.sections.push({ path, title: isText(title) ? title : '', text: body })
    } else throw bad(`${name}[${at}]`, 'neither {question, correct_chunks} nor {chunk_link, chunk_heading, text}')
  }
  return out
}
type Row = Readonly<Record<string, unknown>>
const isText = (value: unknown): value is string => typeof value === 'string'
const bad = (where: string, detail: string): AetherflowError => new AetherflowError('host.usage', where, detail)

/** Sections that lie in no files, each as a file of its own. */
export function sectionSource(sections: readonly GivenSection[]): {
  source: DocumentSource
  outline: OutlineReader
} {
  const byPath = new Map(sections.map((section) => [section.path, section]))
  const encoder = new TextEncoder()
  const list = (): Promise<SourceFile[]> =>
    Promise.resolve([...byPath].map(([path, { text }]) => ({ path, bytes: text.length, stamp: 'given' })))
  const read = (path: string): Promise<Uint8Array | undefined> => {
    const text = byPath.get(path)?.text
    return Promise.resolve(text === undefined ? undefined : encoder.encode(text))
  }
  const outline: OutlineReader = (path) => {
    const title = (byPath.get(path)?.title ?? '').replace(/\s+/g, ' ').trim()
    return Promise.resolve(title === '' ? undefined : `1\t1\t1\t${title}`)
  }
  return { source: { list, read }, outline }
}

const isRight = ({ path, reference }: FoundSection, right: readonly string[]): boolean =>
  right.includes(path) || right.includes(reference.replace(/\.\d+$/, '')) || right.includes(reference)

/** Asks every question. `signal` ends it with its reason. */
export async function evaluateDocs(
  search: (question: string) => Promise<SearchResult>,
  questions: readonly EvaluatedQuestion[],
  signal?: AbortSignal,
): Promise<DocsEvaluation> {
  const rows: { recall: number; precision: number; mrr: number; place: number; trust: number; ms: number }[] = []
  for (const { question, right } of questions) {
    signal?.throwIfAborted()
    const { sections, confidence, ms } = await search(question)
    const marks = sections.map((section) => isRight(section, right))
    const hits = marks.slice(0, top).filter(Boolean).length
    const place = marks.indexOf(true)
    rows.push({
      recall: hits / right.length,
      precision: hits / top,
      mrr: place >= 0 && place < top ? 1 / (place + 1) : 0,
      place: place < 0 ? Infinity : place,
      trust: sections.length === 0 ? -1 : confidence,
      ms,
    })
  }
  const mean = (of: (row: (typeof rows)[number]) => number): Mean => meanOf(rows.map(of))
  const hit = (most: number): Mean => mean(({ place }) => Number(place < most))
  const times = rows.map(({ ms }) => ms).sort((a, b) => a - b)
  return {
    questions: rows.length,
    recall: mean(({ recall }) => recall),
    precision: mean(({ precision }) => precision),
    mrr: mean(({ mrr }) => mrr),
    hit: { '1': hit(1), '3': hit(3), '5': hit(5), '10': hit(10) },
    abstained: rows.filter(({ trust }) => trust < 0).length,
    trust: [0, 0.25, 0.4, 0.55, 0.7, 0.85].map((from, at, all) => {
      const inside = rows.filter(({ trust }) => trust >= from && trust < (all[at + 1] ?? Infinity))
      return { from, questions: inside.length, right: inside.filter(({ place }) => place === 0).length }
    }),
    ms: { median: times[times.length >> 1] ?? 0, p95: times[Math.floor(times.length * 0.95)] ?? 0 },
  }
}

/** Bootstrap by a fixed sequence of a linear congruential generator, so that the same answers give the same interval. */
function meanOf(values: readonly number[]): Mean {
  const average = (sum: number): number => Math.round((sum / Math.max(1, values.length)) * 10_000) / 10_000
  const means: number[] = []
  let state = 1
  for (let i = 0; i < resamples; i++) {
    let sum = 0
    for (let j = 0; j < values.length; j++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      sum += values[Math.floor((state / 2 ** 32) * values.length)] ?? 0
    }
    means.push(sum)
  }
  means.sort((a, b) => a - b)
  const value = average(values.reduce((sum, one) => sum + one, 0))
  const at = (share: number): number => average(means[Math.floor(share * resamples)] ?? 0)
  return { value, low: at(0.025), high: at(0.975) }
}
