/**
 * Rules of a plan that say when steps are not needed any more: `metadata.until`. Pure: what has ended goes in, which steps are settled
 * comes out. Comparisons of answers and of members of JSON with literals; nothing of a plan is evaluated.
 */
import { canonical } from './canonical.js'

/** `likely`: how likely an explanation takes it to be that the rule ends its steps, 0 to 1; default 0.5. Every `of` and `settles` names steps by id. Steps that `of` names and that have not ended are settled with the others by `majority` and `silent`. */
export type UntilRule = { readonly likely?: number | undefined } &
  /** One answer has more votes than any other can still get. */
  (
    | { readonly until: 'majority'; readonly of: readonly string[]; readonly settles?: readonly string[] | undefined }
    /** All of them are done, with equal answers. */
    | { readonly until: 'agree'; readonly of: readonly string[]; readonly settles: readonly string[] }
    /** `times` in a row of them gave no answer, in their order. */
    | { readonly until: 'silent'; readonly of: readonly string[]; readonly times: number }
    /** All have ended, and at most one of them is done. */
    | { readonly until: 'alone'; readonly of: readonly string[]; readonly settles: readonly string[] }
    /** The answer of the step is JSON whose member `field` equals `value`. */
    | {
        readonly until: 'field'
        readonly step: string
        readonly field: string
        readonly value: unknown
        readonly settles: readonly string[]
      }
    /** All of some side have ended, and none of them is done: the steps of `cancels` cannot be carried out. */
    | {
        readonly until: 'side_missing'
        readonly sides: readonly (readonly string[])[]
        readonly cancels: readonly string[]
      }
  )

/** How a step ended; absent from the map: it has not. */
export interface EndedStep {
  /** Undefined: it gave none. */
  readonly text: string | undefined
}
export interface Unneeded {
  readonly settled: readonly string[]
  readonly cancelled: readonly string[]
}

/**
 * Equal for answers that count as one: canonical JSON where it is JSON (in a code fence, too), else the text in Unicode's compatibility
 * form, lower case, blanks as one, without Markdown's emphasis, quotes around it and full stops at its end.
 */
export function answerKey(text: string): string {
  const bare = text.trim().replace(/^```[\w-]*\n([\s\S]*?)\n?```$/, '$1')
  const json = jsonOf(bare)
  if (json !== undefined && typeof json !== 'string') return canonical(json)
  const plain = (json ?? bare).normalize('NFKC').toLowerCase().replace(/[*_`]/g, '').replace(/\s+/g, ' ')
  return plain.replace(/^["'“”«»\s]+|["'“”«»\s.!]+$/g, '')
}

/** Undefined: it is no JSON. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

const keys = new WeakMap<EndedStep, string>()

/** Made once: a rule is asked again whenever one of its steps ends. */
function keyOf(end: EndedStep, text: string): string {
  const key = keys.get(end) ?? answerKey(text)
  keys.set(end, key)
  return key
}

export interface Tally {
  /** Answers by votes, most first, equal ones in the order in which they stand. */
  readonly answers: readonly { readonly key: string; readonly votes: number; readonly first: string }[]
  /** Steps that have not ended. */
  readonly open: number
  /** The first answer cannot be caught up with: ended or not, the rest changes nothing. */
  readonly fixed: boolean
}

/** `first`: the step that gave the answer first, in the order of `of`. */
export function tallyOf(of: readonly string[], ended: ReadonlyMap<string, EndedStep>): Tally {
  const votes = new Map<string, { key: string; votes: number; first: string }>()
  let open = 0
  for (const step of of) {
    const end = ended.get(step)
    if (end === undefined) open += 1
    if (end?.text === undefined) continue
    const key = keyOf(end, end.text)
    const known = votes.get(key)
    if (known === undefined) votes.set(key, { key, votes: 1, first: step })
    else known.votes += 1
  }
  const answers = [...votes.values()].sort((one, other) => other.votes - one.votes)
  const [most, second] = answers
  return { answers, open, fixed: most !== undefined && most.votes > (second?.votes ?? 0) + open }
}

/** What the rule makes of what has ended. O(steps that it names). */
export function unneeded(rule: UntilRule, ended: ReadonlyMap<string, EndedStep>): Unneeded {
  const done = (step: string): boolean => ended.get(step)?.text !== undefined
  const over = (steps: readonly string[]): boolean => steps.every((step) => ended.has(step))
  const settles = (holds: boolean, ...steps: readonly (readonly string[])[]): Unneeded =>
    holds ? { settled: steps.flat(), cancelled: [] } : nothing
  switch (rule.until) {
    case 'majority':
      return settles(tallyOf(rule.of, ended).fixed, rule.of, rule.settles ?? [])
    case 'agree':
      return settles(rule.of.every(done) && tallyOf(rule.of, ended).answers.length === 1, rule.settles)
    case 'silent':
      return settles(isSilent(rule.of, rule.times, ended), rule.of)
    case 'alone':
      return settles(over(rule.of) && rule.of.filter(done).length <= 1, rule.settles)
    case 'field':
      return settles(fieldIs(ended.get(rule.step)?.text, rule.field, rule.value), rule.settles)
    case 'side_missing':
      return rule.sides.some((side) => over(side) && !side.some(done))
        ? { settled: [], cancelled: rule.cancels }
        : nothing
  }
}

const nothing: Unneeded = { settled: [], cancelled: [] }

function isSilent(of: readonly string[], times: number, ended: ReadonlyMap<string, EndedStep>): boolean {
  let inARow = 0
  for (const step of of) {
    const end = ended.get(step)
    if (end === undefined) return false
    inARow = end.text === undefined ? inARow + 1 : 0
    if (inARow >= times) return true
  }
  return false
}

function fieldIs(text: string | undefined, field: string, value: unknown): boolean {
  const json = text === undefined ? undefined : jsonOf(text)
  if (typeof json !== 'object' || json === null || !Object.hasOwn(json, field)) return false
  return canonical((json as Record<string, unknown>)[field]) === canonical(value)
}

/** Most rules of a plan, and steps that one names. */
const mostRules = 100
const mostSteps = 1000

/** The rules of a plan's metadata; anything else is left out, with a warning that names its place. */
export function untilRules(metadata: unknown, tell: (where: string) => void): UntilRule[] {
  const given = typeof metadata === 'object' && metadata !== null ? (metadata as { until?: unknown }).until : undefined
  if (given === undefined) return []
  if (!Array.isArray(given) || given.length > mostRules) {
    tell('/metadata/until')
    return []
  }
  return given.filter((rule: unknown, at): rule is UntilRule => {
    const holds = isRule(rule)
    if (!holds) tell(`/metadata/until/${at}`)
    return holds
  })
}

const isSteps = (value: unknown): value is string[] =>
  Array.isArray(value) && value.length <= mostSteps && value.every((step) => typeof step === 'string')

function isRule(value: unknown): value is UntilRule {
  if (typeof value !== 'object' || value === null) return false
  const { until, of, settles, times, step, field, sides, cancels, likely } = value as Record<string, unknown>
  if (likely !== undefined && !(typeof likely === 'number' && likely >= 0 && likely <= 1)) return false
  switch (until) {
    case 'majority':
      return isSteps(of) && (settles === undefined || isSteps(settles))
    case 'agree':
    case 'alone':
      return isSteps(of) && of.length > 0 && isSteps(settles)
    case 'silent':
      return isSteps(of) && Number.isSafeInteger(times) && Number(times) > 0
    case 'field':
      return typeof step === 'string' && typeof field === 'string' && 'value' in value && isSteps(settles)
    case 'side_missing':
      return Array.isArray(sides) && sides.length <= mostRules && sides.every(isSteps) && isSteps(cancels)
    default:
      return false
  }
}

/** The steps that a rule looks at. */
export function watches(rule: UntilRule): readonly string[] {
  if (rule.until === 'field') return [rule.step]
  return rule.until === 'side_missing' ? rule.sides.flat() : rule.of
}
