/** `aetherflow bench compare A B`: two results that are there already, such as before and after a change. */
import { AetherflowError } from '../../../bindings/errors.js'
import { oneLine } from '../../../web/standard/format.js'
import { compare } from '../../bench/comparison.js'
import { verdictLine } from '../../bench/comparison-blocks.js'
import type { BenchmarkData } from '../../bench/data.js'
import { readResults, writeComparison } from '../../bench/result-files.js'
import { exitCodes, type ExitCode, type Host } from '../host.js'
import { wrapped } from '../terminal-text.js'
import { asciiControls } from '../render/json.js'

export interface BenchCompareFlags {
  readonly baselineLabel?: string
  readonly optimizedLabel?: string
  readonly output?: string
  readonly json?: true
}

export async function benchCompare(
  before: string,
  after: string,
  flags: BenchCompareFlags,
  host: Host,
): Promise<ExitCode> {
  const one = oneArm(await readResults(before), before, flags.baselineLabel)
  const other = oneArm(await readResults(after), after, flags.optimizedLabel)
  const [first, second] = labels(one, other, flags)
  const data = compare(
    [...one.map((result) => ({ ...result, arm: first })), ...other.map((result) => ({ ...result, arm: second }))],
    first,
  )
  if (flags.output !== undefined) await writeComparison(flags.output, data, false)
  if (flags.json) host.stdout.write(`${asciiControls(JSON.stringify(data))}\n`)
  else {
    const lines = [
      ...data.arms.slice(1).map((arm) => oneLine(verdictLine(arm, data.baseline))),
      ...data.remarks.map((remark) => `  ${oneLine(remark)}`),
      ...(flags.output === undefined ? [] : [`  reports in ${oneLine(flags.output)}`]),
    ]
    const columns = host.stdout.columns ?? Infinity
    host.stdout.write(`${lines.flatMap((line) => wrapped(line, columns)).join('\n')}\n`)
  }
  return exitCodes.ok
}

/** Results of a suite hold several arms: the label says which one is meant. */
function oneArm(results: readonly BenchmarkData[], where: string, label: string | undefined): BenchmarkData[] {
  const names = [...new Set(results.map(({ arm }) => arm))]
  if (names.length < 2) return [...results]
  const wanted = results.filter(({ arm }) => arm === label)
  if (wanted.length > 0) return wanted
  const detail = `holds the arms ${names.join(', ')}: name the folder of one, or say which by --baseline-label and --optimized-label`
  throw new AetherflowError('host.usage', where, detail)
}

function labels(
  before: readonly BenchmarkData[],
  after: readonly BenchmarkData[],
  { baselineLabel, optimizedLabel }: BenchCompareFlags,
): [string, string] {
  const [one, other] = [before[0]?.arm ?? 'before', after[0]?.arm ?? 'after']
  const same = one === other
  const first = baselineLabel ?? (same ? `${one} before` : one)
  const second = optimizedLabel ?? (same ? `${other} after` : other)
  if (first === second) throw new AetherflowError('host.usage', '--optimized-label', 'both have one label')
  return [first, second]
}
