/**
 * A routing table from what was measured. For each rule and type of step, what the table sends it to now is compared with every other
 * model that did the same steps, in pairs; another model takes its place only where the interval of the difference decides. Wherever it
 * does not, the rule stays as it is.
 */
import { formatShare } from '../../web/standard/format.js'
import type { BenchmarkData, BenchStep } from './data.js'
import { differs, pairedMedianDifference, shareDifference, shareEstimate, type Estimate } from './statistics.js'

export const objectives = ['cost', 'time', 'quality'] as const
export type Objective = (typeof objectives)[number]

/** A model that is cheaper or faster may be right less often by so much at most, by its interval: 30 pairs without a miss show that. */
const margin = 0.15

/** A rule of the routing table, as configurations have it; other members are kept. */
export interface Rule {
  readonly name: string
  readonly type?: string
  readonly use: readonly string[]
  readonly why?: string
}

export interface Tuning {
  /** `rule`: that decided for the steps; `type`: of the steps. */
  readonly rule: string
  readonly type: string
  /** `provider model`: what the table sends them to, and what it should. */
  readonly now: string
  readonly chosen: string
  readonly changed: boolean
  /** For people. */
  readonly reason: string
}

export interface Tuned {
  /** Rules of the mode, in order. Equal to those given where nothing changes. */
  readonly rules: readonly Rule[]
  readonly tunings: readonly Tuning[]
}

/** What one model made of one step in one run. */
interface Attempt {
  readonly model: string
  /** Of the same step of the same plan with the same seed. */
  readonly task: string
  /** Of the same step of the same plan. */
  readonly step: string
  readonly ms: number | null
  readonly microUsd: number
  readonly right: boolean
}

export interface TuneOptions {
  readonly objective: Objective
  /** The mode whose rules are tuned; results of others do not count. */
  readonly mode: string
  readonly rules: readonly Rule[]
  /** `provider/model`, or a provider's id, as `provider model`; undefined: there is no such provider. */
  readonly modelOf: (target: string) => string | undefined
}

export function tune(results: readonly BenchmarkData[], options: TuneOptions): Tuned {
  const groups = attemptsByRule(results, options.mode)
  const comparisons = [...groups.values()].reduce((sum, { attempts }) => sum + modelsOf(attempts).length - 1, 0)
  // Many comparisons find something by chance: each must be so much surer that all together are wrong once in twenty.
  const level = 1 - 0.05 / Math.max(1, comparisons)
  const tunings: Tuning[] = []
  let rules = [...options.rules]
  for (const { rule: name, type, attempts } of groups.values()) {
    const rule = options.rules.find((one) => one.name === name)
    if (rule === undefined) continue
    const decided = decide({ rule, type, attempts, level }, options)
    tunings.push(decided.tuning)
    if (decided.use !== undefined) rules = withRule(rules, rule, { ...decided, type, use: decided.use })
  }
  return { rules, tunings }
}

function attemptsByRule(
  results: readonly BenchmarkData[],
  mode: string,
): Map<string, { rule: string; type: string; attempts: Attempt[] }> {
  const groups = new Map<string, { rule: string; type: string; attempts: Attempt[] }>()
  for (const { plan, runs } of results)
    for (const run of runs)
      for (const step of run.mode === mode ? run.steps : []) {
        const attempt = attemptOf(step, `${plan.digest}\n${step.id}`, run.seed)
        if (attempt === undefined || step.rule === null) continue
        const key = `${step.rule}\n${step.type}`
        const group = groups.get(key) ?? { rule: step.rule, type: step.type, attempts: [] }
        group.attempts.push(attempt)
        groups.set(key, group)
      }
  return groups
}

/**
 * What is measured is the model that was called first: another that had to step in is no success of it. A step that was drafted is the
 * work of two models, and says nothing of either.
 */
function attemptOf(step: BenchStep, id: string, seed: number): Attempt | undefined {
  if (step.calls.some(({ purpose }) => purpose === 'draft')) return undefined
  const first = step.calls.find(({ purpose }) => purpose === 'main')
  if (first === undefined) return undefined
  const own = step.provider === first.provider && step.model === first.model
  const done = step.state === 'done' && own
  return {
    model: `${first.provider} ${first.model}`,
    task: `${id}\n${seed}`,
    step: id,
    ms: done
      ? (step.calls.find(({ outcome, purpose }) => outcome === 'ok' && purpose === 'main')?.responseMs ?? null)
      : null,
    microUsd: step.costMicroUsd,
    right: done && step.firstTry !== false,
  }
}

const modelsOf = (attempts: readonly Attempt[]): string[] => [...new Set(attempts.map(({ model }) => model))]

interface Group {
  readonly rule: Rule
  readonly type: string
  readonly attempts: readonly Attempt[]
  readonly level: number
}

interface Compared {
  readonly model: string
  readonly pairs: number
  readonly steps: number
  /** As a share of what is used now; of quality, in points. */
  readonly gain: Estimate
  readonly right: Estimate
  readonly rightNow: Estimate
  readonly quality: Estimate
}

function decide(
  group: Group,
  { objective, modelOf }: TuneOptions,
): { tuning: Tuning; use?: readonly string[]; why: string } {
  const { rule, type, attempts } = group
  const now = rule.use.map(modelOf).find((model) => model !== undefined) ?? ''
  const keep = (reason: string) => ({
    tuning: { rule: rule.name, type, now, chosen: now, changed: false, reason },
    why: rule.why ?? '',
  })
  if (!attempts.some(({ model }) => model === now)) return keep(`${now}, which is used now, was not measured`)
  const others = modelsOf(attempts).filter((model) => model !== now)
  if (others.length === 0) return keep('no other model was measured')
  const compared = others.map((model) => comparedWith(group, now, model, objective))
  const better = compared.filter((one) => isBetter(one, objective))
  const [best] = better.sort((a, b) => gainOf(b, objective) - gainOf(a, objective))
  if (best === undefined)
    return keep(`the data does not decide: ${compared.map((one) => gainWords(one, objective)).join('; ')}`)
  const reason = `${gainWords(best, objective)} than ${now}, over ${best.pairs} pairs of ${best.steps} ${best.steps === 1 ? 'step' : 'steps'}`
  const target = targetOf(best.model, modelOf, rule.use)
  return {
    tuning: { rule: rule.name, type, now, chosen: best.model, changed: true, reason },
    use: [target, ...rule.use.filter((one) => one !== target)],
    why: `measured: ${reason}`,
  }
}

function comparedWith({ attempts, level }: Group, now: string, model: string, objective: Objective): Compared {
  const before = new Map(attempts.filter((one) => one.model === now).map((one) => [one.task, one]))
  const pairs = attempts
    .filter((one) => one.model === model)
    .flatMap((after) => {
      const other = before.get(after.task)
      return other === undefined ? [] : [{ before: other, after }]
    })
  const rightOf = (of: readonly Attempt[]): Estimate =>
    shareEstimate(of.filter(({ right }) => right).length, of.length, level)
  const rightNow = rightOf(pairs.map((pair) => pair.before))
  const right = rightOf(pairs.map((pair) => pair.after))
  const quality = shareDifference(rightNow, right)
  return {
    ...{ model, pairs: pairs.length, steps: new Set(pairs.map(({ after }) => after.step)).size },
    ...{ right, rightNow, quality },
    gain: objective === 'quality' ? quality : relativeGain(pairs, objective, level),
  }
}

/** Negative: less time, or money. Pairs where one of the two has no answer of its own say nothing of it. */
function relativeGain(
  pairs: readonly { readonly before: Attempt; readonly after: Attempt }[],
  objective: 'cost' | 'time',
  level: number,
): Estimate {
  const known = pairs.flatMap(({ before, after }) => {
    const [was, is] = objective === 'cost' ? [before.microUsd, after.microUsd] : [before.ms, after.ms]
    return was === null || is === null || was <= 0 ? [] : [is / was]
  })
  return pairedMedianDifference(
    known.map(() => 1),
    known,
    { level },
  )
}

function isBetter({ gain, quality }: Compared, objective: Objective): boolean {
  if (!differs(gain)) return false
  return objective === 'quality' ? gain.value > 0 : gain.value < 0 && quality.low > -margin
}

const gainOf = ({ gain }: Compared, objective: Objective): number =>
  objective === 'quality' ? gain.value : -gain.value

function gainWords({ model, gain, right, rightNow, quality, pairs }: Compared, objective: Objective): string {
  if (pairs === 0) return `${model} did none of the same steps`
  const points = `right at once ${formatShare(right.value)} against ${formatShare(rightNow.value)} ${interval(quality)}`
  if (objective === 'quality') return `${model} is ${points}`
  const [less, more] = objective === 'cost' ? ['cheaper', 'dearer'] : ['faster', 'slower']
  if (!Number.isFinite(gain.low)) return `${model}: too few pairs (${gain.n})`
  const size = `${Math.abs(gain.value * 100).toFixed(0)} % ${gain.value < 0 ? less : more} ${interval(gain)}`
  return `${model} is ${size}, ${points}`
}

const interval = ({ low, high }: Estimate): string => {
  const number = (value: number): string =>
    Number.isFinite(value) ? `${value < 0 ? '−' : '+'}${Math.abs(value * 100).toFixed(0)}` : '…'
  return `[${number(low)}, ${number(high)}]`
}

/** As the rule names it already, else by its provider where that is enough. */
function targetOf(model: string, modelOf: TuneOptions['modelOf'], use: readonly string[]): string {
  const named = use.find((target) => modelOf(target) === model)
  if (named !== undefined) return named
  const [provider = '', ...rest] = model.split(' ')
  return modelOf(provider) === model ? provider : `${provider}/${rest.join(' ')}`
}

/** A rule of that type is changed; before one for all types another is put, for this type alone. */
function withRule(
  rules: readonly Rule[],
  rule: Rule,
  { type, use, why }: { readonly type: string; readonly use: readonly string[]; readonly why: string },
): Rule[] {
  return rules.flatMap((one) => {
    if (one !== rule) return [one]
    if (rule.type === type) return [{ ...rule, use, why }]
    return [{ ...rule, name: `${rule.name}-${type}`, type, use, why }, rule]
  })
}
