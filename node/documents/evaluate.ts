/** `aetherflow docs evaluate` as a function: an index on somebody's own questions. */
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { AetherflowError } from '../../bindings/errors.js'
import {
  evaluateDocs,
  readEvaluationSet,
  sectionSource,
  type DocsEvaluation,
  type EvaluationSet,
} from '../../web/standard/documents/evaluation.js'
import { DocsBase } from '../../web/standard/documents/documents.js'
import type { UpdateProgress } from '../../web/standard/documents/options.js'
import { performance } from 'node:perf_hooks'
import { IndexCore, type RankSettings } from '../../bindings/index/core.js'
import { openEmbedder } from '../embed/index.js'
import { errorCode } from '../error-code.js'
import { loadIndex } from '../loader.js'
import { openDocs } from './open.js'

export interface EvaluateDocsOptions {
  /** Folder whose index is asked when the set has no sections of its own; default: the working folder. */
  readonly dir?: string | undefined
  readonly keep?: string | undefined
  readonly model?: string | undefined
  readonly rank?: Partial<RankSettings> | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: UpdateProgress) => void) | undefined
}

/** Files, or a folder whose .json files are taken together. Fails: host.usage. */
export async function readEvaluationFiles(paths: readonly string[]): Promise<EvaluationSet> {
  const out: EvaluationSet = { questions: [], sections: [] }
  for (const path of (await Promise.all(paths.map(filesOf))).flat()) {
    const text = await readFile(path, 'utf8').catch((error: unknown) => Promise.reject(unreadable(path, error)))
    const { questions, sections } = readEvaluationSet(text, path)
    out.questions.push(...questions)
    out.sections.push(...sections)
  }
  if (out.questions.length === 0) throw new AetherflowError('host.usage', paths[0] ?? '', 'no question in it')
  return out
}

async function filesOf(path: string): Promise<string[]> {
  const info = await stat(path).catch((error: unknown) => Promise.reject(unreadable(path, error)))
  if (!info.isDirectory()) return [path]
  return (await readdir(path))
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => join(path, name))
}
const unreadable = (path: string, error: unknown): AetherflowError =>
  new AetherflowError('host.usage', path, `the set cannot be read: ${errorCode(error)}`)

/** Nothing is held back for want of confidence: what a bar would do is in `trust`. */
export async function evaluateSet(set: EvaluationSet, options: EvaluateDocsOptions = {}): Promise<DocsEvaluation> {
  const docs = await open(set, options)
  try {
    return await evaluateDocs((question) => docs.search(question, { count: 10 }), set.questions, options.signal)
  } finally {
    await docs.close()
  }
}

async function open(set: EvaluationSet, options: EvaluateDocsOptions): Promise<DocsBase> {
  const { model, rank, dir, keep, signal, onProgress } = options
  const settings = { rank, leastConfidence: 0 }
  if (set.sections.length === 0) return openDocs({ ...settings, dir, keep, model, signal })
  const { module, data } = await loadIndex()
  const embedder = model === undefined || model === 'lexical' ? undefined : await openEmbedder(model)
  if (embedder?.dimensions === 0) await embedder.preload()
  const parts = { core: new IndexCore(module, data, rank), embedder, now: () => performance.now() }
  const docs = new DocsBase({ ...parts, ...sectionSource(set.sections) }, settings)
  await docs.update({ signal, onProgress })
  return docs
}
