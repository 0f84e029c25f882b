// What the contestants of the calls bench share: one prompt, and a pump that keeps a number of calls going.
import { answer } from './chat-server.mjs'

const sentence = 'Explain how the lamp of a lighthouse is turned, and what keeps it turning at night. '
export const system = 'You are terse.'
/** 4 KB. */
export const prompt = sentence.repeat(Math.ceil(4096 / sentence.length)).slice(0, 4096)
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
