/** Replays the journal of a run, off the page's thread: any moment of it, and the prompts of its calls. */
import { CoreRun } from '../../bindings/core.js'
import { createCore } from '../../bindings/glue.js'
import { readJournal, type Journal } from '../../bindings/journal/reader.js'
import type { CoreModule } from '../../bindings/module.js'
import { Replayer } from '../../bindings/journal/replay.js'
import { replayJournal } from '../standard/run/replay.js'
import { replayEvents } from '../standard/run/replay-events.js'
import type { RunEvent } from '../../bindings/events.js'
import type { CallCommand } from '../../bindings/commands.js'
import { withChecks } from '../../bindings/check-report.js'
import { runReport } from '../../bindings/run-report.js'
import { writesAnswer } from '../../bindings/run-texts.js'
import type { Moment, PromptSeen, StepSeen, TravelQuestion } from './travel-words.js'

const scope = globalThis as unknown as {
  onmessage: (event: { readonly data: { readonly id: number; readonly question: TravelQuestion } }) => void
  postMessage(message: unknown): void
}

interface Opened {
  readonly journal: Journal
  /** The same, begun without stripping: stripping changes prompts alone, so it decides the same. */
  readonly unstripped: Journal
  /** Calls by step, with the record that told of their prompt, from 0; made when it is first needed. */
  calls: Map<number, SeenCall[]> | undefined
}
interface SeenCall {
  readonly command: CallCommand
  readonly record: number
}

let core: Promise<CoreModule> | undefined
let opened: Opened | undefined

scope.onmessage = ({ data: { id, question } }) => {
  void answer(question).then(
    (value) => scope.postMessage({ id, value }),
    (error: unknown) => scope.postMessage({ id, error: error instanceof Error ? error.message : String(error) }),
  )
}

async function answer(question: TravelQuestion): Promise<unknown> {
  core ??= createCore()
  const module = await core
  if (question.asks === 'open') return open(question.journal)
  if (opened === undefined) throw new Error('there is no journal yet')
  return question.asks === 'moment'
    ? moment(module, opened, question.record)
    : seen(module, opened, question.step, question.record, question.files)
}

function open(text: string): { records: number } {
  const journal = readJournal(new TextEncoder().encode(text))
  const records = journal.records.map((record) =>
    record.e === 'begin'
      ? { ...record, options: JSON.stringify({ ...JSON.parse(record.options), strip: false }) }
      : record,
  )
  opened = { journal, unstripped: { ...journal, records, after: (record) => journal.after(record) }, calls: undefined }
  return { records: records.length }
}

function withCore<T>(module: CoreModule, use: (run: CoreRun) => T): T {
  const run = new CoreRun(module)
  try {
    return use(run)
  } finally {
    run.dispose()
  }
}

function moment(module: CoreModule, { journal }: Opened, record: number): Moment {
  const events: RunEvent[] = []
  withCore(module, (run) => replayEvents(run, journal, record, (event) => events.push(event)))
  return { state: withCore(module, (run) => replayJournal(run, journal, record).state), events }
}

function seen(
  module: CoreModule,
  from: Opened,
  step: number,
  record: number,
  files: readonly (readonly [string, string])[],
): StepSeen {
  from.calls ??= withCore(module, (run) => callsOf(run, from.journal))
  const calls = (from.calls.get(step) ?? []).filter((call) => call.record < record)
  const prompts = calls.map(({ command, record: told }): PromptSeen => {
    const sent = withCore(module, (run) => promptAt(run, from.journal, told, command, files))
    const whole = withCore(module, (run) => promptAt(run, from.unstripped, told, command, files))
    const { purpose, attempt } = command
    const { provider, model, system, user, shared, stripped } = sent
    return {
      purpose,
      attempt,
      provider,
      model,
      sent: { system, user, shared },
      unstripped: { system: whole.system, user: whole.user },
      stripped,
    }
  })
  return withCore(module, (run) => {
    const { texts } = replayEvents(run, from.journal, record, () => undefined)
    const report = runReport(run, texts, { checks: withChecks }).steps[step]
    return { report, prompts, output: texts.outputs[step] }
  })
}

function callsOf(run: CoreRun, journal: Journal): Map<number, SeenCall[]> {
  const commands = new Map<number, CallCommand>()
  const calls = new Map<number, SeenCall[]>()
  const replayer = new Replayer(run, journal)
  for (let step = replayer.next(); step !== undefined; step = replayer.next()) {
    for (const command of step.commands) if (command.kind === 'call') commands.set(command.call, command)
    const { record } = step
    const command = record.e === 'prompted' ? commands.get(record.v[0] ?? -1) : undefined
    if (command === undefined) continue
    calls.set(command.step, [...(calls.get(command.step) ?? []), { command, record: step.number - 1 }])
  }
  return calls
}

/** The prompt of a call, assembled again from what its run knew right before it told of it. */
function promptAt(
  run: CoreRun,
  journal: Journal,
  record: number,
  command: CallCommand,
  given: readonly (readonly [string, string])[],
) {
  const { texts } = replayEvents(run, journal, record, () => undefined)
  const { step, purpose } = command
  const info = texts.steps[step]
  const known = new Map(given)
  const files = (info?.files ?? []).map((path) => [path, known.get(path) ?? ''] as const)
  const answer = writesAnswer({ purpose }) ? undefined : texts.answers.get(step)
  const issues = texts.issues.get(step)
  const prompt = run.prompt(command.call, {
    files,
    documents: texts.documents.get(step)?.text,
    dependencies: info === undefined ? [] : texts.inputsOf(info),
    ...(answer === undefined ? {} : { answer }),
    ...(issues === undefined ? {} : { issues }),
  })
  return { ...prompt, ...texts.targetOf(command) }
}
