/** Entries and embeddings for the tests of stores, each known by a number. */
import type { CacheEntry } from '../../../bindings/cache/ports.js'

/** 32 hexadecimal digits. */
export const keyOf = (number: number): string => number.toString(16).padStart(32, '0')

export function entryOf(number: number, more: Partial<CacheEntry> = {}): CacheEntry {
  const prompt = more.prompt ?? `question ${number}`
  const answer = more.answer ?? `answer ${number}`
  const utf8 = new TextEncoder()
  return {
    key: keyOf(number),
    scope: keyOf(1_000_000),
    label: 'me · p/m',
    createdAt: 1_000_000 + number,
    expiresAt: 9_000_000_000_000,
    bytes: utf8.encode(prompt).length + utf8.encode(answer).length,
    space: number % 2 === 0 ? 'f'.repeat(32) : '',
    vector: number % 2 === 0 ? 'e'.repeat(32) : '',
    ...(number % 3 === 0 ? { belief: [number / 10, 0.5] as const } : {}),
    ...(number % 4 === 0 ? { refused: [keyOf(number).slice(16)] } : {}),
    worth: { tokens: number, microUsd: 2 * number, ms: 3 * number },
    prompt,
    answer,
    ...more,
  }
}

/** A vector of unit length that no other number has. */
export function vectorOf(number: number, dimensions = 384): Float32Array {
  const vector = Float32Array.from({ length: dimensions }, (_, at) => Math.sin(number * 31 + at * at))
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0))
  return vector.map((value) => value / length)
}

/** The same with a prompt of up to so many bytes. */
export const longEntryOf = (number: number, most: number): CacheEntry =>
  entryOf(number, { prompt: 'p'.repeat((number * 7919) % (most + 1)) })
