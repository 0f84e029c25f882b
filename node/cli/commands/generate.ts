/** `aetherflow generate "PROMPT"`: a plan of one step; its answer streams to stdout, everything else goes to stderr. */
import { oneLine, visibleText } from '../../../web/standard/format.js'
import { runPlan, type RunResult } from '../../index.js'
import { paint } from '../colour.js'
import { type ExitCode, type Host } from '../host.js'
import { QuietRenderer } from '../render/plain.js'
import { summaryLine } from '../summary.js'
import { exitCodeOfOutcome, planOptions, simulatedName, type SharedFlags } from './run.js'
import { RunEntry } from '../../ledger/ledger.js'

export interface GenerateFlags extends SharedFlags {
  readonly type?: string
}

/** Modes whose first answer is the last one. Others may replace it after an audit, so they show it when it is final. */
const streaming = new Set(['build', 'fast'])

export async function generate(prompt: string, flags: GenerateFlags, host: Host): Promise<ExitCode> {
  const { stdout, stderr, signal } = host
  // A terminal must not obey what a model writes; a pipe or a file gets the bytes as they are.
  const clean = stdout.isTTY === true ? visibleText : (text: string): string => text
  const streams = streaming.has(flags.mode ?? 'build')
  let shown = ''
  const onText = (_step: string, piece: string): void => {
    shown += piece
    stdout.write(clean(piece))
  }
  const failures = new QuietRenderer(stderr)
  const entry = RunEntry.of(host.env, simulatedName(flags))
  const plan = { task_id: 'generate', description: '', steps: [step(prompt, flags.type)] }
  const running = runPlan(plan, {
    ...planOptions(flags),
    signal,
    onEvent: (event) => {
      entry?.event(event)
      failures.event(event)
      if (event.type === 'warning' && flags.type !== undefined)
        stderr.write(`warning ${event.code}: ${oneLine(event.detail)}\n`)
    },
    ...(streams ? { onText } : {}),
  })
  const result = await (entry?.during(running, () => undefined) ?? running)
  const answer = result.outputs.get('answer')
  // A repaired or unwrapped answer differs from what was streamed: the final one is what counts.
  if (answer !== undefined && answer !== shown) stdout.write(`${separator(shown)}${clean(answer)}`)
  // A text that ends its last line: shells and `>>` count on it.
  const told = answer ?? shown
  if (told !== '' && !told.endsWith('\n')) stdout.write('\n')
  tell(result, host)
  return exitCodeOfOutcome(result)
}

/** Without a type the step gets the default rule and no role: `prompt` is deliberately not a known type. */
function step(prompt: string, type = 'prompt'): Record<string, unknown> {
  return { id: 'answer', type, description: prompt, dependencies: [] }
}

function separator(shown: string): string {
  return shown === '' ? '' : '\n\n'
}

function tell(result: RunResult, host: Host): void {
  const extras = { simulated: result.simulated, folder: undefined }
  host.stderr.write(`${summaryLine(result.report, extras, paint(host.stderr, host.env))}\n`)
}
