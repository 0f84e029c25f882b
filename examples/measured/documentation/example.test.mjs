import test from 'node:test'
import assert from 'node:assert/strict'
import { demo } from './example.mjs'

test('the example shows what the guide says: last in, first out, and a full stack', () => {
  assert.deepEqual(demo(['a', 'b', 'c']), ['c', 'b', 'a'])
  assert.deepEqual(demo([]), [])
  assert.deepEqual(demo([1, 2, 3], 2), ['the stack is full', 2, 1])
})
