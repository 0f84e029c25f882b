/**
 * What the ledger keeps: numbers, and the names of providers, models and callers. Never a prompt, an answer, a path or a key.
 *
 *   {"at":"2026-11-30T09:12:04.115Z","by":"cli","provider":"groq","model":"…","calls":3,"in":900,"cached":0,"out":410,"microUsd":212}
 *   {"at":"2026-11-30T09:12:05.000Z","by":"mcp","tool":"run_status","asked":24,"told":118}
 */

/** Calls of one run at one model since its last line; `in` holds `cached`. `estimated`: calls whose provider sent no counts. */
export interface CallsRecord {
  readonly at: string
  readonly by: string
  readonly provider: string
  readonly model: string
  readonly calls: number
  readonly in: number
  readonly cached: number
  readonly out: number
  readonly microUsd: number
  readonly estimated?: number
  /** Of calls whose answers were long enough to say it: ms to the first token, and tokens per second after that. At most `mostSpeeds`. */
  readonly speeds?: readonly (readonly [firstTokenMs: number, tokensPerSecond: number])[]
}

/** Speeds of a line; a batch of more calls keeps the first ones. */
export const mostSpeeds = 16

/** A tool that an assistant called: what it wrote and what it was told, in tokens, estimated. */
export interface ToolRecord {
  readonly at: string
  readonly by: string
  readonly tool: string
  readonly asked: number
  readonly told: number
}

export type LedgerRecord = CallsRecord | ToolRecord

const count = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value >= 0
const word = (value: unknown): value is string => typeof value === 'string' && value.length <= 200

/** A line as a record; undefined: it is malformed, as the last line of a process that died while writing. */
export function readRecord(line: string): LedgerRecord | undefined {
  let value: Record<string, unknown>
  try {
    value = JSON.parse(line) as Record<string, unknown>
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  if (!word(value['at']) || Number.isNaN(Date.parse(value['at'])) || !word(value['by'])) return undefined
  const numbers = (...names: string[]): boolean => names.every((name) => count(value[name]))
  if (word(value['tool'])) return numbers('asked', 'told') ? (value as unknown as ToolRecord) : undefined
  const named = word(value['provider']) && word(value['model'])
  if (!named || !numbers('calls', 'in', 'cached', 'out', 'microUsd')) return undefined
  // What is wrong with its speeds takes nothing from its sums.
  const { speeds, ...rest } = value
  const pairs = Array.isArray(speeds) ? speeds.filter((pair) => Array.isArray(pair) && pair.every(count)) : []
  const fine = pairs.filter((pair: unknown[]) => pair.length === 2).slice(0, mostSpeeds)
  return { ...rest, ...(fine.length === 0 ? {} : { speeds: fine }) } as unknown as CallsRecord
}
