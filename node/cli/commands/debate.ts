/** `aetherflow debate "TOPIC"`: several answers to one question. On a terminal speakers are heard as they speak; the transcript is Markdown. */
import { writeFile } from 'node:fs/promises'
import type { RangeCase, RunEvent } from '../../../bindings/events.js'
import { formatDuration, formatUsd, oneLine, simulatedLabel, visibleText } from '../../../web/standard/format.js'
import {
  costLines,
  patternOf,
  patternRun,
  Speaking,
  transcriptMarkdown,
  type PatternKind,
  type PatternPlan,
  type PatternResult,
} from '../../../web/standard/patterns/index.js'
import { errorCode } from '../../error-code.js'
import { AetherflowError, explainPlan, runPlan, type RunResult } from '../../index.js'
import { RunEntry } from '../../ledger/ledger.js'
import { exitCodes, type ExitCode, type Host } from '../host.js'
import { readJson } from '../json-file.js'
import { QuietRenderer } from '../render/plain.js'
import { exitCodeOfOutcome, planOptions, simulatedName, type SharedFlags } from './run.js'

export interface DebateFlags extends SharedFlags {
  readonly pattern?: PatternKind
  readonly roles?: readonly string[]
  readonly models?: readonly string[]
  readonly judge?: string
  readonly rounds?: number
  readonly samples?: number
  readonly answerTokens?: number
  readonly schema?: string
  readonly transcript?: string
  readonly journal?: string
  readonly resume?: true
  readonly plan?: true
  readonly explain?: true
  readonly json?: true
}

export async function debate(topic: string, flags: DebateFlags, host: Host): Promise<ExitCode> {
  const plan = await planOf(topic, flags, host)
  if (flags.plan === true) {
    host.stdout.write(`${JSON.stringify(plan, null, 2)}\n`)
    return exitCodes.ok
  }
  if (flags.explain === true) return explained(plan, flags, host)
  const result = await ran(plan, flags, host)
  const simulated = simulatedName(flags)
  if (flags.transcript !== undefined) await written(flags.transcript, transcriptMarkdown(result, simulated))
  tell(result, flags, host)
  const { outcome } = result.run
  return outcome === 'ok' && result.answer === undefined ? exitCodes.failed : exitCodeOfOutcome(result.run)
}

async function planOf(topic: string, flags: DebateFlags, host: Host): Promise<PatternPlan> {
  const { pattern = 'debate', roles, models, judge, rounds, samples, answerTokens } = flags
  const output =
    flags.schema === undefined ? undefined : ((await readJson(flags.schema, host)) as Record<string, unknown>)
  const named = roles?.map((role) => {
    const [name = '', ...stance] = role.split(':')
    return { name: name.trim(), ...(stance.length === 0 ? {} : { stance: stance.join(':').trim() }) }
  })
  const settings = { topic, models, judge, rounds, samples, answerTokens, output }
  return patternOf(pattern, { ...settings, ...(named === undefined ? {} : { roles: named }) })
}

async function ran(plan: PatternPlan, flags: DebateFlags, host: Host): Promise<PatternResult & { run: RunResult }> {
  const failures = new QuietRenderer(host.stderr)
  const entry = RunEntry.of(host.env, simulatedName(flags), flags.resume === true)
  const heard = host.stdout.isTTY === true && flags.json !== true ? speaking(plan, host) : undefined
  const onEvent = (event: RunEvent): void => {
    entry?.event(event)
    heard?.event(event)
    // Of a turn that failed the transcript tells: the pattern goes on.
    if (event.type === 'warning') failures.event(event)
  }
  const { journal, resume } = flags
  const options = { ...planOptions(flags), journal, resume, signal: host.signal, onEvent }
  const start = (onText: (step: string, piece: string) => void): PromiseLike<RunResult> => {
    const running = runPlan(plan, { ...options, onText })
    return entry?.during(running, () => undefined) ?? running
  }
  return patternRun(plan, start, { onText: (step, piece) => heard?.text(step, piece) })
}

/** A terminal must not obey what a model writes. */
function speaking(plan: PatternPlan, { stdout }: Host): Speaking {
  return new Speaking(plan.metadata.pattern.turns, {
    begin: ({ speaker, round }) => void stdout.write(`\n── ${oneLine(speaker)}, round ${round}\n`),
    piece: (text) => void stdout.write(visibleText(text)),
    anew: () => void stdout.write('\n(starts over)\n'),
    end: (_turn, silent) => void stdout.write(silent === undefined ? '\n' : `(no answer: ${silent})\n`),
  })
}

function tell(result: PatternResult, flags: DebateFlags, host: Host): void {
  const { stdout, stderr } = host
  const simulated = simulatedName(flags)
  if (flags.json === true) {
    const { run, ...rest } = result as PatternResult & { run: RunResult }
    stdout.write(
      `${JSON.stringify({ ...rest, outcome: run.outcome, ...(simulated === undefined ? {} : { simulated }) })}\n`,
    )
    return
  }
  if (stdout.isTTY !== true) return void stdout.write(transcriptMarkdown(result, simulated))
  stdout.write(`\n── ${result.kind === 'debate' ? 'verdict' : 'answer'}\n${visibleText(result.answer ?? '(none)')}\n`)
  stderr.write(`${oneLine(result.why)}\n${costLines(result, simulated).join('\n')}\n`)
}

/** What the pattern takes: when the answers settle it as early as can be, as expected, and with every step. */
async function explained(plan: PatternPlan, flags: DebateFlags, { stdout }: Host): Promise<ExitCode> {
  const { range, costMicroUsd } = await explainPlan(plan, planOptions(flags))
  const label = simulatedLabel(simulatedName(flags))
  const line = (words: string, of: RangeCase | undefined): readonly string[] =>
    of === undefined
      ? []
      : [`${words}: ${of.calls} calls, ${formatDuration(of.makespanMs)}, ${formatUsd(of.costMicroUsd)}${label}`]
  const settles = range?.least.calls !== range?.most.calls
  const lines = [
    ...(settles ? [...line('settled at once', range?.least), ...line('expected', range?.expected)] : []),
    ...line('all steps', range?.most),
    `cost of all steps: ${formatUsd(costMicroUsd.low)} to ${formatUsd(costMicroUsd.high)}${label}`,
  ]
  stdout.write(`${lines.join('\n')}\n`)
  return exitCodes.ok
}

async function written(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text)
  } catch (error) {
    throw new AetherflowError('host.io_failed', file, `the transcript cannot be written: ${errorCode(error)}`)
  }
}
