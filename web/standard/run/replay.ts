/** A journal once more through a core, without a network: does it decide as it did, and what did the run look like then? */
import type { CallCommand, Command } from '../../../bindings/commands.js'
import type { CoreRun } from '../../../bindings/core.js'
import type { RunEvent, StepInfo, StepState } from '../../../bindings/events.js'
import type { Outcome, Purpose, Reason } from '../../../bindings/generated/wire.js'
import { journalOutcome, type Journal, type JournalDamage } from '../../../bindings/journal/reader.js'
import type { JournalHeader, JournalRecord } from '../../../bindings/journal/journal.js'
import { costOf } from '../../../bindings/call-events.js'
import { stepReports } from '../../../bindings/report-rows.js'
import { noteEvents } from '../../../bindings/note-events.js'
import { drainAll } from '../../../bindings/journal/replay.js'
import { restore, type Restored, type RestoreHost } from '../../../bindings/journal/restore.js'
import { RunTexts } from '../../../bindings/run-texts.js'

/** The run as it was right after one of its records, and after the commands that the core then had. Times in ms of the run. */
export interface ReplayState {
  /** The record, from 1, and what it told: `succeeded cart`. */
  readonly record: number
  readonly words: string
  readonly at: number
  readonly costMicroUsd: number
  /** Part of the cost is at a price that was assumed. */
  readonly priceAssumed?: true
  /** When the core wants to be woken; null: only an event can move it. */
  readonly nextWake: number | null
  readonly steps: readonly StepAt[]
  /** What the core does about it: `call cart deepseek`. */
  readonly next: readonly string[]
}
export interface StepAt {
  readonly id: string
  readonly state: StepState
  readonly costMicroUsd: number
  readonly priceAssumed?: true
  /** Under way then. */
  readonly calls: readonly CallAt[]
  /** Why it is not called yet, when there is a reason. */
  readonly waits?: { readonly reason: Reason; readonly words: string }
}
export interface CallAt {
  readonly call: number
  readonly purpose: Purpose
  readonly attempt: number
  readonly provider: string
  readonly model: string
  readonly since: number
}

export interface Replayed {
  readonly run: JournalHeader
  /** Records that the journal holds, and how many were replayed. */
  readonly records: number
  readonly replayed: number
  /** Commands that were compared with those of then, and were equal. */
  readonly commands: number
  /** What the run came to; null: its journal does not reach its end. */
  readonly outcome: Outcome | null
  readonly dropped: JournalDamage | null
  readonly state: ReplayState
}

/**
 * Replays the first `until` records, default all. Throws host.replay_differs with the record before which the core decided
 * otherwise, host.journal when another table of providers stood behind the run. The core must be fresh. O(records).
 */
export function replayJournal(core: CoreRun, journal: Journal, until = journal.records.length): Replayed {
  const { header, records, dropped } = journal
  const watcher = new Watcher(core)
  const past = restore(journal, until, watcher)
  watcher.open(past)
  const next = past.ended || past.records === 0 ? [] : drainAll(core)
  for (const command of next) watcher.carryOut(command, past.at)
  return {
    run: header,
    records: records.length,
    replayed: past.records,
    commands: past.commands,
    outcome: journalOutcome(journal) ?? null,
    dropped: dropped ?? null,
    state: {
      record: past.records,
      words: recordWords(records[past.records - 1], past.subject, watcher.texts),
      at: past.at,
      ...costOf(core, watcher.texts),
      nextWake: core.nextWake() ?? null,
      steps: past.records === 0 ? [] : watcher.steps(),
      next: next.map((command) => commandWords(command, watcher.texts)),
    },
  }
}

/** Follows a restored run: what is in flight, and who waits for what. */
class Watcher implements RestoreHost {
  readonly texts = new RunTexts()
  readonly #waits = new Map<string, NonNullable<StepAt['waits']>>()
  readonly #calls = new Map<number, { readonly command: CallCommand; readonly since: number }>()

  constructor(readonly core: CoreRun) {}

  open({ open }: Restored): void {
    for (const call of open) this.#calls.set(call.command.call, call)
  }

  emit(event: RunEvent): void {
    if (event.type === 'call') this.#waits.delete(event.step)
    if (event.type !== 'note' || event.step === undefined || !event.reason.startsWith('waiting_')) return
    const { step, reason, words, detail } = event
    this.#waits.set(step, { reason, words: detail === undefined ? words : `${words}: ${detail}` })
  }

  begun(): void {
    this.texts.adoptTable(this.core)
  }

  planned(): void {
    this.texts.steps.push(...this.core.document<StepInfo[]>('steps', this.texts.steps.length))
  }

  carryOut(command: Command, at: number): void {
    if (command.kind === 'call') this.#calls.set(command.call, { command, since: at })
    if (command.kind === 'deliver') this.texts.deliver(command)
    if (command.kind === 'note')
      for (const event of noteEvents(this.texts, command, at, { costMicroUsd: 0 })) this.emit(event)
  }

  steps(): StepAt[] {
    return stepReports(this.core, this.texts).map(({ id, state, costMicroUsd }, index) => {
      const calls = [...this.#calls.values()].filter(({ command }) => command.step === index)
      const waits = calls.length === 0 && !settled.has(state) ? this.#waits.get(id) : undefined
      const cost = { ...costOf(this.core, this.texts, index), costMicroUsd }
      const of = { id, state, ...cost, calls: calls.map((call) => this.#callAt(call)) }
      return waits === undefined ? of : { ...of, waits }
    })
  }

  #callAt({ command, since }: { readonly command: CallCommand; readonly since: number }): CallAt {
    const { call, purpose, attempt } = command
    return { call, purpose, attempt, ...this.texts.targetOf(command), since }
  }
}

const settled = new Set<StepState>(['done', 'failed', 'skipped', 'cancelled'])

/** `step`: the one that the record is about; −1: none. */
function recordWords(record: JournalRecord | undefined, step: number, texts: RunTexts): string {
  if (record === undefined) return 'nothing yet'
  const id = texts.steps[step]?.id
  return id === undefined ? record.e : `${record.e} ${id}`
}

function commandWords(command: Command, texts: RunTexts): string {
  const id = 'step' in command ? texts.steps[command.step]?.id : undefined
  const provider =
    command.kind === 'call' || command.kind === 'look' ? texts.providers[command.provider]?.id : undefined
  const reason = command.kind === 'note' || command.kind === 'cancel' ? command.reason : undefined
  return [command.kind, reason, id, provider].filter((word) => word !== undefined).join(' ')
}
