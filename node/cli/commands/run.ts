/** `aetherflow run [PLAN|-]`: runs a plan, or resumes a run; shows it, keeps its outputs and its journal. */
import { join } from 'node:path'
import type { RunEvent, StepInfo } from '../../../bindings/events.js'
import { oneLine, plural, simulatedLabel, visibleText } from '../../../web/standard/format.js'
import type { Expected } from '../../../web/standard/report/facts.js'
import { AetherflowError, runPlan, type RunPlanOptions, type RunResult, type SyncPolicy } from '../../index.js'
import { planName, type OutputFolder } from '../../run/outputs.js'
import { FileRunStore } from '../../run/file-run-store.js'
import { PromptFolder } from '../../run/prompt-folder.js'
import { expectedOf, reportFiles } from '../../run/report-files.js'
import { remedies, withFlags } from '../advice.js'
import { openFile } from '../open-file.js'
import { openTelemetry, type OpenTelemetry } from '../open-telemetry.js'
import { paint } from '../colour.js'
import { documentsOf, type DocumentFlags } from '../docs-flags.js'
import { failureRecord } from '../failure.js'
import { exitCodes, type ExitCode, type Host } from '../host.js'
import { explainMeasured } from '../measured-explanation.js'
import type { CacheFlags } from '../cache-flags.js'
import { openRunCache, type CacheWarning, type RunCache } from '../run-cache.js'
import { planInput, type PlanInput } from '../plan-input.js'
import { goOnCommand, RunPlace, taskOf, type PlaceFlags } from '../run-place.js'
import { policyOf, type PolicyFlags } from '../policy-flags.js'
import { profileOfFlag } from '../profile-flag.js'
import { JsonRenderer } from '../render/json.js'
import { PlainRenderer, QuietRenderer } from '../render/plain.js'
import type { Renderer } from '../render/renderer.js'
import { TtyRenderer } from '../render/tty.js'
import { wrapped } from '../terminal-text.js'
import { summaryLine, summaryLines } from '../summary.js'
import { targetsFrom } from '../targets-from.js'
import { packageVersion } from '../../version.js'
import { withDrafts } from '../../drafts/store.js'
import { RunEntry } from '../../ledger/ledger.js'
import { mustKeepOutputs, RunTargets } from '../run-targets.js'
import { withShared, type SharedRunFlags } from '../shared-run.js'
import { tellApplied } from './apply.js'

/** Options as commander hands them over; shared by run, explain and generate. */
export interface SharedFlags extends PolicyFlags {
  readonly mode?: string
  readonly simulate?: string | true
  readonly promptCache?: 'auto' | 'always' | 'off'
  readonly config?: string
  readonly concurrency?: Readonly<Record<string, number>>
  readonly seed?: number
}
export interface RunFlags extends SharedFlags, CacheFlags, PlaceFlags, DocumentFlags, SharedRunFlags {
  readonly config?: string
  /** Folder of the context files. */
  readonly files?: string
  readonly allowFile?: readonly string[]
  readonly sync?: SyncPolicy
  readonly json?: true
  readonly quiet?: true
  readonly optimize?: true
  readonly open?: true
  readonly keepPrompts?: true
  readonly dryRun?: true
  readonly otel?: true
  readonly allowChecks?: true
  readonly apply?: true
}

/** The flags as options of the library. Fails: host.usage for an unknown profile, before anything is read. */
export function planOptions(flags: SharedFlags) {
  const { mode, simulate, config, concurrency, promptCache, seed, draft } = flags
  // A configuration that is named stands alone.
  const project = config === undefined ? '.' : undefined
  const played = simulate === undefined ? undefined : profileOfFlag(simulate)
  return {
    mode,
    simulate: played,
    configFile: config,
    project,
    concurrency,
    promptCache,
    seed,
    draft,
    policy: policyOf(flags),
  }
}

/** Name of the simulated profile. */
export function simulatedName({ simulate }: SharedFlags): string | undefined {
  return simulate === undefined ? undefined : profileOfFlag(simulate).name
}

/** What is known of the run before it begins. */
interface Beginning {
  readonly plan: string
  readonly simulated: string | undefined
  readonly mode: string
  readonly input: PlanInput | undefined
  /** What the run that goes on began with. */
  readonly begin: unknown
  /** The run that is there, and goes on. */
  readonly store: FileRunStore | undefined
}

export async function run(path: string | undefined, flags: RunFlags, host: Host): Promise<ExitCode> {
  const renderer = rendererOf(flags, host)
  const startedAt = new Date().toISOString()
  let simulated = simulatedName(flags)
  let cache: RunCache | undefined
  let place: RunPlace | undefined
  const telemetry = flags.otel === true ? await openTelemetry(host) : undefined
  const warnings: CacheWarning[] = []
  const progress: Progress = { calls: false }
  try {
    mustKeepOutputs(flags)
    const beginning = await beginningOf(path, flags, host)
    simulated = beginning.simulated
    const { plan, mode, input } = beginning
    cache = await openRunCache({ ...flags, simulated }, beginning.begin, host, (warning) => warnings.push(warning))
    place = await RunPlace.take(flags, await taskOf(input?.source))
    if (cache !== undefined && flags.quiet !== true) host.stderr.write(`${cache.words}\n`)
    renderer.begin({ plan, mode, simulated, folder: place?.usual === true ? place.folder : undefined })
    const parts = { renderer, place, cache: cache?.options, warnings, progress, telemetry }
    const { result, messages, finals, targets } = await execute(beginning, flags, host, parts)
    renderer.end()
    if (place !== undefined) {
      const about = { startedAt: result.run?.startedAt ?? startedAt, plan, messages }
      const expected = await expectedFor(beginning, flags, result, { env: host.env, startedAt: about.startedAt })
      await keep(place.outputs, result, { ...about, expected, targetsFrom: await targetsFrom(flags.config) })
    }
    // The run lets go of its folder first: the caller that applies takes it.
    if (flags.apply) await place?.close()
    const applied = flags.apply ? await targets?.apply(result.outcome, host.env) : undefined
    if (applied && flags.json) tellApplied(applied, flags, host)
    await tellResult(result, { flags, host, renderer, place, finals, path })
    if (applied && !flags.json) tellApplied(applied, flags, host)
    if (flags.apply && !applied) host.stderr.write('nothing was applied: a step failed, or none has a target\n')
    if (flags.open && place !== undefined) await openFile(join(place.folder, 'report.html'), host)
    const refused = applied?.changes.some(({ outcome }) => outcome === 'refused') === true
    return refused ? exitCodes.failed : exitCodeOfOutcome(result)
  } catch (error) {
    renderer.end()
    if (renderer instanceof JsonRenderer) renderer.line(failureRecord(error))
    if (progress.calls) tellKept(error, { flags, host, place, path }, simulated)
    throw error
  } finally {
    await place?.close()
    await cache?.close()
    await telemetry?.flush()
  }
}

interface Progress {
  /** Something was called or answered: there is something to keep. */
  calls: boolean
}

interface Told {
  readonly flags: RunFlags
  readonly host: Host
  readonly place: RunPlace | undefined
  /** The plan as it was named. */
  readonly path: string | undefined
}

/** What of a run that ended in an error is kept, and how to resume it. */
function tellKept(error: unknown, { flags, host, place, path }: Told, simulated: string | undefined): void {
  if (place === undefined) return
  const { outputs, folder } = place
  const { written } = outputs
  const kept = `${plural(written, 'output')}${simulatedLabel(simulated)} ${written === 1 ? 'is' : 'are'} kept`
  if (written > 0) host.stderr.write(`${kept} in ${oneLine(outputs.steps)}\n`)
  if (!place.hasJournal) return
  const broken = error instanceof AetherflowError && /^(json|plan)\./.test(error.code)
  const plan = broken && path === '-' ? 'PLAN' : path
  const command = goOnCommand(broken ? '--reuse' : '--resume', { plan, folder, whole: true }, flags, host)
  host.stderr.write(`  ${broken ? 'once the plan is corrected' : 'to go on'}: ${command}\n`)
}

/** Reads the plan, and what is in the folder of a run that is to go on. Fails: host.usage. */
async function beginningOf(path: string | undefined, flags: RunFlags, host: Host): Promise<Beginning> {
  const { resume, reuse } = flags
  const output = flags.output === false ? undefined : flags.output
  const continuesRun = resume === true || reuse === true
  if (continuesRun && output === undefined) throw usage('--resume', 'name the folder of the run with --output')
  if (continuesRun && !flags.journal) throw usage('--no-journal', 'a run without a journal cannot be resumed')
  if (path === undefined && !continuesRun) throw usage('', 'name a plan, or a run with --output DIR --resume')
  const input = path === undefined ? undefined : await planInput(path, host)
  const { sync, takeOver, files = input?.folder } = flags
  const store = continuesRun && output !== undefined ? new FileRunStore(output, { sync, takeOver, files }) : undefined
  const known = await store?.peek()
  if (path === undefined && known === undefined)
    throw new AetherflowError('host.journal', output ?? '', 'there is no run in this folder: name its plan')
  const header = known?.journal.header
  const name = path === undefined ? (header?.plan ?? 'the plan of the run') : planName(path)
  return {
    plan: name,
    mode: flags.mode ?? (known?.begin as { mode?: string } | undefined)?.mode ?? 'build',
    simulated: simulatedName(flags) ?? header?.simulated,
    input,
    begin: known?.begin,
    store,
  }
}

const usage = (where: string, detail: string): AetherflowError => new AetherflowError('host.usage', where, detail)

interface Parts {
  readonly renderer: Renderer
  readonly place: RunPlace | undefined
  readonly cache: RunCache['options'] | undefined
  /** Of the cache; told with the next event. */
  readonly warnings: CacheWarning[]
  readonly progress: Progress
  readonly telemetry: OpenTelemetry | undefined
}

interface Executed {
  readonly result: RunResult
  /** What providers said of failed steps. */
  readonly messages: Map<string, string>
  /** Steps that no other needs, in the order of the plan. */
  readonly finals: readonly string[]
  readonly targets: RunTargets | undefined
}

async function execute(
  { input, plan, store, simulated }: Beginning,
  flags: RunFlags,
  host: Host,
  { renderer, place, cache, warnings, progress, telemetry }: Parts,
): Promise<Executed> {
  const outputs = place?.outputs
  const messages = new Map<string, string>()
  const steps: StepInfo[] = []
  const warningLines: string[] = []
  const targets = outputs && new RunTargets(outputs, flags.files ?? input?.folder)
  const entry = RunEntry.of(host.env, simulated, store !== undefined)
  const onEvent = (event: RunEvent): void => {
    for (const warning of warnings.splice(0)) onEvent({ type: 'warning', at: event.at, ...warning })
    if (event.type === 'steps') {
      steps.push(...event.steps)
      targets?.adopt(event.steps)
    }
    progress.calls ||= event.type === 'call' || event.type === 'hit'
    if (event.type === 'failed') messages.set(event.step, event.message)
    if (event.type === 'warning' && /^(host|cache)\./.test(event.code)) {
      warningLines.push(`warning ${event.code} at ${oneLine(event.where)}: ${oneLine(event.detail)}\n`)
    }
    entry?.event(event)
    renderer.event(event)
  }
  const { resume, reuse, takeOver, sync, files, allowFile, journal } = flags
  const prompts = flags.keepPrompts && outputs !== undefined ? new PromptFolder(outputs.folder) : undefined
  const folder = files ?? input?.folder
  const owned =
    place && (store ?? new FileRunStore(place.folder, { sync, takeOver, files: folder })).lentBy(place.owner)
  const options: RunPlanOptions = {
    ...planOptions(flags),
    ...{ journal: journal ? owned : undefined, resume, reuse, planName: plan, ...cache },
    optimize: flags.optimize,
    folder,
    allowFiles: allowFile,
    documents: documentsOf(flags),
    signal: host.signal,
    onEvent,
    telemetry,
    rejected: outputs && ((step, text, why) => outputs.reject(step, text, why)),
    deliver: targets && ((step, text, again) => targets.deliver(step, text, again)),
    checks: flags.allowChecks ? { allow: true } : {},
    onPrompt: prompts && ((prompt) => prompts.keep(prompt)),
  }
  const warn = (words: string): void =>
    void warningLines.push(`warning ${oneLine(words)}
`)
  const result = await withDrafts(host.env, simulated, warn, (draftPairs) =>
    withShared({ flags, warnings, warn, entry }, (more) => runPlan(input?.source, { ...options, draftPairs, ...more })),
  )
  // Copies for people: a disk that is full of them takes nothing from the run.
  await prompts?.settled().catch((error: unknown) => warn(`--keep-prompts: ${String(error)}`))
  if (renderer instanceof TtyRenderer || renderer instanceof QuietRenderer) {
    renderer.end()
    for (const line of warningLines) host.stderr.write(line)
  }
  return { result, messages, finals: finalSteps(steps), targets }
}

function finalSteps(steps: readonly StepInfo[]): string[] {
  const needed = new Set(steps.flatMap(({ dependencies }) => dependencies))
  return steps.filter(({ step }) => !needed.has(step)).map(({ id }) => id)
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
  readonly expected: Expected | undefined
  readonly targetsFrom: string | undefined
}

/** Explaining a plan takes the core a second for so many steps. */
const mostExplained = 20_000

/** What `explain` says of the plan, for the report to compare with; undefined for a plan that is not at hand whole. */
async function expectedFor(
  { input }: Beginning,
  flags: RunFlags,
  { report }: RunResult,
  { env, startedAt }: { readonly env: Host['env']; readonly startedAt: string },
): Promise<Expected | undefined> {
  const plan = input?.source
  if (!(plan instanceof Uint8Array) || report.counts.total > mostExplained) return undefined
  // The run is over and its results count: an explanation that fails takes nothing from them.
  const folder = flags.files ?? input?.folder
  const options = { ...planOptions(flags), folder, allowFiles: flags.allowFile, documents: documentsOf(flags) }
  return explainMeasured(plan, options, env, new Date(startedAt)).then(expectedOf, () => undefined)
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
  const { plan, expected, targetsFrom } = about
  const messages = new Map([...about.messages].map(([id, message]) => [id, withFlags(message)]))
  const told = { simulated, plan, warnings, messages, expected, targetsFrom, remedies, outputs: record.outputs }
  await outputs.finish(record, await reportFiles(report, told))
}

interface Ended extends Told {
  readonly renderer: Renderer
  readonly finals: readonly string[]
}

async function tellResult(result: RunResult, about: Ended): Promise<void> {
  const { outcome, report, simulated, warnings } = result
  const { flags, host, renderer, place } = about
  if (renderer instanceof JsonRenderer) {
    // By id: where the output lies, or without a folder the output itself.
    const outputs = byId(place === undefined ? result.outputs : place.outputs.files(result.outputs.keys()))
    const folder = place === undefined ? {} : { folder: place.folder }
    return renderer.line({ type: 'result', outcome, ...folder, outputs, warnings, report })
  }
  const colours = paint(host.stdout, host.env)
  const extras = { simulated, folder: place?.folder }
  const told = flags.quiet ? [summaryLine(report, extras, colours)] : summaryLines(report, extras, colours)
  const { isTTY, columns = 80 } = host.stdout
  // Below that, commands: they stay in one piece for anyone who copies them.
  const lines = isTTY === true ? told.flatMap((line) => wrapped(line, columns)) : told
  if (flags.quiet === true && place?.usual === true) lines[0] = `${lines[0]}, outputs in ${oneLine(place.folder)}`
  if (outcome === 'cancelled' && result.run !== undefined) lines.push(`  to go on: ${await resumeCommand(about)}`)
  // What is to be read or piped is the answer; what is said about it goes where screens show it too.
  if (place === undefined && flags.quiet === true) host.stderr.write(`${lines.join('\n')}\n`)
  else host.stdout.write(`${lines.join('\n')}\n`)
  if (place === undefined) printFinals(result, about)
}

async function resumeCommand({ flags, host, place, path }: Ended): Promise<string> {
  const folder = place?.folder ?? ''
  const known = await new FileRunStore(folder).peek().catch(() => undefined)
  const whole = known?.journal.records.some(({ e }) => e === 'planEnd') === true
  return goOnCommand('--resume', { plan: path, folder, whole }, flags, host)
}

/** With `--no-output`: the outputs that no other step takes up. Several are told apart by a line each. */
function printFinals({ outputs }: RunResult, { host, finals }: Ended): void {
  const there = finals.filter((id) => outputs.has(id))
  for (const id of there) {
    const text = outputs.get(id) ?? ''
    const shown = host.stdout.isTTY === true ? visibleText(text) : text
    const head = there.length > 1 ? `\n── ${oneLine(id)}\n` : ''
    host.stdout.write(`${head}${shown}${shown.endsWith('\n') ? '' : '\n'}`)
  }
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
