/** `aetherflow explain PLAN|-`: the same core on a virtual clock; no call, no cost. */
import type { Explanation, RouteInfo, RunReport, StepReport } from '../../../bindings/events.js'
import { failureKindWords, reasonWords } from '../../../bindings/generated/wire.js'
import {
  formatCount,
  formatDuration,
  formatShare,
  formatUsd,
  oneLine,
  plural,
  simulatedLabel,
} from '../../../web/standard/format.js'
import { pricesWords } from '../../../web/standard/report/prices.js'
import { checkPlan } from '../../index.js'
import { planName } from '../../run/outputs.js'
import { foldedParts, rangeWords } from '../../spread-words.js'
import { paint, type Paint } from '../colour.js'
import { documentsOf, foundLines, type DocumentFlags } from '../docs-flags.js'
import { failureRecord } from '../failure.js'
import { gantt } from '../gantt.js'
import { explainMeasured, speedWords } from '../measured-explanation.js'
import { exitCodes, type ExitCode, type Host } from '../host.js'
import { wholePlan } from '../../../web/standard/run/plan-source.js'
import { planInput } from '../plan-input.js'
import { asciiControls } from '../render/json.js'
import { budgetUse, pathWords } from '../summary.js'
import { alignedTable } from '../table.js'
import { wrapped } from '../terminal-text.js'
import { profileWords } from '../profile-flag.js'
import { planOptions, type SharedFlags } from './run.js'

export interface ExplainFlags extends SharedFlags, DocumentFlags {
  readonly json?: true
  readonly prompts?: true
  readonly watch?: true
  readonly files?: string
  readonly allowFile?: readonly string[]
}

/** Steps listed on a screen; `--json` has all. */
const mostRows = 200
/** Names of steps that the budget leaves out. */
const mostNames = 8

export async function explain(path: string, flags: ExplainFlags, host: Host): Promise<ExitCode> {
  const { stdout } = host
  try {
    const input = await planInput(path, host)
    const { files, allowFile: allowFiles } = flags
    const options = { ...planOptions(flags), folder: files ?? input.folder, allowFiles, documents: documentsOf(flags) }
    const plan = await wholePlan(input.source)
    const { warnings } = await checkPlan(plan, { ...options, documents: undefined, folder: undefined })
    const explanation = await explainMeasured(plan, options, host.env)
    const { simulate } = options
    const simulated = simulate === undefined ? undefined : simulate.name
    if (flags.json) {
      const labelled = simulated === undefined ? {} : { simulated }
      stdout.write(`${asciiControls(JSON.stringify({ ...explanation, warnings, ...labelled }))}\n`)
      return exitCodes.ok
    }
    const colours = paint(stdout, host.env)
    const width = stdout.columns ?? 100
    const title = `${oneLine(planName(path))}, mode ${oneLine(explanation.report.mode)}`
    const head = [
      `${colours.bold(title)}: explained on a virtual clock, nothing was called${simulatedLabel(simulate && profileWords(simulate))}`,
      ...figures(explanation, colours),
      ...speedLines(explanation.speeds, colours),
      ...warnings.map(
        ({ code, where, detail }) => `${colours.yellow('warning')} ${code} at ${oneLine(where)}: ${oneLine(detail)}`,
      ),
      ...foundLines(explanation.documents),
      ...explanation.contexts.map(
        ({ provider, model, tokens }) =>
          `${oneLine(provider)} ${oneLine(model)} holds ${formatCount(tokens)} tokens of prompt and answer, as its host says`,
      ),
    ]
    const lines = [
      ...(stdout.isTTY === true ? head.flatMap((line) => wrapped(line, width)) : head),
      '',
      ...routeLines(explanation, stdout.isTTY === true ? width : Infinity, colours),
      '',
      ...gantt(explanation.report, width, mostRows),
    ]
    if (explanation.assumed.length > 0 && simulated === undefined) {
      lines.push('', colours.yellow('no keys are set: explained as if all providers were configured'))
    }
    stdout.write(`${lines.join('\n')}\n`)
    return exitCodes.ok
  } catch (error) {
    if (flags.json) stdout.write(`${asciiControls(JSON.stringify(failureRecord(error)))}\n`)
    throw error
  }
}

function figures(explanation: Explanation, colours: Paint): string[] {
  const { report, costMicroUsd } = explanation
  const { low, expected, high } = costMicroUsd
  const speedup = report.speedup === null ? '' : `, ${report.speedup.toFixed(1)}× in parallel`
  const name = (text: string): string => colours.dim(text.padEnd(14))
  return [
    `  ${name('makespan')}${formatDuration(report.makespanMs)} (${formatDuration(report.sumOfStepsMs)} of work${speedup})`,
    `  ${name('critical path')}${pathWords(report.criticalPath)}`,
    `  ${name('cost')}${formatUsd(expected)} expected, ${formatUsd(low)} to ${formatUsd(high)}, ${oneLine(pricesWords(report))}`,
    ...cacheLines(report, name),
    ...rangeWords(explanation.range).map(([which, words]) => `  ${name(which)}${words}`),
    `  ${name('steps')}${plural(report.counts.total, 'step')}, ${plural(report.totals.calls, 'call')}`,
    ...(report.budget === undefined ? [] : [`  ${name('budget')}${budgetWords(report, report.budget, colours)}`]),
  ]
}

function speedLines(speeds: Parameters<typeof speedWords>[0], colours: Paint): string[] {
  const words = speedWords(speeds)
  return words === undefined ? [] : [`  ${colours.dim('speeds'.padEnd(14))}${words}`]
}

/** What each provider's prompt cache is expected to hold; nothing where steps share too little. */
function cacheLines({ byProvider }: RunReport, name: (text: string) => string): string[] {
  const rows = byProvider.filter(({ promptCache }) => promptCache.sharedTokens > 0)
  return rows.map(({ name: provider, promptCache: { hitRate, savedMicroUsd } }, index) => {
    const words = `${oneLine(provider)}: ${formatShare(hitRate)} of prompt tokens expected, saves ${formatUsd(savedMicroUsd)}`
    return `  ${name(index === 0 ? 'prompt caches' : '')}${words}`
  })
}

/** Whether the budget would do, when every answer is as long as expected, and what it leaves out. */
function budgetWords(report: RunReport, budget: NonNullable<RunReport['budget']>, colours: Paint): string {
  const undone = report.steps.filter(({ state }) => state !== 'done').map(({ id }) => oneLine(id))
  const names = undone.slice(0, mostNames).join(', ') + (undone.length > mostNames ? ', …' : '')
  const verdict =
    undone.length === 0
      ? 'suffices'
      : colours.red(`does not suffice: ${plural(undone.length, 'step')} left out (${names}); raise it with --budget`)
  return [...budgetUse(budget), verdict].join(', ')
}

function whyWords({ why, provider, model, tokensPerSecond, microUsdPerMtok }: RouteInfo, report: RunReport): string {
  const assumed = report.assumedPrices.some((one) => one.provider === provider && one.model === model)
  const price = `${formatUsd(microUsdPerMtok)} per million`
  return `${why} (${formatCount(tokensPerSecond)} tokens/s, ${price}${assumed ? ' assumed, its price is unknown' : ''})`
}

/** What a step is sent to on the virtual clock: the route's first choice, or what limits and the budget led to. */
function sentTo({ calls }: StepReport, route: RouteInfo, report: RunReport): { target: string; why: string } {
  const wanted = `${route.provider} ${route.model}`
  const call = calls.find(({ purpose, outcome }) => purpose === 'main' && outcome === 'ok') ?? calls[0]
  const target = call === undefined ? wanted : `${call.provider} ${call.model}`
  if (target === wanted) return { target, why: whyWords(route, report) }
  const cause = call?.overflowed === true ? `${wanted} is full then` : `cheaper than ${wanted}, for the budget`
  return { target, why: cause }
}

function leftOut({ state, reason, failure, cause }: StepReport): string {
  const words = reason === undefined ? failure && failureKindWords[failure] : reasonWords[reason]
  return `${state === 'failed' ? 'fails' : 'left out'}: ${words ?? state}${cause === undefined ? '' : ` (${cause})`}`
}

function routeLines(
  { routes, report }: Explanation & { routes: RouteInfo[] },
  width: number,
  colours: Paint,
): string[] {
  const steps = new Map(report.steps.map((step) => [step.id, step] as const))
  const auditors = new Set<string>()
  const all = routes.map((route): readonly string[] => {
    const step = steps.get(route.id)
    if (step !== undefined && step.state !== 'done') return [route.id, '–', leftOut(step)].map(oneLine)
    const { target, why } =
      step === undefined
        ? { target: `${route.provider} ${route.model}`, why: whyWords(route, report) }
        : sentTo(step, route, report)
    return [route.id, target, why].map(oneLine)
  })
  for (const { calls } of report.steps)
    for (const { purpose, provider, model } of calls)
      if (purpose === 'audit') auditors.add(oneLine(`${provider} ${model}`))
  const rows = foldedParts(all)
  const rest = Math.max(0, rows.length - mostRows)
  const [heads = '', ...lines] = alignedTable(['step', 'goes to', 'because'], rows.slice(0, mostRows), width)
  return [
    colours.dim(heads),
    ...lines,
    ...(rest > 0 ? [`… and ${formatCount(rest)} more (--json has all)`] : []),
    ...(auditors.size > 0 ? [`audited by ${[...auditors].join(', ')}`] : []),
  ]
}
