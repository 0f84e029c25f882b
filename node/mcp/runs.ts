/**
 * Runs behind handles. They are carried out by a process that needs neither the client nor this server, see runner-client.ts: the
 * journal of a run, its outputs and its log lie in `aetherflow-out/ID` below the root, and anyone who has the handle reads them there.
 */
import { realpath, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AetherflowError } from '../../bindings/errors.js'
import { callerVariable } from '../ledger/ledger.js'
import { makeFolder } from '../make-folder.js'
import { ioError } from '../run/outputs.js'
import { isBelow } from './plan-argument.js'
import { RunLog } from './run-log.js'
import { cancelAt, RunnerClient } from './runner-client.js'
import { freshId, isAlive, RunRecords, type RunRecord } from './run-records.js'
import type { McpSettings } from './settings.js'

export interface NewRun {
  readonly plan: Uint8Array
  readonly files: string
  readonly budgetUsd: number
  readonly mode: string | undefined
  readonly deadlineS: number | undefined
  readonly starter: Starter
}

/** Who starts a run, or resumes one. */
export interface Starter {
  /** For the ledger. */
  readonly caller: string
  /** The trace that its call is in, by names of variables; undefined: none. */
  readonly trace?: Readonly<Record<string, string>> | undefined
}

/** interrupted: its process is gone and it had come to no end. */
export type RunState = 'running' | 'over' | 'interrupted'

export interface KnownRun {
  readonly record: RunRecord
  readonly state: RunState
  readonly log: RunLog
}

/** Logs that are kept as far as they have been read. */
const mostLogs = 100

const usage = (where: string, detail: string): AetherflowError => new AetherflowError('host.usage', where, detail)

export class Runs {
  readonly #settings: McpSettings
  readonly #records: RunRecords
  readonly #runner: RunnerClient
  /** By log file: what has been read of it. */
  readonly #logs = new Map<string, RunLog>()
  /** Starts one after the other, so that each counts the others. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(settings: McpSettings) {
    this.#settings = settings
    this.#records = new RunRecords(settings.env)
    this.#runner = new RunnerClient(settings)
  }

  /** Resolves once it has been taken on. Fails: host.usage when too many are at work, host.io_failed. */
  start({ plan, files, budgetUsd, mode, deadlineS, starter }: NewRun): Promise<RunRecord> {
    return this.#inTurn(async () => {
      const { root, simulate: played, configFile } = this.#settings
      const simulate = played && { word: played.word, name: played.profile.name }
      const id = freshId()
      const folder = await this.#freshFolder(id)
      const record: RunRecord = {
        ...{ id, root, folder, files, budgetUsd, mode, deadlineS, simulate, configFile },
        startedAt: new Date().toISOString(),
        times: 0,
      }
      await writeFile(join(folder, 'plan.json'), plan, { mode: 0o600 })
      return this.#launch(record, starter)
    })
  }

  /** Resumes a run that is over or interrupted. Fails: host.usage for one at work. */
  resume({ record, state }: KnownRun, starter: Starter): Promise<RunRecord> {
    return this.#inTurn(async () => {
      if (state === 'running') throw usage('resume', 'the run is at work')
      return this.#launch(record, starter)
    })
  }

  /** Fails: host.usage for a handle that this user's servers have not given out for this root. */
  async find(id: string): Promise<KnownRun> {
    const record = await this.#records.get(id)
    if (record?.root !== this.#settings.root) throw usage('run_id', 'there is no such run')
    const log = this.#logOf(record)
    const alive = await isAlive(record)
    // Read after the look: what a process has written before it ended is all there then.
    await log.read().catch((error: unknown) => Promise.reject(ioError(record.folder, error)))
    return { record, log, state: log.over ? 'over' : alive && !log.ended ? 'running' : 'interrupted' }
  }

  /** Asks the run to end in order; its last words come later. */
  async cancel(known: KnownRun): Promise<void> {
    // A process that has just started does not listen yet, and would die without a word.
    const { record, state } = await this.#begun(known)
    const { runner, place } = record
    if (state !== 'running' || runner === undefined) return
    // Others may be at work in its process, which is ended by nobody for the sake of one.
    if (place !== undefined) return cancelAt(place, runner, orderId(record))
    try {
      process.kill(runner.pid, 'SIGTERM')
    } catch {
      // It ended in between.
    }
  }

  async #begun(known: KnownRun): Promise<KnownRun> {
    let run = known
    for (let tries = 0; run.state === 'running' && run.log.steps.size === 0 && tries < 200; ++tries) {
      await new Promise((resolve) => setTimeout(resolve, 50))
      run = await this.find(known.record.id)
    }
    return run
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#last
    const own = before
      .catch(() => undefined)
      .then(async () => {
        const working = await this.#working()
        if (working >= this.#settings.maxRuns)
          throw usage('run_plan', `${working} runs are at work already: wait for one, or cancel it`)
        return work()
      })
    this.#last = own
    return own.catch((error: unknown) => {
      throw error instanceof AetherflowError ? error : ioError(this.#settings.root, error)
    })
  }

  /** A run that has said its last word does not count, though its process may not have ended yet. */
  async #working(): Promise<number> {
    let count = 0
    for (const record of await this.#records.living()) {
      const log = this.#logOf(record)
      await log.read().catch(() => undefined)
      if (!log.over && !log.ended) count++
    }
    return count
  }

  #logOf(record: RunRecord): RunLog {
    const file = logFile(record)
    const known = this.#logs.get(file)
    if (known !== undefined) return known
    const log = new RunLog(file)
    this.#logs.set(file, log)
    // Anyone who asks for an old one has it read again.
    for (const oldest of this.#logs.keys()) {
      if (this.#logs.size <= mostLogs) break
      this.#logs.delete(oldest)
    }
    return log
  }

  async #freshFolder(id: string): Promise<string> {
    const { root } = this.#settings
    const folder = join(root, 'aetherflow-out', id)
    await makeFolder(folder, 0o700)
    // A project may bring a link of that name.
    if (!isBelow(root, await realpath(folder)))
      throw new AetherflowError('host.io_failed', 'aetherflow-out', 'leads out of the root of this server')
    return folder
  }

  async #launch(before: RunRecord, { caller, trace }: Starter): Promise<RunRecord> {
    const record = { ...before, times: before.times + 1 }
    const env = { ...trace, [callerVariable]: caller }
    const words = [...wordsOf(record), ...(this.#settings.otel ? ['--otel'] : [])]
    const files = { out: logFile(record), err: join(record.folder, 'messages.txt') }
    const { owner, folder } = await this.#runner.begin({ id: orderId(record), words, ...files, env })
    const started = { ...record, runner: owner, place: folder }
    await this.#records.put(started)
    return started
  }
}

/** A run that goes on is another order. */
const orderId = ({ id, times }: RunRecord): string => `${id}-${times}`

const logFile = ({ folder, times }: RunRecord): string => join(folder, `events-${times}.jsonl`)

/** The command line of a run. Every start after the first goes on. */
function wordsOf({ folder, files, budgetUsd, mode, deadlineS, simulate, configFile, times }: RunRecord): string[] {
  return [
    ...['run', join(folder, 'plan.json'), '--output', folder, '--files', files, '--json'],
    ...['--budget', plainNumber(budgetUsd)],
    ...(times > 1 ? ['--resume'] : []),
    ...(mode === undefined ? [] : ['--mode', mode]),
    ...(deadlineS === undefined ? [] : ['--deadline', `${deadlineS}s`]),
    ...(simulate === undefined ? [] : [`--simulate=${simulate.word}`]),
    ...(configFile === undefined ? [] : ['--config', configFile]),
  ]
}

/** Micro-USD exactly, and never an exponent. */
const plainNumber = (usd: number): string => usd.toFixed(6)
