/** What the context files of parts add to their prompts. */
import { AetherflowError } from '../../../bindings/errors.js'
import { filesSent } from '../../../bindings/feed.js'
import type { FileReader } from '../../../bindings/ports.js'
import { weighFiles, type Weight } from '../../../bindings/weigh.js'
import type { Part } from './parts.js'

export interface PartWeight extends Omit<Weight, 'step'> {
  readonly id: string
}

/** Entries whose text a part is sent. */
export const filesOf = ({ context, ...placing }: Part): readonly string[] => filesSent(context?.files ?? [], placing)

/** Of parts of which a file cannot be read there is none: they fail when they read it, by themselves. */
export async function partWeights(
  files: FileReader,
  parts: readonly Part[],
  estimate: (text: string) => number,
): Promise<PartWeight[]> {
  const list = files.list?.bind(files)
  const readable: FileReader = {
    read: (path) =>
      files.read(path).catch((error: unknown) => (error instanceof AetherflowError ? '' : Promise.reject(error))),
    ...(list === undefined ? {} : { list }),
  }
  const steps = parts.map((part, step) => ({ step, files: filesOf(part) }))
  const weights = await weighFiles(readable, steps, estimate)
  return weights.map(({ step, ...weight }) => ({ ...weight, id: parts[step]?.id ?? '' }))
}
