/** `aetherflow replay DIR`: a run once more from its journal, without any call; at any of its records, what it looked like. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CoreRun } from '../../../bindings/core.js'
import { readJournal, type Journal } from '../../../bindings/journal/reader.js'
import {
  formatCount,
  formatDuration,
  formatCost,
  oneLine,
  plural,
  simulatedLabel,
} from '../../../web/standard/format.js'
import { replayJournal, type Replayed, type StepAt } from '../../../web/standard/run/replay.js'
import { errorCode } from '../../error-code.js'
import { AetherflowError } from '../../index.js'
import { loadCore } from '../../loader.js'
import { journalName } from '../../run/file-run-store.js'
import { paint, type Paint } from '../colour.js'
import { failureRecord } from '../failure.js'
import { exitCodes, type ExitCode, type Host } from '../host.js'
import { asciiControls } from '../render/json.js'
import { alignedTable } from '../table.js'

export interface ReplayFlags {
  readonly until?: number
  readonly json?: true
}

/** Steps listed on a screen; `--json` has all. */
const mostRows = 200

export async function replay(path: string, flags: ReplayFlags, host: Host): Promise<ExitCode> {
  const { stdout } = host
  try {
    const replayed = await readAndReplay(path, flags.until)
    if (flags.json) stdout.write(`${asciiControls(JSON.stringify(replayed))}\n`)
    else stdout.write(`${lines(replayed, flags, paint(stdout, host.env), stdout.columns ?? 100).join('\n')}\n`)
    return exitCodes.ok
  } catch (error) {
    if (flags.json) stdout.write(`${asciiControls(JSON.stringify(failureRecord(error)))}\n`)
    throw error
  }
}

/** `path`: the folder of a run, or a journal. */
async function readAndReplay(path: string, until: number | undefined): Promise<Replayed> {
  const journal = await journalOf(path)
  const most = journal.records.length
  if (until !== undefined && until > most) {
    throw new AetherflowError('host.usage', '--until', `the journal has ${plural(most, 'record')}`)
  }
  const core = new CoreRun(await loadCore())
  try {
    return replayJournal(core, journal, until)
  } finally {
    core.dispose()
  }
}

async function journalOf(path: string): Promise<Journal> {
  const file = path.endsWith('.jsonl') ? path : join(path, journalName)
  let bytes: Uint8Array
  try {
    bytes = await readFile(file)
  } catch (error) {
    const code = errorCode(error)
    throw new AetherflowError('host.usage', path, code === 'ENOENT' ? 'there is no journal' : code)
  }
  return readJournal(bytes, file)
}

function lines(replayed: Replayed, flags: ReplayFlags, colours: Paint, width: number): string[] {
  const { run, records, replayed: count, commands, outcome, dropped, state } = replayed
  const about = [`run ${oneLine(run.run)}`, run.plan === undefined ? '' : ` of ${oneLine(run.plan)}`]
  const result = [
    `${colours.bold(about.join(''))}, begun ${oneLine(run.startedAt)}${simulatedLabel(run.simulated)}`,
    `${colours.green('✓')} ${formatCount(count)} of ${plural(records, 'record')} replayed, ` +
      `${plural(commands, 'command')} equal to those of then`,
    outcome === null ? '  the journal does not reach the end of the run' : `  the run came to ${outcome}`,
  ]
  if (dropped !== null) {
    const words = `${dropped.why} at line ${dropped.line}, ${plural(dropped.bytes, 'byte')} left out`
    result.push(`${colours.yellow('warning')} host.journal_damaged: ${words}`)
  }
  if (flags.until === undefined) return result
  const wake = state.nextWake === null ? '' : `, wakes at ${formatDuration(state.nextWake)}`
  const place = `record ${formatCount(state.record)}: ${oneLine(state.words)} at ${formatDuration(state.at)}`
  result.push('', `${colours.bold(place)}, ${formatCost(state)} so far${wake}`)
  result.push(...stepLines(state.steps, state.at, colours, width))
  result.push(`then: ${state.next.length === 0 ? 'nothing' : state.next.map(oneLine).join(', ')}`)
  return result
}

function stepLines(steps: readonly StepAt[], at: number, colours: Paint, width: number): string[] {
  if (steps.length === 0) return []
  const rows = steps.slice(0, mostRows).map(({ id, state, calls, waits, ...cost }) => {
    const under = calls.map(({ purpose, provider, model, since }) => {
      return `${purpose} by ${provider} ${model} for ${formatDuration(at - since)}`
    })
    return [id, state, formatCost(cost), waits?.words ?? under.join(', ')].map((cell) => oneLine(cell))
  })
  const [heads = '', ...body] = alignedTable(['step', 'state', 'cost', 'calls and waits'], rows, width)
  const rest = steps.length - rows.length
  return [colours.dim(heads), ...body, ...(rest > 0 ? [`… and ${formatCount(rest)} more (--json has all)`] : [])]
}
