/** Reads a journal back, and stops at the first line that is not as it was written. */
import { crc32 } from '../checksum.js'
import { AetherflowError } from '../errors.js'
import { eventKinds, outcomes, type Outcome } from '../generated/wire.js'
import { checksumTail, journalVersion, type JournalHeader, type JournalRecord } from './journal.js'

/** What a journal holds up to its first damage. */
export interface Journal {
  readonly header: JournalHeader
  readonly records: readonly JournalRecord[]
  /** Where record `i` ends, and the running checksum there; at −1, i.e. `after(-1)`, the header's. */
  after(record: number): JournalEnd
  /** What was left out because it is damaged. */
  readonly dropped: JournalDamage | undefined
}

export interface JournalEnd {
  readonly bytes: number
  readonly checksum: number
  /** False: the newline of the last line is missing. */
  readonly newline: boolean
}

export interface JournalDamage {
  /** Line of the file that is the first damaged one, from 1. */
  readonly line: number
  readonly bytes: number
  /** Lines, whole or not. */
  readonly lines: number
  readonly why: string
}

const decoder = new TextDecoder('utf-8', { fatal: true })
const newline = 0x0a

/**
 * The good beginning of a journal; never less than was acknowledged, unless the damage lies before it. Throws
 * host.journal_damaged when not even the first line is good, host.journal when another version wrote it. O(bytes).
 */
export function readJournal(bytes: Uint8Array, where = ''): Journal {
  const ends: JournalEnd[] = []
  const records: JournalRecord[] = []
  let header: JournalHeader | undefined
  let checksum = 0
  let from = 0
  let dropped: JournalDamage | undefined
  while (from < bytes.length) {
    const found = bytes.indexOf(newline, from)
    const end = found < 0 ? bytes.length : found
    const line = readLine(bytes.subarray(from, end), checksum)
    const odd =
      typeof line === 'string' ? line : header === undefined ? undefined : oddRecord(line.value, records.length)
    // A checksum only says that nobody changed it by accident.
    if (odd !== undefined && typeof line !== 'string' && records.length === 0) throw damaged(where, odd)
    if (typeof line === 'string' || odd !== undefined) {
      const why = odd ?? ''
      dropped = { line: ends.length + 1, bytes: bytes.length - from, lines: linesIn(bytes, from), why }
      break
    }
    if (header === undefined) header = headerOf(line.value, where)
    else records.push(line.value as JournalRecord)
    checksum = line.checksum
    from = found < 0 ? bytes.length : found + 1
    ends.push({ bytes: from, checksum, newline: found >= 0 })
  }
  if (header === undefined) {
    throw damaged(where, dropped === undefined ? 'it is empty' : dropped.why)
  }
  const after = (record: number): JournalEnd => ends[record + 1]!
  return { header, records, after, dropped }
}

/** The line's object and the checksum behind it, or what is wrong with it. */
function readLine(line: Uint8Array, before: number): { value: unknown; checksum: number } | string {
  if (line.length <= checksumTail) return 'a line is cut short'
  const split = line.length - checksumTail
  const tail = latin1(line.subarray(split))
  const written = /^,"crc":"([0-9a-f]{8})"\}$/.exec(tail)?.[1]
  if (written === undefined) return 'a line has no checksum'
  const checksum = crc32(line.subarray(0, split), before)
  if (checksum !== Number.parseInt(written, 16)) return 'a checksum does not fit'
  try {
    return { value: JSON.parse(decoder.decode(line)), checksum }
  } catch {
    return 'a line is not JSON'
  }
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}

function linesIn(bytes: Uint8Array, from: number): number {
  let count = 0
  for (let at = from; at < bytes.length; ++count) {
    const found = bytes.indexOf(newline, at)
    at = found < 0 ? bytes.length : found + 1
  }
  return count
}

function damaged(where: string, detail: string): AetherflowError {
  return new AetherflowError('host.journal_damaged', where, detail)
}

function headerOf(value: unknown, where: string): JournalHeader {
  const header = value as Readonly<Record<string, unknown>> | null
  if (typeof header !== 'object' || header === null) throw damaged(where, 'its first line is no header')
  if (header['journal'] !== journalVersion) {
    const detail = `its format is of version ${String(header['journal'])}, this AetherFlow reads version ${journalVersion}`
    throw new AetherflowError('host.journal', where, detail)
  }
  const texts = ['aetherflow', 'run', 'startedAt', 'simulated', 'plan', 'files', 'reuses']
  const needed = texts.slice(0, 3)
  const isText = (name: string): boolean => typeof header[name] === 'string'
  if (!needed.every(isText) || !texts.every((name) => header[name] === undefined || isText(name)))
    throw damaged(where, 'its header is not as AetherFlow writes it')
  return value as JournalHeader
}

/** What is wrong with a record whose checksum fits: somebody else may have written it. `before`: records that stand before it. */
function oddRecord(value: unknown, before: number): string | undefined {
  const record = value as Readonly<Record<string, unknown>> | null
  if (typeof record !== 'object' || record === null) return 'a record is not as AetherFlow writes it'
  const { t, e, d } = record
  if (!isTime(t) || (d !== undefined && !isTime(d))) return 'a record has no time'
  if ((e === 'begin') !== (before === 0)) return 'its records do not start with the options of the run'
  return isWhole(record) ? undefined : `a record is no ${String(e).slice(0, 20)} as AetherFlow writes it`
}

const isTime = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0
const isTextOrAbsent = (value: unknown): boolean => value === undefined || typeof value === 'string'

function isWhole({ e, v, x, w, f, options, table, text, base64, outcome }: Readonly<Record<string, unknown>>): boolean {
  switch (e) {
    case 'begin':
      return typeof table === 'number' && isObjectText(options)
    case 'planBytes':
      return base64 === undefined ? typeof text === 'string' : isBase64(base64)
    case 'planEnd':
      return true
    case 'end':
      return typeof outcome === 'string'
    default:
      if (!(eventKinds as readonly unknown[]).includes(e) || !Array.isArray(v)) return false
      return v.every((number) => typeof number === 'number') && [x, w, f].every(isTextOrAbsent)
  }
}

function isObjectText(value: unknown): boolean {
  try {
    const parsed = typeof value === 'string' ? (JSON.parse(value) as unknown) : undefined
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
  } catch {
    return false
  }
}

const isBase64 = (value: unknown): boolean =>
  typeof value === 'string' && value.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(value)

/** Bytes of the plan as far as they came; `whole`: its end came too. */
export function journalPlan(records: readonly JournalRecord[]): { bytes: Uint8Array; whole: boolean } {
  const parts: Uint8Array[] = []
  for (const record of records) {
    if (record.e === 'planBytes') parts.push(planPiece(record))
    if (record.e === 'planEnd') return { bytes: joined(parts), whole: true }
  }
  return { bytes: joined(parts), whole: false }
}

const encoder = new TextEncoder()

export function planPiece({ text, base64 }: { readonly text?: string; readonly base64?: string }): Uint8Array {
  if (base64 === undefined) return encoder.encode(text ?? '')
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** What the run came to; undefined: it has not come to its end. */
export function journalOutcome({ records }: Journal): Outcome | undefined {
  const last = records.at(-1)
  return last?.e === 'end' ? (outcomes.find((known) => known === last.outcome) ?? 'ok') : undefined
}

/**
 * Records to go on from: all of an interrupted run; of a run that a person cancelled those before the cancellation, for
 * resuming it means to take that back.
 */
export function resumableRecords(journal: Journal): number {
  const cancelled = journal.records.findIndex(({ e }) => e === 'cancelRun')
  return cancelled < 0 ? journal.records.length : cancelled
}
