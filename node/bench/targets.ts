/** The targets of the mission, each with its figure, and by what it was missed. One that was not exercised says so. */
import { draftTargets } from '../../web/standard/draft/targets.js'
import { formatDuration, formatShare, plural } from '../../web/standard/format.js'
import type { BenchCall, BenchDrafts, BenchRun, TargetFigure } from './data.js'
import { callsSaved, draftsMade, draftSpeedup, firstTries, promptCacheShare } from './figures.js'
import { median } from './statistics.js'

interface Target {
  readonly name: string
  readonly target: string
  judge(runs: readonly BenchRun[]): Omit<TargetFigure, 'name' | 'target'>
}

/** Names told of what missed a target. */
const mostNames = 5

const skipped = (because: string): Omit<TargetFigure, 'name' | 'target'> => ({
  verdict: 'not exercised',
  figure: '',
  because,
})

type TimeOfCall = 'firstTokenMs' | 'responseMs' | 'queueMs' | 'networkMs'

/** Every call must keep it. */
function everyCall(name: string, words: string, member: TimeOfCall, bound: number, without: string): Target {
  return {
    name,
    target: `${words} < ${formatDuration(bound)}`,
    judge: (runs) => {
      const all = runs.flatMap(({ steps }) =>
        steps.flatMap(({ id, calls }) => calls.map((call: BenchCall) => ({ id, ms: call[member] }))),
      )
      const known = all.flatMap(({ id, ms }) => (ms === null ? [] : [{ id, ms }]))
      if (known.length === 0) return skipped(without)
      const missed = known.filter(({ ms }) => ms >= bound).sort((a, b) => b.ms - a.ms)
      const most = Math.max(...known.map(({ ms }) => ms))
      const figure = `median ${formatDuration(median(known.map(({ ms }) => ms)))}, worst ${formatDuration(most)}`
      if (missed.length === 0) return { verdict: 'met', figure, because: `all of ${plural(known.length, 'call')}` }
      const worst = [...new Map(missed.reverse().map(({ id, ms }) => [id, ms]))].sort((a, b) => b[1] - a[1])
      const names = worst.slice(0, mostNames).map(([id, ms]) => `${id} (${formatDuration(ms)})`)
      const more = worst.length > names.length ? `, and ${plural(worst.length - names.length, 'other step')}` : ''
      const because = `missed by ${missed.length} of ${plural(known.length, 'call')}: ${names.join(', ')}${more}`
      return { verdict: 'missed', figure, because }
    },
  }
}

/** The median run must reach it. */
function everyRun(
  name: string,
  words: string,
  bound: number,
  of: (run: BenchRun) => number | null,
  without: string,
): Target {
  return {
    name,
    target: `${words} > ${formatShare(bound)}`,
    judge: (runs) => {
      const known = runs.map(of).filter((value) => value !== null)
      if (known.length === 0) return skipped(without)
      const middle = median(known)
      const figure = formatShare(middle)
      const because = `median of ${plural(known.length, 'run')}`
      return { verdict: middle > bound ? 'met' : 'missed', figure, because }
    },
  }
}

const firstTrySuccess: Target = {
  name: 'firstTrySuccess',
  target: 'right at the first try',
  judge: (runs) => {
    const steps = runs.flatMap((run) => run.steps)
    const called = steps.filter(({ calls }) => calls.length > 0)
    const { tried, passed } = firstTries(called)
    if (tried.length === 0) return skipped('no step of the plan has a check that its answer could fail')
    const formOnly = tried.every(({ checkedBy }) => checkedBy === 'form')
    const failed = [...new Set(tried.filter(({ firstTry }) => firstTry === false).map(({ id }) => id))]
    const without = called.length - tried.length
    const words = [
      formOnly ? 'by their form alone: no tests ran' : 'by their checks',
      ...(failed.length === 0 ? [] : [`not: ${failed.slice(0, mostNames).join(', ')}`]),
      ...(without === 0 ? [] : [`${plural(without, 'answer')} without a check`]),
    ]
    const figure = `${formatShare(passed / tried.length)} (${passed} of ${tried.length})`
    return { verdict: 'measured', figure, because: words.join('; ') }
  },
}

/** Why there is nothing to say of drafts. */
function undrafted(runs: readonly BenchRun[]): string {
  const eligible = runs.reduce((sum, { drafts }) => sum + (drafts?.eligible ?? 0), 0)
  return eligible === 0
    ? 'no answer was drafted (draft=auto); aetherflow bench draft measures it'
    : `none of ${plural(eligible, 'step')} was drafted: too little gain expected, no money, or a pair of models that is switched off`
}

/** Over all drafts of all runs: those of one run are few. */
const draftsAccepted: Target = {
  name: 'draftsAccepted',
  target: `drafts accepted > ${formatShare(draftTargets.accepted)}`,
  judge: (runs) => {
    const sum = (of: (drafts: BenchDrafts) => number): number =>
      runs.reduce((total, { drafts }) => total + (drafts === null ? 0 : of(drafts)), 0)
    const made = runs.reduce((total, run) => total + draftsMade(run), 0)
    if (made === 0) return skipped(undrafted(runs))
    const accepted = sum((drafts) => drafts.accepted)
    const others = [
      [sum((drafts) => drafts.patched), 'patched'],
      [sum((drafts) => drafts.rejected), 'rejected'],
      [sum((drafts) => drafts.failed), 'without a verdict'],
      [sum((drafts) => drafts.late), 'too late'],
    ] as const
    const words = others.flatMap(([count, what]) => (count === 0 ? [] : [`${count} ${what}`]))
    return {
      verdict: accepted / made > draftTargets.accepted ? 'met' : 'missed',
      figure: `${formatShare(accepted / made)} (${accepted} of ${made})`,
      because: words.length === 0 ? 'all of them' : words.join(', '),
    }
  },
}

const draftsFaster: Target = {
  name: 'draftSpeedup',
  target: `speed-up by drafts ≥ ${draftTargets.speedup}×`,
  judge: (runs) => {
    const known = runs.map(draftSpeedup).filter((value) => value !== null)
    if (known.length === 0) {
      const made = runs.some((run) => draftsMade(run) > 0)
      return skipped(made ? 'no full answer was seen to reckon with' : undrafted(runs))
    }
    const middle = median(known)
    return {
      verdict: middle >= draftTargets.speedup ? 'met' : 'missed',
      figure: `${middle.toFixed(2)}×`,
      because: `median of ${plural(known.length, 'run')}, over all steps that could have been drafted`,
    }
  },
}

/** By name, in the order of the report. */
export const targets: readonly Target[] = [
  everyCall('firstToken', 'first token', 'firstTokenMs', 2000, 'no answer streamed'),
  everyCall('response', 'response', 'responseMs', 30_000, 'no call was answered'),
  everyCall('queue', 'queue', 'queueMs', 1000, 'no call left'),
  everyCall('network', 'network', 'networkMs', 500, 'calls of a simulated run on the virtual clock use no network'),
  everyRun(
    'promptCache',
    'prompt tokens from the provider’s cache',
    0.6,
    promptCacheShare,
    'no step sent what another had sent before',
  ),
  everyRun('semanticCache', 'cache hits', 0.4, (run) => run.cacheHitRate, 'the runs had no cache (cache=semantic)'),
  draftsAccepted,
  draftsFaster,
  everyRun(
    'connectionReuse',
    'connections reused',
    0.8,
    (run) => run.connectionReuse,
    'calls of a simulated run on the virtual clock make no connections',
  ),
  everyRun('callsSaved', 'calls saved', 0.2, callsSaved, 'no step was answered without a call'),
  {
    name: 'references',
    target: 'references right ≥ 95 %',
    judge: () => skipped('a run cannot tell which section was the right one; aetherflow docs evaluate measures it'),
  },
  firstTrySuccess,
]

export const targetFigures = (runs: readonly BenchRun[]): TargetFigure[] =>
  targets.map(({ name, target, judge }) => ({ name, target, ...judge(runs) }))
