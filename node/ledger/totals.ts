/**
 * The whole ledger as counters for /metrics. A file is read on from where it was read last, so that a scrape costs what was added
 * since the one before; the days are the dashboard's to make (`increase(…[1d])`).
 */
import { open, readdir, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { Metrics } from '../../web/standard/telemetry/metrics.js'
import { errorCode } from '../error-code.js'
import type { Ledger } from './ledger.js'
import { readRecord } from './record.js'
import { ofAssistant } from './usage.js'

interface Sum {
  calls: number
  input: number
  cached: number
  output: number
  microUsd: number
}

/** Clients name themselves: those beyond so many are `other`. */
const mostCallers = 20

export class LedgerTotals {
  readonly #ledger: Ledger
  /** By file: up to where it has been read. */
  readonly #offsets = new Map<string, number>()
  readonly #callers = new Set<string>()
  /** By provider, then by caller. */
  readonly #sums = new Map<string, Map<string, Sum>>()
  #delegated = 0
  #spent = 0
  #toolCalls = 0
  #reading: Promise<void> = Promise.resolve()

  constructor(ledger: Ledger) {
    this.#ledger = ledger
  }

  /** Reads what was added since; of a ledger that is not there, nothing. Rejects with the system's error. */
  read(): Promise<void> {
    // One after the other: each goes on where the one before stopped.
    this.#reading = this.#reading.catch(() => undefined).then(() => this.#readAll())
    return this.#reading
  }

  /** Has the counters told with the others. */
  addTo(metrics: Metrics): void {
    const each = (value: (sum: Sum) => number) => () =>
      this.#all().map(([provider, caller, sum]) => [[provider, caller], value(sum)] as const)
    const own = { type: 'counter', labels: ['provider', 'caller'] } as const
    const help = (what: string): string => `${what} of the user's ledger: all runs of this user, of every program.`
    metrics.family('aetherflow_ledger_calls_total', { ...own, help: help('Calls'), read: each(({ calls }) => calls) })
    metrics.family('aetherflow_ledger_cost_usd_total', {
      ...own,
      help: help('Money, USD,'),
      read: each(({ microUsd }) => microUsd / 1e6),
    })
    metrics.family('aetherflow_ledger_tokens_total', {
      type: 'counter',
      labels: ['provider', 'caller', 'kind'],
      help: help('Tokens, input without cached,'),
      read: () =>
        this.#all().flatMap(([provider, caller, { input, cached, output }]) =>
          Object.entries({ input, cached, output }).map(([kind, value]) => [[provider, caller, kind], value] as const),
        ),
    })
    const single = (name: string, text: string, read: () => number): void =>
      metrics.family(name, { type: 'counter', labels: [], help: text, read: () => [[[], read()]] })
    single(
      'aetherflow_ledger_off_quota_tokens_total',
      'Tokens that models read and wrote in runs which tools of an assistant started.',
      () => this.#delegated,
    )
    single(
      'aetherflow_ledger_assistant_tokens_total',
      'Tokens of the calls of those tools and of their answers, estimated.',
      () => this.#spent,
    )
    single('aetherflow_ledger_tool_calls_total', 'Calls of those tools.', () => this.#toolCalls)
  }

  #all(): (readonly [provider: string, caller: string, sum: Sum])[] {
    return [...this.#sums].flatMap(([provider, callers]) =>
      [...callers].map(([caller, sum]) => [provider, caller, sum] as const),
    )
  }

  async #readAll(): Promise<void> {
    const { folder } = this.#ledger
    const names = await readdir(folder).catch((error: unknown): string[] => {
      if (errorCode(error) === 'ENOENT') return []
      throw error
    })
    for (const name of names.filter((each) => /^\d{4}-\d\d\.jsonl$/.test(each)).sort()) await this.#readFile(name)
  }

  async #readFile(name: string): Promise<void> {
    const handle = await open(join(this.#ledger.folder, name), 'r')
    try {
      const from = this.#offsets.get(name) ?? 0
      this.#offsets.set(name, from + (await this.#readOn(handle, from)))
    } finally {
      await handle.close()
    }
  }

  /** Up to the last whole line; how many bytes that is. */
  async #readOn(handle: FileHandle, from: number): Promise<number> {
    const chunk = Buffer.alloc(256 * 1024)
    let rest = Buffer.alloc(0)
    let read = 0
    for (;;) {
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, from + read)
      if (bytesRead === 0) return read - rest.length
      read += bytesRead
      const text = Buffer.concat([rest, chunk.subarray(0, bytesRead)])
      const end = text.lastIndexOf(10) + 1
      for (const line of text.toString('utf8', 0, end).split('\n')) if (line !== '') this.#line(line)
      rest = Buffer.from(text.subarray(end))
    }
  }

  #line(line: string): void {
    const record = readRecord(line)
    if (record === undefined) return
    if ('tool' in record) {
      this.#toolCalls += 1
      this.#spent += record.asked + record.told
      return
    }
    const sum = this.#sumOf(record.provider, this.#caller(record.by))
    sum.calls += record.calls
    sum.input += record.in - record.cached
    sum.cached += record.cached
    sum.output += record.out
    sum.microUsd += record.microUsd
    if (ofAssistant(record.by)) this.#delegated += record.in + record.out
  }

  #caller(by: string): string {
    if (!this.#callers.has(by) && this.#callers.size >= mostCallers) return 'other'
    this.#callers.add(by)
    return by
  }

  #sumOf(provider: string, caller: string): Sum {
    const callers = this.#sums.get(provider) ?? new Map<string, Sum>()
    this.#sums.set(provider, callers)
    const sum = callers.get(caller) ?? { calls: 0, input: 0, cached: 0, output: 0, microUsd: 0 }
    callers.set(caller, sum)
    return sum
  }
}
