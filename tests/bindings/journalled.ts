/** Runs through the driver with their journal in memory, and what resumes them. */
import { Driver, type DriverOptions, type DriverResult } from '../../bindings/driver.js'
import { CoreRun } from '../../bindings/core.js'
import type { RunEvent } from '../../bindings/events.js'
import { readJournal, resumableRecords, type Journal } from '../../bindings/journal/reader.js'
import { JournalLines, MemoryJournal, type JournalHeader } from '../../bindings/journal/journal.js'
import type { CallTicket, Performer } from '../../bindings/performer.js'
import type { Clock } from '../../bindings/ports.js'
import { loadCore } from '../../node/loader.js'

export const header: JournalHeader = {
  aetherflow: '0.0.0',
  journal: 1,
  run: '00112233445566778899aabbccddeeff',
  startedAt: '2026-11-21T12:00:00.000Z',
}
const usage = { input: 100, cached: 0, output: 20, reasoning: 0 }
const encoder = new TextEncoder()

/** Time that goes on by itself, 1 ms a look: no test waits. */
export function steppingClock(): Clock {
  let at = 0
  return {
    now: () => (at += 1),
    after(_, callback) {
      const timer = setImmediate(callback)
      return () => clearImmediate(timer)
    },
  }
}

export const step = (id: string, dependencies: readonly string[] = [], more: object = {}): object => ({
  ...{ id, type: 'testing', description: `do ${id}`, dependencies },
  ...more,
})
export const planOf = (...steps: object[]): Uint8Array =>
  encoder.encode(JSON.stringify({ task_id: 't', description: 'd', steps }))

export const begin = { available: ['deepseek', 'gemini', 'groq', 'mistral', 'openai'], seed: 7 }

/** Answers in the turn after it was asked, and remembers the tickets. */
export class Answers implements Performer {
  readonly tickets: CallTicket[] = []
  constructor(readonly answer: (ticket: CallTicket) => string = ({ step: { id } }) => `answer of ${id} – ä漢`) {}
  async perform(ticket: CallTicket): Promise<{ text: string; usage: typeof usage; finish: 'stop' }> {
    this.tickets.push(ticket)
    await new Promise((resolve) => setImmediate(resolve))
    return { text: this.answer(ticket), usage, finish: 'stop' }
  }
  get ids(): string[] {
    return this.tickets.map(({ step: { id }, purpose }) => (purpose === 'main' ? id : `${id} ${purpose}`))
  }
}

export interface Ran {
  readonly result: DriverResult
  readonly events: readonly RunEvent[]
  readonly bytes: Uint8Array
  readonly journal: Journal
}

/** A run with a journal of its own; `options` replace the usual ones. */
export async function ran(plan: Uint8Array, performer: Performer, options: Partial<DriverOptions> = {}): Promise<Ran> {
  const lines = new JournalLines()
  return drive(plan, performer, lines.header(header), { start: lines.checksum, options })
}

/** Goes on from the good part of a journal, of which at most `most` records count. */
export async function resumed(
  bytes: Uint8Array,
  performer: Performer,
  { most = Infinity, plan = new Uint8Array() as Uint8Array, options = {} as Partial<DriverOptions> } = {},
): Promise<Ran> {
  const journal = readJournal(bytes)
  const records = Math.min(most, resumableRecords(journal))
  const end = journal.after(records - 1)
  const before = new TextDecoder().decode(bytes.subarray(0, end.bytes)) + (end.newline ? '' : '\n')
  const past = { journal, records }
  return drive(plan, performer, before, { start: end.checksum, options: { ...options, past } })
}

async function drive(
  plan: Uint8Array,
  performer: Performer,
  before: string,
  { start, options }: { start: number; options: Partial<DriverOptions> },
): Promise<Ran> {
  const writer = new MemoryJournal()
  writer.append(before)
  const events: RunEvent[] = []
  const core = new CoreRun(await loadCore())
  try {
    const driver = new Driver(core, {
      ...{ clock: steppingClock(), performer, begin, onEvent: (event) => void events.push(event) },
      ...{ journal: { writer, start } },
      ...options,
    })
    const result = await driver.run(plan)
    return { result, events, bytes: writer.bytes(), journal: readJournal(writer.bytes()) }
  } finally {
    core.dispose()
  }
}
