/** `when`: comparisons of what a dependency came to with literals. Nothing of a plan is evaluated. */
import { canonical } from '../../../bindings/canonical.js'
import { answerKey } from '../../../bindings/until.js'
import type { Reading } from './reading.js'

/** How a step came out. */
export interface Outcome {
  readonly state: string
  /** Undefined: it gave none. */
  readonly text: string | undefined
}

export interface Condition {
  readonly step: string
  /** What of it is compared. */
  readonly what: 'answer' | 'state' | 'verdict'
  /** Of an answer that is JSON: names of members, outer ones first; undefined: the whole answer. */
  readonly field?: readonly string[] | undefined
  readonly test: 'is' | 'not' | 'in' | 'above' | 'below'
  readonly value: unknown
}

const tests = ['is', 'not', 'in', 'above', 'below'] as const
const members = ['step', 'field', 'state', 'verdict', ...tests]
const states = ['done', 'failed', 'skipped', 'cancelled']
const verdicts = ['passed', 'issues', 'undone']
const mostConditions = 20

/** One, or a list of which all have to hold. Fails: as `writtenOf`. */
export function conditionsOf(value: unknown, read: Reading): Condition[] {
  if (!Array.isArray(value)) return [conditionOf(value, '/when', read)]
  if (value.length === 0 || value.length > mostConditions)
    read.fail('/when', `expected one to ${mostConditions} conditions`)
  return value.map((one: unknown, at) => conditionOf(one, `/when/${at}`, read))
}

function conditionOf(value: unknown, where: string, read: Reading): Condition {
  const given = read.object(value, where, members)
  const step = read.text(given['step'], `${where}/step`)
  const { state, verdict, field } = given
  const used = tests.filter((name) => given[name] !== undefined)
  const [test] = used
  const words = state !== undefined ? states : verdict !== undefined ? verdicts : undefined
  if (words !== undefined) {
    const [what, word] = state !== undefined ? (['state', state] as const) : (['verdict', verdict] as const)
    if (used.length > 0 || field !== undefined || (state !== undefined && verdict !== undefined))
      return read.fail(where, 'state and verdict stand alone, beside step')
    if (!words.includes(String(word))) return read.fail(`${where}/${what}`, `expected one of ${words.join(', ')}`)
    return { step, what, test: 'is', value: word }
  }
  if (test === undefined || used.length !== 1)
    return read.fail(where, `expected state, verdict, or one comparison: ${tests.join(', ')}`)
  const literal = given[test]
  if (test === 'in' && !Array.isArray(literal)) return read.fail(`${where}/in`, 'expected a list')
  if ((test === 'above' || test === 'below') && typeof literal !== 'number')
    return read.fail(`${where}/${test}`, 'expected a number')
  const path = field === undefined ? undefined : read.text(field, `${where}/field`).split('.')
  return { step, what: 'answer', field: path, test, value: literal }
}

/** `verdictOf`: what the audit of a step said. Without an answer only `not` holds. */
export function holds(
  { step, what, field, test, value }: Condition,
  outcome: Outcome,
  verdictOf: (step: string) => string | undefined,
): boolean {
  if (what === 'state') return outcome.state === value
  if (what === 'verdict') return verdictOf(step) === value
  const { text } = outcome
  const found = text === undefined ? undefined : field === undefined ? text : memberOf(text, field)
  if (test === 'above' || test === 'below') {
    const number = typeof found === 'string' ? Number(found.trim() === '' ? NaN : found) : found
    return typeof number === 'number' && (test === 'above' ? number > (value as number) : number < (value as number))
  }
  // A whole answer is a text, whatever it says; a member has a type.
  const keyOf = field === undefined ? answerKeyOf : memberKeyOf
  const key = found === undefined ? undefined : keyOf(found)
  const equals = (literal: unknown): boolean => key !== undefined && key === keyOf(literal)
  if (test === 'not') return !equals(value)
  return test === 'in' ? (value as unknown[]).some(equals) : equals(value)
}

/** Texts are equal as answers of a vote are. */
const answerKeyOf = (value: unknown): string => (typeof value === 'string' ? answerKey(value) : canonical(value))
const memberKeyOf = (value: unknown): string =>
  typeof value === 'string' ? JSON.stringify(answerKey(value)) : canonical(value)

/** Undefined: the text is no JSON, or has no such member. */
export function memberOf(text: string, path: readonly string[]): unknown {
  let value = jsonOf(text)
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as Record<string, unknown>)[name]
  }
  return value
}

/** Of a text, which may be in a code fence; undefined: it is no JSON. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text.trim().replace(/^```[\w-]*\n([\s\S]*?)\n?```$/, '$1')) as unknown
  } catch {
    return undefined
  }
}
