/** What the ledger says over a time: by day, provider and caller, and what stayed off an assistant's quota. */
import { formatCount, formatUsd, plural } from '../../web/standard/format.js'
import type { Ledger } from './ledger.js'
import type { CallsRecord, LedgerRecord, ToolRecord } from './record.js'

export interface Sum {
  readonly calls: number
  /** Tokens that models read, those from a provider's own cache among them. */
  readonly input: number
  readonly cached: number
  readonly output: number
  readonly microUsd: number
  /** Calls whose provider sent no counts. */
  readonly estimated: number
}

/** Of an assistant: what its runs used elsewhere, and what it read and wrote itself to have them. */
export interface OffQuota {
  /** Tokens that other models read and wrote in runs which tools of an assistant started. */
  readonly delegated: number
  /** Tokens of the calls of tools and of their answers, estimated. */
  readonly spent: number
  readonly toolCalls: number
}

export interface Usage {
  readonly days: number
  readonly total: Sum
  readonly byDay: ReadonlyMap<string, Sum>
  readonly byProvider: ReadonlyMap<string, Sum>
  readonly byCaller: ReadonlyMap<string, Sum>
  readonly offQuota: OffQuota
  readonly broken: number
}

const nothing: Sum = { calls: 0, input: 0, cached: 0, output: 0, microUsd: 0, estimated: 0 }

const plus = (sum: Sum, record: CallsRecord): Sum => ({
  calls: sum.calls + record.calls,
  input: sum.input + record.in,
  cached: sum.cached + record.cached,
  output: sum.output + record.out,
  microUsd: sum.microUsd + record.microUsd,
  estimated: sum.estimated + (record.estimated ?? 0),
})

const isTool = (record: LedgerRecord): record is ToolRecord => 'tool' in record

/** The day of a record where the user is. */
function dayOf({ at }: LedgerRecord): string {
  const date = new Date(at)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}

/** The beginning of the day, `days - 1` days before that of `now`. */
export const since = (days: number, now: Date): Date =>
  new Date(now.getFullYear(), now.getMonth(), now.getDate() - days + 1)

const byName = (sums: Map<string, Sum>): Map<string, Sum> =>
  new Map([...sums].sort(([one], [other]) => (one < other ? -1 : 1)))

/** Callers that are assistants are `mcp` and what begins with `mcp:`. */
export const ofAssistant = (by: string): boolean => by === 'mcp' || by.startsWith('mcp:')

/** Sums of the last `days` days, today's among them. Rejects with the system's error. */
export async function usageOf(ledger: Ledger, days: number, now = new Date()): Promise<Usage> {
  const { records, broken } = await ledger.read(since(days, now))
  const [byDay, byProvider, byCaller] = [new Map<string, Sum>(), new Map<string, Sum>(), new Map<string, Sum>()]
  let total = nothing
  let [delegated, spent, toolCalls] = [0, 0, 0]
  const add = (sums: Map<string, Sum>, key: string, record: CallsRecord): void =>
    void sums.set(key, plus(sums.get(key) ?? nothing, record))
  for (const record of records) {
    if (isTool(record)) {
      spent += record.asked + record.told
      toolCalls++
    } else {
      total = plus(total, record)
      add(byDay, dayOf(record), record)
      add(byProvider, record.provider, record)
      add(byCaller, record.by, record)
      if (ofAssistant(record.by)) delegated += record.in + record.out
    }
  }
  const sums = { byDay: byName(byDay), byProvider: byName(byProvider), byCaller: byName(byCaller) }
  return { days, total, ...sums, offQuota: { delegated, spent, toolCalls }, broken }
}

/** How it is counted; stands wherever the figures do. */
export const countedSo =
  'counted as providers report tokens, estimated where they do not, simulated runs left out; money by the prices of the table. Off the quota: what models read ' +
  'and wrote in runs that tools of an assistant started. Its own part: the calls of the tools and their answers, estimated, without ' +
  'the tool list and without what it reads again with every turn'

const sumWords = ({ calls, input, output, microUsd }: Sum): string =>
  `${plural(calls, 'call')}, ${formatCount(input)} in, ${formatCount(output)} out, ${formatUsd(microUsd)}`

/** Lines for people and assistants; at most `mostRows` days, the latest. */
export function usageLines(usage: Usage, mostRows = 31): string[] {
  const { days, total, byDay, byProvider, byCaller, offQuota, broken } = usage
  const block = (title: string, sums: ReadonlyMap<string, Sum>): string[] => {
    const rows = [...sums].slice(-mostRows)
    const left = sums.size - rows.length
    const lines = rows.map(([name, sum]) => `  ${name}  ${sumWords(sum)}`)
    return rows.length === 0 ? [] : [title, ...lines, ...(left > 0 ? [`  … ${left} more`] : [])]
  }
  const { delegated, spent, toolCalls } = offQuota
  const estimated = total.estimated > 0 ? [`${plural(total.estimated, 'call')} estimated`] : []
  const notes = [...estimated, ...(broken > 0 ? [`${plural(broken, 'unreadable line')} left out`] : [])]
  return [
    `last ${plural(days, 'day')}: ${sumWords(total)}`,
    ...block('by day', byDay),
    ...block('by provider', byProvider),
    ...block('by caller', byCaller),
    `off the assistant's quota: ${formatCount(delegated)} tokens; its own part: ${formatCount(spent)} in ${plural(toolCalls, 'tool call')}`,
    ...(notes.length > 0 ? [notes.join(', ')] : []),
    countedSo,
  ]
}
