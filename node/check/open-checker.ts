/** The checker of a run, by what its caller and the user's configuration say. */
import type { AnswerChecker } from '../../bindings/checker.js'
import type { FileReader } from '../../bindings/ports.js'
import type { ChecksConfig } from '../../web/standard/checks-config.js'
import { openBox } from './box.js'
import { ProjectChecker } from './checker.js'

/** Programs that a plan may always name where any are allowed: what the usual tests run with. */
const usualCommands = ['node', 'python3']

/** Fails: check.no_box where programs are allowed and nothing keeps them apart. */
export async function checkerOf(
  asked: ChecksConfig | AnswerChecker | false | undefined,
  config: ChecksConfig | undefined,
  files: FileReader,
): Promise<AnswerChecker | undefined> {
  if (asked === false) return undefined
  if (asked !== undefined && 'check' in asked) return asked
  const { allow, commands = [], timeMs, memoryMb, processes, repeats } = { ...config, ...asked }
  if (allow !== true) return new ProjectChecker({ files })
  const limits = {
    ...(timeMs !== undefined && { timeMs }),
    ...(memoryMb !== undefined && { memoryBytes: memoryMb * 2 ** 20 }),
    ...(processes !== undefined && { processes }),
  }
  const allowed = { box: await openBox(), commands: [...new Set([...usualCommands, ...commands])], limits, repeats }
  return new ProjectChecker({ files, allowed })
}
