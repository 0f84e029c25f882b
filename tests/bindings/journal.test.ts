import { beforeAll, describe, expect, test } from '@jest/globals'
import { crc32, crc32OfNumbers, crc32OfText } from '../../bindings/checksum.js'
import { journalOutcome, journalPlan, readJournal } from '../../bindings/journal/reader.js'
import { JournalLines } from '../../bindings/journal/journal.js'
import { Answers, header, planOf, ran, resumed, step, type Ran } from './journalled.js'

describe('checksums', () => {
  test('are CRC-32: of nothing, of the usual check text, of long and of foreign text', () => {
    expect(crc32OfText('')).toBe(0)
    expect(crc32OfText('123456789')).toBe(0xcbf43926)
    const bytes = new TextEncoder().encode('ä漢'.repeat(1000))
    expect(crc32OfText('ä漢'.repeat(1000))).toBe(crc32(bytes))
    expect(crc32OfText('ä漢')).toBe(crc32(new TextEncoder().encode('ä漢')))
  })

  test('go on from where an earlier one ended, at any cut', () => {
    const bytes = new TextEncoder().encode('the quick brown fox jumps over the lazy dog')
    for (let cut = 0; cut <= bytes.length; ++cut) {
      expect(crc32(bytes.subarray(cut), crc32(bytes.subarray(0, cut)))).toBe(crc32(bytes))
    }
    expect(crc32OfNumbers(new Float64Array([0]))).toBe(crc32(new Uint8Array(8)))
  })
})

const plan = planOf(step('a'), step('b', ['a']), step('c', ['a']), step('d', ['b', 'c']))

let whole: Ran
beforeAll(async () => {
  whole = await ran(plan, new Answers())
})

describe('a journal', () => {
  test('holds the plan, every signal and every answer, in order, and its end', () => {
    const { journal, result } = whole
    expect(result.outcome).toBe('ok')
    expect(journal.header).toEqual({ ...header, crc: expect.any(String) })
    expect(journal.dropped).toBeUndefined()
    expect(journalPlan(journal.records)).toEqual({ bytes: plan, whole: true })
    expect(journalOutcome(journal)).toBe('ok')
    const answers = journal.records.flatMap((record) => (record.e === 'succeeded' ? [record.x] : []))
    expect(answers[0]).toBe('answer of a – ä漢')
    expect(answers).toHaveLength(4)
    expect(journal.records.map(({ t }) => t)).toEqual([...journal.records.map(({ t }) => t)].sort((a, b) => a - b))
  })

  test('keeps a plan whose chunks cut a character, byte for byte', async () => {
    const text = planOf(step('ä漢'))
    const cut = text.indexOf(0xc3) + 1
    async function* chunks(): AsyncIterable<Uint8Array> {
      yield text.subarray(0, cut)
      yield text.subarray(cut)
    }
    const { bytes, journal } = await ran(chunks() as unknown as Uint8Array, new Answers())
    expect(journal.records.filter((record) => 'base64' in record)).toHaveLength(2)
    expect(journalPlan(readJournal(bytes).records)).toEqual({ bytes: text, whole: true })
  })

  test('that another version wrote is refused by its number, not by its damage', () => {
    const line = new JournalLines().line(JSON.stringify({ ...header, journal: 2 }).slice(1, -1))
    expect(() => readJournal(new TextEncoder().encode(line))).toThrow(expect.objectContaining({ code: 'host.journal' }))
  })
})

/** The same file with one thing wrong. */
const truncated = (bytes: Uint8Array, at: number) => bytes.slice(0, at)
const flipped = (bytes: Uint8Array, at: number) => bytes.map((byte, index) => (index === at ? byte ^ 1 : byte))
const zeroed = (bytes: Uint8Array, at: number) => bytes.map((byte, index) => (index >= at ? 0 : byte))

describe('damage', () => {
  test.each([
    ['truncated', truncated],
    ['flipped', flipped],
    ['zeroed to its end', zeroed],
  ] as const)(
    '%s at every byte of the last three records: what stands before is kept, the rest is named',
    (_, spoil) => {
      const { bytes, journal } = whole
      const count = journal.records.length
      const ends = [-1, ...journal.records.keys()].map((record) => journal.after(record).bytes)
      const from = ends[count - 3]!
      for (let at = from; at < bytes.length; ++at) {
        const spoiled = spoil(bytes, at)
        const read = readJournal(spoiled)
        // Records that end before the byte are good. One that lacks nothing but its newline is whole.
        const good = ends.filter((end) => end <= at || (spoil === truncated && end - 1 === at)).length - 1
        expect([at, read.records.length]).toEqual([at, good])
        expect(read.records).toEqual(journal.records.slice(0, good))
        const end = Math.min(spoiled.length, ends[good]!)
        if (end === spoiled.length) expect(read.dropped).toBeUndefined()
        else expect(read.dropped).toMatchObject({ line: good + 2, bytes: spoiled.length - end })
      }
    },
  )

  test('lines that are lost, moved or from another journal are found', async () => {
    const lines = new TextDecoder().decode(whole.bytes).split('\n').slice(0, -1)
    const read = (some: readonly string[]) =>
      readJournal(new TextEncoder().encode(some.map((line) => `${line}\n`).join('')))
    const good = read(lines).records.length
    expect(good).toBe(lines.length - 1)
    expect(read([...lines.slice(0, 5), ...lines.slice(6)]).records).toHaveLength(4)
    expect(read([...lines.slice(0, 5), lines[6]!, lines[5]!, ...lines.slice(7)]).records).toHaveLength(4)
    expect(read([...lines.slice(0, 7), lines[6]!, ...lines.slice(7)]).records).toHaveLength(6)
    const other = await ran(plan, new Answers(() => 'another answer'))
    const foreign = new TextDecoder().decode(other.bytes).split('\n')
    expect(read([...lines.slice(0, 6), ...foreign.slice(6, -1)]).records).toHaveLength(5)
  })

  test('of the first line is an error, and so is nothing at all', () => {
    for (const bytes of <Uint8Array[]>[
      new Uint8Array(0),
      flipped(whole.bytes, 3),
      new TextEncoder().encode('hello\n'),
    ]) {
      expect(() => readJournal(bytes)).toThrow(expect.objectContaining({ code: 'host.journal_damaged' }))
    }
  })

  test('whatever is left of a journal, the run goes on to the same outputs, and calls nothing that is in it', async () => {
    const { bytes, journal, result } = whole
    for (let most = 0; most <= journal.records.length; ++most) {
      const known = new Set(
        journal.records.slice(0, most).flatMap((record) => (record.e === 'succeeded' ? [record.x?.split(' ')[2]] : [])),
      )
      const performer = new Answers()
      const pieces = journalPlan(journal.records.slice(0, most))
      const rest = pieces.whole ? new Uint8Array() : plan.subarray(pieces.bytes.length)
      const cut = bytes.slice(0, journal.after(most - 1).bytes)
      const again = await resumed(cut, performer, { plan: rest })
      expect(performer.ids.filter((id) => known.has(id))).toEqual([])
      expect(new Set([...performer.ids, ...known])).toEqual(new Set(['a', 'b', 'c', 'd']))
      expect([...again.result.outputs]).toEqual([...result.outputs])
      expect(again.result.report.totals.costMicroUsd).toBe(result.report.totals.costMicroUsd)
      expect(again.result.report.totals.calls).toBe(4)
    }
  })
})
