import { describe, expect, test } from '@jest/globals'
import { readEvents, SseTooLarge, type SseEvent, type SseOptions } from '../../web/standard/sse.js'

function bodyOf(parts: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(part)
      controller.close()
    },
  })
}

async function eventsOf(parts: readonly Uint8Array[], options?: SseOptions): Promise<SseEvent[]> {
  const events: SseEvent[] = []
  for await (const event of readEvents(bodyOf(parts), options)) events.push(event)
  return events
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
  ])('%s, whole, byte by byte and cut in two at every offset', async (_, end) => {
    const all = bytes(lines.join(end))
    const comments: string[] = []
    expect(await eventsOf([all], { onComment: (comment) => comments.push(comment) })).toEqual(expected)
    expect(comments).toEqual(['hello', ''])
    expect(await eventsOf(singly(all))).toEqual(expected)
    for (let cut = 0; cut <= all.length; cut++)
      expect(await eventsOf([all.slice(0, cut), all.slice(cut)])).toEqual(expected)
  })

  test('an event ended by CR CR is delivered at once, not with the next bytes', async () => {
    let send: ReadableStreamDefaultController<Uint8Array> | undefined
    const events = readEvents(new ReadableStream<Uint8Array>({ start: (controller) => void (send = controller) }))
    const first = events.next()
    send!.enqueue(bytes('data: x\r\r'))
    expect((await first).value).toEqual({ event: '', data: 'x', complete: true })
    await events.return()
  })

  test('what the end of the body cuts off is marked', async () => {
    expect(await eventsOf([bytes('data: a\n\ndata: {"half')])).toEqual([
      { event: '', data: 'a', complete: true },
      { event: '', data: '{"half', complete: false },
    ])
    expect(await eventsOf([])).toEqual([])
  })
})

describe('bounds', () => {
  test.each([
    ['one line without end', ['data: ' + 'x'.repeat(2000)]],
    ['many short data lines', ['data: 0123456789\n'.repeat(200)]],
    ['one whole event in one chunk', ['data: ' + 'x'.repeat(2000) + '\n\n']],
    ['in small pieces', Array.from({ length: 2000 }, () => 'x')],
  ])('an event over the limit is refused: %s', async (_, parts) => {
    await expect(eventsOf(parts.map(bytes), { maxEventLength: 1000 })).rejects.toBeInstanceOf(SseTooLarge)
  })

  test('ten megabytes without a line end are refused by default', async () => {
    const parts = Array.from({ length: 160 }, () => new Uint8Array(65_536).fill(120))
    await expect(eventsOf(parts)).rejects.toBeInstanceOf(SseTooLarge)
  })

  test('many events together may be longer than one may be', async () => {
    const all = bytes('data: 0123456789\n\n'.repeat(500))
    expect(await eventsOf([all], { maxEventLength: 1000 })).toHaveLength(500)
  })
})

test('leaving early cancels the body, or hands the reader over', async () => {
  let cancelled = false
  const endless = () =>
    new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(bytes('data: x\n\n')),
      cancel: () => void (cancelled = true),
    })
  for await (const event of readEvents(endless())) if (event.data === 'x') break
  expect(cancelled).toBe(true)
  cancelled = false
  let handed: ReadableStreamDefaultReader<Uint8Array> | undefined
  for await (const event of readEvents(endless(), { onLeave: (reader) => void (handed = reader) }))
    if (event.data === 'x') break
  expect(cancelled).toBe(false)
  expect((await handed!.read()).done).toBe(false)
})

test('every arrival is activity, half events and comments too', async () => {
  let activity = 0
  await eventsOf([bytes(': a\n'), bytes('da'), bytes('ta: x\n\n')], { onActivity: () => activity++ })
  expect(activity).toBe(3)
})
