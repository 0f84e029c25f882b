/** What a plan may be given as, and its bytes. */

import type { Plan } from '../../../bindings/plan.js'

/**
 * An object, JSON text, bytes, or chunks of either as they come (a stream of Node or of the web, a generator). `Plan` is there for
 * plans written in TypeScript, and for interfaces; other objects are taken as well, as they come from JSON.
 */
export type PlanSource =
  string | Uint8Array | AsyncIterable<string | Uint8Array> | Plan | Readonly<Record<string, unknown>>

const encoder = new TextEncoder()

/** Texts and bytes as one piece, iterables as they are. */
export function planBytes(plan: PlanSource): Uint8Array | AsyncIterable<Uint8Array> {
  if (typeof plan === 'string') return encoder.encode(plan)
  if (plan instanceof Uint8Array) return plan
  if (Symbol.asyncIterator in plan) return encoded(plan as AsyncIterable<string | Uint8Array>)
  return encoder.encode(JSON.stringify(plan))
}

/** All of it in one piece: for what reads it more than once. */
export async function wholePlan(source: Uint8Array | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source
  const chunks: Uint8Array[] = []
  for await (const chunk of source) chunks.push(chunk)
  const whole = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}

async function* encoded(chunks: AsyncIterable<string | Uint8Array>): AsyncIterable<Uint8Array> {
  // A text stream may cut a surrogate pair in two: TextEncoderStream's job, done by holding the first half back.
  let held = ''
  for await (const chunk of chunks) {
    if (typeof chunk !== 'string') {
      yield chunk
      continue
    }
    const text = held + chunk
    const last = text.charCodeAt(text.length - 1)
    held = last >= 0xd800 && last <= 0xdbff ? text.slice(-1) : ''
    yield encoder.encode(held === '' ? text : text.slice(0, -1))
  }
  if (held !== '') yield encoder.encode(held)
}
