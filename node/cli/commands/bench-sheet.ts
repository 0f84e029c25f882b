/** The frame of `aetherflow bench NAME`: the flags that all benchmarks share, and how their sheets leave. */
import { writeFile } from 'node:fs/promises'
import type { ProviderEntry } from '../../../web/standard/config.js'
import type { SimulatorProfile } from '../../../web/standard/simulator/index.js'
import { CoreRun } from '../../../bindings/core.js'
import type { BenchTask } from '../../bench/measure.js'
import type { PlayedRun } from '../../bench/played-run.js'
import { TaskDocuments } from '../../bench/task-documents.js'
import { sheetJson, sheetMarkdown, sheetText, type Sheet } from '../../bench/sheet.js'
import { loadCore } from '../../loader.js'
import { setUp } from '../../run/execute.js'
import { contextFiles } from '../../run/context-files.js'
import { planName } from '../../run/outputs.js'
import { exitCodes, type ExitCode, type Host } from '../host.js'
import { asciiControls } from '../render/json.js'
import { planInput } from '../plan-input.js'
import { profileOfFlag } from '../profile-flag.js'

export interface BenchFlags {
  /** Runs per arm; each pair of runs has a seed of its own. */
  readonly runs?: number
  readonly seed?: number
  readonly profile?: string
  readonly json?: true
  readonly markdown?: true
  readonly out?: string
}

/** What a benchmark is told. */
export interface BenchSetting {
  readonly seeds: readonly number[]
  readonly profile: SimulatorProfile
  /** The caller's own plan, with its context files; undefined: the built-in ones. */
  readonly own: OwnPlan | undefined
  /** Tells somebody who waits what is measured now. */
  readonly say?: (words: string) => void
}

export type OwnPlan = BenchTask & Pick<PlayedRun, 'documents'>

/** Runs a benchmark and tells its sheet: text, `--markdown` or `--json`, on the screen or to `--out`. */
export async function tellBench(
  plan: string | undefined,
  flags: BenchFlags,
  host: Host,
  bench: (setting: BenchSetting) => Promise<Sheet>,
): Promise<ExitCode> {
  const first = flags.seed ?? 1
  const seeds = Array.from({ length: flags.runs ?? 10 }, (_, index) => first + index)
  const task = plan === undefined ? undefined : await ownPlan(plan, host)
  const documents = new TaskDocuments(undefined, await ownProviders())
  const own = task && { ...task, documents: documents.of(task) }
  const say = (words: string): void => void (host.stderr.isTTY && host.stderr.write(`  ${words}\n`))
  const sheet = await bench({ seeds, profile: profileOfFlag(flags.profile ?? true), own, say }).finally(() =>
    documents.close(),
  )
  const text = flags.json
    ? asciiControls(sheetJson(sheet))
    : flags.markdown
      ? sheetMarkdown(sheet)
      : sheetText(sheet, host.stdout.columns ?? 120)
  if (flags.out === undefined) host.stdout.write(text)
  else await writeFile(flags.out, text)
  return exitCodes.ok
}

/** The providers of the user and the project, with their keys. */
async function ownProviders(): Promise<readonly ProviderEntry[]> {
  const core = new CoreRun(await loadCore())
  try {
    return (await setUp(core, { project: '.' })).entries
  } finally {
    core.dispose()
  }
}

/** A plan with the texts of its context files. Fails: host.usage for one that cannot be read. */
export async function ownPlan(path: string, host: Host): Promise<BenchTask> {
  const { source, folder } = await planInput(path, host)
  const chunks: Uint8Array[] = []
  if (source instanceof Uint8Array) chunks.push(source)
  else for await (const chunk of source) chunks.push(chunk)
  const plan = Buffer.concat(chunks).toString('utf8')
  const reader = contextFiles(folder)
  const files: Record<string, string> = {}
  for (const name of filesOfPlan(plan)) files[name] = await reader.read(name)
  return { name: planName(path), plan, files, folder }
}

/** Names of all context files; none of a text that is no plan: the run itself will say what is wrong with it. */
function filesOfPlan(plan: string): string[] {
  try {
    const { steps } = JSON.parse(plan) as { steps?: { context?: { files?: unknown } }[] }
    const named = (steps ?? []).flatMap((step) => {
      const files = step.context?.files
      return Array.isArray(files) ? files.filter((name): name is string => typeof name === 'string') : []
    })
    return [...new Set(named)]
  } catch {
    return []
  }
}
