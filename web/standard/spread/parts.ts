/** What a step spreads into: ordinary steps, each a part of it. */
import { AetherflowError } from '../../../bindings/errors.js'
import type { Step } from '../../../bindings/plan.js'
import type { UntilRule } from '../../../bindings/until.js'
import { patternOf } from '../patterns/index.js'
import type { PatternShape } from '../patterns/types.js'
import { fillable, filled, ItemFault, plainName, valuesOf } from './items.js'
import type { Written } from './written.js'

/** A step as the core takes it when a plan spreads. */
export interface Part extends Step {
  readonly part_of: string
  readonly values?: readonly string[] | undefined
}

/** Bytes of an id. */
const mostIdBytes = 128
/** Set in where the description of the step is to stand, so that nothing of it is read as a reference to a part. */
const topic = '\u0000'

/** Members of a step that its parts do not have from it. */
const own = [
  'id',
  'for_each',
  'when',
  'pattern',
  'dependencies',
  'description',
  'optional',
  'part_of',
  'values',
] as const

const without = (step: Written['step'], names: readonly string[]): object =>
  Object.fromEntries(Object.entries(step).filter(([name]) => !names.includes(name)))

/** One for each item, numbered from `from`. Throws ItemFault. */
export function itemParts({ step, forEach, pattern }: Written, items: readonly unknown[], from = 0): Part[] {
  const { id, description, optional, dependencies = [] } = step
  const common = without(step, own)
  const open = pick(step, fillable)
  // What is asked of each item is not asked of their list.
  const inputs = dependencies.filter((name) => name !== forEach?.step)
  return items.map((item, offset) => {
    const at = from + offset
    const set = filled(open, item) as { readonly output_file?: string }
    return {
      ...(common as unknown as Step),
      ...set,
      ...(set.output_file === undefined ? {} : { output_file: plainName(set.output_file, at) }),
      ...(pattern === undefined ? {} : { pattern: step['pattern'] }),
      id: idOf(id, `[${at}]`),
      description,
      dependencies: inputs,
      part_of: id,
      values: valuesOf(description, item),
      ...(forEach?.allowFailures === true || optional === true ? { optional: true } : {}),
    }
  })
}

function idOf(id: string, tail: string): string {
  const whole = `${id}${tail}`
  if (new TextEncoder().encode(whole).length <= mostIdBytes) return whole
  throw new ItemFault(`the id of a part would be longer than ${mostIdBytes} bytes: ${whole}`)
}

export interface PatternParts {
  readonly parts: readonly Part[]
  readonly until: readonly UntilRule[]
  /** With the ids of the parts. */
  readonly shape: PatternShape
}

/** Members that only those who answer have; judges read their answers alone. */
const ofSpeakers = ['context', 'validation_criteria', 'system', 'temperature', 'check'] as const

/** The steps of the step's pattern, which are called as it is, with a tail. Fails: plan.wrong_type at the step; throws ItemFault. */
export function patternParts({ info, step, pattern }: Written): PatternParts {
  const { id, description, dependencies = [], type, estimated_tokens: tokens, output, provider, model } = step
  const target = model === undefined ? provider : provider === undefined ? model : `${provider}/${model}`
  const given = pattern?.settings ?? {}
  const plan = made(`/steps/${info.step}/pattern`, () =>
    patternOf(pattern?.kind ?? 'vote', {
      ...given,
      topic,
      type,
      ...(target === undefined || given['models'] !== undefined ? {} : { models: [target] }),
      ...(tokens === undefined || tokens === 0 ? {} : { answerTokens: tokens }),
      ...(output === undefined ? {} : { output }),
    }),
  )
  const names = new Map(plan.steps.map((one) => [one.id, idOf(id, `.${one.id}`)]))
  const named = (one: string): string => names.get(one) ?? one
  const { pattern: shape, until } = plan.metadata
  const speakers = new Set(shape.turns.map((turn) => turn.step))
  const { values } = info
  const parts = plan.steps.map((one): Part => {
    const text = renamed(one.description, named).replaceAll(topic, () => description)
    return {
      ...(speakers.has(one.id) ? pick(step, ofSpeakers) : {}),
      ...one,
      id: named(one.id),
      description: text,
      dependencies: [...new Set([...dependencies, ...(one.dependencies ?? []).map(named)])],
      part_of: id,
      ...(values === undefined ? {} : { values }),
    }
  })
  return { parts, until: until.map((rule) => renamedRule(rule, named)), shape: renamedShape(shape, named) }
}

function made<Result>(where: string, make: () => Result): Result {
  try {
    return make()
  } catch (error) {
    const detail =
      error instanceof AetherflowError ? `${error.where}: ${error.detail}` : 'it has members of the wrong kind'
    throw new AetherflowError('plan.wrong_type', where, detail)
  }
}

const pick = (step: Written['step'], names: readonly string[]): object =>
  Object.fromEntries(Object.entries(step).filter(([name]) => names.includes(name)))

const renamed = (description: string, named: (id: string) => string): string =>
  description.replace(/\{\{steps\.([^{}]+)\.output\}\}/g, (_, id: string) => `{{steps.${named(id)}.output}}`)

function renamedRule(rule: UntilRule, named: (id: string) => string): UntilRule {
  const list = (ids: readonly string[]): string[] => ids.map(named)
  const ids = ([name, value]: [string, unknown]): [string, unknown] => {
    if (name === 'step') return [name, named(value as string)]
    if (name === 'sides') return [name, (value as string[][]).map(list)]
    return ['of', 'settles', 'cancels'].includes(name) ? [name, list(value as string[])] : [name, value]
  }
  return Object.fromEntries(Object.entries(rule).map(ids)) as unknown as UntilRule
}

const renamedShape = (shape: PatternShape, named: (id: string) => string): PatternShape => ({
  ...shape,
  turns: shape.turns.map((turn) => ({ ...turn, step: named(turn.step) })),
  judge: named(shape.judge),
  ...(shape.agree === undefined ? {} : { agree: named(shape.agree) }),
  ...(shape.critique === undefined ? {} : { critique: named(shape.critique) }),
})
