/** Brings a fresh core to where a journal ends, record by record, and checks that it decides as it did then. */
import { crc32OfNumbers, crc32OfText } from '../checksum.js'
import { decodeCommands, type Command } from '../commands.js'
import type { CoreRun } from '../core.js'
import { AetherflowError } from '../errors.js'
import type { Journal } from './reader.js'
import { planPiece } from './reader.js'
import type { JournalRecord } from './journal.js'

/** One record that was replayed. */
export interface ReplayedRecord {
  /** From 1; the header is not counted. */
  readonly number: number
  readonly record: JournalRecord
  /** What the core handed out before it. */
  readonly commands: readonly Command[]
  /** The core took it; refused signals stand in a journal too, for they move the time. */
  readonly taken: boolean
  /** It was a `prompted` whose call had to stay. */
  readonly withheld: boolean
}

export class Replayer {
  readonly #core: CoreRun
  readonly #journal: Journal
  readonly #most: number
  #next = 0

  /** `most`: records to replay; default all. */
  constructor(core: CoreRun, journal: Journal, most = journal.records.length) {
    this.#core = core
    this.#journal = journal
    this.#most = Math.min(most, journal.records.length)
  }

  /**
   * Replays the next record; undefined if there is none. Throws host.replay_differs when the commands are not those of then,
   * and host.journal when another built-in table stood behind the options.
   */
  next(): ReplayedRecord | undefined {
    const record = this.#next < this.#most ? this.#journal.records[this.#next] : undefined
    if (record === undefined) return undefined
    const number = ++this.#next
    const commands = record.d === undefined ? [] : this.#drain(record.d, number)
    try {
      return { number, record, commands, taken: true, withheld: this.#apply(record) === 1 }
    } catch (error) {
      if (!(error instanceof AetherflowError) || !error.code.startsWith('run.')) throw error
      return { number, record, commands, taken: false, withheld: false }
    }
  }

  #drain(written: number, number: number): Command[] {
    let checksum = 0
    const commands = drainAll(this.#core, (records) => (checksum = crc32OfNumbers(records, checksum)))
    if (checksum !== written) {
      const words = commands
        .map((command) => ('step' in command ? `${command.kind} ${command.step}` : command.kind))
        .join(', ')
      throw differs(number, `other commands before it: ${words === '' ? 'none' : words}`)
    }
    return commands
  }

  #apply(record: JournalRecord): number {
    const core = this.#core
    switch (record.e) {
      case 'begin':
        if (crc32OfText(core.documentText('defaults')) !== record.table) throw otherTable(this.#journal)
        core.beginText(record.options, record.t)
        return 0
      case 'planBytes':
        return tellPlan(() => core.planBytes(planPiece(record), record.t))
      case 'planEnd':
        return tellPlan(() => core.planEnd(record.t))
      case 'end':
        return 0
      default:
        return core.signal(record.e, record.v, record.t)
    }
  }
}

/** Every command that the core has, until it has none. */
export function drainAll(core: CoreRun, seen: (records: Float64Array) => void = () => {}): Command[] {
  const commands: Command[] = []
  for (;;) {
    const records = core.drain()
    if (records.length === 0) return commands
    seen(records)
    commands.push(...decodeCommands(records))
  }
}

/** What is wrong with the plan is the core's to remember: it was told then, and the run went on to its end. */
function tellPlan(tell: () => void): number {
  try {
    tell()
  } catch (error) {
    if (!(error instanceof AetherflowError) || /^(host|run)\./.test(error.code)) throw error
  }
  return 0
}

function differs(record: number, detail: string): AetherflowError {
  return new AetherflowError('host.replay_differs', `record ${record}`, detail)
}

function otherTable({ header }: Journal): AetherflowError {
  const detail = `it was begun by AetherFlow ${header.aetherflow} with another table of providers; use that version`
  return new AetherflowError('host.journal', '', detail)
}
