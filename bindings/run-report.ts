/** The report of a run: the core's, with what the host alone knows of its steps. */
import type { CoreRun } from './core.js'
import type { withChecks } from './check-report.js'
import type { DriverOptions } from './driver-options.js'
import type { RunReport, StepReport } from './report.js'
import { stepReports } from './report-rows.js'
import type { RunTexts } from './run-texts.js'
import { documentsReport } from './step-documents.js'

/** What some runs alone have in their report. */
export interface ReportParts extends Pick<DriverOptions, 'drafts'> {
  readonly checks?: typeof withChecks | undefined
}

/**
 * What a run came to, with its report. `lazyReport`: that is made when it is asked for, as long as the core lives; most of what a short run
 * costs is the reading of a report that nobody wants.
 */
export function withReport<Result extends object>(
  result: Result,
  core: CoreRun,
  texts: RunTexts,
  { lazyReport, ...parts }: ReportParts & Pick<DriverOptions, 'lazyReport'>,
): Result & { readonly report: RunReport } {
  if (lazyReport !== true) return { ...result, report: runReport(core, texts, parts) }
  return Object.defineProperty(result, 'report', { get: () => runReport(core, texts, parts) }) as Result & {
    readonly report: RunReport
  }
}

/** The report as things stand, with the documents that went into the prompts, and what drafts came to. */
export function runReport(core: CoreRun, texts: RunTexts, parts: ReportParts): RunReport {
  const { documents } = texts
  const own = { ...core.document<RunReport>('report'), steps: stepReports(core, texts) }
  const told = parts.checks?.(own, texts) ?? own
  const drafts = parts.drafts?.summary(told)
  const report = drafts === undefined ? told : { ...told, drafts }
  if (documents.size === 0) return report
  const found = [...documents.values()]
  const sum = (of: 'tokens' | 'retrievalTimeMs'): number => found.reduce((total, each) => total + each[of], 0)
  const totals = {
    steps: found.length,
    sections: found.reduce((total, { sections }) => total + sections.length, 0),
    tokens: sum('tokens'),
    retrievalTimeMs: sum('retrievalTimeMs'),
    abstained: found.filter(({ abstained }) => abstained !== undefined).length,
  }
  return {
    ...report,
    documents: totals,
    steps: report.steps.map((step, index): StepReport => {
      const own = documents.get(index)
      if (own === undefined) return step
      return { ...step, documents: documentsReport(own) }
    }),
  }
}
