/** The files of a report: Markdown with its picture beside it, and a page that has everything in itself. */
import type { Explanation, RunReport } from '../../bindings/events.js'
import { mayHaveCharts, tookMs, type Expected } from '../../web/standard/report/facts.js'
import { reportHtml } from '../../web/standard/report/html.js'
import { reportMarkdown, type ReportExtras } from '../../web/standard/report/markdown.js'
import { timeline } from '../../web/standard/report/timeline.js'

const picture = 'timeline.svg'

/** By name. The library that draws is loaded here, when there is something to draw. */
export async function reportFiles(report: RunReport, extras: ReportExtras): Promise<Record<string, string>> {
  const drawn = timeline(report)
  const more = { ...extras, picture }
  const charts = mayHaveCharts(report)
    ? (await import('../charts/run-charts.js')).runCharts(report, extras.expected)
    : undefined
  return {
    'report.md': reportMarkdown(report, more),
    'report.html': reportHtml(report, { ...more, charts }),
    ...(drawn === undefined ? {} : { [picture]: `${drawn.svg}\n` }),
  }
}

/** What an explanation says beforehand, as a report compares it. */
export function expectedOf({ costMicroUsd, report }: Explanation): Expected {
  const steps = new Map<string, number>()
  for (const step of report.steps) {
    const ms = tookMs(step)
    if (ms !== undefined) steps.set(step.id, ms)
  }
  return { costMicroUsd, makespanMs: report.makespanMs, steps }
}
