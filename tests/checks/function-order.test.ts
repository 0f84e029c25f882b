import { expect, test } from '@jest/globals'
import { root } from './sources.js'

interface Order {
  orderFunctions(bytes: Uint8Array): Uint8Array<ArrayBuffer>
}
const { orderFunctions } = (await import(`${root}scripts/lib/function-order.mjs`)) as Order

const i32 = 0x7f
const vector = (...items: number[][]) => [items.length, ...items.flat()]
const section = (id: number, body: number[]) => [id, body.length, ...body]
const text = (name: string) => [name.length, ...Buffer.from(name)]
const body = (...code: number[]) => [code.length + 2, 0, ...code, 0x0b]

/**
 * An import that tells its argument; functions that are like each other pairwise (a constant after eight additions), one that calls
 * another, one that calls through the table, one at the start: every way in which a function is named.
 */
function module(...more: number[][]): Uint8Array<ArrayBuffer> {
  const sums = (value: number) => [...Array.from({ length: 8 }, () => [0x41, value, 0x1a]).flat(), 0x41, value]
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector([0x60, 1, i32, 0], [0x60, 0, 1, i32], [0x60, 0, 0])),
    ...section(2, vector([...text('host'), ...text('tell'), 0, 0])),
    ...section(3, vector([1], [1], [1], [1], [2])),
    ...section(4, vector([0x70, 0, 2])),
    ...section(7, vector([...text('calls'), 0, 3], [...text('through'), 0, 4])),
    ...section(8, [5]),
    ...section(9, vector([0, 0x41, 0, 0x0b, ...vector([1], [2])])),
    ...section(
      10,
      vector(
        body(...sums(7)),
        body(...sums(9)),
        body(0x10, 1),
        body(0x41, 1, 0x11, 1, 0), // the second of the table
        body(...sums(7), 0x10, 0),
      ),
    ),
    ...more.flat(),
  ])
}

function behaviour(bytes: Uint8Array<ArrayBuffer>): unknown[] {
  const told: number[] = []
  const host = { tell: (value: number) => told.push(value) }
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { host })
  const { calls, through } = instance.exports as { calls(): number; through(): number }
  return [told, calls(), through()]
}

test('a module with its functions reordered does the same', () => {
  const before = module()
  const after = orderFunctions(before)
  expect(after).not.toEqual(before)
  expect(behaviour(before)).toEqual([[7], 7, 9])
  expect(behaviour(after)).toEqual([[7], 7, 9])
})

test('a module that holds what the reader does not know stays as it is', () => {
  const named = module(section(0, [...text('name'), 0]))
  expect(orderFunctions(named)).toBe(named)
  // A table's segment in another form than linkers write.
  const passive = module()
  const at = Buffer.from(passive).indexOf(Buffer.from([9, 8, 1, 0, 0x41]))
  expect(at).toBeGreaterThan(0)
  passive[at + 3] = 5
  expect(orderFunctions(passive)).toBe(passive)
})
