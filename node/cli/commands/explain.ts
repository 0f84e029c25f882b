/** `aetherflow explain PLAN|-`: the same core on a virtual clock; no call, no cost. */
import type { Explanation, RouteInfo, RunReport } from '../../../bindings/events.js'
import {
  formatCount,
  formatDuration,
  formatUsd,
  oneLine,
  plural,
  simulatedLabel,
} from '../../../web/standard/format.js'
import { checkPlan, explainPlan } from '../../index.js'
import { planName } from '../../run/outputs.js'
import { paint, type Paint } from '../colour.js'
import { failureRecord } from '../failure.js'
import { gantt } from '../gantt.js'
import { exitCodes, type ExitCode, type Host } from '../host.js'
import { wholePlan } from '../../../web/standard/run/plan-source.js'
import { planInput } from '../plan-input.js'
import { asciiControls } from '../render/json.js'
import { budgetUse, pathWords } from '../summary.js'
import { alignedTable } from '../table.js'
import { planOptions, simulatedName, type SharedFlags } from './run.js'

export interface ExplainFlags extends SharedFlags {
  readonly json?: true
  readonly prompts?: true
  readonly watch?: true
}

/** Steps listed on a screen; `--json` has all. */
const mostRows = 200

export async function explain(path: string, flags: ExplainFlags, host: Host): Promise<ExitCode> {
  const { stdout } = host
  try {
    const options = planOptions(flags)
    const plan = await wholePlan((await planInput(path, host)).source)
    const { warnings } = await checkPlan(plan)
    const explanation = await explainPlan(plan, options)
    const simulated = simulatedName(flags)
    if (flags.json) {
      const labelled = simulated === undefined ? {} : { simulated }
      stdout.write(`${asciiControls(JSON.stringify({ ...explanation, warnings, ...labelled }))}\n`)
      return exitCodes.ok
    }
    const colours = paint(stdout, host.env)
    const width = stdout.columns ?? 100
    const title = `${oneLine(planName(path))}, mode ${oneLine(explanation.report.mode)}`
    const lines = [
      `${colours.bold(title)}: explained on a virtual clock, nothing was called${simulatedLabel(simulated)}`,
      ...figures(explanation, colours),
      ...warnings.map(
        ({ code, where, detail }) => `${colours.yellow('warning')} ${code} at ${oneLine(where)}: ${oneLine(detail)}`,
      ),
      '',
      ...routeLines(explanation.routes, width, colours),
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

function figures({ report, costMicroUsd }: Explanation, colours: Paint): string[] {
  const { low, expected, high } = costMicroUsd
  const speedup = report.speedup === null ? '' : `, ${report.speedup.toFixed(1)}× in parallel`
  const name = (text: string): string => colours.dim(text.padEnd(14))
  return [
    `  ${name('makespan')}${formatDuration(report.makespanMs)} (${formatDuration(report.sumOfStepsMs)} of work${speedup})`,
    `  ${name('critical path')}${pathWords(report.criticalPath)}`,
    `  ${name('cost')}${formatUsd(expected)} expected, ${formatUsd(low)} to ${formatUsd(high)}, prices of ${oneLine(report.pricesAsOf)}`,
    `  ${name('steps')}${plural(report.counts.total, 'step')}, ${plural(report.totals.calls, 'call')}`,
    ...(report.budget === undefined ? [] : [`  ${name('budget')}${budgetWords(report, report.budget, colours)}`]),
  ]
}

/** Whether the budget would do, when every answer is as long as expected. */
function budgetWords({ counts }: RunReport, budget: NonNullable<RunReport['budget']>, colours: Paint): string {
  const undone = counts.total - counts.done
  const verdict = undone === 0 ? 'suffices' : colours.red(`does not suffice: ${plural(undone, 'step')} left out`)
  return [...budgetUse(budget), verdict].join(', ')
}

function routeLines(routes: readonly RouteInfo[], width: number, colours: Paint): string[] {
  const rows = routes
    .slice(0, mostRows)
    .map(({ id, provider, model, why }) => [id, `${provider} ${model}`, why].map((cell) => oneLine(cell)))
  const [heads = '', ...lines] = alignedTable(['step', 'goes to', 'because'], rows, width)
  const rest = routes.length - rows.length
  return [colours.dim(heads), ...lines, ...(rest > 0 ? [`… and ${formatCount(rest)} more (--json has all)`] : [])]
}
