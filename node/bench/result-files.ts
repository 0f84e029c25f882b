/** Results of benchmarks as files: written for people and programs, and read back, which may be a stranger's. */
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AetherflowError } from '../../bindings/errors.js'
import type { Block } from '../../web/standard/report/blocks.js'
import { blocksHtml } from '../../web/standard/report/html.js'
import { blocksMarkdown } from '../../web/standard/report/markdown.js'
import { errorCode } from '../error-code.js'
import { makeFolder } from '../make-folder.js'
import { ioError, outputName } from '../run/outputs.js'
import { keptSettings } from './arms.js'
import type { Results } from './assemble.js'
import { benchmarkBlocks } from './benchmark-blocks.js'
import { comparisonBlocks } from './comparison-blocks.js'
import type { ComparisonData } from './comparison.js'
import { benchmarkVersion, type BenchmarkData } from './data.js'

export const dataName = 'benchmark_data.json'
/** Results of so many plans and arms are looked for below a folder. */
const deepest = 4

/** `benchmark_report.md`, `.html` and `benchmark_data.json` of one arm of one plan. Fails: host.io_failed. */
export async function writeBenchmark(folder: string, results: Results): Promise<void> {
  const { benchmarkCharts } = await import('../charts/bench-charts.js')
  const page = benchmarkBlocks(results, benchmarkCharts(results.data))
  await writeReport(folder, 'benchmark', results.data, { page, text: benchmarkBlocks(results) })
}

/** `comparison_report.md`, `.html` and `comparison_data.json`; `results`: those that lie in folders of their own below it. */
export async function writeComparison(folder: string, data: ComparisonData, below: boolean): Promise<void> {
  const { comparisonCharts } = await import('../charts/bench-charts.js')
  const links = (plan: string, arm: string): string =>
    [...armFolder(plan, arm).split('/'), 'benchmark_report.html'].map(encodeURIComponent).join('/')
  const about = below ? { links } : {}
  const page = comparisonBlocks(data, { ...about, charts: comparisonCharts(data) })
  await writeReport(folder, 'comparison', data, { page, text: comparisonBlocks(data, about) })
}

/** Where the results of a plan and arm lie in the folder of a suite. */
export const armFolder = (plan: string, arm: string): string =>
  `${outputName(plan.replace(/\.json$/, ''))}/${outputName(arm)}`

async function writeReport(
  folder: string,
  name: string,
  data: object,
  { page, text }: { readonly page: readonly Block[]; readonly text: readonly Block[] },
): Promise<void> {
  const files: Readonly<Record<string, string>> = {
    [`${name}_data.json`]: `${JSON.stringify(data, null, 2)}\n`,
    [`${name}_report.md`]: blocksMarkdown(text),
    [`${name}_report.html`]: blocksHtml(page),
  }
  for (const [file, content] of Object.entries(files)) {
    const path = join(folder, file)
    try {
      await makeFolder(folder, 0o700)
      await writeFile(path, content, { mode: 0o600 })
    } catch (error) {
      throw ioError(path, error)
    }
  }
}

/** Every result in a file, or below a folder. Fails: host.usage for anything else. */
export async function readResults(path: string): Promise<BenchmarkData[]> {
  const files = await filesOf(path, deepest)
  if (files.length === 0) throw unreadable(path, `no ${dataName} in this folder or below it`)
  const results: BenchmarkData[] = []
  for (const file of files.sort()) results.push(readBenchmark(await textOf(file), file))
  return results
}

async function filesOf(path: string, depth: number): Promise<string[]> {
  try {
    if ((await stat(path)).isFile()) return [path]
    const entries = await readdir(path, { withFileTypes: true })
    if (entries.some((entry) => entry.name === dataName && entry.isFile())) return [join(path, dataName)]
    if (depth === 0) return []
    const below: string[] = []
    for (const entry of entries)
      if (entry.isDirectory()) below.push(...(await filesOf(join(path, entry.name), depth - 1)))
    return below
  } catch (error) {
    throw unreadable(path, `cannot be read: ${errorCode(error)}`)
  }
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw unreadable(file, `cannot be read: ${errorCode(error)}`)
  }
}

const unreadable = (where: string, detail: string): AetherflowError => new AetherflowError('host.usage', where, detail)

type Json = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
const isNumber = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value)
const isText = (value: unknown): boolean => typeof value === 'string'
const orNull = (is: (value: unknown) => boolean) => (value: unknown) => value === null || is(value)
const isFlag = (value: unknown): boolean => typeof value === 'boolean'

type Shape = Readonly<Record<string, (value: unknown) => boolean>>

const holds =
  (shape: Shape) =>
  (value: unknown): boolean =>
    isObject(value) &&
    Object.entries(shape).every(([key, is]) => is(Object.hasOwn(value, key) ? value[key] : undefined))
const listOf = (is: (value: unknown) => boolean) => (value: unknown) => Array.isArray(value) && value.every(is)

const numbers = (...names: string[]): Shape => Object.fromEntries(names.map((name) => [name, isNumber]))
const measured = (...names: string[]): Shape => Object.fromEntries(names.map((name) => [name, orNull(isNumber)]))

const isCall = holds({
  ...{ purpose: isText, provider: isText, model: isText, outcome: isText },
  ...measured('startedAt', 'endedAt', 'queueMs', 'firstTokenMs', 'responseMs', 'networkMs'),
  ...{ tokens: holds(numbers('input', 'cached', 'output')), ...numbers('costMicroUsd') },
})
const isStep = holds({
  ...{ id: isText, type: isText, rule: orNull(isText), state: isText, provider: orNull(isText), model: orNull(isText) },
  ...{ ...measured('tookMs', 'expectedMs'), ...numbers('costMicroUsd') },
  ...{ firstTry: orNull(isFlag), checkedBy: orNull(isText), reused: orNull(isText), calls: listOf(isCall) },
})
const isDrafts = holds({
  ...numbers('eligible', 'accepted', 'patched', 'rejected', 'failed', 'late', 'refused'),
  ...measured('patchedKept', 'acceptedShare', 'speedup', 'ttftProvisionalMs', 'timeToConfirmedMs'),
  regret: holds(numbers('audited', 'regrets', 'low', 'high')),
  costMicroUsd: holds(numbers('draft', 'verify', 'main', 'canary', 'judge')),
})
const isRun = holds({
  ...{ ...numbers('seed', 'makespanMs', 'sumOfStepsMs', 'costMicroUsd'), outcome: isText, mode: isText },
  ...measured('speedup', 'successRate', 'cacheHitRate', 'connectionReuse'),
  tokens: holds(numbers('input', 'cached', 'output', 'reasoning', 'stripped', 'shared')),
  expected: orNull(holds(numbers('makespanMs', 'costMicroUsd'))),
  // Absent where it was measured before drafts were.
  drafts: (value) => value === undefined || orNull(isDrafts)(value),
  steps: listOf(isStep),
})
const isBenchmark = holds({
  ...{ aetherflow: isText, node: isText, at: isText, simulated: orNull(isText), arm: isText },
  plan: holds({ name: isText, taskId: isText, description: isText, digest: isText }),
  ...{ settings: isObject, runs: listOf(isRun), figures: isObject, targets: Array.isArray },
})

/** Fails: host.usage for a text that is not the result of a benchmark of this version. */
export function readBenchmark(text: string, where: string): BenchmarkData {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw unreadable(where, 'is not valid JSON')
  }
  if (!isObject(value) || value['kind'] !== 'aetherflow.benchmark')
    throw unreadable(where, `is not the result of a benchmark (${dataName})`)
  if (value['version'] !== benchmarkVersion)
    throw unreadable(where, `has version ${String(value['version'])}; this is of ${benchmarkVersion}: measure again`)
  if (!isBenchmark(value)) throw unreadable(where, 'is damaged: members are missing, or of another kind')
  const data = value as unknown as BenchmarkData
  const runs = data.runs.map((run) => ({ ...run, drafts: (run as Partial<typeof run>).drafts ?? null }))
  return { ...data, runs, settings: keptSettings(data.settings, where) }
}
