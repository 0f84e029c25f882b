// What the contestants of the calls bench share: one prompt, and a pump that keeps a number of calls going.
import { answer } from './chat-server.mjs'

const subjects = [
  'The keeper',
  'A small clock',
  'The tall lens',
  'An old engineer',
  'The harbour',
  'Each lamp',
  'The log book',
]
const verbs = [
  'turns',
  'records',
  'follows',
  'replaces',
  'measures',
  'repairs',
  'waits for',
  'compares',
  'lights',
  'names',
  'moves',
]
const objects = [
  'the brass gears',
  'every ship',
  'two weights',
  'the northern light',
  'an oil tank',
  'the fog bell',
  'its mirror',
  'a spare wick',
  'the tide',
]
const ends = [
  'at night',
  'before dawn',
  'during storms',
  'twice a week',
  'with great care',
  'from the upper floor',
  'when the wind drops',
  'without a pause',
]
/** Prose in which no sentence stands twice: a prompt of repeated sentences would be stripped to one. */
function prose(bytes) {
  let text = 'Explain what is unusual in this account of a lighthouse.'
  for (let n = 0; text.length < bytes; n++) {
    const pick = (list, step) => list[(n * step + Math.floor(n / list.length)) % list.length]
    text += ` ${pick(subjects, 3)} ${pick(verbs, 5)} ${pick(objects, 2)} ${pick(ends, 3)}${n % 4 === 1 ? `, ${n} metres above the sea` : ''}.`
  }
  return text.slice(0, bytes)
}
export const system = 'You are terse.'
/** 4 KB. */
export const prompt = prose(4096)
export const model = 'bench'

/** Runs `once(number)` `count` times, `concurrency` at a time. */
export async function pump(count, concurrency, once) {
  let next = 0
  const lane = async () => {
    while (next < count) await once(next++)
  }
  await Promise.all(Array.from({ length: concurrency }, lane))
}

/** A contestant that answers wrongly is fast. */
export function check(text) {
  if (text !== answer) throw new Error(`wrong answer: ${String(text).slice(0, 80)}`)
}
