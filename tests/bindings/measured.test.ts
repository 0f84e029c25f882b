/** What runs of a process learn of models from each other. */
import { expect, test } from '@jest/globals'
import { Measured, type MeasuredCall } from '../../bindings/measured.js'

const call = (more: Partial<MeasuredCall> = {}): MeasuredCall => ({
  ...{ estimatedTokens: 1000, promptTokens: 1200, firstTokenMs: 300, outputTokens: 200, streamedMs: 2000 },
  ...more,
})

function after(calls: readonly MeasuredCall[]) {
  const measured = new Measured()
  for (const one of calls) measured.learn('m', one)
  return measured.of('m')
}

test('nothing before a few calls have told, then their mean', () => {
  expect(after([])).toBeUndefined()
  expect(after(Array<MeasuredCall>(4).fill(call()))).toBeUndefined()
  expect(after(Array<MeasuredCall>(5).fill(call()))).toEqual({
    tokenFactor: 1.2,
    firstTokenMs: 300,
    tokensPerSecond: 100,
  })
  const mixed = [100, 200, 300, 400, 500].map((firstTokenMs) => call({ firstTokenMs }))
  expect(after(mixed)?.firstTokenMs).toBe(300)
})

test('of one model nothing of another', () => {
  const measured = new Measured()
  for (let i = 0; i < 9; ++i) measured.learn('m', call())
  expect(measured.of('n')).toBeUndefined()
})

test('what has changed counts after a while', () => {
  const slower = call({ firstTokenMs: 3000, streamedMs: 20_000 })
  const told = after([...Array<MeasuredCall>(200).fill(call()), ...Array<MeasuredCall>(100).fill(slower)])
  expect(told?.firstTokenMs).toBeGreaterThan(2900)
  expect(told?.tokensPerSecond).toBeLessThan(12)
})

test('one odd report poisons nothing, and all of them stay within what the core takes', () => {
  const odd = after([...Array<MeasuredCall>(30).fill(call()), call({ firstTokenMs: 1100 })])
  expect(odd?.firstTokenMs).toBe(350)
  const high = call({ promptTokens: 1e9, firstTokenMs: 1e9, outputTokens: 1e9, streamedMs: 50 })
  expect(after(Array<MeasuredCall>(9).fill(high))).toEqual({ tokenFactor: 3, firstTokenMs: 1e7, tokensPerSecond: 1e6 })
  const low = call({ promptTokens: 1, firstTokenMs: 0, outputTokens: 16, streamedMs: 1e9 })
  expect(after(Array<MeasuredCall>(9).fill(low))).toEqual({ tokenFactor: 0.5, firstTokenMs: 0, tokensPerSecond: 1 })
})

test.each<[string, Partial<MeasuredCall>, object | undefined]>([
  ['whole answers', { firstTokenMs: undefined as never, streamedMs: 0 }, { tokenFactor: 1.2 }],
  ['answers too short to time', { outputTokens: 3 }, { tokenFactor: 1.2, firstTokenMs: 300 }],
  ['answers that came at once', { streamedMs: 2 }, { tokenFactor: 1.2 }],
  ['answers without counts', { promptTokens: 0 }, { firstTokenMs: 300, tokensPerSecond: 100 }],
])('%s say no more than they can', (_, more, told) => {
  expect(after(Array<MeasuredCall>(9).fill(call(more)))).toEqual(told)
})

test('a short prompt says nothing of how tokens are counted: most of it is what a provider adds', () => {
  const short = Array<MeasuredCall>(9).fill(call({ estimatedTokens: 5, promptTokens: 20 }))
  expect(after(short)?.tokenFactor).toBeUndefined()
  expect(after([...short, ...Array<MeasuredCall>(5).fill(call())])?.tokenFactor).toBe(1.2)
})
