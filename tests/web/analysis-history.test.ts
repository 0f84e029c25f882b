/** The digest of a conversation, which is made once while its turns stay as they are. */
import { expect, test } from '@jest/globals'
import { historyOf } from '../../web/standard/analysis/history-digest.js'

function counting() {
  let made = 0
  const digest = (parts: readonly string[]): string => {
    made += 1
    return JSON.stringify(parts)
  }
  return { digest, made: () => made }
}
const conversation = () => [
  { role: 'user', content: 'It works.' },
  { role: 'assistant', content: 'Good.' },
]

test('is made once, and again for each character that was written to in the same turns', () => {
  const { digest, made } = counting()
  const turns = conversation()
  const first = historyOf(turns, digest).value
  expect([historyOf(turns, digest).value, historyOf([...turns], digest).value, made()]).toEqual([first, first, 1])
  const values = new Set([first])
  for (const change of [
    () => (turns[1]!.content = 'Good!'),
    () => (turns[0]!.role = 'system'),
    () => turns.push({ role: 'user', content: '' }),
    () => turns.reverse(),
  ]) {
    change()
    values.add(historyOf(turns, digest).value)
  }
  expect([values.size, made()]).toEqual([5, 5])
  expect(historyOf(conversation(), digest).value).toBe(first)
  // Another way to make digests has another.
  expect(historyOf(turns, () => 'other').value).toBe('other')
})

test('texts cannot run into each other', () => {
  const { digest } = counting()
  const of = (...texts: string[]) =>
    historyOf(
      texts.map((content) => ({ role: 'u', content })),
      digest,
    ).value
  expect(new Set([of('ab', 'c'), of('a', 'bc'), of('abc'), of('a', 'b', 'c')]).size).toBe(4)
})

test('turns are those of then, whatever is written to them later', () => {
  const { digest } = counting()
  const turns = [{ role: 'user', content: 'a\r\nb' }]
  const known = historyOf(turns, digest)
  turns[0]!.content = 'later'
  expect(known.turns()).toEqual([{ role: 'user', content: 'a\nb' }])
})
