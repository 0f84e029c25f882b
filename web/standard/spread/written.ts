/** What steps say of spreading and of conditions, as a plan writes it. A plan is untrusted: every member is looked at. */
import type { StepInfo } from '../../../bindings/events.js'
import type { Step } from '../../../bindings/plan.js'
import { conditionsOf, type Condition } from './conditions.js'
import { Reading } from './reading.js'
import { fillable, placeholder } from './items.js'
import { patternKinds, type PatternKind } from '../patterns/types.js'

/** Items of one step: unless the plan states fewer, and at most. */
export const usualItems = 1000
export const mostItems = 10_000
/** Tokens of the outputs of all parts together, as a dependent gets them, unless the plan says otherwise. */
const usualGathered = 16_000
const mostGathered = 1_000_000

export interface ForEach {
  /** Items that stand in the plan. */
  readonly items?: readonly unknown[]
  /** Files that these entries of `context.files` would mean. */
  readonly glob?: readonly string[]
  /** The step whose answer is a JSON array, or has one at `field`. */
  readonly step?: string
  readonly field?: string
  readonly maxItems: number
  /** How many an explanation expects; undefined: `maxItems`. */
  readonly expectedItems?: number | undefined
  readonly allowFailures: boolean
  readonly gatherTokens: number
}

export interface PatternUse {
  readonly kind: PatternKind
  readonly settings: Readonly<Record<string, unknown>>
}

export interface Written {
  readonly info: StepInfo
  /** The step as the plan has it. */
  readonly step: Step & Readonly<Record<string, unknown>>
  readonly when: readonly Condition[]
  readonly forEach?: ForEach | undefined
  readonly pattern?: PatternUse | undefined
}

/** Undefined: it says nothing of that kind. Fails: plan.wrong_type, plan.out_of_range, plan.too_large, with the place in the plan. */
export function writtenOf(info: StepInfo): Written | undefined {
  if (info.written === undefined) return undefined
  const step = info.written as unknown as Written['step']
  const read = new Reading(`/steps/${info.step}`)
  const { when, for_each: forEach, pattern } = step
  if (forEach !== undefined) mustBeFillable(step, read)
  return {
    info,
    step,
    when: when === undefined ? [] : conditionsOf(when, read),
    forEach: forEach === undefined ? undefined : forEachOf(forEach, read),
    pattern: pattern === undefined ? undefined : patternUse(pattern, read),
  }
}

/** An item that stands where none is set in would be sent as it is written. */
function mustBeFillable(step: Written['step'], read: Reading): void {
  const set: readonly string[] = ['description', 'for_each', ...fillable]
  for (const [name, value] of Object.entries(step))
    if (!set.includes(name) && placeholder.test(JSON.stringify(value)))
      read.fail(`/${name}`, `an item is set into ${set.filter((one) => one !== 'for_each').join(', ')} alone`)
}

const members = ['items', 'glob', 'step', 'field', 'max_items', 'expected_items', 'allow_failures', 'gather_tokens']
const sources = ['items', 'glob', 'step'] as const

/** A list stands for `{"items": LIST}`. */
function forEachOf(value: unknown, read: Reading): ForEach {
  const where = '/for_each'
  const given = Array.isArray(value) ? { items: value as unknown[] } : read.object(value, where, members)
  const { items, glob, step, field, max_items: max, expected_items: expected } = given as Record<string, unknown>
  const { allow_failures: allowFailures = false, gather_tokens: gather = usualGathered } = given as Record<
    string,
    unknown
  >
  if (sources.filter((name) => given[name as keyof typeof given] !== undefined).length !== 1)
    return read.fail(where, `expected a list, or an object with one of ${sources.join(', ')}`)
  if (typeof allowFailures !== 'boolean') return read.fail(`${where}/allow_failures`, 'expected true or false')
  if (field !== undefined && step === undefined)
    return read.fail(`${where}/field`, 'it is a member of the answer of `step`')
  const stated = Array.isArray(items) ? Math.max(items.length, usualItems) : usualItems
  const maxItems = max === undefined ? Math.min(mostItems, stated) : read.whole(max, `${where}/max_items`, 1, mostItems)
  if (items !== undefined && !Array.isArray(items)) return read.fail(`${where}/items`, 'expected a list')
  if (Array.isArray(items) && items.length > maxItems)
    return read.fail(where, tooMany(items.length, maxItems), 'plan.too_large')
  return {
    ...(items === undefined ? {} : { items: items as unknown[] }),
    ...(glob === undefined ? {} : { glob: globOf(glob, read) }),
    ...(step === undefined ? {} : { step: read.text(step, `${where}/step`) }),
    ...(field === undefined ? {} : { field: read.text(field, `${where}/field`) }),
    maxItems,
    expectedItems: expected === undefined ? undefined : read.whole(expected, `${where}/expected_items`, 0, maxItems),
    allowFailures,
    gatherTokens: read.whole(gather, `${where}/gather_tokens`, 1, mostGathered),
  }
}

export const tooMany = (count: number, most: number): string =>
  `${count} items are more than ${most}; state max_items, ${mostItems} at most`

function globOf(value: unknown, read: Reading): string[] {
  const list: unknown[] = Array.isArray(value) ? value : [value]
  if (list.length === 0 || list.length > 100) read.fail('/for_each/glob', 'expected one to 100 patterns')
  return list.map((entry) => read.text(entry, '/for_each/glob'))
}

const patternMembers = ['kind', 'roles', 'rounds', 'samples', 'models', 'judge', 'later_tokens']

function patternUse(value: unknown, read: Reading): PatternUse {
  const { kind, later_tokens: laterTokens, ...rest } = read.object(value, '/pattern', patternMembers)
  if (!patternKinds.includes(kind as PatternKind))
    return read.fail('/pattern/kind', `expected one of ${patternKinds.join(', ')}`)
  const { models } = rest
  if (models !== undefined && !(Array.isArray(models) && models.every((model) => typeof model === 'string')))
    return read.fail('/pattern/models', 'expected a list of names')
  return { kind: kind as PatternKind, settings: { ...rest, ...(laterTokens === undefined ? {} : { laterTokens }) } }
}
