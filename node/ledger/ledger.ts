/**
 * The user's ledger: what runs of the command line, of servers and of assistants have used, in `$XDG_STATE_HOME/aetherflow/ledger/2026-11.jsonl`,
 * a file a month. Any number of processes add to it at once: a batch of lines is one write to the end of the file, which systems do
 * not mix with another's. A batch begins with a line end, so that a line which a killed process left half written spoils nothing
 * but itself.
 */
import { existsSync } from 'node:fs'
import { appendFile, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunEvent, RunEventOf } from '../../bindings/events.js'
import { errorCode } from '../error-code.js'
import { stateRoot, userStateFolder, type Environment } from '../folders.js'
import { makeFolder } from '../make-folder.js'
import { mostSpeeds, readRecord, type CallsRecord, type LedgerRecord } from './record.js'
import { speedOf } from './speeds.js'

/** Variable by which a process that starts another says for whom. */
export const callerVariable = 'AETHERFLOW_CALLER'

/** A caller's name as the ledger keeps it. */
export const callerName = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9._:-]+/g, '-')
    .slice(0, 60) || 'unknown'

export class Ledger {
  readonly folder: string

  readonly #root: string

  constructor(env: Environment) {
    this.folder = userStateFolder(env, 'ledger')
    this.#root = stateRoot(env)
  }

  /**
   * Adds records. A user whose state folder cannot be made, as services have none, keeps no ledger. Rejects with the system's error
   * for one that cannot be written: the caller decides that a ledger takes nothing from a run.
   */
  async add(records: readonly LedgerRecord[]): Promise<void> {
    if (records.length === 0 || !(await this.#isThere())) return
    const lines = records.map((record) => JSON.stringify(record)).join('\n')
    const month = (records[0]?.at ?? '').slice(0, 7)
    await appendFile(join(this.folder, `${month}.jsonl`), `\n${lines}\n`, { mode: 0o600 })
  }

  async #isThere(): Promise<boolean> {
    if (existsSync(this.folder)) return true
    // A home that is not there is not made for this.
    if (!existsSync(this.#root)) return false
    return makeFolder(this.folder, 0o700).then(
      () => true,
      () => false,
    )
  }

  /** Every record since `from`, and how many lines are none. */
  async read(from: Date): Promise<{ records: LedgerRecord[]; broken: number }> {
    const names = await readdir(this.folder).catch((error: unknown): string[] => {
      if (errorCode(error) === 'ENOENT') return []
      throw error
    })
    // A batch at the end of a month is in the file of its first record.
    const first = new Date(from.getTime() - 86_400_000).toISOString().slice(0, 7)
    const months = names.filter((name) => /^\d{4}-\d\d\.jsonl$/.test(name) && name.slice(0, 7) >= first).sort()
    const records: LedgerRecord[] = []
    let broken = 0
    for (const month of months)
      for (const line of (await readFile(join(this.folder, month), 'utf8')).split('\n')) {
        if (line === '') continue
        const record = readRecord(line)
        if (record === undefined) broken++
        else if (Date.parse(record.at) >= from.getTime()) records.push(record)
      }
    return { records, broken }
  }
}

/** ms between two batches: what a process that is killed may lose. */
const batchMs = 2000

/** Collects what the calls of a run use, or of all runs of a server, and adds it to the ledger as they go on. */
export class RunEntry {
  readonly #ledger: Ledger
  readonly #by: string
  readonly #sums = new Map<string, CallsRecord>()
  #told = Date.now()
  #writing: Promise<void> = Promise.resolve()
  #problem: unknown

  /** What is told is of a journal, and was counted when it happened: until `resumed`. */
  #replays: boolean
  readonly #opened = Date.now()

  /** `goesOn`: the run may begin with what its journal tells. */
  constructor(ledger: Ledger, by: string, goesOn = false) {
    this.#ledger = ledger
    this.#by = callerName(by)
    this.#replays = goesOn
  }

  /** The entry of a run that a process of this environment makes; a simulated one buys nothing, and has none. */
  static of(env: Environment, simulated: string | undefined, goesOn = false, by = 'cli'): RunEntry | undefined {
    return simulated === undefined ? new RunEntry(new Ledger(env), env[callerVariable] ?? by, goesOn) : undefined
  }

  event(event: RunEvent): void {
    if (event.type === 'callEnd') this.#count(event)
    if (event.type === 'resumed') {
      this.#sums.clear()
      this.#replays = false
    }
    if (this.#replays) return
    const now = Date.now()
    if (now - this.#told < batchMs || this.#sums.size === 0) return
    this.#told = now
    this.#write()
  }

  /**
   * Writes the rest; resolves to what went wrong, undefined: nothing. `begun`: ISO time at which the run began; of one that goes on
   * and was over before, everything told is of its journal.
   */
  async close(begun?: string): Promise<unknown> {
    if (this.#replays && (begun === undefined || Date.parse(begun) < this.#opened)) this.#sums.clear()
    this.#write()
    await this.#writing
    return this.#problem
  }

  /** What `running` comes to, once the rest is written. `problem` is told of a ledger that could not be. */
  async during<Result extends { readonly run?: { readonly startedAt: string } | undefined }>(
    running: PromiseLike<Result>,
    problem: (error: unknown) => void,
  ): Promise<Result> {
    let result: Result | undefined
    try {
      return (result = await running)
    } finally {
      const error = await this.close(result?.run?.startedAt)
      if (error !== undefined) problem(error)
    }
  }

  #count(event: RunEventOf<'callEnd'>): void {
    const { provider, model, outcome, tokens, tokensEstimated, costMicroUsd } = event
    // Such a call never left.
    if (outcome === 'withheld' || outcome === 'refused') return
    const key = `${provider}\n${model}`
    const sum = this.#sums.get(key)
    const estimated = (sum?.estimated ?? 0) + (tokensEstimated ? 1 : 0)
    const speed = speedOf(event)
    const speeds = [...(sum?.speeds ?? []), ...(speed === undefined ? [] : [speed])].slice(0, mostSpeeds)
    this.#sums.set(key, {
      at: '',
      by: this.#by,
      provider,
      model,
      calls: (sum?.calls ?? 0) + 1,
      in: (sum?.in ?? 0) + tokens.input,
      cached: (sum?.cached ?? 0) + tokens.cached,
      out: (sum?.out ?? 0) + tokens.output,
      microUsd: (sum?.microUsd ?? 0) + costMicroUsd,
      ...(estimated === 0 ? {} : { estimated }),
      ...(speeds.length === 0 ? {} : { speeds }),
    })
  }

  #write(): void {
    const at = new Date().toISOString()
    const records = [...this.#sums.values()].map((record) => ({ ...record, at }))
    this.#sums.clear()
    this.#writing = this.#writing
      .then(() => this.#ledger.add(records))
      .catch((error: unknown) => {
        this.#problem = error
      })
  }
}
