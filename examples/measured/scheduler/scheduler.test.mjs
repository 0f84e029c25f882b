import test from 'node:test'
import assert from 'node:assert/strict'
import { schedule } from './scheduler.mjs'

const task = (ms, ...after) => ({ ms, after })
const startOf = (plan, id) => plan.find((one) => one.id === id).start

test('nothing to do', () => assert.deepEqual(schedule({}, 2), []))
test('one worker does one after another', () => {
  assert.deepEqual(schedule({ a: task(5), b: task(3, 'a') }, 1), [
    { id: 'a', start: 0, end: 5 },
    { id: 'b', start: 5, end: 8 },
  ])
})
test('independent tasks run at once, as many as there are workers', () => {
  const plan = schedule({ a: task(4), b: task(4), c: task(4) }, 2)
  assert.deepEqual(
    plan.map(({ start }) => start),
    [0, 0, 4],
  )
})
test('the longest chain first', () => {
  const plan = schedule({ short: task(9), head: task(2), middle: task(5, 'head'), tail: task(5, 'middle') }, 1)
  assert.equal(startOf(plan, 'head'), 0)
  assert.equal(startOf(plan, 'middle'), 2)
})
test('a task waits for its own dependencies, not for a whole level', () => {
  const plan = schedule({ slow: task(10), quick: task(1), after: task(1, 'quick') }, 2)
  assert.equal(startOf(plan, 'after'), 1)
})
test('ties by name, results by start and then name', () => {
  assert.deepEqual(
    schedule({ b: task(1), a: task(1), B: task(1) }, 1).map(({ id }) => id),
    ['B', 'a', 'b'],
  )
})
test('tasks without a duration take none', () => {
  assert.deepEqual(schedule({ a: task(0), b: task(0, 'a') }, 1), [
    { id: 'a', start: 0, end: 0 },
    { id: 'b', start: 0, end: 0 },
  ])
})
test('cycles, unknown tasks and no workers are refused', () => {
  assert.throws(() => schedule({ a: task(1, 'b'), b: task(1, 'a') }, 1), /a|b/)
  assert.throws(() => schedule({ a: task(1, 'nobody') }, 1), /nobody/)
  for (const workers of [0, 1.5]) assert.throws(() => schedule({ a: task(1) }, workers), RangeError)
})
test('no worker is idle while a task could start', () => {
  const tasks = Object.fromEntries(
    Array.from({ length: 30 }, (_, n) => [`t${n}`, task(((n * 7) % 5) + 1, ...(n > 4 ? [`t${n - 5}`] : []))]),
  )
  const plan = schedule(tasks, 3)
  for (const { id, start } of plan) {
    const ready = Math.max(0, ...tasks[id].after.map((one) => plan.find((other) => other.id === one).end))
    for (let at = ready; at < start; at++)
      assert.equal(plan.filter((one) => one.start <= at && at < one.end).length, 3, `${id} waited at ${at}`)
  }
})
