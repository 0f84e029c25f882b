/** Labelled pairs of prompts: what a cache is evaluated on. */
import { AetherflowError } from '../../../bindings/errors.js'

/** `same`: one answer serves both. `a` is asked first. */
export interface Pair {
  readonly same: boolean
  readonly category: string
  readonly a: string
  readonly b: string
}

/**
 * A header line, then `label category text_a text_b` in each, separated by tabs, nothing quoted; label 1: one answer serves both,
 * 0: it does not. CR LF and a byte order mark are fine. Fails: cache.pairs at `name:line`.
 */
export function readPairs(text: string, name: string): Pair[] {
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/)
  const head = lines[0]?.split('\t') ?? []
  if (head.length !== 4 || /^[01]?$/.test(head[0]?.trim() ?? ''))
    throw bad(name, 1, 'the first line must name the four columns')
  const pairs: Pair[] = []
  for (const [at, line] of lines.entries()) {
    if (at === 0 || line.trim() === '') continue
    const [label = '', category = '', a = '', b = '', ...more] = line.split('\t')
    if (more.length > 0) throw bad(name, at + 1, `${4 + more.length} columns instead of 4`)
    if (label !== '0' && label !== '1') throw bad(name, at + 1, 'the label is neither 0 nor 1')
    if (a.trim() === '' || b.trim() === '') throw bad(name, at + 1, 'a text is missing')
    pairs.push({ same: label === '1', category, a, b })
  }
  return pairs
}

const bad = (name: string, line: number, detail: string): AetherflowError =>
  new AetherflowError('cache.pairs', `${name}:${line}`, detail)

/** At most `most` of them, evenly spread, the same each time. */
export function spread<T>(all: readonly T[], most: number): readonly T[] {
  if (all.length <= most) return all
  return Array.from({ length: most }, (_, at) => all[Math.floor((at * all.length) / most)] as T)
}
