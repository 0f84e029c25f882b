/** What context files add to prompts, known before anything is planned or called. */
import { AetherflowError, type Fault } from './errors.js'
import type { StepInfo } from './events.js'
import { filesOf, type FileReader } from './ports.js'

/** Files read at once. */
const atOnce = 8
/** Faults told together. */
const mostFaults = 20

export interface Weight {
  readonly step: number
  /** Of all its files, as the core estimates. */
  readonly tokens: number
  /** Of each entry of its list, in its order; absent where there is but one. */
  readonly each?: readonly number[]
}

/**
 * Reads the context files of the steps, each once, and keeps none; folders and patterns are those files that they mean. Rejects with all that cannot be read, 20 at most: the first as the
 * AetherflowError, at `/steps/N/context/files/K`. Codes as the reader's.
 */
export async function weighFiles(
  files: FileReader,
  steps: readonly Pick<StepInfo, 'step' | 'files'>[],
  estimate: (text: string) => number,
): Promise<Weight[]> {
  const tokens = new Map<string, number>()
  const faults: Fault[] = []
  const meant = new Map<string, readonly string[]>()
  for (const entry of new Set(steps.flatMap(({ files: entries }) => entries))) {
    // What cannot be listed is told where it is read.
    meant.set(entry, await filesOf(files, [entry]).catch(() => [entry]))
  }
  const pathsOf = (entries: readonly string[]): string[] => [
    ...new Set(entries.flatMap((entry) => meant.get(entry) ?? [])),
  ]
  const named = steps.flatMap(({ step, files: entries }) =>
    entries.flatMap((entry, index) =>
      (meant.get(entry) ?? []).map((path) => ({ path, where: `/steps/${step}/context/files/${index}` })),
    ),
  )
  const places = new Map(named.map(({ path, where }) => [path, where] as const).reverse())
  const paths = [...new Set(named.map(({ path }) => path))].values()
  const worker = async (): Promise<void> => {
    for (const path of paths) {
      try {
        tokens.set(path, estimate(await files.read(path)))
      } catch (error) {
        faults.push(faultOf(error, path, places.get(path) ?? ''))
      }
      if (faults.length >= mostFaults) return
    }
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  const order = new Map(named.map(({ where }, index) => [where, index] as const))
  const [first, ...others] = faults.sort((a, b) => (order.get(a.where) ?? 0) - (order.get(b.where) ?? 0))
  if (first !== undefined)
    throw new AetherflowError(first.code, first.where, first.detail, others.slice(0, mostFaults - 1))
  return steps
    .filter((step) => step.files.length > 0)
    .map(({ step, files: entries }) => {
      const weight = (of: readonly string[]): number =>
        pathsOf(of).reduce((sum, path) => sum + (tokens.get(path) ?? 0), 0)
      const each = entries.length < 2 ? {} : { each: entries.map((entry) => weight([entry])) }
      return { step, tokens: weight(entries), ...each }
    })
}

function faultOf(error: unknown, path: string, where: string): Fault {
  if (!(error instanceof AetherflowError)) throw error
  const detail = error.where === '' || error.where === path ? error.detail : `${error.where}: ${error.detail}`
  return { code: error.code, where, detail: `${path}: ${detail}` }
}
