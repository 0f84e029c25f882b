/** The events that the watchers of a run would have seen up to one of its records: what draws the run as it was then. */
import { callEvent, costOf, delivered } from '../../../bindings/call-events.js'
import type { Command } from '../../../bindings/commands.js'
import type { CoreRun } from '../../../bindings/core.js'
import type { RunEvent, StepInfo } from '../../../bindings/events.js'
import { journalOutcome, type Journal } from '../../../bindings/journal/reader.js'
import { noteEvents } from '../../../bindings/note-events.js'
import { drainAll } from '../../../bindings/journal/replay.js'
import { restore, type RestoreHost } from '../../../bindings/journal/restore.js'
import { RunTexts } from '../../../bindings/run-texts.js'

/** A run brought to one of its records. */
export interface RestoredRun {
  readonly texts: RunTexts
  /** Time of the last record, ms of the run. */
  readonly at: number
}

/**
 * Tells `emit` the events of the first `until` records and of what the core then does. The core must be fresh; afterwards it
 * stands where the run stood, with every command taken. Throws as `replayJournal` does. O(records).
 */
export function replayEvents(
  core: CoreRun,
  journal: Journal,
  until: number,
  emit: (event: RunEvent) => void,
): RestoredRun {
  const past = new Past(core, emit)
  const { at, ended, records } = restore(journal, until, past)
  if (ended) emit({ type: 'finish', at, outcome: journalOutcome(journal) ?? 'ok', ...costOf(core, past.texts) })
  else if (records > 0) for (const command of drainAll(core)) past.next(command, at)
  return { texts: past.texts, at }
}

class Past implements RestoreHost {
  readonly texts = new RunTexts()

  constructor(
    readonly core: CoreRun,
    readonly emit: (event: RunEvent) => void,
  ) {}

  begun(): void {
    this.texts.adoptTable(this.core)
  }

  planned(at: number): void {
    const steps = this.core.document<StepInfo[]>('steps', this.texts.steps.length)
    this.texts.steps.push(...steps)
    if (steps.length > 0) this.emit({ type: 'steps', at, steps })
  }

  carryOut(command: Command, at: number): void {
    if (command.kind === 'note') {
      const cost = costOf(this.core, this.texts, Math.max(0, command.step))
      for (const event of noteEvents(this.texts, command, at, cost)) this.emit(event)
    } else if (command.kind === 'deliver') {
      const { hit, done } = delivered(this.core, this.texts, command, at)
      if (hit !== undefined) this.emit(hit)
      this.emit(done(at))
    }
  }

  /** A command that the run had not been given yet. */
  next(command: Command, at: number): void {
    if (command.kind !== 'call') return this.carryOut(command, at)
    this.texts.called(command)
    this.emit(callEvent(this.core, this.texts, command, at))
  }
}
