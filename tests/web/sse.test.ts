import { describe, expect, test } from '@jest/globals'
import { SseReader, SseTooLarge, type SseEvent, type SseOptions } from '../../web/standard/sse.js'

function eventsOf(parts: readonly Uint8Array[], options?: SseOptions): SseEvent[] {
  const reader = new SseReader(options)
  return [...parts.flatMap((part) => reader.push(part)), ...reader.end()]
}

const bytes = (text: string) => new TextEncoder().encode(text)
const singly = (all: Uint8Array) => Array.from(all, (byte) => Uint8Array.of(byte))

describe('framing', () => {
  const lines = [
    '\uFEFF: hello',
    'data: {"a":"é😀"}',
    '',
    ':',
    'event: error',
    'data: one',
    'data: two',
    'id: 7',
    '',
    'data:[DONE]',
    '',
    '',
  ]
  const expected = [
    { event: '', data: '{"a":"é😀"}', complete: true },
    { event: 'error', data: 'one\ntwo', complete: true },
    { event: '', data: '[DONE]', complete: true },
  ]
  test.each([
    ['LF', '\n'],
    ['CRLF', '\r\n'],
    ['CR', '\r'],
  ])('%s, whole, byte by byte and cut in two at every offset', (_, end) => {
    const all = bytes(lines.join(end))
    const comments: string[] = []
    expect(eventsOf([all], { onComment: (comment) => comments.push(comment) })).toEqual(expected)
    expect(comments).toEqual(['hello', ''])
    expect(eventsOf(singly(all))).toEqual(expected)
    for (let cut = 0; cut <= all.length; cut++) expect(eventsOf([all.slice(0, cut), all.slice(cut)])).toEqual(expected)
  })

  test('an event ended by CR CR is delivered at once, not with the next bytes', () => {
    expect(new SseReader().push(bytes('data: x\r\r'))).toEqual([{ event: '', data: 'x', complete: true }])
  })

  test('what the end of the body cuts off is marked', () => {
    expect(eventsOf([bytes('data: a\n\ndata: {"half')])).toEqual([
      { event: '', data: 'a', complete: true },
      { event: '', data: '{"half', complete: false },
    ])
    expect(eventsOf([])).toEqual([])
  })
})

describe('bounds', () => {
  test.each([
    ['one line without end', ['data: ' + 'x'.repeat(2000)]],
    ['many short data lines', ['data: 0123456789\n'.repeat(200)]],
    ['one whole event in one chunk', ['data: ' + 'x'.repeat(2000) + '\n\n']],
    ['in small pieces', Array.from({ length: 2000 }, () => 'x')],
  ])('an event over the limit is refused: %s', (_, parts) => {
    expect(() => eventsOf(parts.map(bytes), { maxEventLength: 1000 })).toThrow(SseTooLarge)
  })

  test('ten megabytes without a line end are refused by default', () => {
    const parts = Array.from({ length: 160 }, () => new Uint8Array(65_536).fill(120))
    expect(() => eventsOf(parts)).toThrow(SseTooLarge)
  })

  test('many events together may be longer than one may be', () => {
    const all = bytes('data: 0123456789\n\n'.repeat(500))
    expect(eventsOf([all], { maxEventLength: 1000 })).toHaveLength(500)
  })
})
