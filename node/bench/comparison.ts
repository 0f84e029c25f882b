/**
 * Arms against a baseline: `comparison_data.json`, version 1. Runs of the same plan and seed are a pair; what both share cancels out.
 * Times, money and tokens differ by a share of the baseline's, shares and factors by their difference.
 */
import type { ArmSettings } from './arms.js'
import type { BenchmarkData, BenchRun, FigureData, TargetFigure } from './data.js'
import { figureData, figures, figuresOf, type Figure } from './figures.js'
import { differs, pairedMedianDifference } from './statistics.js'
import { targetFigures } from './targets.js'

export const comparisonVersion = 1

export interface ComparedFigure {
  readonly figure: string
  /** Medians of the runs that are compared. */
  readonly before: number
  readonly after: number
  /** Median over pairs of after less before; null bounds: too few pairs to say. `n`: pairs. */
  readonly difference: FigureData
  /** The difference is a share of what was before: 0.1 is 10 % more. */
  readonly relative: boolean
  readonly verdict: Verdict
}
export type Verdict = 'better' | 'worse' | 'no difference shown' | 'too few pairs'

export interface ComparedArm {
  readonly name: string
  readonly settings: ArmSettings
  /** Medians over all its runs. */
  readonly figures: Readonly<Record<string, FigureData>>
  readonly targets: readonly TargetFigure[]
  /** Against the baseline; empty for the baseline itself. */
  readonly all: readonly ComparedFigure[]
  readonly byPlan: readonly { readonly plan: string; readonly figures: readonly ComparedFigure[] }[]
}

export interface ComparisonData {
  readonly kind: 'aetherflow.comparison'
  readonly version: typeof comparisonVersion
  readonly at: string
  readonly simulated: string | null
  readonly baseline: string
  readonly plans: readonly string[]
  readonly arms: readonly ComparedArm[]
  /** What a reader must know before quoting a figure. */
  readonly remarks: readonly string[]
}

interface Pair {
  readonly before: BenchRun
  readonly after: BenchRun
}

/** `results`: of every plan and arm; the first arm is the baseline unless `baseline` names another. At least one. */
export function compare(results: readonly BenchmarkData[], baseline = results[0]?.arm ?? ''): ComparisonData {
  const arms = [...new Set(results.map(({ arm }) => arm))].sort(
    (a, b) => Number(b === baseline) - Number(a === baseline),
  )
  const plans = [...new Set(results.map(({ plan }) => plan.name))]
  const of = (arm: string, plan: string): BenchmarkData | undefined =>
    results.find((one) => one.arm === arm && one.plan.name === plan)
  const compared = arms.map((arm): ComparedArm => {
    const own = results.filter((one) => one.arm === arm)
    const pairs = plans.map((plan) => ({ plan, pairs: pairsOf(of(baseline, plan), of(arm, plan)) }))
    const runs = own.flatMap((one) => one.runs)
    const first = arm === baseline
    return {
      name: arm,
      settings: own[0]?.settings ?? {},
      figures: figuresOf(runs),
      targets: targetFigures(runs),
      all: first ? [] : comparedFigures(pairs.flatMap((one) => one.pairs)),
      byPlan: first ? [] : pairs.map((one) => ({ plan: one.plan, figures: comparedFigures(one.pairs) })),
    }
  })
  const [one] = results
  return {
    kind: 'aetherflow.comparison',
    version: comparisonVersion,
    at: one?.at ?? '',
    simulated: one?.simulated ?? null,
    baseline,
    plans,
    arms: compared,
    remarks: remarksOf(results, compared),
  }
}

function pairsOf(before: BenchmarkData | undefined, after: BenchmarkData | undefined): Pair[] {
  const bySeed = new Map(after?.runs.map((run) => [run.seed, run]))
  return (before?.runs ?? []).flatMap((run) => {
    const other = bySeed.get(run.seed)
    return other === undefined ? [] : [{ before: run, after: other }]
  })
}

const relativeFigures = new Set([
  ...['makespanMs', 'costMicroUsd', 'inputTokens', 'outputTokens', 'calls'],
  ...['firstTokenMs', 'responseMs', 'queueMs', 'networkMs'],
])

function comparedFigures(pairs: readonly Pair[]): ComparedFigure[] {
  return figures.flatMap((figure) => {
    const known = pairs.flatMap(({ before, after }) => {
      const [was, is] = [figure.of(before), figure.of(after)]
      return was === null || is === null ? [] : [{ was, is }]
    })
    return known.length === 0 ? [] : [comparedFigure(figure, known)]
  })
}

function comparedFigure(
  { name, better }: Figure,
  pairs: readonly { readonly was: number; readonly is: number }[],
): ComparedFigure {
  // A share of nothing is nothing: such figures are compared as they are.
  const relative = relativeFigures.has(name) && pairs.every(({ was }) => was > 0)
  const difference = pairedMedianDifference(
    pairs.map(({ was }) => (relative ? 1 : was)),
    pairs.map(({ was, is }) => (relative ? is / was : is)),
  )
  const middle = (values: readonly number[]): number =>
    pairedMedianDifference(
      values.map(() => 0),
      values,
    ).value
  const improves = difference.value < 0 === (better === 'less')
  return {
    figure: name,
    before: middle(pairs.map(({ was }) => was)),
    after: middle(pairs.map(({ is }) => is)),
    difference: figureData(difference),
    relative,
    verdict: !Number.isFinite(difference.low)
      ? 'too few pairs'
      : !differs(difference)
        ? 'no difference shown'
        : improves
          ? 'better'
          : 'worse',
  }
}

function remarksOf(results: readonly BenchmarkData[], arms: readonly ComparedArm[]): string[] {
  const digests = new Map<string, Set<string>>()
  for (const { plan } of results) digests.set(plan.name, (digests.get(plan.name) ?? new Set()).add(plan.digest))
  const changed = [...digests].filter(([, of]) => of.size > 1).map(([name]) => name)
  const comparisons = arms.reduce((sum, { all }) => sum + all.length, 0)
  const few = arms.some(({ all }) => all.some(({ verdict }) => verdict === 'too few pairs'))
  return [
    'Differences are medians over pairs of runs with the same plan and seed, with intervals of 95 %: by bootstrap, widened for few pairs to what order statistics promise. An interval that holds zero shows no difference.',
    ...(comparisons > 10
      ? [`Of ${comparisons} comparisons, one in twenty shows a difference by chance where there is none.`]
      : []),
    ...(few ? ['Fewer than 6 pairs can show nothing at 95 %: repeat more often.'] : []),
    ...(changed.length > 0 ? [`Not the same text in all results: ${changed.join(', ')}.`] : []),
    ...(new Set(results.map(({ simulated }) => simulated)).size > 1
      ? ['Some results are simulated and some are not, or by different profiles: they say nothing about each other.']
      : []),
  ]
}
