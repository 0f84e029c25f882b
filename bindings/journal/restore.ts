/** The past of a run, from its journal: the machine, the texts, and the events that its watchers would have seen. */
import { callEndEvent, callEvent, ofCall } from '../call-events.js'
import { checkedEvent, checkedOf } from '../checks.js'
import type {
  CallCommand,
  CheckCommand,
  Command,
  ExpandCommand,
  LookCommand,
  RetrieveCommand,
  StoreCommand,
} from '../commands.js'
import type { CoreRun } from '../core.js'
import type { RunEvent } from '../events.js'
import { checkVerdicts, lookResults, verdicts } from '../generated/wire.js'
import type { Journal } from './reader.js'
import type { JournalRecord, SignalRecord } from './journal.js'
import { Replayer, type ReplayedRecord } from './replay.js'
import { retrievedEvent, signalledDocuments } from '../step-documents.js'
import { isProvisional, judges, writesAnswer, type RunTexts } from '../run-texts.js'

export interface RestoreHost {
  readonly core: CoreRun
  readonly texts: RunTexts
  emit(event: RunEvent): void
  /** The table is known. */
  begun(): void
  /** More of the plan was read at this time. */
  planned(at: number): void
  /** A command of the past, but for `call`, `cancel`, `check`, `retrieve`, `look` and `store`. */
  carryOut(command: Command, at: number): void
}

/** What the past has left open. */
export interface Restored {
  /** Time of the last record. */
  readonly at: number
  readonly records: number
  /** Commands that were compared with those of then. */
  readonly commands: number
  /** The step that the last record is about; −1: none. */
  readonly subject: number
  /** The plan came to its end. */
  readonly planEnded: boolean
  /** The last text of what a step spreads into was read, and not its end. */
  readonly reopened: boolean
  /** The run itself did: nothing is left to do. */
  readonly ended: boolean
  /** Calls without an end, in order; `cancelled`: the core had turned away from them. `begun`: text may have been shown. */
  readonly open: readonly OpenCall[]
  /** `retrieve`, `look`, `check` and `store` commands whose end is not known, in order. */
  readonly lookups: readonly Asked[]
  /** Calls that shared limits refused, the last one of each model: what would have told of room is gone with its process. */
  readonly refused: readonly CallCommand[]
  /** Calls whose verdict was lost: they have answered, and what they said of an answer did not come into the journal. */
  readonly unjudged: readonly CallCommand[]
}
/** Of a step there is one at a time: what is stored was looked for before, and is checked by then. */
type Asked = LookCommand | StoreCommand | RetrieveCommand | CheckCommand | ExpandCommand
export interface OpenCall {
  readonly command: CallCommand
  /** When it was handed out, ms of the run. */
  readonly since: number
  cancelled: boolean
  begun: boolean
}

/** Replays the first `records` records of `journal` through a fresh core. Throws what Replayer throws. */
export function restore(journal: Journal, records: number, host: RestoreHost): Restored {
  const replayer = new Replayer(host.core, journal, records)
  const calls = new Map<number, OpenCall>()
  const lookups = new Map<number, Asked>()
  const unjudged = new Map<number, CallCommand>()
  const refused = new Map<number, CallCommand>()
  let at = 0
  let commands = 0
  let subject = -1
  let planEnded = false
  let reopened = false
  let ended = false
  for (let step = replayer.next(); step !== undefined; step = replayer.next()) {
    commands += step.commands.length
    for (const command of step.commands) {
      if (isAsked(command)) lookups.set(command.step, command)
      else restoreCommand(command, at, calls, host)
    }
    at = step.record.t
    subject = subjectOf(step.record, calls)
    switch (step.record.e) {
      case 'begin':
        host.begun()
        break
      case 'planBytes':
      case 'planEnd':
        reopened = planEnded && step.record.e === 'planBytes'
        planEnded ||= step.record.e === 'planEnd'
        host.planned(at)
        break
      case 'end':
        ended = true
        break
      default:
        if (endsLookup.has(step.record.e)) lookups.delete(step.record.v[0] ?? -1)
        noteRefusal(step.record, calls, refused)
        if (!step.taken) break
        verdictAwaited(step.record, calls, unjudged)
        if (!textless.has(step.record.e)) restoreSignal(step.record, step, calls, host)
    }
  }
  const open = [...calls.values()]
  const past = { at, records: Math.min(records, journal.records.length), commands, subject, planEnded, reopened, ended }
  return {
    ...past,
    open,
    unjudged: [...unjudged.values()],
    lookups: [...lookups.values()],
    refused: [...refused.values()],
  }
}

function noteRefusal(
  { e: kind, v }: SignalRecord,
  calls: ReadonlyMap<number, OpenCall>,
  refused: Map<number, CallCommand>,
) {
  const [first = -1, model = -1] = v
  const command = calls.get(first)?.command
  if (kind === 'refused' && command !== undefined) refused.set(command.model, command)
  if (kind === 'freed') refused.delete(model)
}

function verdictAwaited(
  { e: kind, v: [call = -1] }: SignalRecord,
  calls: ReadonlyMap<number, OpenCall>,
  unjudged: Map<number, CallCommand>,
): void {
  const command = calls.get(call)?.command
  if (kind === 'succeeded' && command !== undefined && judges(command)) unjudged.set(call, command)
  if (kind === 'verdict') unjudged.delete(call)
}

function restoreCommand(command: Command, at: number, calls: Map<number, OpenCall>, host: RestoreHost): void {
  const { texts } = host
  if (command.kind === 'cancel') {
    const open = calls.get(command.call)
    if (open !== undefined) open.cancelled = true
  } else if (command.kind === 'call') {
    texts.called(command)
    calls.set(command.call, { command, since: at, cancelled: false, begun: false })
    host.emit(callEvent(host.core, texts, command, at))
  } else {
    host.carryOut(command, at)
  }
}

const asks: ReadonlySet<string> = new Set(['look', 'store', 'retrieve', 'check', 'expand'])
function isAsked(command: Command): command is Asked {
  return asks.has(command.kind)
}
const endsLookup: ReadonlySet<string> = new Set(['looked', 'stored', 'retrieved', 'checked', 'expanded', 'recalled'])
const ofSteps: ReadonlySet<string> = new Set([
  ...['cancelStep', 'recalled', 'looked', 'stored', 'weighed', 'drafting', 'retrieved', 'checked', 'expanded'],
])
/** Signals that leave no text and no event. */
const textless: ReadonlySet<string> = new Set(['weighed', 'drafting'])
/** Signals whose first number is neither a step nor a call. */
const ofRun: ReadonlySet<string> = new Set(['clock', 'freed'])

/** The step of a signal about a call in flight, or about the step itself. */
function subjectOf(record: JournalRecord, calls: ReadonlyMap<number, OpenCall>): number {
  if (!('v' in record)) return -1
  const [first = -1] = record.v
  if (ofSteps.has(record.e)) return first
  if (ofRun.has(record.e)) return -1
  return calls.get(first)?.command.step ?? -1
}

function restoreLook(record: SignalRecord, at: number, host: RestoreHost): void {
  const { texts } = host
  const [step = -1, result = -1, key = -1] = record.v
  const id = texts.steps[step]?.id
  // As lookups.ts tells it: only a preferred target that was asked has a key.
  if (lookResults[result] === 'none' && key >= 0 && id !== undefined) host.emit({ type: 'miss', at, step: id })
  texts.looked(record.v, record)
}

function restoreDocuments(record: SignalRecord, host: RestoreHost): void {
  const { texts } = host
  const [step = -1] = record.v
  const found = signalledDocuments(record.v, record, (other) => texts.documents.get(other)?.text)
  texts.retrieved(step, found)
  host.emit(retrievedEvent(texts.steps[step]?.id ?? '', found, record.t))
}

function restoreCheck(record: SignalRecord, { texts, emit }: RestoreHost): void {
  const { found, issues } = checkedOf(record, record.v)
  const event = checkedEvent(texts, record.v[0] ?? -1, found, issues, record.t)
  if (event !== undefined) emit(event)
}

/** A signal that the core took, once more. Verdicts are told of calls that have ended; all others of calls in flight. */
function restoreSignal(
  record: SignalRecord,
  told: ReplayedRecord,
  calls: Map<number, OpenCall>,
  host: RestoreHost,
): void {
  const { texts } = host
  const { e: kind, t: at, v: values } = record
  const [call = -1, first = 0, second = 0] = values
  if (kind === 'recalled') return texts.recalled(call, record)
  if (kind === 'expanded') return void texts.expanded.add(call)
  if (kind === 'looked') return restoreLook(record, at, host)
  if (kind === 'retrieved') return restoreDocuments(record, host)
  if (kind === 'checked') return restoreCheck(record, host)
  if (kind === 'verdict') {
    const index = texts.steps.findIndex((_, step) => texts.audits.get(step) === call)
    if (index >= 0) texts.judged(index, verdicts[first] ?? 'unclear', record.x ?? '')
    return
  }
  const open = calls.get(call)
  if (open === undefined || ofSteps.has(kind) || ofRun.has(kind)) return
  const { command } = open
  const about = ofCall(texts, command, at)
  switch (kind) {
    case 'prompted':
      host.emit({ type: 'prompt', ...about, tokensBefore: first + second, tokensAfter: first })
      if (!told.withheld) break
      calls.delete(call)
      host.emit(callEndEvent(host.core, texts, command, at))
      break
    case 'firstToken':
      open.begun = writesAnswer(command) && texts.leads(command)
      host.emit({ type: 'firstToken', ...about })
      if (isProvisional(command)) host.emit({ type: 'provisional', at, step: about.step, call })
      break
    case 'progress':
      if (writesAnswer(command)) host.emit({ type: 'progress', ...about, outputTokens: first })
      break
    case 'succeeded': {
      calls.delete(call)
      if (judges(command)) texts.audits.set(command.step, call)
      texts.succeeded(command, values, record)
      const [, input = 0, cached = 0, output = 0, reasoning = 0, , verdict = 0, , estimated = 0, written = 0] = values
      const check = checkVerdicts[verdict] ?? 'passed'
      const tokens = { input, cached, output, reasoning, ...(written > 0 ? { written } : {}) }
      host.emit({ type: 'answer', ...about, check, tokens, tokensEstimated: estimated === 1 })
      host.emit(callEndEvent(host.core, texts, command, at))
      break
    }
    case 'refused':
    case 'failed':
      calls.delete(call)
      if (kind === 'failed') texts.failed(command, values, record)
      host.emit(callEndEvent(host.core, texts, command, at))
      break
    default: // started and limitsSeen leave no text and no event
  }
}
