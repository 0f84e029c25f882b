/** The charts of one run: what its providers took and cost, how soon answers began, and what had been expected. */
import type { CallReport, RunReport } from '../../bindings/events.js'
import { median } from '../bench/statistics.js'
import { formatDuration, formatUsd, plural } from '../../web/standard/format.js'
import { heading, paragraph, type Block } from '../../web/standard/report/blocks.js'
import { tookMs, type Expected } from '../../web/standard/report/facts.js'
import { providerColour } from '../../web/standard/theme.js'
import { bars, dots, type ChartFrame } from './charts.js'

/** Steps whose estimate is drawn. */
const mostSteps = 20

const colour = (provider: string): string => `var(--af-${providerColour(provider)})`
const time = { format: formatDuration }

export function runCharts(report: RunReport, expected?: Expected): Block[] {
  const called = report.steps.filter(({ calls }) => calls.length > 0)
  return [
    heading('Charts'),
    ...byProvider(report),
    ...firstTokens(
      called.flatMap(({ calls }) => calls),
      report.targets.find(({ metric }) => metric === 'firstToken')?.targetMs,
    ),
    ...(expected === undefined ? [] : estimates(report, expected)),
  ]
}

function byProvider({ byProvider: list }: RunReport): Block[] {
  const rows = list.map(({ name, workMs, costMicroUsd, calls, succeeded }) => ({
    ...{ name, workMs, costMicroUsd, colour: colour(name) },
    ...{ share: `${plural(succeeded, 'call')}${succeeded === calls ? '' : ` of ${calls}`}` },
  }))
  const told = rows.map((row) => ({ ...row, value: row.workMs, told: `${formatDuration(row.workMs)}, ${row.share}` }))
  const costs = rows.map((row) => ({ ...row, value: row.costMicroUsd, told: formatUsd(row.costMicroUsd) }))
  const words = (of: string, list: readonly { name: string; told: string }[]): string =>
    `${of} by provider: ${list.map((one) => `${one.name} ${one.told}`).join('; ')}.`
  return [
    paragraph({ strong: 'Time of calls by provider' }, ', all calls together'),
    bars(told, { words: words('Time of calls', told), axis: 'time of calls', ...time }),
    paragraph({ strong: 'Cost by provider' }),
    bars(costs, { words: words('Cost', costs), axis: 'cost', format: formatUsd }),
  ]
}

/** First tokens of calls, by provider. */
export function firstTokens(
  calls: readonly Pick<CallReport, 'provider' | 'firstTokenMs'>[],
  targetMs: number | undefined,
): Block[] {
  const groups = new Map<string, number[]>()
  for (const { provider, firstTokenMs } of calls) {
    if (firstTokenMs === null) continue
    groups.set(provider, [...(groups.get(provider) ?? []), firstTokenMs])
  }
  if (groups.size === 0) return []
  const rows = [...groups].map(([name, values]) => {
    const middle = median(values)
    const told = `median ${formatDuration(middle)} of ${values.length}`
    return { name, values, middle, told, colour: colour(name) }
  })
  const frame: ChartFrame = {
    words: `Time to first token: ${rows.map(({ name, told }) => `${name} ${told}`).join('; ')}.`,
    axis: 'time to first token',
    ...time,
    target: targetMs === undefined ? undefined : { value: targetMs, words: `target ${formatDuration(targetMs)}` },
  }
  return [
    paragraph({ strong: 'Time to first token' }, ', a dot for each call, a line at the median'),
    dots(rows, frame),
  ]
}

function estimates(report: RunReport, { steps }: Expected): Block[] {
  const both = report.steps.flatMap((step) => {
    const [took, usual] = [tookMs(step), steps.get(step.id)]
    return took === undefined || usual === undefined || usual <= 0 || step.calls.length === 0
      ? []
      : [{ id: step.id, took, usual }]
  })
  if (both.length === 0) return []
  const furthest = [...both].sort((a, b) => off(b) - off(a)).slice(0, mostSteps)
  const rows = furthest.map(({ id, took, usual }) => ({
    name: id,
    value: took / usual,
    told: `${formatDuration(took)} of ${formatDuration(usual)} expected`,
  }))
  const times = (value: number): string => `${Number(value.toFixed(2))}×`
  return [
    paragraph(
      { strong: 'Time of steps against their estimate' },
      `, ${both.length > rows.length ? `the ${rows.length} furthest off; ` : ''}1× is as expected`,
    ),
    bars(rows, {
      words: `Time of steps against their estimate: ${rows.map(({ name, told }) => `${name} ${told}`).join('; ')}.`,
      axis: 'times the estimate',
      format: times,
      target: { value: 1, words: 'as expected' },
    }),
  ]
}

const off = ({ took, usual }: { readonly took: number; readonly usual: number }): number =>
  Math.abs(Math.log(Math.max(1, took) / usual))
