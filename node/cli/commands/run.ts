/** `aetherflow run PLAN|-`: runs a plan, shows it, keeps its outputs. */
import type { RunEvent } from '../../../bindings/events.js'
import { simulatedLabel } from '../../../web/standard/format.js'
import { reportMarkdown } from '../../../web/standard/report-markdown.js'
import { runPlan, simulatedProfile, type RunResult } from '../../index.js'
import { OutputFolder, planName } from '../../outputs.js'
import { paint } from '../colour.js'
import { failureRecord } from '../failure.js'
import { exitCodes, type ExitCode, type Host } from '../host.js'
import { planInput, type PlanInput } from '../plan-input.js'
import { JsonRenderer } from '../render/json.js'
import { PlainRenderer, QuietRenderer } from '../render/plain.js'
import type { Renderer } from '../render/renderer.js'
import { TtyRenderer } from '../render/tty.js'
import { summaryLine, summaryLines } from '../summary.js'
import { packageVersion } from '../version.js'

/** Options as commander hands them over; shared by run, explain and generate. */
export interface SharedFlags {
  readonly mode?: string
  readonly simulate?: string | true
  readonly config?: string
  readonly concurrency?: Readonly<Record<string, number>>
  readonly seed?: number
}
export interface RunFlags extends SharedFlags {
  readonly output?: string
  readonly json?: true
  readonly quiet?: true
  readonly optimize?: true
}

/** The flags as options of the library. Fails: host.usage for an unknown profile, before anything is read. */
export function planOptions(flags: SharedFlags) {
  const { mode, simulate, config, concurrency, seed } = flags
  if (simulate !== undefined) simulatedProfile(simulate)
  return { mode, simulate, configFile: config, concurrency, seed }
}

/** Name of the simulated profile. */
export function simulatedName({ simulate }: SharedFlags): string | undefined {
  return simulate === undefined ? undefined : simulatedProfile(simulate).name
}

export async function run(path: string, flags: RunFlags, host: Host): Promise<ExitCode> {
  const renderer = rendererOf(flags, host)
  const simulated = simulatedName(flags)
  const outputs = flags.output === undefined ? undefined : new OutputFolder(flags.output)
  const startedAt = new Date().toISOString()
  try {
    const input = await planInput(path, host)
    await outputs?.prepare()
    renderer.begin({ plan: planName(path), mode: flags.mode ?? 'build', simulated })
    const { result, messages } = await execute(input, flags, host, renderer, outputs)
    renderer.end()
    if (outputs !== undefined) await keep(outputs, result, { startedAt, plan: planName(path), messages })
    tellResult(result, flags, host, renderer)
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
  }
}

async function execute(
  input: PlanInput,
  flags: RunFlags,
  host: Host,
  renderer: Renderer,
  outputs: OutputFolder | undefined,
): Promise<{ result: RunResult; messages: Map<string, string> }> {
  const messages = new Map<string, string>()
  const onEvent = (event: RunEvent): void => {
    if (event.type === 'steps') outputs?.adopt(event.steps)
    if (event.type === 'failed') messages.set(event.step, event.message)
    renderer.event(event)
  }
  const result = await runPlan(input.source, {
    ...planOptions(flags),
    optimize: flags.optimize,
    folder: input.folder,
    signal: host.signal,
    onEvent,
    deliver: outputs && ((step, text) => outputs.write(step, text)),
  })
  return { result, messages }
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

function tellResult(result: RunResult, flags: RunFlags, host: Host, renderer: Renderer): void {
  const { outcome, report, simulated, warnings } = result
  if (renderer instanceof JsonRenderer) {
    return renderer.line({ type: 'result', outcome, warnings, report })
  }
  const colours = paint(host.stdout, host.env)
  const extras = { simulated, folder: flags.output }
  const lines = flags.quiet ? [summaryLine(report, extras, colours)] : summaryLines(report, extras, colours)
  host.stdout.write(`${lines.join('\n')}\n`)
}

export function exitCodeOfOutcome({ outcome }: RunResult): ExitCode {
  if (outcome === 'cancelled') return exitCodes.interrupted
  return outcome === 'ok' ? exitCodes.ok : exitCodes.failed
}
