/** `aetherflow run [PLAN|-]`: runs a plan, or goes on with a run; shows it, keeps its outputs and its journal. */
import type { RunEvent } from '../../../bindings/events.js'
import { oneLine, simulatedLabel } from '../../../web/standard/format.js'
import { reportMarkdown } from '../../../web/standard/report/markdown.js'
import { AetherflowError, runPlan, simulatedProfile, type RunResult, type SyncPolicy } from '../../index.js'
import { OutputFolder, planName } from '../../run/outputs.js'
import { nothingThere, peekRun } from '../../run/journal.js'
import { paint } from '../colour.js'
import { failureRecord } from '../failure.js'
import { exitCodes, type ExitCode, type Host } from '../host.js'
import type { CacheFlags } from '../cache-flags.js'
import { openRunCache, type CacheWarning, type RunCache } from '../run-cache.js'
import { planInput, type PlanInput } from '../plan-input.js'
import { policyOf, type PolicyFlags } from '../policy-flags.js'
import { JsonRenderer } from '../render/json.js'
import { PlainRenderer, QuietRenderer } from '../render/plain.js'
import type { Renderer } from '../render/renderer.js'
import { TtyRenderer } from '../render/tty.js'
import { summaryLine, summaryLines } from '../summary.js'
import { packageVersion } from '../../version.js'

/** Options as commander hands them over; shared by run, explain and generate. */
export interface SharedFlags extends PolicyFlags {
  readonly mode?: string
  readonly simulate?: string | true
  readonly config?: string
  readonly concurrency?: Readonly<Record<string, number>>
  readonly seed?: number
}
export interface RunFlags extends SharedFlags, CacheFlags {
  readonly output?: string
  readonly resume?: true
  readonly reuse?: true
  readonly takeOver?: true
  /** False: `--no-journal`. */
  readonly journal: boolean
  readonly sync?: SyncPolicy
  readonly json?: true
  readonly quiet?: true
  readonly optimize?: true
}

/** The flags as options of the library. Fails: host.usage for an unknown profile, before anything is read. */
export function planOptions(flags: SharedFlags) {
  const { mode, simulate, config, concurrency, seed } = flags
  if (simulate !== undefined) simulatedProfile(simulate)
  return { mode, simulate, configFile: config, concurrency, seed, policy: policyOf(flags) }
}

/** Name of the simulated profile. */
export function simulatedName({ simulate }: SharedFlags): string | undefined {
  return simulate === undefined ? undefined : simulatedProfile(simulate).name
}

/** What is known of the run before it begins. */
interface Beginning {
  readonly plan: string
  readonly simulated: string | undefined
  readonly mode: string
  readonly input: PlanInput | undefined
  /** Folder of the journal; undefined: none is kept. */
  readonly journal: string | undefined
  /** What the run that goes on began with. */
  readonly begin: unknown
}

export async function run(path: string | undefined, flags: RunFlags, host: Host): Promise<ExitCode> {
  const renderer = rendererOf(flags, host)
  const outputs = flags.output === undefined ? undefined : new OutputFolder(flags.output)
  const startedAt = new Date().toISOString()
  let simulated = simulatedName(flags)
  let cache: RunCache | undefined
  try {
    const beginning = await beginningOf(path, flags, host)
    simulated = beginning.simulated
    const { plan, mode } = beginning
    const warnings: CacheWarning[] = []
    cache = await openRunCache(flags, beginning.begin, host, (warning) => warnings.push(warning))
    await outputs?.prepare()
    if (cache !== undefined && flags.quiet !== true) host.stderr.write(`${cache.words}\n`)
    renderer.begin({ plan, mode, simulated })
    const parts = { renderer, outputs, cache: cache?.options, warnings }
    const { result, messages } = await execute(beginning, flags, host, parts)
    renderer.end()
    if (outputs !== undefined) {
      await keep(outputs, result, { startedAt: result.run?.startedAt ?? startedAt, plan, messages })
    }
    tellResult(result, outputs, flags, host, renderer)
    return exitCodeOfOutcome(result)
  } catch (error) {
    renderer.end()
    await outputs?.discard()
    if (renderer instanceof JsonRenderer) renderer.line(failureRecord(error))
    if (outputs !== undefined && outputs.written > 0) {
      const label = simulatedLabel(simulated)
      host.stderr.write(`${outputs.written} outputs${label} are kept in ${outputs.steps}\n`)
    }
    throw error
  } finally {
    await cache?.close()
  }
}

/** Reads the plan, and what stands in the folder of a run that is to go on. Fails: host.usage. */
async function beginningOf(path: string | undefined, flags: RunFlags, host: Host): Promise<Beginning> {
  const { output, resume, reuse } = flags
  const goesOn = resume === true || reuse === true
  if (goesOn && output === undefined) throw usage('--resume', 'name the folder of the run with --output')
  if (goesOn && !flags.journal) throw usage('--no-journal', 'a run without a journal cannot be resumed')
  if (path === undefined && !goesOn) throw usage('', 'name a plan, or a run with --output DIR --resume')
  const known = goesOn && output !== undefined ? await peekRun(output) : undefined
  if (path === undefined && known === undefined) throw nothingThere(output ?? '')
  const name = path === undefined ? (known?.header.plan ?? 'the plan of the run') : planName(path)
  return {
    plan: name,
    mode: flags.mode ?? (known?.begin as { mode?: string } | undefined)?.mode ?? 'build',
    simulated: simulatedName(flags) ?? known?.header.simulated,
    input: path === undefined ? undefined : await planInput(path, host),
    journal: flags.journal ? output : undefined,
    begin: known?.begin,
  }
}

const usage = (where: string, detail: string): AetherflowError => new AetherflowError('host.usage', where, detail)

interface Parts {
  readonly renderer: Renderer
  readonly outputs: OutputFolder | undefined
  readonly cache: RunCache['options'] | undefined
  /** Of the cache; told with the next event. */
  readonly warnings: CacheWarning[]
}

async function execute(
  { input, plan, journal }: Beginning,
  flags: RunFlags,
  host: Host,
  { renderer, outputs, cache, warnings }: Parts,
): Promise<{ result: RunResult; messages: Map<string, string> }> {
  const messages = new Map<string, string>()
  /** What screens that show no warnings would keep to themselves. */
  const unsaid: string[] = []
  const onEvent = (event: RunEvent): void => {
    for (const warning of warnings.splice(0)) onEvent({ type: 'warning', at: event.at, ...warning })
    if (event.type === 'steps') outputs?.adopt(event.steps)
    if (event.type === 'failed') messages.set(event.step, event.message)
    if (event.type === 'warning' && /^(host|cache)\./.test(event.code)) {
      unsaid.push(`warning ${event.code} at ${oneLine(event.where)}: ${oneLine(event.detail)}\n`)
    }
    renderer.event(event)
  }
  if (journal === undefined && outputs !== undefined) await refuseStanding(outputs.folder)
  const { resume, reuse, takeOver, sync } = flags
  const result = await runPlan(input?.source, {
    ...planOptions(flags),
    ...{ journal, resume, reuse, takeOver, sync, planName: plan, ...cache },
    optimize: flags.optimize,
    folder: input?.folder,
    signal: host.signal,
    onEvent,
    deliver: outputs && ((step, text, again) => outputs.write(step, text, again)),
  })
  if (renderer instanceof TtyRenderer || renderer instanceof QuietRenderer) {
    renderer.end()
    for (const line of unsaid) host.stderr.write(line)
  }
  return { result, messages }
}

/** Without a journal of its own a run must not mix its outputs with those of one that has. */
async function refuseStanding(folder: string): Promise<void> {
  if ((await peekRun(folder)) === undefined) return
  throw new AetherflowError('host.journal', folder, 'there is a run in this folder: use --resume, or another folder')
}

function rendererOf(flags: RunFlags, host: Host): Renderer {
  const { stdout, stderr, env, clock } = host
  if (flags.json) return new JsonRenderer(stdout)
  if (flags.quiet) return new QuietRenderer(stderr)
  const live = stdout.isTTY === true && env['TERM'] !== 'dumb'
  return live ? new TtyRenderer(stdout, clock, paint(stdout, env)) : new PlainRenderer(stdout)
}

interface Circumstances {
  readonly startedAt: string
  readonly plan: string
  readonly messages: ReadonlyMap<string, string>
}

async function keep(outputs: OutputFolder, result: RunResult, about: Circumstances): Promise<void> {
  const { outcome, report, warnings, simulated } = result
  const record = {
    aetherflow: packageVersion(),
    node: process.versions.node,
    ...(simulated === undefined ? {} : { simulated }),
    plan: about.plan,
    startedAt: about.startedAt,
    outcome,
    outputs: outputs.paths(result.outputs.keys()),
    messages: Object.fromEntries(about.messages),
    warnings,
    report,
  }
  const { plan, messages } = about
  await outputs.finish(record, reportMarkdown(report, { simulated, plan, warnings, messages }))
}

function tellResult(
  result: RunResult,
  folder: OutputFolder | undefined,
  flags: RunFlags,
  host: Host,
  renderer: Renderer,
): void {
  const { outcome, report, simulated, warnings } = result
  if (renderer instanceof JsonRenderer) {
    // By id: where the output lies, or without a folder the output itself.
    const outputs = folder === undefined ? byId(result.outputs) : byId(folder.files(result.outputs.keys()))
    return renderer.line({ type: 'result', outcome, outputs, warnings, report })
  }
  const colours = paint(host.stdout, host.env)
  const extras = { simulated, folder: flags.output }
  const again = `aetherflow run --output ${oneLine(flags.output ?? '')} --resume`
  const more = outcome === 'cancelled' && result.run !== undefined ? [`  to go on: ${again}`] : []
  const lines = flags.quiet ? [summaryLine(report, extras, colours)] : summaryLines(report, extras, colours)
  host.stdout.write(`${[...lines, ...more].join('\n')}\n`)
}

/** A null prototype: `__proto__` is a lawful id. */
function byId(entries: Iterable<readonly [string, string]>): Record<string, string> {
  const record = Object.create(null) as Record<string, string>
  for (const [id, value] of entries) record[id] = value
  return record
}

export function exitCodeOfOutcome({ outcome }: RunResult): ExitCode {
  if (outcome === 'cancelled') return exitCodes.interrupted
  return outcome === 'ok' ? exitCodes.ok : exitCodes.failed
}
