/** What a planner should ask itself, having seen the figures: about this plan, and about what no figure says. */
import { formatDuration, formatShare } from '../../web/standard/format.js'
import type { BenchmarkData } from './data.js'
import { bySteps, type StepGroup } from './groups.js'

/** Names told in a question. */
const mostNames = 4
/** An estimate is worth correcting from this factor on. */
const farOff = 1.5

const named = (groups: readonly StepGroup[]): string =>
  groups
    .slice(0, mostNames)
    .map(({ name }) => name)
    .join(', ') + (groups.length > mostNames ? ', …' : '')

export function plannerQuestions({ runs, figures, targets }: BenchmarkData): string[] {
  const steps = bySteps(runs, ({ id }) => id)
  return [
    ...longest(steps, figures['makespanMs']?.value ?? 0),
    ...parallel(figures['speedup']?.value ?? null, steps.length),
    ...unsure(steps),
    ...estimates(steps),
    ...failed(steps),
    ...targets
      .filter(({ verdict }) => verdict === 'missed')
      .map(({ target, because }) => `The target “${target}” is missed (${because}). Does it matter for this plan?`),
    'Is the result right and complete, and does it follow the conventions of the project? What had to be changed by hand?',
    'What would the same work have cost without a plan, in your own tokens and time?',
    'Which instruction or context file would you write otherwise next time?',
  ]
}

function longest(steps: readonly StepGroup[], makespanMs: number): string[] {
  const [slow] = [...steps].sort((a, b) => (b.took?.p50 ?? 0) - (a.took?.p50 ?? 0))
  const ms = slow?.took?.p50 ?? 0
  if (slow === undefined || steps.length < 2 || makespanMs <= 0 || ms < makespanMs / 3) return []
  const share = formatShare(ms / makespanMs)
  return [
    `${slow.name} takes ${formatDuration(ms)}, ${share} of the whole: can it be split into steps that run at once?`,
  ]
}

function parallel(speedup: number | null, steps: number): string[] {
  if (speedup === null || steps < 3 || speedup >= 1.5) return []
  return [`The steps hardly run at once (${speedup.toFixed(2)}×): does each really need all that it depends on?`]
}

function unsure(steps: readonly StepGroup[]): string[] {
  const missed = steps.filter(({ tried, firstTry }) => firstTry < tried)
  const unchecked = steps.filter(({ calls, tried }) => calls > 0 && tried === 0)
  return [
    ...(missed.length === 0
      ? []
      : [`Not right at the first try: ${named(missed)}. Do their descriptions say what their checks ask for?`]),
    ...(unchecked.length === 0
      ? []
      : [`Nothing checks ${named(unchecked)}: which of them could have an output constraint or tests?`]),
  ]
}

function estimates(steps: readonly StepGroup[]): string[] {
  const off = steps.filter(({ took, expectedMs }) => {
    if (took === undefined || expectedMs === undefined || expectedMs <= 0 || took.p50 <= 0) return false
    const factor = took.p50 / expectedMs
    return factor > farOff || factor < 1 / farOff
  })
  return off.length === 0 ? [] : [`The estimate is far off for ${named(off)}: is their estimated_tokens right?`]
}

function failed(steps: readonly StepGroup[]): string[] {
  const lost = steps.filter((step) => step.done < step.steps)
  return lost.length === 0 ? [] : [`Not always done: ${named(lost)}. What do their failures have in common?`]
}
