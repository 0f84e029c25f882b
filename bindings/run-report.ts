/** The report of a run: the core's, with what the host alone knows of its steps. */
import type { CoreRun } from './core.js'
import { withChecks } from './check-report.js'
import type { RunReport, StepReport } from './report.js'
import type { RunTexts } from './run-texts.js'
import { documentsReport } from './step-documents.js'

/**
 * What a run came to, with its report. `lazy`: that is made when it is asked for, as long as the core lives; most of what a short run
 * costs is the reading of a report that nobody wants.
 */
export function withReport<Result extends object>(
  result: Result,
  core: CoreRun,
  texts: RunTexts,
  lazy: boolean,
): Result & { readonly report: RunReport } {
  if (!lazy) return { ...result, report: runReport(core, texts) }
  return Object.defineProperty(result, 'report', { get: () => runReport(core, texts) }) as Result & {
    readonly report: RunReport
  }
}

/** The report as things stand, with the documents that went into the prompts. */
export function runReport(core: CoreRun, texts: RunTexts): RunReport {
  const { documents } = texts
  const report = withChecks(core.document<RunReport>('report'), texts)
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
